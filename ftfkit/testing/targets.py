"""Conformance of target transforms: only the training part of one fit has a say, and labels stay labels."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt

from ftfkit.components import FitContext, TargetTransform
from ftfkit.testing.conformance import Conformance, assert_array, read_only
from ftfkit.testing.fits import fit_context, planted_sample
from ftfkit.types import Sample, Target

N = 500


class TargetTransformConformance(Conformance):
    """Targets are probabilities, depend on the fit's own training rows alone and leave enough to train on."""

    def test_targets_are_well_formed(self, component: TargetTransform) -> None:
        target = component.transform(_context())
        assert_array(target.y, (N,), np.float32)
        assert_array(target.weight, (N,), np.float32)
        assert_array(target.keep, (N,), np.bool_)
        assert ((target.y >= 0) & (target.y <= 1)).all()
        assert np.isfinite(target.weight).all()
        assert (target.weight >= 0).all()
        assert all(np.isfinite(value) for value in target.notes.values())

    def test_both_classes_stay_in_the_fit(self, component: TargetTransform) -> None:
        context = _context()
        target = component.transform(context)
        kept = target.keep & (target.weight > 0)
        assert set(context.train.y_hard[kept].tolist()) == {0, 1}

    def test_rows_to_be_scored_have_no_say(self, component: TargetTransform) -> None:
        context = _context()
        other = replace(context, X_eval=context.X_eval[::-1] * 3 + 1)
        _assert_same(component.transform(context), component.transform(other))
        _assert_same(component.transform(context), component.transform(replace(context, X_eval=context.X_eval[:0])))

    def test_another_fit_has_no_say(self, component: TargetTransform) -> None:
        """A transform remembers nothing: what it made of other rows before changes nothing."""
        context = _context()
        first = component.transform(context)
        component.transform(_context(seed=1))
        _assert_same(first, component.transform(context))

    def test_is_deterministic_and_leaves_its_input_alone(self, component: TargetTransform) -> None:
        one, other = _context(), _context()
        read_only(_arrays(one.train))
        _assert_same(component.transform(one), component.transform(other))


def _context(seed: int = 0) -> FitContext:
    planted = planted_sample(N + 100, seed)
    return fit_context(planted.sample.rows(np.arange(N)), planted.sample.X[N:])


def _arrays(sample: Sample) -> list[npt.NDArray[np.generic]]:
    return [getattr(sample, field.name) for field in fields(sample)]


def _assert_same(one: Target, other: Target) -> None:
    for name in ("y", "weight", "keep"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)
    assert dict(one.notes) == dict(other.notes)
