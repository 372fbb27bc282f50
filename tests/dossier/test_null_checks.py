from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ftfkit.dossier.null_checks import ShownCheck, found, shown, shown_in, write_report
from ftfkit.dossier.results import read_results
from ftfkit.dossier.write import write_dossier
from ftfkit.run.null_check import FOLDER, RESULT
from ftfkit.run.recompute import kept_checks, rendered
from ftfkit.run.records import NULL_CHECKS, PLAN

LABEL, CV = {"name": "atr_barrier", "stop_atr": 0.5}, {"name": "purged_kfold", "n_folds": 5}
NULL = "Null check: how often noise is locked"
POWER = "Power check: how often a planted effect is locked"


def _rate(hits: int, n: int, low: float, high: float) -> dict[str, Any]:
    return {"hits": hits, "n": n, "rate": hits / n, "ci95": [low, high]}


def _document(plan: dict[str, Any], effect: float = 0.0) -> dict[str, Any]:
    rates = {name: _rate(10, 200, 0.027, 0.09) for name in ("naive_t", "fold_t", "nadeau_bengio")}
    return {
        "schema": 1,
        "command": "python -m ftfkit null-check --replicates 200",
        "n_replicates": 202,
        "n_incomplete": 2,
        "design": {"n_columns": 10, "correlation": 0.8, "memory_bars": 24, "effect": effect},
        **{name: plan[name] for name in ("universe", "folds", "gates", "synthetic", "period", "stats")},
        "hpo": {"option": "fixed"},
        "options": {"features": "technical", "model": "xgboost"},
        "setting": {"label": LABEL, "cv": CV},
        "data": {asset: data["sha256"] for asset, data in plan["data"].items()},
        "versions": {"ftfkit": "0.1.0", "xgboost": "3.2.0"},
        "planning": {"required_lift": 0.015, "test": "nadeau_bengio", "alpha": 0.05},
        "rates": {**rates, "lock": _rate(1, 200, 0.001, 0.028)},
        "means": {"lift": 0.09 if effect else 0.0001, "lift_sd": 0.002, "icc_fold": 0.1, "mde80": 0.03},
    }


@pytest.fixture
def run(make_run: Any, make_rows: Any, tmp_path: Path) -> Path:
    """A run folder where runs are: beside ``null_checks``."""
    made = make_run(make_rows({"none": 0.0, "good": 0.05}))
    plan = json.loads((made / PLAN).read_text())
    for variant in plan["variants"].values():
        variant["config"] |= {"label": LABEL, "cv": CV}
    (made / PLAN).write_text(json.dumps(plan))
    folder = tmp_path / "output" / "runs" / "one"
    shutil.copytree(made, folder, ignore=shutil.ignore_patterns("output"))
    return folder


def _plan(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / PLAN).read_text()))


def _write(run: Path, name: str, document: dict[str, Any]) -> Path:
    folder = run.parents[1] / FOLDER / name
    folder.mkdir(parents=True)
    (folder / RESULT).write_text(json.dumps(document))
    return folder


def _found(run: Path) -> list[ShownCheck]:
    results = read_results(run)
    return shown_in(results, found(results, run))


def test_without_a_null_check_there_is_none(run: Path) -> None:
    assert _found(run) == []


def test_null_checks_of_the_same_question_are_shown(run: Path) -> None:
    _write(run, "a", _document(_plan(run)))
    _write(run, "b", _document(_plan(run), effect=1.5))
    markdown = write_dossier(run, sections={}).read_text(encoding="utf-8")
    assert f"### 3.2 {NULL}" in markdown
    assert f"### 3.3 {POWER}" in markdown
    assert "| verdict LOCK | one-sided | 1 of 200 | 0.5 % | 0.1 % to 2.8 % |" in markdown
    assert (
        "| Nadeau-Bengio on fold means (the gate's test) | two-sided | 10 of 200 | 5.0 % | 2.7 % to 9.0 % |" in markdown
    )
    assert "the lower bound is within the gate's level of 5.0 %" in markdown
    assert "2 replicates with failed cells are left out" in markdown
    assert "lifts f1_buy by +0.0900, 3.0 times the minimum detectable effect" in markdown
    assert "other bars" not in markdown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gates", {"name": "f1_buy_boost", "required_lift": 0.02, "checks": {}}),
        ("synthetic", True),
        ("universe", {"name": "demo", "quote": "USDC", "assets": ["AAVEUSDC"]}),
        ("setting", {"label": {**LABEL, "stop_atr": 1.0}, "cv": CV}),
        ("setting", {"label": LABEL, "cv": {**CV, "n_folds": 10}}),
        ("schema", 2),
    ],
)
def test_a_null_check_of_another_question_is_not_shown(run: Path, name: str, value: Any) -> None:
    _write(run, "a", {**_document(_plan(run)), name: value})
    assert _found(run) == []


def test_what_a_dossier_shows_is_kept_with_its_run(run: Path) -> None:
    document = _document(_plan(run))
    folder = _write(run, "a", document)
    write_dossier(run, sections={})
    assert json.loads((run / NULL_CHECKS).read_text()) == [document]
    shutil.rmtree(folder)
    write_dossier(run, sections={})
    assert not (run / NULL_CHECKS).exists()


def test_a_dossier_is_verified_against_the_checks_it_showed(run: Path) -> None:
    _write(run, "a", _document(_plan(run)))
    text = write_dossier(run, sections={}).read_text(encoding="utf-8")
    _write(run, "b", _document(_plan(run), effect=1.5))
    verdict = read_results(run).verdict
    with rendered(run, verdict, None, lambda made: write_dossier(made, sections={}), kept_checks(run)) as made:
        assert (made / "dossier.md").read_text(encoding="utf-8") == text
        assert (made / NULL_CHECKS).read_bytes() == (run / NULL_CHECKS).read_bytes()


@pytest.mark.parametrize("damaged", ["", '{"schema": 1', "[]", '{"schema": 1}', "without rates"])
def test_a_damaged_null_check_is_left_out_and_the_log_says_so(
    run: Path, damaged: str, caplog: pytest.LogCaptureFixture
) -> None:
    document = _document(_plan(run))
    _write(run, "b", document)
    file = _write(run, "a", {key: value for key, value in document.items() if key != "rates"}) / RESULT
    if damaged != "without rates":
        file.write_text(damaged)
    assert [check.title for check in _found(run)] == [NULL]
    (line,) = caplog.messages
    assert line.startswith(f"{file}: cannot be read and is left out: ")


def test_other_bars_are_pointed_out(run: Path) -> None:
    _write(run, "a", {**_document(_plan(run)), "data": {"AAVEUSDC": "f" * 64}})
    (check,) = _found(run)
    assert "It stands on other bars than this run." in check.sentences


def test_a_rate_beyond_the_level_is_called_so(run: Path) -> None:
    document = _document(_plan(run))
    document["rates"]["lock"] = _rate(40, 200, 0.15, 0.26)
    assert "the lower bound exceeds the gate's level of 5.0 %" in " ".join(shown(document).sentences)


def test_the_report_has_command_rates_and_setting(run: Path) -> None:
    report = write_report(_write(run, "a", _document(_plan(run)))).read_text(encoding="utf-8")
    assert report.startswith(f"# {NULL}\n")
    assert "```sh\npython -m ftfkit null-check --replicates 200\n```" in report
    assert "| options | features=technical, model=xgboost |" in report
    assert report.count("\n| ") == 2 + 4 + 7
