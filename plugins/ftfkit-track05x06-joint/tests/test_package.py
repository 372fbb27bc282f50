"""What the package brings: four arms, and rows shared with the tracks it joins."""

from __future__ import annotations

import re
from importlib.metadata import requires

import pytest
from ftfkit_track05x06_joint import conf_dir

import ftfkit
from ftfkit.api import RunResult
from ftfkit.plugins import registry
from ftfkit.run.sweep import run_sweep
from ftfkit.testing import PackageConformance

TRACK = "track=05x06_smoothed_focal"
TINY = ("universe=demo", "hpo=fixed", "data.days=150", "cv.n_folds=2", "stats.n_resamples=100", "executor=serial")
ARMS = {
    "hard+mild_focus": {"loss": "focal/mild_focus"},
    "mild+none": {"targets": "smoothing/mild"},
    "mild+mild_focus": {"targets": "smoothing/mild", "loss": "focal/mild_focus"},
}
CELLS = 4  # of an arm: two assets, two folds


class TestPackage(PackageConformance):
    distribution = "ftfkit-track05x06-joint"


def test_is_registered_with_a_conf_folder_and_requires_what_it_names() -> None:
    assert ("ftfkit-track05x06-joint", conf_dir()) in registry().conf_folders
    required = {re.split(r"[^\w-]", line)[0] for line in requires("ftfkit-track05x06-joint") or ()}
    assert {"ftfkit-track05-label-noise", "ftfkit-track06-focal-loss"} <= required


def test_each_change_alone_and_both_together_are_compared_with_the_champion() -> None:
    experiment = ftfkit.compose(TRACK)
    assert {variant.name: dict(variant.factor_options) for variant in experiment.variants} == ARMS
    champion = ftfkit.compose()
    assert experiment.baseline.name == "hard+none"
    assert experiment.baseline.spec == champion.baseline.spec.model_copy(
        update={"options": experiment.baseline.spec.options}
    )
    assert experiment.gates.name == "f1_buy_boost_strict"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[RunResult]:
    """The single arms and then the track, on one store."""
    output = tmp_path_factory.mktemp("joint")
    asked = ("loss=focal/mild_focus", "targets=smoothing/mild", TRACK)
    return [run_sweep(ftfkit.compose(*TINY, one, f"output.dir={output}")) for one in asked]


def test_only_the_joint_arm_is_trained_after_the_single_ones(runs: list[RunResult]) -> None:
    assert [run.n_reused for run in runs] == [0, CELLS, 3 * CELLS]
    assert [run.n_failed for run in runs] == [0, 0, 0]


def test_all_arms_are_judged(runs: list[RunResult]) -> None:
    result = runs[-1]
    assert len(result.rows) == 4 * CELLS
    assert result.verdict is not None
    assert set(result.verdict.variants) == set(ARMS)
    f1 = result.rows.groupby("variant")["f1_buy"].mean()
    assert f1["mild+mild_focus"] not in (f1["hard+none"], f1["mild+none"], f1["hard+mild_focus"])
