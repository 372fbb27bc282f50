import json

import pytest

from ftfkit.dossier import configuration
from ftfkit.dossier.results import read_results

CHAINED = """Traceback (most recent call last):
  File "a.py", line 1, in f
    g()
ValueError: the cause

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in f
    h()
RuntimeError: the consequence
"""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CHAINED, "ValueError: the cause"),
        ("worker was lost", "worker was lost"),
        ("", "no traceback was kept"),
        (None, "no traceback was kept"),
    ],
)
def test_the_first_exception_is_what_an_error_row_shows(error, expected):
    assert configuration.first_line(error) == expected


@pytest.fixture
def results(make_run, make_rows):
    def read(rows=None, **changes):
        return read_results(make_run(make_rows({"none": 0.0, "a": 0.05}) if rows is None else rows, **changes))

    return read


def test_walk_forward_folds_skip_the_first_block(results):
    period = {"start_utc": "2024-01-01T00:00:00", "end_utc": "2024-07-01T00:00:00", "holdout_from": None}
    edges = [f"2024-0{month}-01T00:00:00+00:00" for month in range(1, 8)]
    table = configuration.folds(results(period={**period, "edges_utc": edges}))
    assert table.rows[0][:3] == ("0", "2024-02-01 00:00", "2024-03-01 00:00")
    assert table.rows[-1][:3] == ("4", "2024-06-01 00:00", "2024-07-01 00:00")


def test_fold_counts_are_the_baselines(results, make_rows):
    rows = make_rows({"none": 0.0, "a": 0.05})
    rows.loc[rows["variant"] == "a", "n_purged"] = 0
    assert {row[4] for row in configuration.folds(results(rows)).rows} == {"48"}


def test_variants_show_what_they_differ_in(results):
    table = configuration.variants(results())
    assert table.rows == (
        ("none (baseline)", "loss=none", "gamma=0, alpha=0.25"),
        ("a", "loss=focal/a", "gamma=1"),
    )


def test_nested_parameters_have_dotted_names(results):
    found = results()
    for name, depth in (("none", 4), ("a", 6)):
        space = {"eta": {"low": 0.1, "high": 0.3}}
        found.plan["variants"][name]["config"]["loss"] = {"name": "x", "params": {"depth": depth}, "space": space}
    assert [row[2] for row in configuration.variants(found).rows] == [
        "params.depth=4, space.eta.low=0.1, space.eta.high=0.3",
        "params.depth=6",
    ]
    found.plan["variants"]["a"]["config"] = found.plan["variants"]["none"]["config"]
    assert configuration.variants(found).rows[1][2] == "as the baseline"


def test_data_quality_and_dropped_events(results):
    found = results()
    assert configuration.data(found).rows[2][:8] == ("A002USDC", "8,784", "2,196", "2", "6", "1", "0", "2")
    assert configuration.dropped(found).rows == (("warm_up", "70"), ("window_end", "120"))
    assert configuration.origins(found) == ["../shared/data/spot_1h_2024"]


def test_assets_that_only_features_read_have_no_events(results):
    found = results()
    found.plan["data"]["BTCUSDC"] = {"sha256": "0" * 64}
    assert len(configuration.data(found).rows) == 5
    assert configuration.dropped(found).rows == (("warm_up", "70"), ("window_end", "120"))
    assert configuration.origins(found) == ["../shared/data/spot_1h_2024"]


def test_many_assets_leave_those_with_most_missing_bars(results, make_rows):
    table = configuration.data(results(make_rows({"none": 0.0, "a": 0.05}, n_assets=50, n_folds=2)))
    assert len(table.rows) == 40
    assert table.rows[0][0] == "A049USDC"
    assert "of 50" in table.note


def test_absent_cells_are_named(results):
    found = results()
    found.plan["cells"].append({"variant": "a", "asset": "A009USDC", "fold": 7})
    assert configuration.absent(found) == ["a, A009USDC, fold 7"]
    assert json.loads(json.dumps(found.plan))["cells"][-1]["fold"] == 7
