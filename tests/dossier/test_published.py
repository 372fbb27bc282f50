"""The dossier of the published sweep's reconstructed rows says what the published dossier says."""

import json
import re
from pathlib import Path

import pytest

from ftfkit.dossier import configuration, decisions, effects, gates, overview, supporting
from ftfkit.dossier.results import Results, read_results
from ftfkit.dossier.write import write_dossier

VARIANTS = ("mild_focus", "standard", "aggressive_focus", "class_balanced")


@pytest.fixture
def reference(shared: Path):
    return json.loads((shared / "reference" / "track06_published.json").read_text())


@pytest.fixture
def results(make_run, published) -> Results:
    return read_results(make_run(published))


def test_f1_by_asset_and_variant(results, reference):
    (table,) = effects.f1_tables(results)
    assert table.columns == ("Asset", "always-BUY", "none (baseline)", *VARIANTS)
    for asset, *cells in table.rows[:5]:
        assert cells[1:] == [f"{reference['f1_buy_mean'][asset][name]:.4f}" for name in ("none", *VARIANTS)]


def test_no_variant_wins_on_any_asset(results):
    assert "The baseline none is highest on 5 of 5 assets." in effects.f1_sentences(results)


def test_paired_deltas(results, reference):
    table = effects.deltas(results)
    assert "BH p (m=4)" in table.columns
    for name, n, mean, low, high, d_z, _, p, p_bh, improved in table.rows:
        figures = reference["paired_delta"][name]
        assert (n, improved) == ("25", "0 of 5")
        assert mean == f"{figures['mean']:+.4f}"
        assert d_z == f"{figures['cohens_d']:+.3f}"
        assert [float(low), float(high)] == pytest.approx(figures["ci95"], abs=0.003)
        assert float(p) == pytest.approx(figures["p_raw"], rel=0.005)
        assert p_bh == ("2.09e-06" if name == "class_balanced" else "1.15e-07")


def test_gates(results):
    table = gates.overview(results)
    for row in table.rows:
        states = dict(zip(table.columns, row, strict=True))
        assert states["verdict"] == "ABANDON"
        assert [name for name, state in states.items() if state == "FAIL"] == [
            "f1_lift",
            "joint_metric",
            "per_asset",
            "sample_size",
        ]
        assert states["stability"] == states["mlops_readiness"] == "PASS"


def test_joint_metric_breakdown(results, reference):
    for name, expectancy, sortino, drawdown in supporting.joint(results).rows:
        figures = reference["delta_supporting"][name]
        assert expectancy == f"{figures['expectancy']:+.1f} ✓"
        assert sortino == f"{figures['sortino']:+.2f} ✗"
        assert drawdown == f"{figures['max_drawdown']:+.2f} {'✓' if figures['max_drawdown'] <= 1 else '✗'}"


def test_verdict_in_brief(results):
    assert overview.outcome(results) == "ABANDON"
    ((verdict, sentence),) = overview.headline(results)
    assert verdict == "ABANDON"
    assert sentence.startswith(f"for all 4 variants ({', '.join(VARIANTS)})")
    assert decisions.lock_commands(results) == []


def test_sweep_configuration(results):
    values = dict(configuration.sweep(results).rows)
    assert values["Cells planned"] == "5 × 5 × 5 = 125"
    assert values["Useful rows"] == "125 of 125 (full coverage)"
    assert values["Power mode"] == "standard (50 trials a fold, objective f1_binary)"


def test_sections_come_in_the_published_order(make_run, published):
    markdown = write_dossier(make_run(published), sections={}).read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", markdown, flags=re.MULTILINE)
    words = [
        "TL;DR",
        "1. Sweep",
        "2. Per-asset",
        "3. Paired delta",
        "4. Gate",
        "5. Supporting",
        "6. Decisions",
        "7. Linked",
    ]
    assert len(headings) == len(words)
    assert all(heading.startswith(word) for heading, word in zip(headings, words, strict=True))


def test_gates_that_lack_evidence_are_named_and_never_called_a_disagreement(results):
    assert gates.disagreements(results) == []
    assert [message for message, _ in gates.unanswered(results)] == [
        "operating_point could not be computed: column f1_buy_tuned, average_precision is missing",
        "no_skill could not be computed: column average_precision, ap_chance is missing",
    ]
