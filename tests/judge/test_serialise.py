from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ftfkit.errors import FtfkitError
from ftfkit.judge import Readiness, judge_rows, verdict_from_dict, verdict_to_dict
from ftfkit.types import GateResult, Verdict


@pytest.fixture(
    params=[
        pytest.param({}, id="full"),
        pytest.param({"n_folds": 1}, id="one fold"),
        pytest.param({"n_assets": 1}, id="one asset"),
        pytest.param({"f1_buy": 0.4, "variants": ("same", "twin")}, id="no difference"),
        pytest.param({"f1_buy": np.full((5, 5), np.nan)}, id="no metric"),
    ]
)
def judged(request: pytest.FixtureRequest, panel, strict) -> Verdict:
    rows = panel(**request.param)
    return judge_rows(rows, baseline="none", criteria=strict, run_id="ftf_x", post_hoc=True, readiness=Readiness())


def test_verdicts_survive_json(judged: Verdict) -> None:
    text = json.dumps(verdict_to_dict(judged), allow_nan=False)
    assert verdict_from_dict(json.loads(text)) == judged


def test_layout_is_the_published_one(panel, strict) -> None:
    content = verdict_to_dict(judge_rows(panel(), baseline="none", criteria=strict))
    assert list(content) == ["schema", "run_id", "baseline", "gates", "post_hoc", "synthetic", "variants"]
    one = content["variants"]["better"]
    assert {"verdict", "reasons", "comparison", "gates"} <= set(one)
    assert set(one["comparison"]) == {
        "metric", "n_pairs", "mean", "ci95", "d_z", "t", "p", "p_bh", "fold_t", "nadeau_bengio", "icc_fold",
        "n_eff", "sign_flip_p", "sign_flip_floor", "p_rope", "mde80",
    }  # fmt: skip
    assert set(one["comparison"]["fold_t"]) == {"t", "df", "p", "p_bh", "ci95"}
    assert set(one["gates"]["f1_lift"]) == {"status", "observed", "threshold", "unit", "reason"}


def test_json_never_holds_nan(panel, strict) -> None:
    judged = judge_rows(panel(), baseline="none", criteria=strict)
    one = judged.variants["better"]
    broken = replace(one, gates={"x": GateResult("FAIL", float("nan"), float("inf"))})
    content = verdict_to_dict(replace(judged, variants={"better": broken}))
    assert content["variants"]["better"]["gates"]["x"]["observed"] is None
    assert json.dumps(content, allow_nan=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "verdict: schema == 2 must be 1"),
        ({"variants": None}, "variants must map names to verdicts"),
        ({"post_hoc": "perhaps"}, "verdict: post_hoc: "),
    ],
)
def test_other_contents_are_refused(panel, strict, change: dict[str, object], message: str) -> None:
    content = verdict_to_dict(judge_rows(panel(), baseline="none", criteria=strict))
    with pytest.raises(FtfkitError, match=message):
        verdict_from_dict(content | change)
