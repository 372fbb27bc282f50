"""Focal against native on identical replayed trees: what the custom objective itself costs.

A focal fit grows other trees than a native one, so their times say nothing. Here both boosters grow the very same
trees: each round the focal arm computes its gradients, throws them away and hands over those that the native objective
would have used.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost
from ftfkit_track06_focal_loss.focal import FocalLoss
from measuring import REPOSITORY, alternating, save

from ftfkit.builtin.models.xgboost_rounds import Rounds

Float32Array = npt.NDArray[np.float32]

ROUNDS = {5_000: 200, 20_000: 100, 50_000: 60, 200_000: 20}  # rows to rounds
BOUNDS = {4: 1.25, 6: 1.15}  # depth to highest ratio
N_FEATURES = 40


def problem(n: int) -> tuple[Float32Array, Float32Array]:
    """Noisy rows with a weak signal, like bars: 22 % positive, some values missing."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, N_FEATURES)).astype(np.float32)
    X[: n // 20, :10] = np.nan
    logit = -1.3 + 0.3 * np.nan_to_num(X[:, 0]) - 0.2 * X[:, 20]
    return X, (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(np.float32)


class Replay:
    """One size and depth, both arms."""

    def __init__(self, n: int, depth: int, n_rounds: int) -> None:
        X, self._y = problem(n)
        self._weight = np.where(self._y == 1, 2.0, 0.7).astype(np.float32)
        self._train = xgboost.QuantileDMatrix(X, max_bin=32, nthread=1)
        self._train.set_info(label=self._y, weight=self._weight)
        self._focal = FocalLoss(gamma=2.0, alpha=0.25).objective(self._y, self._weight)
        self._n_rounds = n_rounds
        self._params = {
            "objective": "binary:logistic",
            "tree_method": "hist",
            "max_depth": depth,
            "max_bin": 32,
            "learning_rate": 0.05,
            "base_score": 0.3,
            "subsample": 0.8,
            "seed_per_iteration": True,
            "nthread": 1,
        }
        self._steps = self._native_gradients()

    def _native_gradients(self) -> list[tuple[Float32Array, Float32Array]]:
        """Gradients of every round of a native fit."""
        steps = []
        rounds = self._rounds()
        for iteration in range(self._n_rounds):
            p = 1 / (1 + np.exp(-rounds.margin()))
            steps.append(((p - self._y) * self._weight, p * (1 - p) * self._weight))
            rounds.boost(iteration, *steps[-1])
        return steps

    def _rounds(self) -> Rounds:
        return Rounds(xgboost.Booster(self._params, cache=[self._train]), self._train)

    def native(self) -> float:
        """CPU seconds a round of a native fit."""
        rounds = self._rounds()
        start = time.process_time()
        for iteration in range(self._n_rounds):
            rounds.update(iteration)
        spent = time.process_time() - start
        self._native_margin = rounds.margin().copy()
        return spent / self._n_rounds

    def focal(self) -> float:
        """CPU seconds a round on native gradients, focal ones computed beside."""
        rounds = self._rounds()
        start = time.process_time()
        for iteration, step in enumerate(self._steps):
            self._focal(rounds.margin())
            rounds.boost(iteration, *step)
        spent = time.process_time() - start
        self._focal_margin = rounds.margin().copy()
        return spent / self._n_rounds

    def same_score_frac(self) -> float:
        """Share of rows that both arms' trees score alike; float32 noise may decide a tied split otherwise."""
        return float(np.mean(np.abs(self._native_margin - self._focal_margin) < 1e-3))


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "outputs" / "benchmarks")
    arguments = parser.parse_args()
    found: list[dict[str, Any]] = []
    for depth, bound in BOUNDS.items():
        for n, n_rounds in ROUNDS.items():
            replay = Replay(n, depth, n_rounds)
            native, focal = alternating(replay.native, replay.focal, arguments.repeats)
            figures = {
                "depth": depth,
                "rows": n,
                "native_us": min(native) * 1e6,
                "focal_us": min(focal) * 1e6,
                "ratio": min(focal) / min(native),
                "bound": bound,
                "same_score_frac": replay.same_score_frac(),
            }
            found.append(figures)
            print(
                "depth {depth}, {rows:7,} rows: native {native_us:6.0f} us a round, focal {focal_us:6.0f},"
                " ratio {ratio:.3f} (bound {bound}), same score on {same_score_frac:.1%} of rows".format(**figures)
            )
    print(save(arguments.out, "objective", {"sizes": found}))


if __name__ == "__main__":
    main()
