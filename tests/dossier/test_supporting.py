import json

import pytest

from ftfkit.dossier import supporting
from ftfkit.dossier.results import read_results
from ftfkit.dossier.write import write_dossier


@pytest.fixture
def read(make_run):
    return lambda rows, **changes: read_results(make_run(rows, **changes))


def test_operating_points_stand_side_by_side(read, make_rows):
    rows = make_rows({"none": 0.0, "a": 0.05})
    columns = {"f1_buy": 0.2, "f1_buy_fixed": 0.21, "f1_buy_tuned": 0.35, "average_precision": 0.26, "ap_chance": 0.24}
    for name, value in columns.items():
        rows[name] = value + 0.01 * (rows["variant"] == "a")
    table = supporting.operating_points(read(rows))
    assert table.rows[0] == (
        "none",
        *("0.2000", "0.2100", "0.3500", "+0.0000", "0.2600", "+0.0000", "0.2400", "+0.0200", "0.3607"),
    )
    assert table.rows[1] == (
        "a",
        *("0.2100", "0.2200", "0.3600", "+0.0100", "0.2700", "+0.0100", "0.2500", "+0.0200", "0.3607"),
    )


@pytest.mark.parametrize(("drawdown", "tick"), [(10.0, "+1.00 ✓"), (10.01, "+1.01 ✗")])
def test_the_joint_tick_uses_the_planned_bound(read, make_rows, drawdown, tick):
    rows = make_rows({"none": 0.0, "a": 0.05})
    rows.loc[rows["variant"] == "a", "max_drawdown_pct"] = drawdown
    assert supporting.joint(read(rows)).rows[0][3] == tick


def test_parameters_have_median_and_range_by_variant(read, make_rows):
    rows = make_rows({"none": 0.0, "a": 0.05}, n_assets=1, n_folds=3)
    texts = [json.dumps({"eta": eta, "depth": 4}) for eta in (0.1, 0.2, 0.4)]
    rows["params"] = texts * 2
    (table,) = supporting.search(read(rows))
    found = {row[0]: row[1:] for row in table.rows}
    assert found["eta"] == ("0.2 (0.1 to 0.4)",) * 2
    assert found["depth"] == ("4", "4")
    assert found["rounds"] == ("75", "75")


def test_calibrated_scores_stand_only_where_something_was_calibrated(read, make_rows):
    rows = make_rows({"none": 0.0, "a": 0.05})
    plain = read(rows)
    table = supporting.calibration(plain)
    assert table.columns[:3] == ("Variant", "Brier raw", "log loss raw")
    assert table.rows[1][:3] == ("a", "0.2100", "0.6100")
    assert supporting.calibration_line(plain).startswith("Nothing was calibrated")
    some = read(rows, calibrated=("a",))
    table = supporting.calibration(some)
    assert table.columns[1:5] == ("Brier raw", "Brier calibrated", "log loss raw", "log loss calibrated")
    assert table.rows[0][1:5] == ("0.2100", "n/a", "0.6100", "n/a")
    assert table.rows[1][1:5] == ("0.2100", "0.1700", "0.6100", "0.5200")
    assert supporting.calibration_line(some) == "Only calibrated scores may be compared across losses."


def test_rows_without_a_search_have_no_such_table(read, make_rows):
    rows = make_rows({"none": 0.0, "a": 0.05})
    trade = ["expectancy_bps", "sortino", "max_drawdown_pct", "n_trades"]
    results = read(rows[["variant", "asset", "fold", "status", "f1_buy", *trade]])
    assert supporting.search(results) == []
    assert not supporting.calibration(results)
    assert not supporting.target_notes(results)
    assert not supporting.plugin_metrics(results)


def test_columns_beyond_the_row_are_plugin_metrics(read, make_rows):
    rows = make_rows({"none": 0.0, "a": 0.05})
    rows.loc[rows["variant"] == "a", "turnover"] = 25.0
    table = supporting.plugin_metrics(read(rows))
    assert table.columns == ("Variant", "turnover")
    assert table.rows == (("none", "12.5"), ("a", "25"))


def test_fixed_parameters_are_not_called_chosen(make_run, make_rows):
    for n_trials, heading in (
        (50, "Parameters chosen by the search"),
        (0, "Parameters of the fits (nothing was searched)"),
    ):
        hpo = {"option": "any", "n_trials": n_trials, "objective": "f1_binary"}
        folder = make_run(make_rows({"none": 0.0, "a": 0.05}), hpo=hpo)
        assert heading in write_dossier(folder, sections={}).read_text(encoding="utf-8")
