"""What the ledger makes of all trials, recomputed by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ftfkit.judge.overfitting import deflated_sharpe, overfitting_probability
from ftfkit.run.ledger import Entry
from ftfkit.run.trials import judged_facts, trials_advice

EDGES = [f"2022-{month:02d}-01T00:00:00+00:00" for month in (1, 3, 5, 7, 9)]


def facts(seed: int, names: tuple[str, ...] = ("none", "a"), **changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    variants = {
        name: {
            "trial": f"{name}{seed}",
            "verdict": None,
            "f1": rng.uniform(0.2, 0.5, 4).tolist(),
            "returns_bps": rng.normal(50, 100, 4).tolist(),
        }
        for name in names
    }
    fixed = {"run_id": f"r{seed}", "assets": ["A", "B"], "label": "L", "edges_utc": EDGES, "variants": variants}
    return {**fixed, **changes}


def entry(n: int, of: dict[str, Any], kind: Any = "judged") -> Entry:
    return Entry(n, "2022-01-01T00:00:00+00:00", kind, of, "", "")


def test_a_run_alone_is_its_own_trials() -> None:
    found = trials_advice([], facts(0))
    assert found["n_trials"] == 2
    assert set(found["deflated_sharpe"]) == {"none", "a"}
    assert found["overfitting"]["n_strategies"] == 2


def test_trials_on_the_same_assets_count_once_each() -> None:
    before = [entry(1, facts(1)), entry(2, facts(1)), entry(3, facts(2, ("none", "a", "b")))]
    others = [entry(4, facts(3, assets=["A"])), entry(5, facts(4), "planned"), entry(6, facts(5, synthetic=True))]
    assert trials_advice([*before, *others], facts(0))["n_trials"] == 2 + 2 + 3


def test_deflated_sharpe_of_all_trials_by_hand() -> None:
    own, other = facts(0), facts(1, edges_utc=[*EDGES[:3], "2022-04-01T00:00:00+00:00", "2022-05-01T00:00:00+00:00"])
    found = trials_advice([entry(1, other)], own)["deflated_sharpe"]["a"]
    years = [243 / 365.25 / 4, 120 / 365.25 / 4]  # of a block
    ratios = [
        np.mean(one["returns_bps"]) / np.std(one["returns_bps"]) / years[place] ** 0.5
        for place, of in enumerate((own, other))
        for one in of["variants"].values()
    ]
    expected = deflated_sharpe(own["variants"]["a"]["returns_bps"], 4, float(np.var(ratios, ddof=1)) * years[0])
    assert expected is not None
    assert found == pytest.approx(vars(expected), abs=1e-9)


def test_overfitting_is_over_trials_whose_f1_compare() -> None:
    alike, relabelled = facts(1), facts(2, label="M")
    shorter = facts(3, edges_utc=[*EDGES[:-1], "2022-10-01T00:00:00+00:00"])
    own = facts(0)
    found = trials_advice([entry(n, of) for n, of in enumerate((alike, relabelled, shorter))], own)["overfitting"]
    scores = [one["f1"] for of in (alike, own) for one in of["variants"].values()]
    expected = overfitting_probability(np.array(scores))
    assert expected is not None
    assert found == vars(expected)


def test_trials_without_figures_count_and_say_nothing() -> None:
    own = facts(0)
    own["variants"]["a"] |= {"f1": None, "returns_bps": None}
    found = trials_advice([], own)
    assert found["n_trials"] == 2
    assert found["deflated_sharpe"]["a"] is None
    assert found["overfitting"] is None


def test_judged_facts_are_fold_means_over_assets(finished_desk) -> None:
    document = json.loads((finished_desk.run / "plan.json").read_text())
    rows = pd.read_parquet(finished_desk.run / "rows.parquet")
    found = judged_facts(finished_desk.run, document, rows, None)
    own = rows[rows["variant"] == "standard"]
    for fold in (0, 1):
        block = own[own["fold"] == fold]
        assert found["variants"]["standard"]["f1"][fold] == pytest.approx(block["f1_buy"].mean(), abs=1e-12)
        returns = (block["expectancy_bps"] * block["n_trades"]).mean()
        assert found["variants"]["standard"]["returns_bps"][fold] == pytest.approx(returns, abs=1e-9)
    holed = rows.copy()
    holed.loc[(rows["variant"] == "standard") & (rows["fold"] == 1), "f1_buy"] = np.nan
    assert judged_facts(finished_desk.run, document, holed, None)["variants"]["standard"]["f1"] is None
    assert judged_facts(finished_desk.run, document, rows.iloc[:7], None)["variants"]["standard"]["f1"] is not None
