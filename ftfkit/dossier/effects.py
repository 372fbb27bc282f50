"""Sections 2 and 3: f1_buy by asset and variant, paired deltas, the second opinion."""

from __future__ import annotations

import pandas as pd

from ftfkit.dossier.configuration import LONG
from ftfkit.dossier.results import Results
from ftfkit.dossier.text import Table, count, number, p_value, table
from ftfkit.types import Comparison, FoldTest, VariantVerdict

WIDE = 8  # variants side by side in one table


def f1_tables(results: Results) -> list[Table]:
    """Mean f1_buy over folds by asset and variant, at most eight variants a table, the always-BUY F1 beside it."""
    scores = results.by_asset("f1_buy")
    always = results.by_asset("f1_always_buy")
    shown, note = _shown_assets(results)
    variants = list(results.variants)
    chunks = [variants[i : i + WIDE] for i in range(0, len(variants), WIDE)] or [[]]
    return [_f1_table(scores, always, [results.baseline, *chunk], shown, note) for chunk in chunks]


def f1_sentences(results: Results) -> list[str]:
    """Who is best where, and how the baseline stands against buying always."""
    scores, always = results.by_asset("f1_buy"), results.mean("f1_always_buy")
    complete = scores.dropna()
    if complete.empty:
        return ["No asset has rows of every variant."]
    n = len(complete)
    lines = []
    if results.variants:
        others = complete[list(results.variants)].max(axis=1)
        ahead = int((complete[results.baseline] >= others).sum())
        lines.append(f"The baseline {results.baseline} is highest on {ahead} of {n} assets.")
    score, floor = scores[results.baseline].mean(), always[results.baseline]
    if pd.isna(floor):
        lines.append("The rows carry no f1_always_buy, so nothing here says whether any of these F1 show skill.")
    else:
        place = "above" if score > floor else "not above"
        lines.append(
            f"Buying every event has F1 {number(floor)} on average; the baseline's {number(score)} is {place} that. "
            "An F1 near that line is no evidence of skill; section 5 has average precision against chance."
        )
    return lines


def method(results: Results) -> str:
    """How the comparison was made, with its constants."""
    stats = results.plan["stats"]
    return (
        f"Bootstrap CI{100 * stats['confidence']:g} of {count(stats['n_resamples'])} resamples, seed {stats['seed']}; "
        "t and p two-sided; Benjamini-Hochberg over all planned variants."
    )


def always_buy_line(results: Results) -> str:
    """Level of f1_buy beside the F1 of buying every event."""
    score, floor = results.mean("f1_buy"), results.mean("f1_always_buy")
    if floor.isna().all():
        return "The always-BUY F1 is not known for these rows."
    best = str(score.idxmax())
    return (
        f"The highest mean f1_buy is {number(score[best])} ({best}); buying every event that "
        f"{results.baseline} is tested on has {number(floor[results.baseline])}."
    )


def deltas(results: Results) -> Table:
    """Published comparison, one line a variant."""
    verdicts = results.verdicts
    columns = (
        "Variant",
        "n pairs",
        "mean Δ",
        "CI95 low",
        "CI95 high",
        "d_z",
        "t",
        "raw p",
        f"BH p (m={len(verdicts)})",
    )
    return table(
        (*columns, "assets improved"), [(*_delta_row(v.comparison, v.variant), _improved(results, v)) for v in verdicts]
    )


def fold_tests(results: Results) -> Table:
    """t on fold means and Nadeau-Bengio, side by side."""
    columns = ["Variant", "df"]
    for name in ("fold t", "Nadeau-Bengio"):
        columns += [f"{name}: t", "p", "BH p", "CI95 low", "CI95 high"]
    rows = []
    for verdict in results.verdicts:
        tests = (verdict.comparison.fold_t, verdict.comparison.nadeau_bengio)
        rows.append((verdict.variant, str(tests[0].df), *(cell for test in tests for cell in _test_cells(test))))
    return table(columns, rows)


def dependence(results: Results) -> Table:
    """How far the pairs are from independent, and what that leaves the run able to see."""
    columns = (
        "Variant",
        "fold ICC",
        "effective n",
        "sign-flip p",
        "smallest possible p",
        "mass within ± lift",
        "MDE at 80 % power",
    )
    rows = []
    for verdict in results.verdicts:
        c = verdict.comparison
        figures = (number(c.icc_fold, 3), number(c.n_eff, 1), p_value(c.sign_flip_p), p_value(c.sign_flip_floor))
        fragile = "yes" if verdict.fragile else "no"
        rows.append((verdict.variant, *figures, number(c.p_rope, 3), number(c.mde80), fragile))
    return table((*columns, "fragile"), rows)


def surplus(results: Results) -> bool:
    """Whether an effective n exceeds the number of pairs, as a negative intraclass correlation makes it."""
    return any(v.comparison.n_eff is not None and v.comparison.n_eff > v.comparison.n_pairs for v in results.verdicts)


def warnings(results: Results) -> list[tuple[str, list[str]]]:
    """Each warning once, with the variants it concerns."""
    found: dict[str, list[str]] = {}
    for verdict in results.verdicts:
        for warning in verdict.warnings:
            found.setdefault(warning, []).append(verdict.variant)
    return list(found.items())


def _delta_row(comparison: Comparison, name: str) -> tuple[str, ...]:
    c = comparison
    interval = (number(bound, signed=True) for bound in c.ci95)
    effect = (number(c.d_z, 3, signed=True), number(c.t, 3, signed=True))
    return (name, count(c.n_pairs), number(c.mean, signed=True), *interval, *effect, p_value(c.p), p_value(c.p_bh))


def _improved(results: Results, verdict: VariantVerdict) -> str:
    delta = results.delta_by_asset(verdict.comparison.metric)[verdict.variant].dropna()
    return f"{int((delta > 0).sum())} of {len(delta)}"


def _test_cells(test: FoldTest) -> tuple[str, ...]:
    interval = (number(bound, signed=True) for bound in test.ci95)
    return (number(test.t, 3, signed=True), p_value(test.p), p_value(test.p_bh), *interval)


def _shown_assets(results: Results) -> tuple[list[str], str]:
    """All assets, or the lowest and highest by mean delta where there are many."""
    if len(results.assets) <= LONG:
        return list(results.assets), ""
    order = results.delta_by_asset("f1_buy")[list(results.variants) or [results.baseline]].mean(axis=1).sort_values()
    half = LONG // 2
    names = [str(name) for name in (*order.index[:half], *order.index[-half:])]
    return names, f"The {half} assets with the lowest and the {half} with the highest mean delta of {len(order)}."


def _f1_table(scores: pd.DataFrame, always: pd.DataFrame, names: list[str], shown: list[str], note: str) -> Table:
    baseline = names[0]
    columns = ("Asset", "always-BUY", f"{baseline} (baseline)", *names[1:])
    rows = [(a, number(always.at[a, baseline]), *(number(scores.at[a, v]) for v in names)) for a in shown]
    mean, floor = scores[names].mean(), always[names].mean()
    rows += [
        ("mean over all assets", number(floor[baseline]), *map(number, mean)),
        ("always-BUY F1", number(floor[baseline]), *map(number, floor)),
        ("mean minus always-BUY", "", *(number(value, signed=True) for value in mean - floor)),
    ]
    return table(columns, rows, note=note)
