"""Where cells run: loky, Dask or Ray, all three as something that turns a call into a ``concurrent.futures`` future."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from ftfkit.collecting import collect_seldom
from ftfkit.config.sections import ExecutorConfig
from ftfkit.errors import UNPLACED, ConfigError

PACKAGES = {"dask": ("dask", "distributed"), "ray": ("ray",)}  # executor -> modules that it needs beside ftfkit's own
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
ONE_THREAD = dict.fromkeys(THREAD_VARIABLES, "1")
RAY_ALONE = {  # a local Ray would listen on every network interface, and report its use
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # read when Ray is imported; where it is 0, Ray keeps to loopback
    "RAY_USAGE_STATS_ENABLED": "0",
}
LINGER_S = 120  # seconds an idle loky worker stays while the driver stores and judges
_PR_SET_PDEATHSIG = 1
Handler = Callable[[int, FrameType | None], Any] | int | None


class Terminated(KeyboardInterrupt):
    """SIGTERM, turned into an exception so that workers are stopped and the run is marked interrupted."""

    exit_code = 143


@dataclass(frozen=True)
class Engine:
    """Workers behind one ``submit``.

    Attributes
    ----------
    submit : callable
        ``submit(function, *args)`` gives a future; after a lost worker the next call starts a new one.
    n_workers : int
        How many cells run at the same time.
    lost : tuple of exception types
        What a future raises when the process that ran it died.
    """

    submit: Callable[..., Future[Any]]
    n_workers: int
    lost: tuple[type[BaseException], ...]


@contextmanager
def executor(config: ExecutorConfig, n_tasks: int) -> Iterator[Engine]:
    """Start the configured workers, at most ``n_tasks`` of them on this machine, and leave none behind.

    Raises
    ------
    ConfigError
        When the package behind ``executor.name`` is not installed, or its cluster cannot be reached.
    """
    start = {"serial": _serial, "loky": _loky, "dask": _dask, "ray": _ray}[config.name]
    with start(config, max(1, n_tasks)) as engine:
        yield engine


@contextmanager
def terminable() -> Iterator[None]:
    """Turn SIGTERM into ``Terminated`` for the time being; outside the main thread nothing changes."""
    with _handling({signal.SIGTERM: _terminate}):
        yield


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let neither Ctrl-C nor SIGTERM cut short what must be written or stopped."""
    with _handling(dict.fromkeys((signal.SIGINT, signal.SIGTERM), signal.SIG_IGN)):
        yield


@contextmanager
def _handling(handlers: Mapping[signal.Signals, Handler]) -> Iterator[None]:
    """Set handlers, and put back those that stood before; signals are the main thread's alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated("SIGTERM")


@contextmanager
def _serial(_config: ExecutorConfig, _n_tasks: int) -> Iterator[Engine]:
    """This very process, one cell after the other: for debuggers and smoke tests."""

    def submit(function: Callable[..., Any], *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    yield Engine(submit, 1, ())


@contextmanager
def _loky(config: ExecutorConfig, n_tasks: int) -> Iterator[Engine]:
    """Spawned processes; a broken pool is replaced at the next ``submit``."""
    import loky

    n_workers = min(config.workers or loky.cpu_count(), n_tasks)

    def pool() -> Any:
        return loky.get_reusable_executor(
            n_workers, timeout=LINGER_S, initializer=_prepare_worker, initargs=(os.getpid(),), env=ONE_THREAD
        )

    try:
        yield Engine(lambda function, *args: pool().submit(function, *args), n_workers, (BrokenExecutor,))
    except BaseException:
        with uninterrupted():
            pool().shutdown(wait=True, kill_workers=True)
        raise
    with uninterrupted():
        pool().shutdown(wait=True)


def _prepare_worker(driver: int) -> None:
    """Leave Ctrl-C to the driver, and die with it."""
    collect_seldom()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != driver:
            os._exit(1)


@contextmanager
def _dask(config: ExecutorConfig, n_tasks: int) -> Iterator[Engine]:
    """A Dask cluster: the one at ``executor.address``, or processes of this machine."""
    dask, distributed = _imported("dask")
    n_workers = min(config.workers or os.cpu_count() or 1, n_tasks)
    settings = {"distributed.scheduler.allowed-failures": 0, "distributed.nanny.pre-spawn-environ": ONE_THREAD}
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(settings))
        try:
            cluster = config.address or stack.enter_context(
                distributed.LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None)
            )
            client = stack.enter_context(distributed.Client(cluster))
        except (OSError, ValueError) as error:
            raise _unreachable(config, error) from error
        n_cores = sum(client.nthreads().values()) or n_workers
        pool = client.get_executor(pure=False, retries=0)
        yield Engine(pool.submit, n_cores, (distributed.KilledWorker, CancelledError))


@contextmanager
def _ray(config: ExecutorConfig, n_tasks: int) -> Iterator[Engine]:
    """A Ray cluster: the one at ``executor.address``, or processes of this machine."""
    if not config.address:
        os.environ.update({name: value for name, value in RAY_ALONE.items() if name not in os.environ})
    (ray,) = _imported("ray")
    n_workers = min(config.workers or os.cpu_count() or 1, n_tasks)
    local = {} if config.address else {"num_cpus": n_workers, "include_dashboard": False}
    try:
        # Ray sets a handler of its own, which would end the program before its run is marked.
        with _handling({signal.SIGTERM: signal.getsignal(signal.SIGTERM)}):
            ray.init(
                address=config.address or "local",
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env={"env_vars": ONE_THREAD},
                **local,
            )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _unreachable(config, error) from error
    try:
        call = ray.remote(_call).options(num_cpus=1, max_retries=0)
        n_cores = int(ray.cluster_resources().get("CPU", n_workers))
        lost = (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.OutOfMemoryError)
        yield Engine(lambda function, *args: call.remote(function, *args).future(), n_cores, lost)
    finally:
        with uninterrupted():
            ray.shutdown()


def check_startable(config: ExecutorConfig, where: str) -> None:
    """Refuse an executor that cannot start here, without importing its package.

    Raises
    ------
    ConfigError
        When its package is missing, naming the extra to install, or when a Ray of our own would start Python from a
        path with a space: Ray splits the command at it, and waits for ever. ``where`` is who chose the executor.
    """
    if not all(map(importlib.util.find_spec, PACKAGES.get(config.name, ()))):
        raise _not_installed(config.name, where)
    if config.name == "ray" and not config.address and " " in sys.executable:
        rule = f"cannot start workers where the path of Python has a space: {sys.executable}"
        raise ConfigError(where, "executor.name", "ray", rule)


def _imported(name: str) -> tuple[Any, ...]:
    """Modules of an optional executor."""
    try:
        return tuple(map(importlib.import_module, PACKAGES[name]))
    except ImportError as error:
        raise _not_installed(name, f"conf/executor/{name}.yaml") from error


def _not_installed(name: str, where: str) -> ConfigError:
    rule = f"needs a package that is not installed: pip install 'ftfkit[{name}]'"
    return ConfigError(where, "executor.name", name, rule)


def _call(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


def _unreachable(config: ExecutorConfig, error: Exception) -> ConfigError:
    rule = f"cannot be reached: {type(error).__name__}: {' '.join(str(error).split())}"
    return ConfigError(UNPLACED, "executor.address", config.address, rule)
