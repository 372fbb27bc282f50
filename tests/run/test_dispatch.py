"""Order, window and retries, on threads; dying processes are in test_executors."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ftfkit.run.dispatch import WINDOW, Backlog, Dispatch, Lost
from ftfkit.run.executors import Engine


@dataclass(frozen=True)
class Job:
    row_key: str
    rank: int
    needs: frozenset[str] = frozenset()


def _jobs(names: str) -> list[Job]:
    return [Job(name, rank) for rank, name in enumerate(names)]


def _outcomes(
    jobs: list[Job], run: Callable[[str], Any], *, retries: int = 1, batch_cells: int = 1, n_workers: int = 1
) -> dict[str, Any]:
    backlog = Backlog(jobs, lambda job: set(job.needs))
    with ThreadPoolExecutor(n_workers) as pool:
        engine = Engine(pool.submit, n_workers, (BrokenExecutor,))
        work = Dispatch(engine, backlog, lambda job: job.row_key, run, batch_cells=batch_cells, retries=retries)
        return {job.row_key: outcome for job, outcome in work}


def test_small_ranks_go_first() -> None:
    order: list[str] = []
    _outcomes([Job("c", 2), Job("a", 0), Job("b", 1)], order.append)
    assert order == ["a", "b", "c"]


def test_each_job_gets_its_own_result() -> None:
    expected = {name: name.upper() for name in "abcdefg"}
    assert _outcomes(_jobs("abcdefg"), str.upper, batch_cells=3, n_workers=2) == expected


def test_a_job_waits_for_those_it_needs_and_not_for_finished_ones() -> None:
    order: list[str] = []
    variant = Job("variant", 0, frozenset({"baseline", "known already"}))
    _outcomes([variant, Job("baseline", 1), Job("other", 2)], order.append)
    assert sorted(order) == ["baseline", "other", "variant"]
    assert order.index("variant") > order.index("baseline")


def test_a_job_that_needs_two_waits_for_both() -> None:
    order: list[str] = []
    _outcomes([Job("c", 0, frozenset("ab")), Job("a", 1), Job("b", 2)], order.append)
    assert order == ["a", "b", "c"]


def test_tasks_are_made_when_they_are_sent_and_the_window_is_bounded() -> None:
    made, taken, most = 0, 0, 0

    def task(job: Job) -> str:
        nonlocal made, most
        made += 1
        most = max(most, made - taken)
        return job.row_key

    backlog = Backlog([Job(f"{number:03d}", number) for number in range(100)], lambda job: set())
    with ThreadPoolExecutor(2) as pool:
        for _ in Dispatch(Engine(pool.submit, 2, ()), backlog, task, str.upper, batch_cells=1, retries=1):
            taken += 1
    assert taken == 100
    assert most <= 2 * WINDOW + 1


def test_a_job_whose_worker_dies_is_run_again_alone() -> None:
    active: list[str] = []
    company: list[int] = []

    def run(name: str) -> str:
        active.append(name)
        try:
            if name == "b":
                company.append(len(active))
                if len(company) == 1:
                    raise BrokenExecutor("killed")
            return name.upper()
        finally:
            active.remove(name)

    assert _outcomes(_jobs("abcdefgh"), run, n_workers=2) == {name: name.upper() for name in "abcdefgh"}
    assert len(company) == 2
    assert company[1] == 1


def test_a_job_that_always_kills_its_worker_is_given_up_after_its_retries() -> None:
    ran: list[str] = []

    def run(name: str) -> str:
        ran.append(name)
        if name == "b":
            raise BrokenExecutor("killed")
        return name.upper()

    for retries in (0, 1, 3):
        ran.clear()
        outcomes = _outcomes(_jobs("abcd"), run, retries=retries)
        lost = outcomes.pop("b")
        assert isinstance(lost, Lost)
        assert f"its worker process died (killed, out of memory or crashed), {retries + 1} times" in lost.error
        assert outcomes == {"a": "A", "c": "C", "d": "D"}
        assert ran.count("b") == retries + 1


def test_jobs_behind_a_lost_one_are_still_released() -> None:
    def run(name: str) -> str:
        if name == "a":
            raise BrokenExecutor("killed")
        return name.upper()

    assert _outcomes([Job("a", 0), Job("b", 1, frozenset({"a"}))], run)["b"] == "B"


def test_a_call_that_raises_is_lost_with_its_traceback_and_spares_its_batch() -> None:
    outcomes = _outcomes([Job("x", 0), Job("7", 1)], int, batch_cells=2)
    assert outcomes["7"] == 7
    assert isinstance(outcomes["x"], Lost)
    assert "ValueError: invalid literal" in outcomes["x"].error


def test_finished_gives_what_has_arrived_and_was_not_taken() -> None:
    backlog = Backlog(_jobs("ab"), lambda job: set())
    with ThreadPoolExecutor(1) as pool:
        work = Dispatch(
            Engine(pool.submit, 1, ()), backlog, lambda job: job.row_key, str.upper, batch_cells=1, retries=1
        )
        next(iter(work))
        pool.shutdown(wait=True)
        assert {job.row_key: outcome for job, outcome in work.finished()} == {"a": "A", "b": "B"}
