from __future__ import annotations

import json

import pytest

from ftfkit.dossier import trust
from ftfkit.dossier.overview import header
from ftfkit.dossier.results import read_results
from ftfkit.dossier.write import write_dossier

LIFTS = {"none": 0.0, "a": 0.05}
ADVICE = {
    "schema": 1,
    "ledger_lines": 4,
    "ledger_hash": "ab",
    "looks": [{"utc": "2026-04-29T09:30:00+00:00", "run_id": "r0", "n_rows": 20, "n_cells": 50}],
    "trials": {
        "n_trials": 7,
        "deflated_sharpe": {"none": None, "a": {"sharpe": 0.5, "benchmark": 0.25, "probability": 0.75}},
        "overfitting": {"probability": 0.5, "n_strategies": 7, "n_splits": 4, "n_combinations": 6},
    },
    "confounds": [
        {"rule": "moved together", "variants": ["a"], "text": "x and y move together"},
        {"rule": "baseline fails", "variants": [], "text": "the baseline fails"},
    ],
}


@pytest.fixture
def advised(make_run, make_rows):
    folder = make_run(make_rows(LIFTS))
    (folder / "advice.json").write_text(json.dumps(ADVICE))
    return folder


def test_a_registered_run_says_when_and_where(make_run, make_rows):
    results = read_results(make_run(make_rows(LIFTS)))
    assert dict(header(results))["Registration"] == "pre-registered 2026-04-28 09:00 UTC (ledger line 3)"


def test_results_that_were_known_before_are_told(make_run, make_rows):
    known = {"file": "p", "planned_utc": "2026-04-28T09:00:00+00:00", "ledger_line": 3, "known": {"a": "r1"}}
    results = read_results(make_run(make_rows(LIFTS), registration=known))
    assert trust.registration(results).endswith("; the results of a were known before, from run r1")


def test_an_unregistered_run_says_so(make_run, make_rows):
    results = read_results(make_run(make_rows(LIFTS), registration=None))
    assert dict(header(results))["Registration"].startswith("not pre-registered")


def test_an_unregistered_run_is_marked_and_never_called_pre_registered(make_run, make_rows):
    rows = make_rows(LIFTS)
    text = write_dossier(make_run(rows)).read_text()
    assert "**LOCK** for 1 variant (a): every pre-registered gate passed; the variant may replace" in text
    assert "NOT PRE-REGISTERED" not in text
    folder = make_run(rows, registration=None)
    text = write_dossier(folder).read_text()
    assert text.splitlines()[0].endswith("results dossier (LOCK, NOT PRE-REGISTERED)")
    assert '<p class="marks" role="note">NOT PRE-REGISTERED</p>' in (folder / "dossier.html").read_text()
    assert "every gate passed, but nobody had written variants and gates down before the run" in text
    assert "stays the champion: a run that was not pre-registered cannot lock a." in text
    assert "The run was not pre-registered: nothing shows" in text
    assert "pre-registered gate" not in text


def test_advice_is_shown_and_marked_as_such(advised):
    text = write_dossier(advised).read_text()
    assert (
        "- **Interim looks**: 1 (2026-04-29 09:30 UTC at 20 of 50 rows); each adds to the chance of a false lock"
        in text
    )
    assert (
        "### 1.2 Confounds\n\nWhat would explain a difference besides the factor. These lines decide nothing." in text
    )
    assert "Section 1.2 names 2 confounds: what would explain" in text[: text.index("### a: ")]
    assert "\n- x and y move together (a)\n- the baseline fails\n" in text
    assert "The ledger knows 7 configurations judged on these assets" in text
    assert "Probability of backtest overfitting by f1_buy: 0.50 over 6 ways to split 4 of the 5 blocks" in text
    assert "| a | +0.500 | +0.250 | 0.750 |" in text


def test_variants_stand_in_the_order_of_the_plan_whatever_the_files(make_run, make_rows):
    luck = {name: {"sharpe": 0.5, "benchmark": 0.25, "probability": 0.75} for name in ("a", "none")}
    folder = make_run(make_rows(LIFTS))
    advice = ADVICE | {"trials": ADVICE["trials"] | {"deflated_sharpe": luck}}
    (folder / "advice.json").write_text(json.dumps(advice))
    assert [row[0] for row in trust.deflated(read_results(folder)).rows] == ["none", "a"]


def test_other_plans_are_told(advised, make_run, make_rows):
    lines = [
        {"variant": "a", "ledger_line": 2, "kind": "planned", "plan_hash": "x", "run_id": None, "verdict": None},
        {"variant": "a", "ledger_line": 3, "kind": "judged", "plan_hash": "x", "run_id": "r1", "verdict": "ABANDON"},
    ]
    others = {"elsewhere": lines, "beside": {"n_variants": 3, "n_plans": 1}}
    (advised / "advice.json").write_text(json.dumps(ADVICE | others))
    told = dict(header(read_results(advised)))
    assert told["Same variants in other plans"] == (
        "a is also in another plan (ledger line 2); a was judged ABANDON by another plan (run r1, ledger line 3)"
    )
    assert told["Other variants on this market"].startswith(
        "3 variants of 1 other plan on the same assets, label and blocks; "
    )
    (advised / "advice.json").write_text(json.dumps(ADVICE | {"elsewhere": lines * 4}))
    assert dict(header(read_results(advised)))["Same variants in other plans"].endswith("; and 3 more in advice.json")


def test_without_advice_nothing_is_said(make_run, make_rows):
    text = write_dossier(make_run(make_rows(LIFTS))).read_text()
    for absent in ("Confounds", "Luck among all trials", "Interim looks"):
        assert absent not in text


def test_undefined_advice_is_left_out(advised):
    trials = {"n_trials": 1, "deflated_sharpe": {"none": None, "a": None}, "overfitting": None}
    (advised / "advice.json").write_text(json.dumps({**ADVICE, "trials": trials, "looks": []}))
    results = read_results(advised)
    assert not trust.deflated(results)
    assert trust.overfitting_line(results) == trust.looks(results) == ""
    assert trust.trials_line(results).startswith("The ledger knows 1 configuration judged")


def test_gates_are_called_pre_registered_only_where_they_are(make_run, make_rows):
    for changes, heading in (({}, "Pre-registered gates"), ({"registration": None}, "Gates of the plan")):
        assert f"### 1.1 {heading}\n" in write_dossier(make_run(make_rows(LIFTS), **changes)).read_text()


def test_luck_that_no_figure_measures_is_said_to_be_undefined(advised):
    assert "are not defined for a run like this" not in write_dossier(advised).read_text()
    trials = {"n_trials": 3, "deflated_sharpe": {"none": None, "a": None}, "overfitting": None}
    (advised / "advice.json").write_text(json.dumps({**ADVICE, "trials": trials}))
    assert "better than it is. Deflated Sharpe ratio and" in write_dossier(advised).read_text()


def test_a_lock_that_another_plan_refused_is_not_offered(make_run, make_rows):
    other = {"variant": "a", "ledger_line": 3, "kind": "judged", "plan_hash": "h", "run_id": "r9"}
    folder = make_run(make_rows(LIFTS))
    for verdict, lines in (("LOCK", []), ("ABANDON", ["a was ABANDON in run r9 of another plan"])):
        (folder / "advice.json").write_text(json.dumps(ADVICE | {"elsewhere": [{**other, "verdict": verdict}]}))
        assert trust.judged_otherwise_lines(read_results(folder), ["a"]) == lines
    assert trust.judged_otherwise_lines(read_results(folder), ["b"]) == []
