"""Section 4: the gates of each variant, and where the trust gates disagree with the published six."""

from __future__ import annotations

from collections.abc import Iterable

from ftfkit.dossier.results import Results
from ftfkit.dossier.text import Table, compact, table
from ftfkit.types import GateResult, VariantVerdict

PUBLISHED = ("f1_lift", "joint_metric", "stability", "per_asset", "sample_size", "mlops_readiness")
_CLEARED = ("PASS", "NOT_APPLICABLE")


def overview(results: Results) -> Table:
    """Status of every gate by variant; one line a variant."""
    verdicts = results.verdicts
    names = list(dict.fromkeys(name for verdict in verdicts for name in verdict.gates))
    rows = [
        (v.variant, v.verdict, *(v.gates[name].status if name in v.gates else "n/a" for name in names))
        for v in verdicts
    ]
    return table(("Variant", "verdict", *names), rows, n_text=len(names) + 2)


def details(results: Results) -> list[tuple[VariantVerdict, Table]]:
    """Observed value, threshold and reason of every gate, a table a variant."""
    return [(verdict, _detail(verdict)) for verdict in results.verdicts]


def beyond_published(results: Results) -> list[str]:
    """Names of the gates that are not of the published six, chosen or advice."""
    names = [name for verdict in results.verdicts for name in (*verdict.gates, *verdict.advice)]
    return [name for name in dict.fromkeys(names) if name not in PUBLISHED]


def disagreements(results: Results) -> list[tuple[str, list[str]]]:
    """What gates beyond the published six say against them, with the variants concerned."""
    return _grouped((message, verdict) for verdict in results.verdicts for message in _disagreements(verdict))


def unanswered(results: Results) -> list[tuple[str, list[str]]]:
    """Gates beyond the published six that could not be computed, with the variants concerned."""
    return _grouped(
        (f"{name} could not be computed: {result.reason}", verdict)
        for verdict in results.verdicts
        for name, result in _others(verdict).items()
        if result.status == "ERROR"
    )


def answered(results: Results) -> bool:
    """Whether any gate beyond the published six could be computed."""
    return any(result.status != "ERROR" for verdict in results.verdicts for result in _others(verdict).values())


def _grouped(found: Iterable[tuple[str, VariantVerdict]]) -> list[tuple[str, list[str]]]:
    groups: dict[str, list[str]] = {}
    for message, verdict in found:
        groups.setdefault(message, []).append(verdict.variant)
    return list(groups.items())


def _others(verdict: VariantVerdict) -> dict[str, GateResult]:
    return {name: result for name, result in {**verdict.advice, **verdict.gates}.items() if name not in PUBLISHED}


def _detail(verdict: VariantVerdict) -> Table:
    rows = [_row(name, result) for name, result in verdict.gates.items()]
    rows += [_row(f"{name} (advice)", result) for name, result in verdict.advice.items()]
    return table(("Gate", "observed", "threshold", "unit", "status", "reason"), rows, n_text=6)


def _row(name: str, result: GateResult) -> tuple[str, ...]:
    return (name, compact(result.observed), compact(result.threshold), result.unit, result.status, result.reason)


def _disagreements(verdict: VariantVerdict) -> list[str]:
    six = {name: result.status for name, result in verdict.gates.items() if name in PUBLISHED}
    if "f1_lift" not in six:
        return []
    cleared = all(status in _CLEARED for status in six.values())
    lines = []
    for name, result in _others(verdict).items():
        if cleared and result.status == "FAIL":
            lines.append(f"the published six would lock, {name} fails: {result.reason}")
        elif six["f1_lift"] == "PASS" and result.status == "FAIL":
            lines.append(f"f1_lift passes, {name} fails: {result.reason}")
        elif six["f1_lift"] == "FAIL" and result.status == "PASS" and name in _LIFT_LIKE:
            lines.append(f"f1_lift fails, {name} passes: {_LIFT_LIKE[name]}")
    return lines


_LIFT_LIKE = {
    "dependence": "the fold means do show a lift that the published rule does not credit",
    "operating_point": "ranking is no worse and the tuned F1 gains half the required lift; under a tuned threshold "
    "that is all there is, under another rule the threshold may hide the rest",
}
