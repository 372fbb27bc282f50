"""K-fold over equal calendar blocks, with purging and embargo."""

from __future__ import annotations

from ftfkit.components import Splitter
from ftfkit.purging import block_splits, calendar_edges
from ftfkit.types import IntArray, Split


class PurgedKFold(Splitter):
    """Tests each of ``n_folds`` equal calendar blocks on a model of all the others.

    References
    ----------
    Lopez de Prado, M. (2018), Advances in Financial Machine Learning, ch. 7.4.
    """

    def edges(self, start_ns: int, end_ns: int) -> IntArray:
        return calendar_edges(start_ns, end_ns, self.n_folds)

    def folds(self, t0: IntArray, t1: IntArray, edges: IntArray) -> tuple[Split, ...]:
        return block_splits(t0, t1, edges, self.embargo_ns)
