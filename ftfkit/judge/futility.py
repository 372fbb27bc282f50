"""Certain futility: the best that a variant can still become, whatever its remaining rows hold."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import special

from ftfkit.judge.rows import RANGES, Grid
from ftfkit.types import BoolArray, FloatArray, Futility, IntArray, VariantVerdict

MARGIN = 1e-9  # closer to the required lift than this nothing is certain: sums may round differently
MAX_VERTEX_FOLDS = 12  # beyond, 2^n vertices are too many and a looser bound is taken


def highest_bound(own: FloatArray, baseline: FloatArray, metric: str, confidence: float) -> float | None:
    """Largest upper bound of the unadjusted fold-t interval that any values of the remaining rows lead to.

    Parameters
    ----------
    own : ndarray of float64, shape (n_assets, n_folds)
        The variant's metric; NaN where its row remains to be computed.
    baseline : ndarray of float64, shape (n_assets, n_folds)
        The baseline's metric.
    metric : str
        Column compared; ``RANGES`` bounds its values.
    confidence : float
        Of the two-sided interval.

    Returns
    -------
    float or None
        None where nothing can be said: the baseline is incomplete, the metric unbounded, or there is one fold.

    Notes
    -----
    Exact up to ``MAX_VERTEX_FOLDS`` unfinished folds, beyond that never too small. Further rows never raise an exact
    bound.
    """
    lowest, highest = RANGES.get(metric, (-math.inf, math.inf))
    if not np.isfinite(baseline).all() or not math.isfinite(highest - lowest) or own.shape[1] < 2:
        return None
    remaining: BoolArray = np.isnan(own)
    low = (np.where(remaining, lowest, own) - baseline).mean(axis=0)
    high = (np.where(remaining, highest, own) - baseline).mean(axis=0)
    return _over_box(low, high, np.flatnonzero(remaining.any(axis=0)), confidence)


def certain(bound: float | None, required_lift: float) -> bool:
    """True where a largest upper bound rules the required lift out."""
    return bound is not None and bound < required_lift - MARGIN


def values_of(rows: pd.DataFrame, variant: str, grid: Grid, metric: str) -> FloatArray:
    """Metric of one variant's ``ok`` rows on the grid, shape (n_assets, n_folds); NaN elsewhere."""
    own = rows[(rows["variant"] == variant) & (rows["status"] == "ok")]
    table = own.pivot(index="asset", columns="fold", values=metric)
    return table.reindex(index=list(grid.assets), columns=list(grid.folds)).to_numpy(np.float64)


def as_baseline(rows: pd.DataFrame, baseline: str, variant: str) -> pd.DataFrame:
    """Rows of both, as if the variant's skipped ones had come out like the baseline's: one way the run may end.

    ``test_events`` of a skipped row stays as it is: the plan knows the events before the row is computed.
    """
    cell = ["asset", "fold"]
    own = rows[rows["variant"] == variant].set_index(cell)
    other = rows[rows["variant"] == baseline].set_index(cell)
    skipped = own.index[own["status"] == "skipped"].intersection(other.index)
    taken = other.loc[skipped].assign(variant=variant)
    if "test_events" in own:
        taken["test_events"] = own.loc[skipped, "test_events"]
    return pd.concat([other, own.drop(index=skipped), taken]).reset_index()


def judged_early(
    partial: VariantVerdict, ending: VariantVerdict, bound: float | None, required_lift: float, n_skipped: int
) -> VariantVerdict:
    """Verdict of a variant some of whose rows were skipped; comparison and gates stay those of the others.

    Parameters
    ----------
    partial : VariantVerdict
        From the rows that were computed.
    ending : VariantVerdict
        From ``as_baseline``: whatever does not depend on the values of the skipped rows shows in it.
    bound : float or None
        ``highest_bound``.
    """
    if ending.verdict == "INCOMPLETE":
        return replace(partial, verdict="INCOMPLETE", reasons=ending.reasons)
    told = f"{n_skipped} rows were skipped as futile"
    reach = "undefined" if bound is None else f"{bound:+.4f}"
    if bound is None or not certain(bound, required_lift) or "f1_lift" not in ending.gates:
        why = f"{told}, yet ABANDON is not certain: the upper bound of the fold-t CI95 can still be {reach}"
        return replace(partial, verdict="INCOMPLETE", reasons=(why,))
    if ending.verdict != "ABANDON":
        return replace(partial, verdict="INCOMPLETE", reasons=(f"{told}, yet ABANDON is not certain", *ending.reasons))
    why = f"{told}: whatever they hold, the upper bound of the fold-t CI95 is at most {reach}, below {required_lift:g}"
    recorded = Futility(n_skipped, bound, required_lift)
    return replace(partial, verdict="ABANDON", reasons=(why,), futility=recorded)


def judged_beside(least: VariantVerdict, most: VariantVerdict) -> VariantVerdict:
    """Verdict of a complete variant beside others with skipped rows.

    Parameters
    ----------
    least, most : VariantVerdict
        Judged as if the skipped rows led to the least and to the greatest p, 0 and 1; adjusted p rise with them.
    """
    if least.verdict == most.verdict:
        return most
    reason = f"{least.verdict} or {most.verdict}: it turns on rows of other variants, which were skipped as futile"
    return replace(most, verdict="INCOMPLETE", reasons=(reason,))


def _over_box(low: FloatArray, high: FloatArray, free: IntArray, confidence: float) -> float:
    """Largest ``m + t s / sqrt(k)`` over fold means between ``low`` and ``high``, shape (k,), equal but at ``free``.

    The standard deviation is a seminorm, so the expression is convex in the fold means and largest at a vertex.
    """
    k = len(low)
    reach = float(special.stdtrit(k - 1, (1 + confidence) / 2)) / math.sqrt(k)
    if len(free) > MAX_VERTEX_FOLDS:
        return float(high.mean()) + reach * _sd_limit(low, high)
    means = np.tile(low, (2 ** len(free), 1))
    means[:, free] = list(itertools.product(*zip(low[free], high[free], strict=True)))
    return float((means.mean(axis=1) + reach * means.std(axis=1, ddof=1)).max())


def _sd_limit(low: FloatArray, high: FloatArray) -> float:
    """A standard deviation that no values between ``low`` and ``high`` exceed.

    Squared deviations from the mean are at most those from any other point, here the one with the smallest limit.
    """
    from scipy.optimize import minimize_scalar  # only where a sweep may stop early; it takes longer than a judgement

    def limit(point: float) -> float:
        return float(np.maximum((low - point) ** 2, (high - point) ** 2).sum())

    best = minimize_scalar(limit, bounds=(float(low.min()), float(high.max())), method="bounded")
    return math.sqrt(float(best.fun) / (len(low) - 1))
