"""Walk forward over equal calendar blocks: no fold is trained on its own future."""

from __future__ import annotations

from ftfkit.components import Splitter
from ftfkit.purging import block_splits, calendar_edges
from ftfkit.types import IntArray, Split


class WalkForward(Splitter):
    """Cuts ``n_folds + 1`` equal calendar blocks; the first only trains, each later one is tested on its past alone."""

    def edges(self, start_ns: int, end_ns: int) -> IntArray:
        return calendar_edges(start_ns, end_ns, self.n_folds + 1)

    def folds(self, t0: IntArray, t1: IntArray, edges: IntArray) -> tuple[Split, ...]:
        return block_splits(t0, t1, edges, self.embargo_ns, past_only=True)
