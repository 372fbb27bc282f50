"""The loop a competent user would write: Optuna over ``XGBClassifier``, asset by asset, fold by fold.

Run as a process of its own by ``loop.py``. Everything is the libraries' default but for the search space, which is
ftfkit's with the number of trees added, as users do. The folds are ftfkit's, so that both arms answer one question.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
from real_cells import RealCell, real_cells
from scipy.special import expit
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve
from sklearn.utils.class_weight import compute_sample_weight
from xgboost import XGBClassifier

GAMMA, ALPHA = 2.0, 0.25  # focal/standard

Array = npt.NDArray[Any]


def focal(y: Array, logit: Array, sample_weight: Array | None = None) -> tuple[Array, Array]:
    """Focal loss as users write it: closed-form gradient, hessian floored to stay positive."""
    sign = np.where(y == 1, 1.0, -1.0)
    alpha = np.where(y == 1, ALPHA, 1 - ALPHA)
    p = np.clip(expit(sign * logit), 1e-9, 1 - 1e-9)
    q, loss = 1 - p, -np.log(p)
    w = alpha * q**GAMMA
    gradient = -sign * w * (q + GAMMA * p * loss)
    hessian = np.maximum(w * p * ((1 + 2 * GAMMA) * q + GAMMA * loss * (GAMMA * p - q)), 1e-6)
    if sample_weight is not None:
        gradient, hessian = gradient * sample_weight, hessian * sample_weight
    return gradient, hessian


@dataclass(frozen=True)
class Loop:
    """One (loss, trial budget, threads) setting of the loop."""

    loss: str
    n_trials: int
    n_jobs: int | None  # None: the library's default

    def run(self, cell: RealCell) -> dict[str, float]:
        """Tune on inner validation, refit on all training events, score the test block."""
        best, threshold = self._tune(cell)
        model = self._fit(best, cell.X[cell.train], cell.y[cell.train])
        y, proba = cell.y[cell.test], self._proba(model, cell.X[cell.test])
        return {
            "average_precision": float(average_precision_score(y, proba)),
            "f1_tuned": float(f1_score(y, proba >= threshold, zero_division=0)),
        }

    def _tune(self, cell: RealCell) -> tuple[dict[str, Any], float]:
        X, y = cell.X[cell.inner_train], cell.y[cell.inner_train]
        X_valid, y_valid = cell.X[cell.valid], cell.y[cell.valid]

        def objective(trial: optuna.Trial) -> float:
            model = self._fit(suggest(trial), X, y)
            f1, threshold = best_f1(y_valid, self._proba(model, X_valid))
            trial.set_user_attr("threshold", threshold)
            return f1

        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
        study.optimize(objective, n_trials=self.n_trials)
        return study.best_params, study.best_trial.user_attrs["threshold"]

    def _fit(self, params: dict[str, Any], X: Array, y: Array) -> XGBClassifier:
        loss: dict[str, Callable[..., Any]] = {"objective": focal} if self.loss == "focal" else {}
        model = XGBClassifier(**params, **loss, n_jobs=self.n_jobs, random_state=0)
        return model.fit(X, y, sample_weight=compute_sample_weight("balanced", y))

    def _proba(self, model: XGBClassifier, X: Array) -> Array:
        if self.loss == "focal":
            return np.asarray(expit(model.predict(X, output_margin=True)))
        return np.asarray(model.predict_proba(X)[:, 1])


def suggest(trial: optuna.Trial) -> dict[str, float | int]:
    """ftfkit's search space (conf/model/xgboost.yaml) and the number of trees."""
    return {
        "n_estimators": trial.suggest_int("n_estimators", 25, 300),
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 6),
        "min_child_weight": trial.suggest_float("min_child_weight", 1, 50, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1.0),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.4, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.1, 30, log=True),
        "gamma": trial.suggest_float("gamma", 0.0, 5.0),
    }


def best_f1(y: Array, proba: Array) -> tuple[float, float]:
    """Highest F1 over thresholds, and the threshold."""
    precision, recall, threshold = precision_recall_curve(y, proba)
    f1 = 2 * precision[:-1] * recall[:-1] / np.maximum(precision[:-1] + recall[:-1], 1e-12)
    return float(f1.max()), float(threshold[np.argmax(f1)])


def main() -> None:
    """Print one JSON line a cell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--loss", choices=["native", "focal"], required=True)
    parser.add_argument("--trials", type=int, required=True)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--every", type=int, default=1, help="take one cell in so many, spread over assets and folds")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    loop = Loop(arguments.loss, arguments.trials, arguments.jobs)
    for cell in real_cells(arguments.overrides, every=arguments.every):
        wall, cpu = time.perf_counter(), time.process_time()
        scores = loop.run(cell)
        spent = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
        print(json.dumps({"asset": cell.asset, "fold": cell.fold, **scores, **spent}), flush=True)


if __name__ == "__main__":
    main()
