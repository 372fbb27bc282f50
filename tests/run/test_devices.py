"""Models on another device than the CPU: other cells, and a plan that says so."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ftfkit.builtin.models.xgboost import gpu_present
from ftfkit.config.experiment import compose
from ftfkit.errors import ConfigError
from ftfkit.plugins import registry
from ftfkit.run import keys
from ftfkit.run.devices import device_note
from ftfkit.run.plan import make_plan, plan_document


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    output = tmp_path_factory.mktemp("output")
    market = ("universe=demo", "data.days=60", "cv.n_folds=2", f"output.dir={output}")
    return plan_document(make_plan(compose([*market, "balancing=balanced,none"]), datetime(2025, 3, 1, tzinfo=UTC)))


def on_cuda(document: dict[str, Any], *variants: str) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    for name in variants:
        changed["variants"][name]["config"]["model"]["device"] = "cuda"
    return changed


def test_a_plan_for_the_cpu_has_nothing_to_say(document: dict[str, Any]) -> None:
    assert device_note(document) is None


def test_rows_of_another_device_are_other_cells_and_the_plan_warns(document: dict[str, Any]) -> None:
    warning = "model.device == cuda: rows from another device are other cells, none of them is reused"
    assert device_note(on_cuda(document, "balanced", "none")) == warning
    assert device_note(on_cuda(document, "none")) == f"{warning}; none and the others differ by their device too"


def test_a_model_without_a_device_is_one_of_the_cpu(document: dict[str, Any]) -> None:
    changed = copy.deepcopy(document)
    for variant in changed["variants"].values():
        del variant["config"]["model"]["device"]
    assert device_note(changed) is None


def test_the_device_is_part_of_the_fit_key(tmp_path: Path) -> None:
    spec = compose([f"output.dir={tmp_path}"]).baseline.spec
    elsewhere = spec.model_copy(update={"model": spec.model.model_copy(update={"device": "cuda"})})
    assert keys.fit_basis(elsewhere, registry(())) != keys.fit_basis(spec, registry(()))


@pytest.mark.skipif(gpu_present(), reason="a GPU is present")
def test_a_gpu_that_is_not_there_is_refused_in_one_line() -> None:
    with pytest.raises(ConfigError) as refused:
        compose(["model.device=cuda"])
    assert "model.device == cuda must be cpu: XGBoost finds no usable CUDA GPU on this machine" in str(refused.value)
    assert str(refused.value).count("\n") == 0
