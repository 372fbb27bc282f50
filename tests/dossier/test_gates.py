from dataclasses import replace

import pytest

from ftfkit.dossier import gates
from ftfkit.dossier.results import read_results
from ftfkit.types import GateResult


@pytest.fixture
def results_with(make_run, make_rows):
    """Results whose only variant has the given gate and advice results."""

    def build(chosen, advice):
        results = read_results(make_run(make_rows({"none": 0.0, "tried": 0.05})))
        (verdict,) = results.verdicts
        changed = replace(verdict, gates=_results(chosen), advice=_results(advice))
        return replace(results, verdict=replace(results.verdict, variants={"tried": changed}))

    return build


def _results(states):
    return {name: GateResult(status, reason=f"why {name}") for name, status in states.items()}


CLEARED = {"f1_lift": "PASS", "joint_metric": "PASS", "mlops_readiness": "NOT_APPLICABLE"}
LOST = {"f1_lift": "FAIL", "joint_metric": "PASS"}


@pytest.mark.parametrize(
    ("chosen", "advice", "message"),
    [
        (CLEARED, {"dependence": "FAIL"}, "the published six would lock, dependence fails: why dependence"),
        (CLEARED | {"no_skill": "FAIL"}, {}, "the published six would lock, no_skill fails: why no_skill"),
        (
            CLEARED | {"joint_metric": "FAIL"},
            {"dependence": "FAIL"},
            "f1_lift passes, dependence fails: why dependence",
        ),
        (LOST, {"operating_point": "PASS"}, "f1_lift fails, operating_point passes: ranking is no worse"),
        (LOST, {"dependence": "PASS"}, "f1_lift fails, dependence passes: the fold means"),
    ],
)
def test_a_contradiction_is_named(results_with, chosen, advice, message):
    ((said, names),) = gates.disagreements(results_with(chosen, advice))
    assert said.startswith(message)
    assert names == ["tried"]


@pytest.mark.parametrize(
    ("chosen", "advice"),
    [
        (CLEARED, {"dependence": "PASS", "no_skill": "PASS"}),
        (LOST, {"dependence": "FAIL", "no_skill": "PASS"}),
        ({"dependence": "PASS"}, {"no_skill": "FAIL"}),
    ],
)
def test_agreement_is_not_a_contradiction(results_with, chosen, advice):
    assert gates.disagreements(results_with(chosen, advice)) == []


def test_overview_and_details_show_every_gate(make_run, make_rows):
    results = read_results(make_run(make_rows({"none": 0.0, "a": 0.05, "b": -0.05})))
    overview = gates.overview(results)
    assert [row[0] for row in overview.rows] == ["a", "b"]
    for _, table in gates.details(results):
        assert [row[0] for row in table.rows] == [
            *overview.columns[2:],
            "dependence (advice)",
            "operating_point (advice)",
            "no_skill (advice)",
        ]
        assert all(reason for *_, reason in table.rows)
