from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftfkit.builtin.losses.logistic import LogisticLoss
from ftfkit.builtin.models.xgboost import XGBoostModel
from ftfkit.components import BoundModel, FitContext, Params, Proba, SearchRange
from ftfkit.config.sections import HpoConfig
from ftfkit.run.tuning import Choice, lags, peak_of, score_function, search
from ftfkit.types import Sample, Stage

SPACE = {
    "learning_rate": SearchRange(low=0.02, high=0.3, log=True),
    "max_depth": SearchRange(low=2, high=4, kind="int"),
}


def stages_of(scores: list[float]) -> list[Stage]:
    return [Stage(25 * (k + 1), np.full(2, score, dtype=np.float32)) for k, score in enumerate(scores)]


@given(st.lists(st.integers(0, 8).map(float), min_size=3, max_size=12))
def test_peak_is_the_first_largest_moving_mean_of_interior_stages(scores: list[float]) -> None:
    means = {k: sum(scores[k - 1 : k + 2]) / 3 for k in range(1, len(scores) - 1)}
    best = min(means, key=lambda k: (-round(means[k], 9), k))
    peak = peak_of(stages_of(scores), scores)
    assert peak.rounds == 25 * (best + 1)
    assert peak.value == pytest.approx(means[best])
    assert peak.proba[0] == np.float32(scores[best])


def test_equal_windows_tie_whatever_the_order_of_their_scores() -> None:
    scores = [0.3, 0.8, 0.4, 0.3]  # summed from the left, the second window is larger in the last bit
    assert peak_of(stages_of(scores), scores).rounds == 50


@pytest.mark.parametrize(("scores", "rounds"), [([0.4], 25), ([0.4, 0.5], 50), ([0.5, 0.5], 25)])
def test_short_paths_compare_the_scores_themselves(scores: list[float], rounds: int) -> None:
    assert peak_of(stages_of(scores), scores).rounds == rounds


@pytest.mark.parametrize(
    ("objective", "rule", "expected"),
    [
        ("f1_binary", "at_half", 2 / 3),
        ("f1_binary", "best", 0.8),
        ("average_precision", "best", (1 + 2 / 3) / 2),
        ("logloss", None, np.log([0.9, 0.4, 0.6, 0.8]).mean()),
    ],
)
def test_objectives_are_maximised(objective: str, rule: str | None, expected: float) -> None:
    y, proba = np.array([1, 0, 1, 0], dtype=np.int8), np.array([0.9, 0.6, 0.4, 0.2])
    if objective == "logloss":
        proba = np.array([0.9, 0.6, 0.6, 0.2])
    if (objective, rule) == ("f1_binary", "at_half"):
        proba = np.array([0.9, 0.45, 0.4, 0.2])
    score = score_function(HpoConfig(n_trials=1, objective=objective), rule)
    assert score(y, proba) == pytest.approx(expected, rel=1e-6)


@pytest.fixture(scope="module")
def bound_and_y() -> tuple[BoundModel, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 5)).astype(np.float32)
    y = (rng.random(600) < 1 / (1 + np.exp(1 - 2 * X[:, 0]))).astype(np.int8)
    time = np.arange(600)
    sample = Sample(X, y.astype(np.float32), y, np.ones(600, dtype=np.float32), time, time)
    context = FitContext(sample.rows(time[:450]), X[450:], LogisticLoss(), seed=1)
    return XGBoostModel(max_rounds=100).bind(context), y[450:]


def chosen(bound_and_y: tuple[BoundModel, np.ndarray], seed: int = 7, **hpo: object) -> Choice:
    bound, y = bound_and_y
    model = XGBoostModel(max_rounds=100, params={"subsample": 0.8, "max_depth": 6}, space=SPACE)
    return search(bound, model, y, HpoConfig(**{"n_trials": 8, **hpo}), "best", seed)


def test_search_is_repeatable_and_follows_its_seed(bound_and_y: tuple[BoundModel, np.ndarray]) -> None:
    first, again, other = chosen(bound_and_y), chosen(bound_and_y), chosen(bound_and_y, seed=8)
    assert first.params == again.params
    assert first.peak.rounds == again.peak.rounds
    np.testing.assert_array_equal(first.peak.proba, again.peak.proba)
    assert first.params != other.params


