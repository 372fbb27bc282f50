"""What goes wrong in a cell is its error row, and nothing else."""

from __future__ import annotations

import pytest

from ftfkit.builtin.cv.purged_kfold import PurgedKFold
from ftfkit.components import FeatureSet
from ftfkit.run.cell import run_cell
from ftfkit.types import Asset, Features, Market


class Broken(FeatureSet):
    def compute(self, asset: Asset, market: Market) -> Features:
        raise RuntimeError("no such indicator")


def test_a_failure_is_an_error_row_with_its_traceback(make_spec, make_task) -> None:
    result = run_cell(make_task(make_spec(features=Broken()), versions={"ftfkit": "0"}))
    assert (result.row.status, result.predictions) == ("error", None)
    assert "RuntimeError: no such indicator" in result.row.error
    assert result.row.f1_buy is None
    assert result.row.versions == {"ftfkit": "0"}


class Leaving(FeatureSet):
    def compute(self, asset: Asset, market: Market) -> Features:
        raise SystemExit(0)


def test_a_component_that_leaves_the_program_is_a_failure(make_spec, make_task) -> None:
    assert "SystemExit: 0" in run_cell(make_task(make_spec(features=Leaving()))).row.error


class Interrupted(FeatureSet):
    def compute(self, asset: Asset, market: Market) -> Features:
        raise KeyboardInterrupt


def test_an_interrupt_is_not_a_failure(make_spec, make_task) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_cell(make_task(make_spec(features=Interrupted())))


def test_an_embargo_in_other_bars_than_the_labels_is_refused(make_spec, make_task) -> None:
    result = run_cell(make_task(make_spec(cv=PurgedKFold(n_folds=3, bar_hours=1))))
    assert "cv.bar_hours == 1 must be 4" in result.row.error
