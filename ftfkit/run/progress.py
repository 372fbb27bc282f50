"""How far a run is: a live bar over cells on a terminal, a few plain lines elsewhere; always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Literal, Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

Outcome = Literal["done", "reused", "failed", "skipped"]

PLAIN_LINES = 10  # progress lines of a whole run where there is no terminal


class Progress(Protocol):
    """What a sweep tells about itself."""

    def start(self, n_cells: int, n_reused: int) -> None:
        """All cells of the plan, and those looked up instead of run."""

    def advance(self, outcome: Outcome) -> None:
        """One more cell was run, or skipped because no verdict needs it."""

    def line(self, text: str) -> None:
        """One line for the user, such as a warning."""

    def stop(self) -> None:
        """No more cells, whatever the reason; may be called twice."""


class NoProgress:
    """Says nothing."""

    def start(self, n_cells: int, n_reused: int) -> None: ...

    def advance(self, outcome: Outcome) -> None: ...

    def line(self, text: str) -> None: ...

    def stop(self) -> None: ...


class PlainProgress:
    """At most ``PLAIN_LINES`` lines of progress, evenly spread over the cells to be run."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._n_cells = self._n_reused = self._n_run = self._n_failed = self._n_lines = 0
        self._started = 0.0

    def start(self, n_cells: int, n_reused: int) -> None:
        self._n_cells, self._n_reused, self._started = n_cells, n_reused, self._clock()
        self.line(f"{n_cells} cells: {n_reused} reused, {n_cells - n_reused} to run")

    def advance(self, outcome: Outcome) -> None:
        self._n_run += 1
        self._n_failed += outcome == "failed"
        to_run = self._n_cells - self._n_reused
        if self._n_run * PLAIN_LINES >= (self._n_lines + 1) * to_run:
            self._n_lines = self._n_run * PLAIN_LINES // to_run
            left = (self._clock() - self._started) / self._n_run * (to_run - self._n_run)
            self.line(f"{self._n_run}/{to_run} cells run, {self._n_failed} failed, {_clock_text(left)} left")

    def line(self, text: str) -> None:
        print(f"ftfkit: {text}", file=self._stream, flush=True)

    def stop(self) -> None: ...


class LiveProgress:
    """A bar that redraws itself; warnings appear above it."""

    def __init__(self, console: Console) -> None:
        self._bar = Bar(
            TextColumn("cells"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[reused]} reused, {task.fields[failed]} failed"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )
        self._n_failed = 0

    def start(self, n_cells: int, n_reused: int) -> None:
        self._bar.start()
        self._task = self._bar.add_task("", total=n_cells, completed=n_reused, reused=n_reused, failed=0)

    def advance(self, outcome: Outcome) -> None:
        self._n_failed += outcome == "failed"
        self._bar.update(self._task, advance=1, failed=self._n_failed)

    def line(self, text: str) -> None:
        self._bar.console.print(text, style="yellow", highlight=False, markup=False, emoji=False)

    def stop(self) -> None:
        self._bar.stop()


def progress_on(stream: TextIO | None = None) -> Progress:
    """A bar where the stream is a terminal, plain lines otherwise."""
    target = stream if stream is not None else sys.stderr
    return LiveProgress(Console(file=target)) if target.isatty() else PlainProgress(target)


def _clock_text(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
