"""Label uniqueness: how little the label intervals of events overlap, as sample weights."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ftfkit.errors import DataError
from ftfkit.types import IntArray


def uniqueness(t0: IntArray, t1: IntArray, bar_ns: int) -> npt.NDArray[np.float64]:
    """Mean inverse concurrency of each label interval over the label bars' closes.

    Parameters
    ----------
    t0, t1 : ndarray of int64, shape (n,)
        Label intervals, ns UTC, closed, in any order, on one grid of bar closes.
    bar_ns : int
        Length of a label bar.

    Returns
    -------
    ndarray of float64, shape (n,)
        In (0, 1]; 1 for an event that shares no close with another.

    Raises
    ------
    DataError
        When an interval ends before it starts or the times are not whole bars apart.

    Notes
    -----
    Concurrency counts the given events only, so that a training fold's weights know nothing outside it.

    References
    ----------
    Lopez de Prado, M. (2018), Advances in Financial Machine Learning, ch. 4.3-4.4.

    Examples
    --------
    >>> uniqueness(np.array([0, 1, 5]), np.array([1, 2, 6]), bar_ns=1)
    array([0.75, 0.75, 1.  ])
    """
    if len(t0) == 0:
        return np.empty(0)
    (first, first_rest), (last, last_rest) = (np.divmod(time - t0.min(), bar_ns) for time in (t0, t1))
    if (last < first).any() or first_rest.any() or last_rest.any():
        raise DataError(f"label intervals must have t1 >= t0 and lie whole bars of {bar_ns} ns apart (ftfkit)")
    n_closes = int(last.max()) + 1
    change = np.bincount(first, minlength=n_closes + 1) - np.bincount(last + 1, minlength=n_closes + 1)
    concurrency = np.cumsum(change)[:n_closes]
    summed = np.concatenate([[0.0], np.cumsum(1.0 / np.maximum(concurrency, 1))])
    return np.asarray((summed[last + 1] - summed[first]) / (last - first + 1))
