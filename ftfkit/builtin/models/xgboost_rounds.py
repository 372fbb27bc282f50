"""Boosting rounds through XGBoost's C API.

The Python ``Booster`` re-reads feature names and describes arrays anew at each call; on a few thousand rows that costs
half as much as the round itself.

References
----------
XGBoost C API reference: XGBoosterUpdateOneIter, XGBoosterTrainOneIter, XGBoosterPredictFromDMatrix.
"""

from __future__ import annotations

import ctypes
import json
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

_TRAINING_MARGIN = {"type": 1, "training": True, "iteration_begin": 0, "iteration_end": 0, "strict_shape": False}


class Rounds:
    """One booster and the matrix it is trained on.

    Parameters
    ----------
    booster : xgboost.Booster
        Holds ``train`` in its cache.
    train : xgboost.DMatrix
        n rows.
    """

    def __init__(self, booster: Any, train: Any) -> None:
        self._library = _library()
        self._booster, self._train = booster, train  # keeps the handles alive
        self._n = train.num_row()
        self._shape = ctypes.POINTER(ctypes.c_uint64)()
        self._n_dimensions = ctypes.c_uint64()
        self._margin = ctypes.POINTER(ctypes.c_float)()
        self._prediction = (
            booster.handle,
            train.handle,
            json.dumps(_TRAINING_MARGIN).encode(),
            ctypes.byref(self._shape),
            ctypes.byref(self._n_dimensions),
            ctypes.byref(self._margin),
        )

    def update(self, iteration: int) -> None:
        """One round under the booster's own objective."""
        self._check(
            self._library.XGBoosterUpdateOneIter(self._booster.handle, ctypes.c_int(iteration), self._train.handle)
        )

    def margin(self) -> npt.NDArray[np.float32]:
        """Logits of the training rows, shape (n,); XGBoost's memory, good until its next prediction."""
        self._check(self._library.XGBoosterPredictFromDMatrix(*self._prediction))
        return np.ctypeslib.as_array(self._margin, (self._n,))

    def boost(self, iteration: int, gradient: npt.NDArray[np.float32], hessian: npt.NDArray[np.float32]) -> None:
        """One round on ``gradient`` and ``hessian``, float32 of shape (n,)."""
        described = self._described(gradient), self._described(hessian)
        self._check(
            self._library.XGBoosterTrainOneIter(
                self._booster.handle, self._train.handle, ctypes.c_int(iteration), *described
            )
        )

    def _described(self, array: npt.NDArray[np.float32]) -> bytes:
        """The array interface, as JSON."""
        if array.dtype != np.float32 or array.shape != (self._n,) or not array.flags.c_contiguous:
            got = f"{array.dtype} of shape {array.shape}"
            raise ValueError(f"gradient and hessian == {got}, must be contiguous float32 of shape ({self._n},)")
        return b'{"data":[%d,true],"shape":[%d],"strides":null,"typestr":"<f4","version":3}' % (
            array.ctypes.data,
            self._n,
        )

    def _check(self, status: int) -> None:
        if status != 0:
            from xgboost.core import XGBoostError

            raise XGBoostError(self._library.XGBGetLastError().decode())


@cache
def _library() -> Any:
    """The library that the Python package has loaded already."""
    import xgboost

    library = ctypes.CDLL(xgboost.build_info()["libxgboost"])
    library.XGBGetLastError.restype = ctypes.c_char_p
    return library
