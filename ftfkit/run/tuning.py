"""The search of one cell: trials and rounds scored on inner validation, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from ftfkit.components import BoundModel, Model, Proba, SearchRange
from ftfkit.config.sections import HpoConfig
from ftfkit.operating_points import average_precision, best_f1
from ftfkit.run.metrics import f1_score, logloss
from ftfkit.run.payloads import proba_of
from ftfkit.types import F1Rule, Stage

if TYPE_CHECKING:
    import optuna

Score = Callable[[npt.NDArray[np.int8], Proba], float]


class Peak(NamedTuple):
    """Where a boosting path is best on inner validation."""

    rounds: int
    value: float
    proba: Proba


@dataclass(frozen=True, eq=False)
class Choice:
    """What the search chose; ``peak.proba`` are validation probabilities of the chosen trial at the chosen rounds."""

    params: Mapping[str, float | int]
    peak: Peak
    n_trials: int
    n_pruned: int


def score_function(hpo: HpoConfig, f1_rule: F1Rule | None) -> Score:
    """The search objective as a function to be maximised."""
    if hpo.objective == "average_precision":
        return average_precision
    if hpo.objective == "logloss":
        return lambda y, proba: -logloss(y, proba)
    if f1_rule == "at_half":
        return lambda y, proba: f1_score(y, proba >= 0.5)
    return lambda y, proba: best_f1(y, proba).f1


def smoothed(scores: Sequence[float]) -> list[float]:
    """Centred 3-point moving mean over interior stages; the scores themselves where there is no interior."""
    if len(scores) < 3:
        return list(scores)
    # fsum: equal windows are equal whatever the order of their scores, and a tie goes to the fewest rounds.
    return [math.fsum(three) / 3 for three in zip(scores, scores[1:], scores[2:], strict=False)]


def peak_of(stages: Sequence[Stage], scores: Sequence[float]) -> Peak:
    """The peak of a path: the largest smoothed score; the smallest number of rounds wins among equals."""
    values = smoothed(scores)
    value = max(values)
    stage = stages[values.index(value) + (len(values) < len(scores))]
    return Peak(stage.rounds, value, stage.proba)


def search(
    bound: BoundModel, model: Model, y_valid: npt.NDArray[np.int8], hpo: HpoConfig, f1_rule: F1Rule | None, seed: int
) -> Choice:
    """Choose parameters and rounds on inner validation.

    Parameters
    ----------
    bound : BoundModel
        Bound to the inner training rows; its stages score the validation rows.
    model : Model
        Declares fixed parameters and the search space; a drawn value replaces a fixed one.
    y_valid : ndarray of int8, shape (m,)
        Hard labels of the validation rows.
    seed : int
        Seed of the sampler; the same for all variants of an asset and fold.

    Notes
    -----
    Among equal trials the earliest wins; a pruned trial never does. ``n_trials: 0``, or an empty search space, takes
    the declared parameters, and rounds by the same rule.

    Raises
    ------
    FloatingPointError
        When the model gives probabilities that are not finite.
    """
    evaluate = score_function(hpo, f1_rule)

    def score(proba: Proba) -> float:
        return evaluate(y_valid, proba_of(model, proba, len(y_valid)))

    if hpo.n_trials == 0 or not model.space:
        stages = list(bound.path(model.params, hpo.every_rounds))
        return Choice(dict(model.params), peak_of(stages, [score(stage.proba) for stage in stages]), 0, 0)
    return _search(bound, model, hpo, seed, score)


def lags(worth: Sequence[float], finished: Sequence[Sequence[float]], hpo: HpoConfig) -> bool:
    """Median rule: whether a trial is worth less than the median of finished trials was at the same stage.

    Parameters
    ----------
    worth : sequence of float
        Value of the trial's peak if it ended at each of its stages so far.
    finished : sequence of sequence of float
        The same of the trials that ran to their end.

    Notes
    -----
    Never true in the first ``pruning_warmup_stages``, or before ``pruning_startup_trials`` trials have finished.
    Decides as ``optuna.pruners.MedianPruner`` does, which would cost a fortieth of a search.

    References
    ----------
    Golovin, D. et al. (2017), Google Vizier: a service for black-box optimization, KDD, sec. 3.2.2.
    """
    stage = len(worth) - 1
    if stage < hpo.pruning_warmup_stages or len(finished) < max(hpo.pruning_startup_trials, 1):
        return False
    return worth[stage] < median(other[stage] for other in finished)


def _search(bound: BoundModel, model: Model, hpo: HpoConfig, seed: int, score: Callable[[Proba], float]) -> Choice:
    from optuna.trial import TrialState

    study, space = _study(hpo, seed), {name: _distribution(dimension) for name, dimension in model.space.items()}
    best: tuple[Mapping[str, float | int], Peak] | None = None
    finished: list[list[float]] = []
    for _ in range(hpo.n_trials):
        trial = study.ask(space)
        params = {**model.params, **trial.params}
        stages: list[Stage] = []
        scores: list[float] = []
        worth: list[float] = []
        for stage in bound.path(params, hpo.every_rounds):
            stages.append(stage)
            scores.append(score(stage.proba))
            worth.append(max([*worth[2:], *smoothed(scores[-3:])]))  # the peak so far, of which only the end is new
            if hpo.pruning and lags(worth, finished, hpo):
                trial.report(scores[-1], stage.rounds)  # the sampler ranks pruned trials by it
                study.tell(trial, state=TrialState.PRUNED)
                break
        else:
            finished.append(worth)
            peak = peak_of(stages, scores)
            study.tell(trial, peak.value)
            if best is None or peak.value > best[1].value:
                best = params, peak
    assert best is not None  # the first trial has no other to lag behind
    return Choice(*best, hpo.n_trials, hpo.n_trials - len(finished))


def _study(hpo: HpoConfig, seed: int) -> optuna.Study:
    """A study in memory; its sampler knows nothing but this search."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=hpo.n_startup_trials, multivariate=True)
    return optuna.create_study(direction="maximize", sampler=sampler)


def _distribution(dimension: SearchRange) -> optuna.distributions.BaseDistribution:
    from optuna.distributions import FloatDistribution, IntDistribution

    if dimension.kind == "int":
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
