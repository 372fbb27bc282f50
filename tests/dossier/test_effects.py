from dataclasses import replace

import numpy as np
import pytest

from ftfkit.dossier import effects
from ftfkit.dossier.results import read_results


def test_always_buy_stands_beside_every_f1_table(make_run, make_rows):
    rows = make_rows({"none": 0.0, **{f"v{i}": 0.01 for i in range(10)}})
    rows["f1_always_buy"] = 0.3 + 0.01 * rows["fold"]
    tables = effects.f1_tables(read_results(make_run(rows)))
    assert [len(table.columns) for table in tables] == [11, 5]
    for table in tables:
        assert table.columns[:3] == ("Asset", "always-BUY", "none (baseline)")
        assert all(row[1] == "0.3200" for row in table.rows[:6])
        assert table.rows[-2][0] == "always-BUY F1"
        assert set(table.rows[-2][1:]) == {"0.3200"}


def test_means_are_over_assets_of_means_over_folds(make_run, make_rows):
    rows = make_rows({"none": 0.0, "a": 0.0}, n_assets=2, n_folds=2)
    rows["f1_buy"] = [0.1, 0.3, 0.5, 0.5, 0.2, 0.4, 0.4, 0.4]
    (table,) = effects.f1_tables(read_results(make_run(rows)))
    assert table.rows[0][2:] == ("0.2000", "0.3000")
    assert table.rows[1][2:] == ("0.5000", "0.4000")
    assert table.rows[2][2:] == ("0.3500", "0.3500")
    assert table.rows[4][2:] == ("-0.0107", "-0.0107")


def test_a_baseline_below_always_buy_is_called_that(make_run, make_rows):
    rows = make_rows({"none": 0.0, "a": 0.05})
    rows["f1_always_buy"] = 0.9
    sentences = effects.f1_sentences(read_results(make_run(rows)))
    assert any("is not above that" in sentence for sentence in sentences)


def test_many_assets_leave_the_extremes(make_run, make_rows):
    rows = make_rows({"none": 0.0, "a": 0.0}, n_assets=60, n_folds=2)
    rows.loc[(rows["variant"] == "a") & (rows["asset"] == "A042USDC"), "f1_buy"] = 0.0
    (table,) = effects.f1_tables(read_results(make_run(rows)))
    assert len(table.rows) == 40 + 3
    assert table.rows[0][0] == "A042USDC"
    assert table.note.endswith("of 60.")


def test_improved_assets_are_counted_on_paired_rows_only(make_run, make_rows):
    rows = make_rows({"none": 0.0, "a": 0.05})
    rows.loc[(rows["variant"] == "none") & (rows["asset"] == "A000USDC"), "status"] = "error"
    table = effects.deltas(read_results(make_run(rows)))
    assert table.rows[0][1] == "20"
    assert table.rows[0][-1] == "4 of 4"


def test_an_effective_n_above_the_number_of_pairs_is_explained(make_run, make_rows):
    results = read_results(make_run(make_rows({"none": 0.0, "a": 0.05})))
    judged = results.verdict.variants["a"]
    for n_eff, told in ((judged.comparison.n_pairs + 1.0, True), (2.0, False), (None, False)):
        one = replace(judged, comparison=replace(judged.comparison, n_eff=n_eff))
        assert effects.surplus(replace(results, verdict=replace(results.verdict, variants={"a": one}))) is told


def test_each_warning_is_said_once(make_run, make_rows):
    results = read_results(make_run(make_rows({"none": 0.0, "a": 0.05, "b": 0.05})))
    judged = results.verdict.variants
    variants = {name: replace(one, warnings=("few folds", f"own {name}")) for name, one in judged.items()}
    results = replace(results, verdict=replace(results.verdict, variants=variants))
    assert effects.warnings(results) == [("few folds", ["a", "b"]), ("own a", ["a"]), ("own b", ["b"])]


@pytest.mark.parametrize("write", [effects.deltas, effects.fold_tests, effects.dependence])
def test_one_fold_has_no_figures_that_need_two(make_run, make_rows, write):
    table = write(read_results(make_run(make_rows({"none": 0.0, "a": 0.05}, n_folds=1))))
    assert len(table.rows[0]) == len(table.columns)
    assert "nan" not in " ".join(table.rows[0])


def test_equal_rows_have_a_defined_comparison(make_run, make_rows):
    rows = make_rows({"none": 0.0, "a": 0.0})
    rows["f1_buy"] = np.tile(rows["f1_buy"].to_numpy()[:25], 2)
    (row,) = effects.deltas(read_results(make_run(rows))).rows
    assert row[2:] == ("+0.0000", "+0.0000", "+0.0000", "+0.000", "+0.000", "1.0000", "1.0000", "0 of 5")
