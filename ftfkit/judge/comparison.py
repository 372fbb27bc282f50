"""One comparison a variant, adjusted over the family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ftfkit.config.sections import StatsConfig
from ftfkit.judge import dependence
from ftfkit.judge.paired import (
    MeanTest,
    Pairs,
    benjamini_hochberg,
    bootstrap_interval,
    effect_size,
    mean_test,
)
from ftfkit.judge.power import FoldTestName, mde80
from ftfkit.types import Comparison, FoldTest


@dataclass(frozen=True)
class Planning:
    """What minimum detectable effects refer to: the lift that is required and the test that must find it."""

    required_lift: float
    test: FoldTestName = "nadeau_bengio"
    alpha: float = 0.05


def compare_family(pairs: Mapping[str, Pairs], stats: StatsConfig, planning: Planning) -> dict[str, Comparison]:
    """Compare every variant of a family with the baseline and adjust its p values (Benjamini-Hochberg).

    Parameters
    ----------
    pairs : mapping of str to Pairs
        One entry a planned variant; one without pairs counts in the family with p = 1.
    stats : StatsConfig
        Metric, resamples, seed and confidence.
    planning : Planning
        Region of practical equivalence and test of the minimum detectable effect.
    """
    return adjusted({name: compare(one, stats, planning) for name, one in pairs.items()}, {})


def adjusted(family: Mapping[str, Comparison], assumed: Mapping[str, float]) -> dict[str, Comparison]:
    """A family with its ``p_bh`` computed anew.

    Parameters
    ----------
    family : mapping of str to Comparison
    assumed : mapping of str to float
        Variants whose p is adjusted as if every test had given this value.
    """

    def adjust(own: Mapping[str, float | None]) -> dict[str, float | None]:
        return dict(zip(own, benjamini_hochberg(list({**own, **assumed}.values())), strict=True))

    published = adjust({name: one.p for name, one in family.items()})
    by_fold = adjust({name: one.fold_t.p for name, one in family.items()})
    corrected = adjust({name: one.nadeau_bengio.p for name, one in family.items()})
    return {
        name: replace(
            one,
            p_bh=published[name],
            fold_t=replace(one.fold_t, p_bh=by_fold[name]),
            nadeau_bengio=replace(one.nadeau_bengio, p_bh=corrected[name]),
        )
        for name, one in family.items()
    }


def compare(pairs: Pairs, stats: StatsConfig, planning: Planning) -> Comparison:
    """Comparison of one variant, ``p_bh`` still None; pairs without the metric are left out.

    Pairs scored on different events are counted and not compared: every statistic is None.
    """
    delta = pairs.rows[stats.metric].to_numpy(np.float64) - pairs.baseline_rows[stats.metric].to_numpy(np.float64)
    known = np.zeros(len(delta), dtype=bool) if pairs.test_events_differ else np.isfinite(delta)
    asset, fold = (pairs.rows[name].to_numpy()[known] for name in ("asset", "fold"))
    n_pairs, delta = len(delta) if pairs.test_events_differ else int(known.sum()), delta[known]
    means = dependence.fold_means(delta, fold)
    k = len(means)
    naive, by_fold = mean_test(delta, stats.confidence), dependence.fold_t(means, stats.confidence)
    corrected = dependence.nadeau_bengio(means, stats.confidence)
    icc = dependence.intraclass_correlation(delta, asset, fold)
    sd_fold = by_fold.sd
    return Comparison(
        metric=stats.metric,
        n_pairs=n_pairs,
        mean=naive.mean,
        ci95=bootstrap_interval(delta, stats.n_resamples, stats.seed, stats.confidence),
        d_z=effect_size(naive),
        t=naive.t,
        p=naive.p,
        p_bh=None,
        fold_t=_fold_test(by_fold),
        nadeau_bengio=_fold_test(corrected),
        icc_fold=icc,
        n_eff=dependence.effective_n(len(delta), len(np.unique(asset)), k, icc) if k else None,
        sign_flip_p=dependence.sign_flip(means),
        sign_flip_floor=dependence.sign_flip_floor(k),
        p_rope=dependence.rope_mass(means, planning.required_lift),
        mde80=None if sd_fold is None else mde80(sd_fold, k, planning.test, planning.alpha),
    )


def _fold_test(test: MeanTest) -> FoldTest:
    return FoldTest(t=test.t, df=test.df, p=test.p, p_bh=None, ci95=test.ci)
