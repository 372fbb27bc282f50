from __future__ import annotations

import io

from rich.console import Console

from ftfkit.run.progress import LiveProgress, PlainProgress, progress_on


def _plain(n_cells: int, n_reused: int, failed: tuple[int, ...] = ()) -> list[str]:
    stream, clock = io.StringIO(), iter(float(second) for second in range(10_000))
    progress = PlainProgress(stream, lambda: next(clock))
    progress.start(n_cells, n_reused)
    for number in range(n_cells - n_reused):
        progress.advance("failed" if number in failed else "done")
    progress.stop()
    return stream.getvalue().splitlines()


def test_plain_lines_count_what_is_run_and_estimate_the_rest() -> None:
    lines = _plain(100, 50, failed=(3,))
    assert lines[0] == "ftfkit: 100 cells: 50 reused, 50 to run"
    assert lines[1] == "ftfkit: 5/50 cells run, 1 failed, 0:00:09 left"
    assert lines[-1] == "ftfkit: 50/50 cells run, 1 failed, 0:00:00 left"
    assert len(lines) == 11


def test_plain_lines_are_few_however_many_cells() -> None:
    assert len(_plain(9_999, 0)) == 11
    assert len(_plain(3, 0)) == 4
    assert _plain(50, 50) == ["ftfkit: 50 cells: 50 reused, 0 to run"]


def test_a_file_gets_plain_lines() -> None:
    assert isinstance(progress_on(io.StringIO()), PlainProgress)


def test_a_terminal_gets_a_bar_with_warnings_above_it() -> None:
    stream = io.StringIO()
    progress = LiveProgress(Console(file=stream, force_terminal=True, width=120))
    progress.start(4, 1)
    for outcome in ("done", "failed", "done"):
        progress.advance(outcome)
    progress.line("warning: look [here]")
    progress.stop()
    progress.stop()
    shown = stream.getvalue()
    assert "4/4" in shown
    assert "1 reused, 1 failed" in shown
    assert "warning: look [here]" in shown
