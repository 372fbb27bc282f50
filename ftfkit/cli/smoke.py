"""What ``validate --smoke`` runs: every option once, on a tiny synthetic universe, through the real pipeline."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from ftfkit.config.compose import Composer
from ftfkit.config.experiment import compose
from ftfkit.config.folders import find_option, load_yaml
from ftfkit.config.overrides import group_of, quoted
from ftfkit.config.schema import FACTOR_GROUPS
from ftfkit.errors import ConfigError, FtfkitError

TINY = (  # 1 asset, 2 folds, 2 trials
    "universe.assets=[AAVE]",
    "data.days=100",
    "++cv.n_folds=2",  # an option of a plugin may leave keys out
    "++hpo.n_trials=2",
    "++hpo.n_startup_trials=1",
    "++hpo.every_rounds=150",
)
ALONE = ("data", "executor", "track")  # what the others are run on, and what decides on options of other groups
# A dossier of these says the same as one of any other option, and drawing it takes half the time of such a sweep;
# factors, tracks, gates, calibration and statistics have sections of their own in it.
UNDRAWN = ("cv", "data", "executor", "hpo", "store", "trade", "universe")


def smoke(using: Composer) -> int:
    """Run every option; print one line for each that fails or cannot be run here, and return the exit code."""
    runnable, n_skipped = _runnable(using)
    n_run = 0
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="ftfkit-smoke-") as folder:
        for sweep in _sweeps(runnable):
            n_run += 1
            failures = failures_of(using, sweep, Path(folder))
            for options, problem in failures.items():
                print(f"{options}: {problem}", file=sys.stderr)
            failed |= failures
    print(f"{n_run} sweeps run, {len(failed)} failed, {n_skipped} options cannot be run here")
    return int(bool(failed))


def failures_of(using: Composer, sweep: Sequence[str], output: Path) -> dict[str, str]:
    """What is wrong, by option.

    Options that fail together are run by themselves: that says whose fault it is, or that they only do not go together.
    """
    problem = _problem(using, sweep, output)
    if problem and len(sweep) > 1:
        alone = {option: _problem(using, [option], output) for option in sweep}
        return {option: text for option, text in alone.items() if text}
    return {sweep[0]: problem} if problem else {}


def _runnable(using: Composer) -> tuple[dict[str, list[str]], int]:
    """Options by group without those that need what only a user has, and how many those are."""
    found: dict[str, list[str]] = {}
    n_skipped = 0
    for group in using.groups():
        reasons = {option: _cannot_run(using, group, option) for option in using.options(group)}
        found[group] = [option for option, reason in reasons.items() if not reason]
        for option in sorted(set(reasons) - set(found[group])):
            n_skipped += 1
            print(f"not run: {group}={option}: {reasons[option]}", file=sys.stderr)
    return found, n_skipped


def _sweeps(options: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """One sweep for all options of a factor group; those of context groups are run together, one of each group."""
    together: list[list[str]] = []
    for group, names in options.items():
        if group in FACTOR_GROUPS:
            yield [f"{group}={','.join(names)}"]
        elif group in ALONE:
            yield from ([f"{group}={name}"] for name in names)
        else:
            together.append([f"{group}={name}" for name in names])
    yield from ([one for one in row if one] for row in zip_longest(*together, fillvalue=""))


def _cannot_run(using: Composer, group: str, option: str) -> str:
    """Why a context option needs what only a user has: files, an address, an optional package."""
    if group in FACTOR_GROUPS:
        return ""
    file = find_option(using.folders, f"{group}/{option}")
    open_keys = [key for key, value in load_yaml(file).items() if value == "???"] if file else []
    if open_keys:
        return f"needs {', '.join(f'{group}.{key}' for key in open_keys)}"
    if group == "executor":
        return _missing_engine(option)
    return ""


def _missing_engine(option: str) -> str:
    from ftfkit.config.sections import ExecutorConfig
    from ftfkit.run.executors import check_startable, executor

    if option not in {"dask", "ray"}:
        return ""
    config = ExecutorConfig(name="dask" if option == "dask" else "ray", workers=1)
    try:
        check_startable(config, f"conf/executor/{option}.yaml")
        with executor(config, 1) as engine:
            engine.submit(abs, -1).result(timeout=60)
    except ConfigError as error:
        return str(error)
    except TimeoutError:
        return "no worker of it answered within 60 s"
    return ""


def _problem(using: Composer, overrides: Sequence[str], output: Path) -> str:
    from ftfkit.dossier.write import write_dossier
    from ftfkit.run.sweep import run_sweep

    groups = {group_of(one) for one in overrides}
    tiny = [item for item in TINY if not ("data" in groups and item.startswith("data."))]
    runner = "executor.workers=1" if "executor" in groups else "executor=serial"
    try:
        experiment = compose([*tiny, runner, quoted("output.dir", output), *overrides], using)
        result = run_sweep(experiment, report=None if groups <= set(UNDRAWN) else write_dossier)
    except FtfkitError as error:
        return str(error)
    if result.n_failed:
        broken = result.rows[result.rows["status"] == "error"].iloc[0]
        return f"{broken['variant']}, fold {broken['fold']}: {str(broken['error']).strip().splitlines()[-1]}"
    return ""
