"""The rows of a run under way: which cells have one, and all of them in the plan's order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from ftfkit.run.plan import PlannedCell
from ftfkit.run.store import Store
from ftfkit.types import Row

ROWS_AT_ONCE = 500


class FinishedRows:
    """Rows that are stored are read back when they are asked for, so that memory does not fill with them.

    Parameters
    ----------
    store : Store
        Where each row is before it is accepted here.
    cells : sequence of PlannedCell
        The plan's.

    Attributes
    ----------
    oof_buys : dict of str to int
        Tuned out-of-fold BUY count by row key, for the decision rules that reproduce it.
    """

    def __init__(self, store: Store, cells: Sequence[PlannedCell]) -> None:
        self._store, self._cells = store, cells
        self._stored: set[str] = set()
        self._skipped: dict[str, Row] = {}  # these are in no store
        self.oof_buys: dict[str, int] = {}

    def __contains__(self, row_key: str) -> bool:
        return row_key in self._stored or row_key in self._skipped

    def __len__(self) -> int:
        return len(self._stored) + len(self._skipped)

    def accept(self, row: Row) -> None:
        """Take note of a row that the store has."""
        self._stored.add(row.row_key)
        if row.oof_buys_tuned is not None:
            self.oof_buys[row.row_key] = row.oof_buys_tuned

    def skip(self, rows: Mapping[str, Row]) -> None:
        """Give cells that are not run a row each; an empty mapping takes all such rows away."""
        self._skipped = dict(rows)

    def ordered(self) -> Iterator[tuple[str, Row]]:
        """Variant and row of every cell, in the plan's order; every cell must have a row."""
        cells = iter(self._cells)
        while some := list(islice(cells, ROWS_AT_ONCE)):
            found = self._skipped | self._store.get_rows(cell.row_key for cell in some if cell.row_key in self._stored)
            yield from ((cell.variant, found[cell.row_key]) for cell in some)
