"""What lock wrote is where the next experiments start."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ftfkit.config.champion import FILE, Champion, locks_document, read_locks
from ftfkit.config.experiment import compose
from ftfkit.config.schema import Experiment
from ftfkit.errors import ConfigError

Compose = Callable[..., Experiment]


@pytest.fixture
def locked(tmp_path: Path) -> Callable[..., Compose]:
    """Compose in an output folder whose champion has the given options and values."""

    def lock(options: dict[str, str], values: tuple[str, ...] = ()) -> Compose:
        champion = Champion("r1", "v1", "2026-01-02T00:00:00+00:00", options, values, None, "A=1\n")
        (tmp_path / FILE).parent.mkdir()
        (tmp_path / FILE).write_text(json.dumps(locks_document([champion])))
        return lambda *overrides: compose([*overrides, f"output.dir={tmp_path}"])

    return lock


def loss_of(experiment: Experiment, variant: str | None = None) -> dict[str, object]:
    chosen = {one.name: one for one in experiment.all_variants}[variant or experiment.baseline.name]
    return dict(chosen.spec.raw["loss"])


FOCAL = {"name": "focal", "gamma": 2.0, "alpha": 0.25}


def test_without_a_lock_the_conf_names_the_baseline(tmp_path: Path) -> None:
    assert read_locks(tmp_path) == ()
    assert compose([f"output.dir={tmp_path}"]).locked is None


def test_the_baseline_is_the_champion(locked: Callable[..., Compose]) -> None:
    experiment = locked({"loss": "focal/standard"})()
    assert loss_of(experiment) == FOCAL
    assert experiment.variants == ()
    assert experiment.locked == "r1 v1"


def test_variants_start_from_the_champion(locked: Callable[..., Compose]) -> None:
    experiment = locked({"loss": "focal/standard"})("balancing=none")
    (variant,) = experiment.variants
    assert variant.factor_options == {"balancing": "none"}
    assert loss_of(experiment, variant.name) == loss_of(experiment) == FOCAL


def test_a_locked_value_counts_whatever_sign_it_was_given_with(locked: Callable[..., Compose]) -> None:
    assert loss_of(locked({"loss": "focal/standard"}, ("++loss.gamma=3",))()) == FOCAL | {"gamma": 3.0}


def test_a_value_given_anew_replaces_the_champions(locked: Callable[..., Compose]) -> None:
    experiment = locked({"loss": "focal/standard"}, ("loss.gamma=3",))("loss.gamma=4")
    (variant,) = experiment.variants
    assert variant.name == "standard[gamma=4]"
    assert loss_of(experiment, variant.name) == {**FOCAL, "gamma": 4.0}


def test_the_old_champion_is_now_a_variant(locked: Callable[..., Compose]) -> None:
    experiment = locked({"loss": "focal/standard"})("loss=none,focal/standard")
    assert experiment.baseline.name == "standard"
    assert [variant.name for variant in experiment.variants] == ["none"]


def test_values_of_the_champion_come_along(locked: Callable[..., Compose]) -> None:
    experiment = locked({"loss": "focal/standard"}, ("loss.gamma=3",))("balancing=none")
    assert loss_of(experiment) == loss_of(experiment, "none") == {**FOCAL, "gamma": 3.0}


def test_values_on_the_command_line_are_varied_from_the_champion(locked: Callable[..., Compose]) -> None:
    experiment = locked({"loss": "focal/standard"}, ("loss.gamma=3",))("loss.alpha=0.5")
    (variant,) = experiment.variants
    assert loss_of(experiment) == {**FOCAL, "gamma": 3.0}
    assert loss_of(experiment, variant.name) == {**FOCAL, "gamma": 3.0, "alpha": 0.5}


def test_a_champion_decision_or_label_is_the_context_of_later_runs(locked: Callable[..., Compose]) -> None:
    make = locked({"decision": "fixed", "label": "ATR1.0_2.0_H4"})
    experiment = make("loss=focal/standard")
    for variant in experiment.all_variants:
        assert (variant.spec.options["decision"], variant.spec.options["label"]) == ("fixed", "ATR1.0_2.0_H4")
    other = make("loss=focal/standard", "decision=tuned")
    assert {variant.spec.options["decision"] for variant in other.all_variants} == {"tuned"}
    swept = make("decision=tuned,fixed")
    assert swept.baseline.name == "fixed"


def test_a_track_keeps_the_factor_and_the_baseline_it_declares(locked: Callable[..., Compose]) -> None:
    experiment = locked({"loss": "focal/standard", "decision": "matched_rate"})("track=06_focal_loss")
    assert loss_of(experiment) == FOCAL
    assert {variant.name for variant in experiment.variants} == {"mild_focus", "aggressive_focus", "class_balanced"}
    assert {variant.spec.options["decision"] for variant in experiment.all_variants} == {"fixed"}


@pytest.mark.parametrize(
    ("options", "values", "told"),
    [
        ({"loss": "gone"}, (), r"loss == gone is no option"),
        ({"loss": "focal/standard"}, ("loss.gamma=-1",), r"loss\.gamma == -1 must be >= 0"),
    ],
)
def test_what_a_lock_has_set_is_blamed_on_it(locked: Callable[..., Compose], options, values, told: str) -> None:
    composed = locked(options, values)
    with pytest.raises(ConfigError, match=rf"champion\.json: {told}"):
        composed()
    with pytest.raises(ConfigError, match=r"^command line: loss == nope is no option"):
        composed("loss=nope")
    with pytest.raises(ConfigError, match=r"^command line: loss == nope is no option"):
        composed("baseline.loss=nope", "loss=none")


def test_a_baseline_on_the_command_line_goes_before_the_champion(locked: Callable[..., Compose]) -> None:
    experiment = locked({"loss": "focal/standard"})("baseline.loss=focal/mild_focus")
    assert loss_of(experiment)["gamma"] == 1.0
    assert [variant.name for variant in experiment.variants] == ["standard"]


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 2, "locks": []}', '{"schema": 1, "locks": [{"run_id": 1}]}'])
def test_a_damaged_champion_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ConfigError, match=r"champion\.json: must be as `lock` wrote it"):
        compose([f"output.dir={tmp_path}"])
