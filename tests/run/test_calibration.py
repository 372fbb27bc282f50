from __future__ import annotations

import numpy as np
import pytest
from ftfkit_track06_focal_loss.focal import FocalLoss
from scipy.special import expit

from ftfkit.builtin.losses.logistic import LogisticLoss
from ftfkit.config.sections import CalibrationConfig
from ftfkit.run.calibration import Calibrator, fit_calibrator


def distorted(n: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True probabilities, labels drawn from them, and scores whose odds are squared and tripled."""
    rng = np.random.default_rng(0)
    logit = rng.normal(-1, 1, n)
    return expit(logit), (rng.random(n) < expit(logit)).astype(np.int8), expit(2 * logit + np.log(3)).astype(np.float32)


def calibrator(method: str, proba: np.ndarray, y: np.ndarray, ratio: float = 1.0) -> Calibrator:
    return fit_calibrator(CalibrationConfig(method=method), LogisticLoss(), ratio, proba, y)


@pytest.mark.parametrize(("method", "tolerance"), [("platt", 0.02), ("isotonic", 0.06)])
def test_fitted_methods_recover_the_true_probability(method: str, tolerance: float) -> None:
    truth, y, proba = distorted()
    calibrated = calibrator(method, proba, y)(proba)
    assert np.abs(calibrated - truth).mean() < tolerance
    assert np.abs(proba - truth).mean() > 0.1


@pytest.mark.parametrize("method", ["none", "platt", "isotonic", "loss_inverse"])
def test_monotone_and_inside_the_unit_interval(method: str) -> None:
    _, y, proba = distorted(500)
    calibrated = calibrator(method, proba, y, 3.0)(np.linspace(0, 1, 50))
    assert (np.diff(calibrated) >= 0).all()
    assert (calibrated >= 0).all()
    assert (calibrated <= 1).all()


def test_none_is_the_identity() -> None:
    _, y, proba = distorted(50)
    np.testing.assert_array_equal(calibrator("none", proba, y)(proba), proba)


def test_loss_inverse_undoes_class_weights() -> None:
    eta, ratio = 0.2, 4.0
    weighted = ratio * eta / (ratio * eta + 1 - eta)
    _, y, proba = distorted(50)
    assert calibrator("loss_inverse", proba, y, ratio)(np.array([weighted]))[0] == pytest.approx(eta)


def test_loss_inverse_undoes_the_focal_distortion() -> None:
    loss, (_, y, proba) = FocalLoss(gamma=2, alpha=0.25), distorted(50)
    calibrate = fit_calibrator(CalibrationConfig(method="loss_inverse"), loss, 1.0, proba, y)
    np.testing.assert_allclose(calibrate(proba), loss.class_probability(proba))


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_one_class_of_evidence_gives_its_prevalence(method: str) -> None:
    proba = np.array([0.2, 0.4], dtype=np.float32)
    np.testing.assert_array_equal(calibrator(method, proba, np.zeros(2, dtype=np.int8))(proba), [0, 0])
