"""What a verdict means, in plain words, for each variant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ftfkit.dossier.results import Results
from ftfkit.dossier.text import Table, listed, number, table
from ftfkit.dossier.trust import unregistered
from ftfkit.judge.power import folds_needed, mde_factor, power
from ftfkit.types import Comparison, VariantVerdict

_LIFT_OPEN = "upper bound of the fold-t "  # how the judge's reason begins where a lift is not ruled out


def summaries(results: Results) -> list[tuple[VariantVerdict, list[str]]]:
    """Sentences for each variant: what happened, what the run could have seen, what follows."""
    return [(verdict, _WRITERS[verdict.verdict](verdict, results)) for verdict in results.verdicts]


def brief(results: Results) -> Table:
    """Verdict, its first reason, effect and power of each variant in one line."""
    rows = []
    for verdict in results.verdicts:
        c = verdict.comparison
        failed = sum(result.status in ("FAIL", "ERROR") for result in verdict.gates.values())
        reason = verdict.reasons[0] if verdict.reasons else ""
        effect = (number(value, signed=True) for value in (c.mean, *c.ci95))
        gates = f"{failed} of {len(verdict.gates)}"
        rows.append((verdict.variant, verdict.verdict, reason, gates, *effect, number(c.mde80)))
    metric = results.verdicts[0].comparison.metric
    effects = (f"mean Δ {metric}", "CI95 low", "CI95 high", "MDE at 80 % power")
    return table(("Variant", "verdict", "first reason", "gates not passed", *effects), rows, n_text=3)


def scale(results: Results) -> str:
    """What the figures of the table of verdicts are to be held against."""
    pairs = f"{len(results.assets)} assets × {len(results.folds)} folds"
    return (
        f"Δ is variant minus {results.baseline}, paired ({pairs}; CI95 by bootstrap of the pairs); the required "
        f"lift is {_lift(results)}. MDE is the smallest true lift that the test on fold means would have found with "
        "80 % probability."
    )


def _lock(verdict: VariantVerdict, results: Results) -> list[str]:
    c = verdict.comparison
    lines = [f"Every gate passed. {_effect(c, results)}", _second_opinion(c)]
    if len(results.variants) > 1:
        lines.append(
            f"It is one of {len(results.variants)} variants looked at, and the best of several looks better than it "
            "is: expect less in production."
        )
    if results.post_hoc:
        lines.append("The gates or the set of variants were not fixed before the rows were seen (post hoc).")
    if unregistered(results):
        lines.append("The run was not pre-registered: nothing shows that variant and gates were chosen before it.")
    return lines


def _abandon(verdict: VariantVerdict, results: Results) -> list[str]:
    c = verdict.comparison
    lines = [f"{_failed(verdict)} {_effect(c, results)}"]
    high = c.ci95[1]
    if high is not None and high < 0:
        lines.append("The bootstrap interval excludes 0 in the wrong direction.")
    upper = c.fold_t.ci95[1]
    if upper is not None and upper < results.required_lift:
        lines.append(
            f"The interval of the fold means ends at {number(upper, signed=True)}, below the required lift: a true "
            f"lift of {_lift(results)} is not compatible with these rows."
        )
    elif upper is not None:
        lines.append("The lift itself is not ruled out; the other gates are what rules the variant out.")
    return [*lines, _power(c, results)]


def _inconclusive(verdict: VariantVerdict, results: Results) -> list[str]:
    c = verdict.comparison
    lines = [f"The run cannot tell. {_effect(c, results)} {_failed(verdict)}".strip()]
    doubts, upper = _doubts(verdict), c.fold_t.ci95[1]
    others = [doubt for doubt in doubts if upper is None or not doubt.startswith(_LIFT_OPEN)]
    if len(others) < len(doubts) and upper is not None:
        lines.append(
            f"The interval of the fold means reaches {number(upper, signed=True)}, so a lift worth having is "
            "still possible. Failing to show it here is no evidence against it."
        )
    if others:
        lines.append(f"What keeps this from ABANDON: {'; '.join(others)}. {_cure(others)}".strip())
    return [*lines, _power(c, results)]


def _doubts(verdict: VariantVerdict) -> list[str]:
    """Reasons that are not a gate's."""
    told = tuple(f"{name} {result.status}: " for name, result in verdict.gates.items())
    return [reason for reason in verdict.reasons if not reason.startswith(told)]


