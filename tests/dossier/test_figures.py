import json
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ftfkit.dossier import figures
from ftfkit.dossier.drawing import draw, reliability_bins
from ftfkit.dossier.figures import ReliabilityBins, style
from ftfkit.dossier.results import read_results
from ftfkit.judge.rates import wilson


def image(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png))


@pytest.mark.parametrize(("n_assets", "n_variants"), [(1, 1), (5, 4), (44, 1), (400, 50)])
def test_a_heatmap_of_any_size_has_a_size_one_can_look_at(n_assets, n_variants):
    rng = np.random.default_rng(0)
    names = [f"A{i:03d}" for i in range(n_assets)], [f"variant_{i}" for i in range(n_variants)]
    delta = pd.DataFrame(rng.normal(0, 0.02, (n_assets, n_variants)), *names)
    width, height = image(figures.heatmap(delta, 0.015, "f1_buy", "")).size
    assert 700 <= width <= 2700
    assert 250 <= height <= 1800


def test_a_heatmap_of_nothing_can_be_drawn():
    delta = pd.DataFrame({"a": [np.nan], "b": [0.0]}, index=["A"])
    assert figures.heatmap(delta, 0.015, "f1_buy", "").startswith(b"\x89PNG")


def test_names_are_never_taken_for_formulas(make_run, make_rows):
    rows = make_rows({"none": 0.0, r"$\frac{1}{$": 0.05, "x" * 200: 0.0})
    rows["asset"] = rows["asset"].replace("A000USDC", "$_{")
    drawn = draw(read_results(make_run(rows)), "")
    assert image(drawn["forest.png"]).size[0] < 1200


def test_long_names_that_differ_at_their_end_stay_different():
    assert style.short("xgboost[max_rounds=75]+none+tuned", 24) == "xgboost[…=75]+none+tuned"


def test_the_legend_of_the_forest_is_whole_beside_long_names(make_run, make_rows):
    verdicts = read_results(make_run(make_rows({"none": 0.0, "x" * 200: 0.05}))).verdicts
    pixels = np.asarray(image(figures.forest(verdicts, 0.015, "")).convert("L"))
    assert pixels[:, -3:].min() == 255  # nothing is cut off at the right edge


def test_undefined_intervals_leave_the_mean(make_run, make_rows):
    results = read_results(make_run(make_rows({"none": 0.0, "a": 0.05}, n_folds=1)))
    assert set(draw(results, "")) == {"forest.png", "heatmap.png"}


def test_png_carries_neither_time_nor_software(make_run, make_rows):
    drawn = draw(read_results(make_run(make_rows({"none": 0.0, "a": 0.05}))), "")
    assert all(set(image(png).info) == {"dpi"} for png in drawn.values())


def test_a_mark_changes_every_figure(make_run, make_rows):
    results = read_results(make_run(make_rows({"none": 0.0, "a": 0.05})))
    plain, marked = draw(results, ""), draw(results, " (synthetic data)")
    assert all(plain[name] != marked[name] for name in plain)


def test_reliability_is_summed_over_cells(make_run, make_rows):
    rows = make_rows({"none": 0.0, "a": 0.05}, n_assets=1, n_folds=2)
    cell = {"raw": [[10, 20], [2.0, 12.0], [3, 8]], "calibrated": [[30, 0], [6.0, 0.0], [11, 0]]}
    rows["reliability"] = [json.dumps(cell), json.dumps(cell), None, None]
    results = read_results(make_run(rows, calibrated=("none",)))
    bins = reliability_bins(results)
    assert list(bins) == ["none"]
    mean, frequency = bins["none"]["raw"].curve
    assert mean == pytest.approx([0.2, 0.6])
    assert frequency == pytest.approx([0.3, 0.4])
    assert [len(axis) for axis in bins["none"]["calibrated"].curve] == [1, 1]
    assert "reliability.png" in draw(results, "")


def test_bars_of_the_reliability_curve_are_wilsons_intervals():
    bins = ReliabilityBins(np.array([200.0, 5.0, 40.0]), np.array([20.0, 1.0, 30.0]), np.array([10.0, 1.0, 40.0]))
    low, high = bins.interval
    assert list(zip(low, high, strict=True)) == [pytest.approx(wilson(*case).ci95) for case in ((10, 200), (40, 40))]


def test_a_curve_of_calibrated_probabilities_stands_only_where_there_are_any(make_run, make_rows):
    rows = make_rows({"none": 0.0, "a": 0.05}, n_assets=1, n_folds=2)
    cell = {"raw": [[30, 20], [6.0, 12.0], [3, 8]], "calibrated": [[30, 20], [6.0, 12.0], [3, 8]]}
    rows["reliability"] = json.dumps(cell)
    assert {name: list(bins) for name, bins in reliability_bins(read_results(make_run(rows))).items()} == {
        "none": ["raw"],
        "a": ["raw"],
    }
    some = read_results(make_run(rows, calibrated=("a",)))
    assert {name: list(bins) for name, bins in reliability_bins(some).items()} == {
        "none": ["raw"],
        "a": ["raw", "calibrated"],
    }
    assert "reliability.png" in draw(some, "")


def test_reliability_shows_at_most_twelve_panels_in_rows_of_four():
    bins = ReliabilityBins(np.array([100.0, 5.0]), np.array([20.0, 4.0]), np.array([22.0, 5.0]))
    panels = {f"v{i}": {"raw": bins, "calibrated": bins} for i in range(14)}
    few, many = (image(figures.reliability(dict(list(panels.items())[:n]), "")) for n in (2, 14))
    assert few.size[1] < many.size[1] < 1300
    assert many.size[0] < 1500
