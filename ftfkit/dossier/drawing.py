"""Which figures a run has, drawn from its results."""

from __future__ import annotations

import json

import numpy as np

from ftfkit.dossier import figures
from ftfkit.dossier.figures import ReliabilityBins
from ftfkit.dossier.results import Results

DESCRIPTIONS = {
    "forest.png": "Mean change by variant with bootstrap and Nadeau-Bengio intervals and the required lift",
    "heatmap.png": "Mean change by asset and variant",
    "reliability.png": "Predicted probability against observed BUY frequency by variant",
}


def draw(results: Results, mark: str) -> dict[str, bytes]:
    """PNG by file name; ``mark`` ends every title."""
    drawn = {}
    if results.verdicts:
        drawn["forest.png"] = figures.forest(results.verdicts, results.required_lift, mark)
        drawn["heatmap.png"] = _heatmap(results, mark)
    bins = reliability_bins(results)
    if bins:
        drawn["reliability.png"] = figures.reliability(bins, mark)
    return drawn


def reliability_bins(results: Results) -> dict[str, dict[str, ReliabilityBins]]:
    """Reliability of each variant, summed over cells; raw alone where nothing was calibrated, empty without any.

    A row's ``reliability`` maps ``raw`` and ``calibrated`` to three lists over bins of probability: number of test
    events, their summed probability, number of BUY events.
    """
    if "reliability" not in results.ok:
        return {}
    found = {}
    for variant in results.names:
        texts = results.ok.loc[results.ok["variant"] == variant, "reliability"].dropna()
        cells = [cell for cell in map(json.loads, texts) if cell]
        if cells:
            kinds = ("raw", "calibrated") if variant in results.calibrated else ("raw",)
            sums = {kind: np.sum([cell[kind] for cell in cells], axis=0, dtype=float) for kind in kinds}
            found[variant] = {kind: ReliabilityBins(*lists) for kind, lists in sums.items()}
    return found


def _heatmap(results: Results, mark: str) -> bytes:
    metric = results.verdicts[0].comparison.metric
    delta = results.delta_by_asset(metric)[[verdict.variant for verdict in results.verdicts]]
    for verdict in results.verdicts:
        if verdict.comparison.mean is None:
            delta[verdict.variant] = np.nan  # scored on other events, so not comparable
    return figures.heatmap(delta, results.required_lift, metric, mark)
