"""What ``validate --smoke`` runs: every option once, on a tiny synthetic universe, through the real pipeline."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ftfkit.config.compose import Composer
from ftfkit.config.experiment import compose
from ftfkit.config.folders import find_option, load_yaml
from ftfkit.config.overrides import quoted
from ftfkit.config.schema import FACTOR_GROUPS
from ftfkit.errors import ConfigError, FtfkitError

TINY = (  # 1 asset, 2 folds, 2 trials
    "universe.assets=[AAVE]",
    "data.days=100",
    "cv.n_folds=2",
    "hpo.n_trials=2",
    "hpo.n_startup_trials=1",
    "hpo.every_rounds=150",
)
# A dossier of these says the same as one of any other option, and drawing it takes half the time of such a sweep;
# factors, tracks, gates, calibration and statistics have sections of their own in it.
UNDRAWN = ("cv", "data", "executor", "hpo", "store", "trade", "universe")


def smoke(using: Composer) -> int:
    """Run every option; print one line for each that fails or cannot be run here, and return the exit code."""
    n_run, n_skipped, failed = 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="ftfkit-smoke-") as folder:
        for overrides in _sweeps(using):
            reason = _cannot_run(using, overrides)
            if reason:
                n_skipped += 1
                print(f"not run: {' '.join(overrides)}: {reason}", file=sys.stderr)
                continue
            n_run += 1
            problem = _problem(using, overrides, Path(folder))
            if problem:
                failed += 1
                print(f"{' '.join(overrides)}: {problem}", file=sys.stderr)
    print(f"{n_run} sweeps run, {failed} failed, {n_skipped} cannot be run here")
    return int(failed > 0)


def _sweeps(using: Composer) -> Iterator[list[str]]:
    """One sweep for all options of a factor group, one for each option of a context group."""
    for group in using.groups():
        options = using.options(group)
        if group in FACTOR_GROUPS:
            yield [f"{group}={','.join(options)}"]
        else:
            yield from ([f"{group}={option}"] for option in options)


def _cannot_run(using: Composer, overrides: Sequence[str]) -> str:
    """Why a context option needs what only a user has: files, an address, an optional package."""
    group, _, option = overrides[0].partition("=")
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

    group = overrides[0].partition("=")[0]
    tiny = [item for item in TINY if not (group == "data" and item.startswith("data."))]
    runner = "executor.workers=1" if group == "executor" else "executor=serial"
    try:
        experiment = compose([*tiny, runner, quoted("output.dir", output), *overrides], using)
        result = run_sweep(experiment, report=None if group in UNDRAWN else write_dossier)
    except FtfkitError as error:
        return str(error)
    if result.n_failed:
        broken = result.rows[result.rows["status"] == "error"].iloc[0]
        return f"{broken['variant']}, fold {broken['fold']}: {str(broken['error']).strip().splitlines()[-1]}"
    return ""
