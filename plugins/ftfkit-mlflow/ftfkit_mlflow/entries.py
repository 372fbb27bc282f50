"""What is logged: plans to parameters, rows to metrics, verdicts to metrics, tags and notes. Needs no MLflow."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from ftfkit.types import VariantVerdict, Verdict

CELL_COLUMNS = (  # of a row; plugin metrics come on top
    "f1_buy",
    "f1_buy_fixed",
    "f1_buy_tuned",
    "precision",
    "recall",
    "buy_rate",
    "average_precision",
    "ap_chance",
    "brier_calibrated",
    "logloss_calibrated",
    "expectancy_bps",
    "sortino",
    "max_drawdown_pct",
    "n_trades",
)
NOTE = "mlflow.note.content"  # Markdown that a run's page shows as its description
MAX_VALUE = 5000  # characters of a tag or parameter that every server takes
_REFUSED = re.compile(r"[^\w .:/-]")  # in names, by MLflow


def run_params(plan: Mapping[str, Any]) -> dict[str, str]:
    """Parameters of a whole run: the option of each group, and what else makes it the run it is."""
    told = {
        "plan_hash": plan["plan_hash"],
        "assets": ", ".join(plan["universe"]["assets"]),
        "n_folds": len(plan["folds"]),
        "baseline": plan["baseline"],
        "variants": ", ".join(name for name in plan["variants"] if name != plan["baseline"]),
        "required_lift": plan["gates"]["required_lift"],
        "seed": plan["seed"],
    }
    return {name: clipped(value) for name, value in {**plan.get("options", {}), **told}.items()}


def run_tags(plan: Mapping[str, Any]) -> dict[str, str]:
    """Tags of a whole run."""
    tags = {
        "ftfkit.run_id": plan["run_id"],
        "ftfkit.role": "run",
        "ftfkit.track": (plan["track"] or {}).get("id", "none"),
        "ftfkit.synthetic": str(plan["synthetic"]).lower(),
        "ftfkit.plugins": ", ".join(f"{one['distribution']} {one['version']}" for one in plan["plugins"]),
        "mlflow.source.name": "ftfkit",
        "mlflow.source.type": "LOCAL",
    }
    return {name: clipped(value) for name, value in tags.items()}


def variant_tags(plan: Mapping[str, Any], variant: str) -> dict[str, str]:
    """Tags of one variant's run, the baseline's told from the others'."""
    role = "baseline" if variant == plan["baseline"] else "variant"
    return {**run_tags(plan), "ftfkit.role": role}


def variant_params(plan: Mapping[str, Any], variant: str) -> dict[str, str]:
    """Parameters of one variant: its option of each group, and the values behind the options that are varied."""
    chosen = plan["variants"][variant]
    values = {
        f"{group}.{name}": value if isinstance(value, str) else json.dumps(value)
        for group in plan.get("factor_groups", ())
        for name, value in chosen["config"][group].items()
    }
    return {name: clipped(value) for name, value in {**plan.get("options", {}), **chosen["options"], **values}.items()}


def cell_metrics(row: Mapping[str, Any]) -> dict[str, float]:
    """Figures of one cell, those of plugin metrics included; what is missing or not finite is left out."""
    found = {name: row.get(name) for name in CELL_COLUMNS} | dict(row.get("extra", {}))
    return {_REFUSED.sub("_", name): float(value) for name, value in found.items() if _is_figure(value)}


def lift_metrics(verdict: VariantVerdict) -> dict[str, float]:
    """The comparison with the baseline, each figure under ``lift/``."""
    found = verdict.comparison
    figures = {
        "mean": found.mean,
        "ci95_low": found.ci95[0],
        "ci95_high": found.ci95[1],
        "d_z": found.d_z,
        "p_bh": found.p_bh,
        "fold_t_p_bh": found.fold_t.p_bh,
        "nadeau_bengio_p_bh": found.nadeau_bengio.p_bh,
        "n_pairs": found.n_pairs,
        "n_gates_not_passed": sum(result.status in {"FAIL", "ERROR"} for result in verdict.gates.values()),
    }
    return {f"lift/{name}": float(value) for name, value in figures.items() if _is_figure(value)}


def verdict_tags(verdict: VariantVerdict) -> dict[str, str]:
    """Verdict and the status of every gate, as tags that a search can ask for."""
    statuses = {f"gate.{name}": result.status for name, result in verdict.gates.items()}
    return {"verdict": verdict.verdict, **statuses, NOTE: clipped(_variant_note(verdict))}


def run_verdict_tags(plan: Mapping[str, Any], verdict: Verdict) -> dict[str, str]:
    """All verdicts of a run, in one tag and as its description."""
    told = ", ".join(f"{name} {one.verdict}" for name, one in verdict.variants.items())
    return {"verdict": clipped(told or "none"), NOTE: clipped(_run_note(plan, verdict))}


def verdict_counts(verdict: Verdict) -> dict[str, float]:
    """Number of variants by verdict, each under ``verdicts/``."""
    counts = Counter(one.verdict for one in verdict.variants.values())
    return {f"verdicts/{name}": float(count) for name, count in counts.items()}


def clipped(value: object) -> str:
    """Text short enough for a parameter or tag."""
    text = str(value)
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 3]}..."


def _variant_note(verdict: VariantVerdict) -> str:
    gates = [(name, result.status, result.reason) for name, result in verdict.gates.items()]
    reasons = "\n".join(f"- {reason}" for reason in verdict.reasons)
    return f"**{verdict.verdict}**\n\n{reasons}\n\n{_table(('Gate', 'status', 'reason'), gates)}"


def _run_note(plan: Mapping[str, Any], verdict: Verdict) -> str:
    header = ("Variant", "verdict", f"lift over {verdict.baseline}", "CI95 low", "CI95 high")
    lines = [
        (name, one.verdict, *map(_signed, (one.comparison.mean, *one.comparison.ci95)))
        for name, one in verdict.variants.items()
    ]
    table = _table(header, lines) if lines else "The baseline alone was run."
    mark = "**Synthetic data.** " if verdict.synthetic else ""
    return f"{table}\n\n{mark}`{plan['command']}`"


def _is_figure(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


def _signed(value: float | None) -> str:
    return "n/a" if value is None else f"{value:+.4f}"


def _table(header: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    cells = [header, ("---",) * len(header), *lines]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in cells)