def test_drawn_values_replace_declared_ones_within_their_ranges(bound_and_y: tuple[BoundModel, np.ndarray]) -> None:
    choice = chosen(bound_and_y)
    assert set(choice.params) == {"subsample", "max_depth", "learning_rate"}
    assert choice.params["subsample"] == 0.8
    assert choice.params["max_depth"] in (2, 3, 4)
    assert 0.02 <= choice.params["learning_rate"] <= 0.3
    assert choice.n_trials == 8


def test_choice_is_what_the_model_gives_at_those_parameters(bound_and_y: tuple[BoundModel, np.ndarray]) -> None:
    choice = chosen(bound_and_y)
    np.testing.assert_array_equal(bound_and_y[0].predict(choice.params, choice.peak.rounds), choice.peak.proba)


def test_no_trials_takes_the_declared_parameters(bound_and_y: tuple[BoundModel, np.ndarray]) -> None:
    choice = chosen(bound_and_y, n_trials=0)
    assert choice.params == {"subsample": 0.8, "max_depth": 6}
    assert (choice.n_trials, choice.n_pruned) == (0, 0)
    assert choice.peak.rounds in (50, 75)


def test_pruning_is_a_choice(bound_and_y: tuple[BoundModel, np.ndarray]) -> None:
    free, pruned = (
        chosen(
            bound_and_y, n_trials=25, objective="logloss", every_rounds=10, pruning_startup_trials=2, pruning=pruning
        )
        for pruning in (False, True)
    )
    assert free.n_pruned == 0
    assert 0 < pruned.n_pruned < 25


@pytest.mark.parametrize(("n_startup", "n_warmup"), [(0, 1), (1, 2), (4, 0)])
def test_lagging_is_what_optunas_median_pruner_prunes(n_startup: int, n_warmup: int) -> None:
    rng = np.random.default_rng(n_startup)
    hpo = HpoConfig(n_trials=30, pruning_startup_trials=n_startup, pruning_warmup_stages=n_warmup)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=n_startup, n_warmup_steps=n_warmup + 1)
    study = optuna.create_study(direction="maximize", pruner=pruner)
    finished: list[list[float]] = []
    verdicts = []
    for _ in range(30):
        trial, worth = study.ask(), []
        for step in range(1, 9):
            worth.append(max([*worth, float(rng.integers(0, 6))]))
            trial.report(worth[-1], step)
            verdicts.append(lags(worth, finished, hpo))
            assert verdicts[-1] == trial.should_prune()
            if verdicts[-1]:
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            study.tell(trial, worth[-1])
            finished.append(worth)
    assert 0 < sum(verdicts) < len(verdicts)


@dataclass
class Scripted:
    """A model whose stages follow from its one parameter."""

    constant: float = 0.5
    broken: bool = False

    def path(self, params: Params, every_rounds: int) -> Iterator[Stage]:
        for k in range(1, 5):
            value = np.nan if self.broken else self.constant
            yield Stage(k * every_rounds, np.array([value, value], dtype=np.float32))

    def predict(self, params: Params, rounds: int) -> Proba:
        return np.full(2, self.constant, dtype=np.float32)


def test_equal_trials_leave_the_earliest_and_the_fewest_rounds() -> None:
    model, y = XGBoostModel(space=SPACE), np.array([0, 1], dtype=np.int8)
    many, one = (search(Scripted(), model, y, HpoConfig(n_trials=n, pruning=False), "best", 3) for n in (6, 1))
    assert many.params == one.params
    assert many.peak.rounds == 50


def test_probabilities_that_are_not_finite_are_refused() -> None:
    y = np.array([0, 1], dtype=np.int8)
    with pytest.raises(FloatingPointError, match="XGBoostModel: probabilities must be finite"):
        search(Scripted(broken=True), XGBoostModel(), y, HpoConfig(n_trials=0), "best", 3)
