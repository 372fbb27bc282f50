"""Sends cells to workers: a bounded window of batches, lost workers survived, waiting cells released in order."""

from __future__ import annotations

import heapq
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from ftfkit.run.executors import Engine

WINDOW = 2  # batches in flight a worker: one runs, one waits next to it


class Keyed(Protocol):
    """A cell as the dispatcher sees it; cells with a smaller ``rank`` go first."""

    @property
    def row_key(self) -> str: ...

    @property
    def rank(self) -> int: ...


C = TypeVar("C", bound=Keyed)
R = TypeVar("R")


@dataclass(frozen=True)
class Lost:
    """Why a cell has no result: its worker died, or its call could not be made."""

    error: str


class Backlog(Generic[C]):
    """Cells still to be sent, by rank.

    Parameters
    ----------
    cells : iterable
    needs : callable
        Row keys that a cell waits for.
    is_needless : callable
        Asked when it is a cell's turn; a needless one is left out, as if it were finished.
    """

    def __init__(
        self, cells: Iterable[C], needs: Callable[[C], set[str]], is_needless: Callable[[C], bool] = lambda _cell: False
    ) -> None:
        self._is_needless = is_needless
        self._ready: list[tuple[int, C]] = []
        self._waiting: dict[str, list[C]] = {}
        self._missing: dict[str, set[str]] = {}
        chosen = list(cells)
        pending = {cell.row_key for cell in chosen}
        for cell in chosen:
            missing = needs(cell) & (pending - {cell.row_key})
            if missing:
                self._missing[cell.row_key] = missing
                for key in missing:
                    self._waiting.setdefault(key, []).append(cell)
            else:
                heapq.heappush(self._ready, (cell.rank, cell))

    def take(self, n: int) -> tuple[C, ...]:
        """Up to ``n`` cells that can be sent now."""
        taken: list[C] = []
        while self._ready and len(taken) < n:
            cell = heapq.heappop(self._ready)[1]
            if self._is_needless(cell):
                self.finished(cell)
            else:
                taken.append(cell)
        return tuple(taken)

    def finished(self, cell: C) -> None:
        """Release the cells that waited for this one alone."""
        for waiting in self._waiting.pop(cell.row_key, ()):
            missing = self._missing[waiting.row_key]
            missing.discard(cell.row_key)
            if not missing:
                heapq.heappush(self._ready, (waiting.rank, waiting))


class Dispatch(Generic[C, R]):
    """Results of cells as they finish; iterate once.

    Parameters
    ----------
    engine : Engine
    backlog : Backlog
        Told of each cell once the consumer has taken its result.
    task : callable
        Makes what travels to the worker, at the moment the cell is sent.
    run : callable
        ``run(task)`` in the worker; gives the result.
    batch_cells : int
        Cells a call.
    retries : int
        How often a cell whose worker died is run again. It then runs alone, so that the cells that were in flight with
        it are not blamed for its death.
    """

    def __init__(
        self,
        engine: Engine,
        backlog: Backlog[C],
        task: Callable[[C], Any],
        run: Callable[[Any], R],
        *,
        batch_cells: int,
        retries: int,
    ) -> None:
        self._engine, self._backlog, self._task, self._run = engine, backlog, task, run
        self._batch_cells, self._retries = batch_cells, retries
        self._running: dict[Future[list[R]], tuple[C, ...]] = {}
        self._suspects: list[C] = []
        self._deaths: dict[str, int] = {}

    def __iter__(self) -> Iterator[tuple[C, R | Lost]]:
        self._fill()
        while self._running:
            done, _ = wait(self._running, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda one: self._running[one][0].rank):
                for cell, outcome in self._outcomes(future):
                    yield cell, outcome
                    self._backlog.finished(cell)
                del self._running[future]
            self._fill()

    def finished(self) -> Iterator[tuple[C, R]]:
        """Results that have arrived and that nobody has taken yet, without waiting for more."""
        for future, cells in self._running.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                yield from zip(cells, future.result(), strict=True)

    def _fill(self) -> None:
        """Keep the window full; a cell suspected of killing its worker is sent alone."""
        if self._suspects:
            if not self._running:
                self._send((self._suspects.pop(0),))
            return
        while len(self._running) < WINDOW * self._engine.n_workers:
            cells = self._backlog.take(self._batch_cells)
            if not cells:
                return
            self._send(cells)

    def _send(self, cells: tuple[C, ...]) -> None:
        tasks = [self._task(cell) for cell in cells]
        self._running[self._engine.submit(run_batch, self._run, tasks)] = cells

    def _outcomes(self, future: Future[list[R]]) -> list[tuple[C, R | Lost]]:
        cells = self._running[future]
        try:
            return list(zip(cells, future.result(), strict=True))
        except self._engine.lost as error:
            return self._retried(cells, "its worker process died (killed, out of memory or crashed)", error)
        except Exception as error:
            if len(cells) > 1:
                return self._retried(cells, "its batch could not be run", error)
            return [(cells[0], Lost("".join(traceback.format_exception(error))))]

    def _retried(self, cells: Sequence[C], reason: str, error: BaseException) -> list[tuple[C, R | Lost]]:
        """Send the cells again, one by one; those that have used up their retries are lost."""
        given_up: list[tuple[C, R | Lost]] = []
        for cell in cells:
            self._deaths[cell.row_key] = deaths = self._deaths.get(cell.row_key, 0) + 1
            if deaths > self._retries:
                text = f"{reason}, {deaths} times: {type(error).__name__}: {' '.join(str(error).split())}"
                given_up.append((cell, Lost(text)))
            else:
                self._suspects.append(cell)
        return given_up


def run_batch(run: Callable[[Any], R], tasks: Sequence[Any]) -> list[R]:
    """What a worker does: the tasks of one batch, in order."""
    return [run(task) for task in tasks]