def _cure(doubts: Sequence[str]) -> str:
    if any(doubt.startswith("the baseline ") for doubt in doubts):
        return "It takes another baseline: one that ranks better than chance and does not buy nearly every event."
    return ""


def _incomplete(verdict: VariantVerdict, results: Results) -> list[str]:
    if _doubts(verdict):
        return [
            "No verdict on the idea: rows or evidence are missing. The figures below are of the rows that are there.",
            "Run the same command again: finished cells are reused, error cells are retried.",
        ]
    # Of the gates that are ERROR: one that cannot compare F1, or has no say, leaves nothing incomplete.
    lacking = [name for name in verdict.gates if any(one.startswith(f"{name} ERROR: ") for one in verdict.reasons)]
    verb = "lacks its" if len(lacking) == 1 else "lack their"
    lines = [f"No verdict on the idea, though no row is missing: {listed(lacking)} {verb} evidence."]
    if "mlops_readiness" in lacking:
        lines.append(
            "Write the readiness document (python -m ftfkit readiness FILE --scaffold), name it under "
            "track.readiness and run again: every row is reused."
        )
    return lines


def _effect(c: Comparison, results: Results) -> str:
    if c.mean is None:
        return f"The mean change of {c.metric} is undefined ({c.n_pairs} pairs)."
    low, high = (number(bound, signed=True) for bound in c.ci95)
    interval = f"bootstrap CI95 {low} to {high}, {c.n_pairs} pairs"
    change = f"The mean change of {c.metric} is {number(c.mean, signed=True)} ({interval})"
    return f"{change}, against a required lift of {_lift(results)}."


def _second_opinion(c: Comparison) -> str:
    low, high = (number(bound, signed=True) for bound in c.nadeau_bengio.ci95)
    if c.nadeau_bengio.ci95[0] is None:
        return "With fewer than two folds no test that allows for dependent pairs can be made."
    holds = "excludes" if c.nadeau_bengio.ci95[0] > 0 else "does not exclude"
    return f"Allowing for dependent folds, the interval is {low} to {high} (Nadeau-Bengio), which {holds} 0."


def _power(c: Comparison, results: Results) -> str:
    """What the run could have seen, by the test that the minimum detectable effect refers to."""
    if c.mde80 is None:
        return "Power: unknown, since the spread of the fold means is undefined here."
    line = f"Power: the smallest true lift found with 80 % probability was {number(c.mde80, signed=True)}"
    if c.mde80 <= results.required_lift:
        return f"{line}, so the run had at least 80 % power at the required lift."
    gate = results.plan["gates"]["checks"].get("dependence", {})
    test, alpha = gate.get("test", "nadeau_bengio"), gate.get("alpha", 0.05)
    k = c.fold_t.df + 1
    sd_fold = c.mde80 / mde_factor(k, test, alpha)
    reached = power(results.required_lift, sd_fold, k, test, alpha)
    needed = folds_needed(results.required_lift, sd_fold, test, alpha)
    more = f"{needed} folds of this length" if needed else "more than a thousand folds of this length"
    return (
        f"{line}; a true lift of just {_lift(results)} would have been found with probability {reached:.2f}. "
        f"For 80 % power at the required lift it takes {more}; more assets that move together hardly help."
    )


def _failed(verdict: VariantVerdict) -> str:
    failed = [name for name, result in verdict.gates.items() if result.status == "FAIL"]
    if not failed:
        return ""
    return f"{len(failed)} of {len(verdict.gates)} gates failed: {listed(failed)}."


def _lift(results: Results) -> str:
    return f"{results.required_lift:+.4g}"


_WRITERS: Mapping[str, Callable[[VariantVerdict, Results], list[str]]] = {
    "LOCK": _lock,
    "ABANDON": _abandon,
    "INCONCLUSIVE": _inconclusive,
    "INCOMPLETE": _incomplete,
}
