"""Conformance of models: deterministic, one thread, scores row by row, honours what a fit asks of it or refuses."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest

from ftfkit.components import FitContext, Loss, Model, Params, Proba
from ftfkit.errors import ConfigError
from ftfkit.operating_points import average_precision
from ftfkit.testing.conformance import Conformance, assert_array, read_only
from ftfkit.testing.fits import Planted, TiltedLogistic, fit_context, planted_sample, with_rounds
from ftfkit.types import Sample

N_TRAIN, N_EVAL = 600, 300
STAGES = 4
ALMOST = 1e-6  # how far a soft label is from a hard one that no model may tell from it
RAISED = 0.04  # more than chance does, and less than in a model so deep that most rows are settled whatever they weigh
SEARCHED = ("low", "high")

_COUNT_THREADS = """
import os, pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
model = pickle.load(sys.stdin.buffer)
from ftfkit.testing.models import planted_fit
def fit(): return model.bind(planted_fit()).predict(model.params, model.max_rounds)
def busy():
    names = [open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")]
    return sum(name != "jemalloc_bg_thd" for name in names)  # pyarrow's allocator
fit()
import threading
before, most, done = busy(), 0, threading.Event()
def watch():
    global most
    while not done.is_set():
        most = max(most, busy() - 1)
        done.wait(0.001)
watcher = threading.Thread(target=watch)
watcher.start()
fit()
done.set()
watcher.join()
children = len(open(f"/proc/self/task/{os.getpid()}/children").read().split())
print(max(before, most), children)
"""
_ONE_BLAS_THREAD = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # BLAS starts its pool at import, not at a fit


class ModelConformance(Conformance):
    """A model is a function of its context, finds a planted signal, and never ignores weights, soft labels or losses.

    Attributes
    ----------
    rounds : int
        Rounds that the suite trains at most; enough to find the signal, few enough to be quick.
    """

    rounds: ClassVar[int] = 40

    def test_probabilities_are_well_formed(self, component: Model) -> None:
        proba = self._predict(component, planted_fit())
        assert_array(proba, (N_EVAL,), np.float32)
        assert np.isfinite(proba).all()
        assert ((proba >= 0) & (proba <= 1)).all()

    def test_finds_a_planted_signal(self, component: Model) -> None:
        planted = _planted()
        proba = self._predict(component, planted_fit())
        found = average_precision(planted.sample.y_hard[N_TRAIN:], proba)
        assert found > planted.sample.y_hard[N_TRAIN:].mean() + 0.15

    def test_path_and_predict_agree(self, component: Model) -> None:
        model = with_rounds(component, self.rounds)
        every = max(1, model.max_rounds // STAGES)
        bound = model.bind(planted_fit())
        stages = list(bound.path(model.params, every))
        assert all(earlier.rounds < later.rounds for earlier, later in pairwise(stages))
        assert stages[-1].rounds == model.max_rounds
        for stage in (stages[0], stages[-1]):
            np.testing.assert_allclose(bound.predict(model.params, stage.rounds), stage.proba, atol=1e-6)

    def test_a_path_may_be_left_early(self, component: Model) -> None:
        """Pruning abandons a trial; the next one must not notice."""
        model = with_rounds(component, self.rounds)
        bound = model.bind(planted_fit())
        next(iter(bound.path(model.params, 1)))
        left = bound.predict(model.params, model.max_rounds)
        np.testing.assert_array_equal(left, self._predict(component, planted_fit()))

    def test_is_deterministic_also_after_pickling(self, component: Model) -> None:
        first = self._predict(component, planted_fit())
        np.testing.assert_array_equal(first, self._predict(component, planted_fit()))
        np.testing.assert_array_equal(first, self._predict(pickle.loads(pickle.dumps(component)), planted_fit()))

    def test_leaves_global_random_state_alone(self, component: Model) -> None:
        before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
        self._predict(component, planted_fit())
        np.testing.assert_array_equal(before, np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002

    def test_leaves_its_input_alone(self, component: Model) -> None:
        context = planted_fit()
        read_only(getattr(context.train, field.name) for field in fields(context.train))
        read_only([context.X_eval])
        self._predict(component, context)

    def test_scores_each_row_by_itself(self, component: Model) -> None:
        """Whatever is estimated from the scored rows, such as a mean for imputation, would leak."""
        context = planted_fit()
        all_rows = self._predict(component, context)
        few = self._predict(component, replace(context, X_eval=context.X_eval[:7]))
        np.testing.assert_allclose(few, all_rows[:7], atol=1e-6)

    def test_columns_that_are_empty_in_training_are_no_obstacle(self, component: Model) -> None:
        context = planted_fit()
        X = context.train.X.copy()
        X[:, 2] = np.nan
        assert np.isfinite(self._predict(component, replace(context, train=replace(context.train, X=X)))).all()

    @pytest.mark.parametrize("end", SEARCHED)
    def test_both_ends_of_the_search_space_can_be_fitted(self, component: Model, end: str) -> None:
        ends = {name: getattr(span, end) for name, span in component.space.items()}
        whole = {name: int(value) if component.space[name].kind == "int" else value for name, value in ends.items()}
        assert np.isfinite(self._predict(component, planted_fit(), {**component.params, **whole})).all()

    def test_honours_weights_or_refuses(self, component: Model) -> None:
        def heavier(sample: Sample) -> Sample:
            return replace(sample, weight=np.where(sample.y_hard == 1, 8, 1).astype(np.float32))

        self._raises_probabilities_or_refuses(component, heavier)

    def test_honours_soft_labels_or_refuses(self, component: Model) -> None:
        """Neither the hard labels nor a rounding of the soft ones would do."""

        def constant(sample: Sample) -> Sample:
            return replace(sample, y=np.full(len(sample.y), 0.8, dtype=np.float32))

        proba = self._raises_probabilities_or_refuses(component, constant)
        assert proba is None or proba.mean() == pytest.approx(0.8, abs=0.07)

    def test_soft_labels_that_are_almost_hard_give_almost_the_same_model(self, component: Model) -> None:
        """Otherwise a target transform is compared with the baseline across two ways of training, and not by itself."""
        context = planted_fit()
        almost = np.clip(context.train.y, ALMOST, 1 - ALMOST).astype(np.float32)
        try:
            soft = self._predict(component, replace(context, train=replace(context.train, y=almost)))
        except ConfigError:
            pytest.skip("refuses soft labels")
        moved = np.abs(soft - self._predict(component, context))
        assert moved.mean() < 1e-3, "on average: a split between equals may turn, and move a few rows by more"

    def test_honours_losses_or_refuses(self, component: Model) -> None:
        self._raises_probabilities_or_refuses(component, loss=TiltedLogistic(tilt=8.0))

    def test_a_loss_is_refused_before_any_data_or_not_at_all(self, component: Model) -> None:
        """``check_loss`` refuses at composition; skips where only ``bind`` does, which ends a sweep in error rows."""
        context = planted_fit()
        for loss in (context.loss, TiltedLogistic(tilt=8.0)):
            early = _refuses(partial(component.check_loss, loss))
            late = _refuses(partial(with_rounds(component, 1).bind, replace(context, loss=loss)))
            assert late or not early, f"check_loss refuses {loss!r}, bind takes it"
            if late and not early:
                pytest.skip(f"bind refuses {loss!r}: override check_loss, so that no sweep starts with it")

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
    def test_fits_on_one_thread(self, component: Model) -> None:
        """In a process of its own, whose thread pools no other test has started."""
        sent = pickle.dumps(sys.path) + pickle.dumps(with_rounds(component, 10))
        environment = {"PATH": "/usr/bin:/bin", **_ONE_BLAS_THREAD}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _COUNT_THREADS],
            input=sent,
            env=environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        threads, children = map(int, done.stdout.split())
        assert (threads, children) == (1, 0), "threads and child processes at a fit"

    def _predict(self, model: Model, context: FitContext, params: Params | None = None) -> Proba:
        shorter = with_rounds(model, self.rounds)
        return shorter.bind(context).predict(shorter.params if params is None else params, shorter.max_rounds)

    def _raises_probabilities_or_refuses(
        self, model: Model, change: Callable[[Sample], Sample] | None = None, loss: Loss | None = None
    ) -> Proba | None:
        """Probabilities under the change, which must be higher on the whole; None where the model refuses it."""
        context = planted_fit()
        train = change(context.train) if change else context.train
        try:
            changed = self._predict(model, replace(context, train=train, loss=loss or context.loss))
        except ConfigError:
            return None
        assert changed.mean() > self._predict(model, context).mean() + RAISED
        return changed


def _refuses(call: Callable[[], object]) -> bool:
    try:
        call()
    except ConfigError:
        return True
    return False


def planted_fit() -> FitContext:
    """Training on the first rows of a planted sample; the others are to be scored."""
    sample = _planted().sample
    return fit_context(sample.rows(np.arange(N_TRAIN)), sample.X[N_TRAIN:].copy())


def _planted() -> Planted:
    return planted_sample(N_TRAIN + N_EVAL)
