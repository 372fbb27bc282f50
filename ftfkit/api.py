"""ftfkit from Python: compose an experiment, run it, judge rows; the command line stands on the same functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ftfkit.config.experiment import compose as _compose
from ftfkit.config.schema import Experiment
from ftfkit.run.result import RunResult
from ftfkit.types import Verdict

if TYPE_CHECKING:
    import pandas as pd

    from ftfkit.judge.verdict import Readiness
    from ftfkit.run.verify import Verification

__all__ = ["Experiment", "RunResult", "compose", "judge", "judge_run", "run", "run_experiment", "verify"]


def compose(*overrides: str) -> Experiment:
    """Compose and validate an experiment from Hydra overrides, sweeps included.

    Raises
    ------
    ConfigError
        One line with place, value, rule and owner.

    Examples
    --------
    >>> [variant.name for variant in compose("loss=none", "balancing=balanced,none").variants]
    ['none']
    """
    return _compose(overrides)


def run(*overrides: str, progress: bool = False) -> RunResult:
    """Run the experiment that the overrides declare, as ``python -m ftfkit`` does, and write its dossier.

    Parameters
    ----------
    *overrides : str
        Hydra overrides, sweeps included (``loss=focal/standard``, ``hpo=quick``).
    progress : bool
        Whether to show on stderr how far it is.

    Returns
    -------
    RunResult
        Rows, verdict and where the files are.

    Raises
    ------
    FtfkitError
        When config, data, plan or plugins are refused; nothing that is stored is lost.
    """
    return run_experiment(compose(*overrides), progress=progress)


def run_experiment(
    experiment: Experiment, *, progress: bool = False, judged: Callable[[Verdict], None] | None = None
) -> RunResult:
    """Run a composed experiment: every missing cell, then the verdict, then the dossier.

    Parameters
    ----------
    experiment : Experiment
    progress : bool
        Whether to show on stderr how far it is.
    judged : callable, optional
        Told of the verdict as soon as there is one, before the dossier is drawn.

    Raises
    ------
    FtfkitError
        When data, plan or plugins are refused; nothing that is stored is lost.
    """
    from ftfkit.dossier.sections import registered_sections
    from ftfkit.plugins import registry
    from ftfkit.run.progress import progress_on
    from ftfkit.run.sweep import run_sweep

    # A section that cannot be built stops the run here rather than after its last cell.
    registered_sections(registry(experiment.plugins.blocked))
    shown = progress_on() if progress else None
    return run_sweep(experiment, progress=shown, judged=judged, report=_report)


def _report(folder: Path) -> Path:
    """Write the dossier; what draws it is imported only now, when the verdict is out."""
    from ftfkit.dossier.write import write_dossier

    return write_dossier(folder)


def judge(
    rows: pd.DataFrame | str | Path,
    *,
    baseline: str = "none",
    gates: str | None = None,
    readiness: str | Path | None = None,
    overrides: Sequence[str] = (),
) -> Verdict:
    """Verdict on rows from anywhere; the grid that is expected is observed assets x observed folds.

    Parameters
    ----------
    rows : DataFrame or path of a CSV or Parquet file
        Columns variant, asset, fold, status, f1_buy, expectancy_bps, sortino, max_drawdown_pct, n_trades; more where
        the gates want more.
    baseline : str
        Name of the baseline variant.
    gates : str, optional
        Option of the conf group ``gates``; default: that of ``conf/config.yaml``.
    readiness : path, optional
        Readiness document for the gate ``mlops_readiness``.
    overrides : sequence of str
        More overrides (``gates.required_lift=0.02``).

    Raises
    ------
    RowsError
        When the rows cannot be judged at all.
    ConfigError
        When gates or overrides are refused, or the readiness document is missing.
    """
    from ftfkit.judge.criteria import criteria_of
    from ftfkit.judge.rows import read_rows
    from ftfkit.judge.verdict import Readiness, judge_rows

    experiment = compose(*_chosen(gates), *overrides)
    document = _readiness(readiness) if readiness is not None else Readiness()
    frame = read_rows(rows) if isinstance(rows, str | Path) else rows
    return judge_rows(frame, baseline=baseline, criteria=criteria_of(experiment), readiness=document)


def judge_run(
    run: str | Path,
    *,
    output: str | Path = "outputs",
    gates: str | None = None,
    readiness: str | Path | None = None,
    overrides: Sequence[str] = (),
) -> Verdict:
    """Verdict on a run once more, by its planned gates or by others.

    Other gates or thresholds than planned, or another readiness document, make the verdict post hoc. A look at a run
    that is not complete is entered into the ledger, and the dossier of the completed run says so.

    Parameters
    ----------
    run : str or Path
        Run id, a beginning of one, or the folder of a run.
    output : path
        Where run ids are looked up.
    gates : str, optional
        Option of the conf group ``gates``.
    readiness : path, optional
        Readiness document.
    overrides : sequence of str
        More overrides (``gates.required_lift=0.02``).

    Raises
    ------
    RowsError
        When there is no row yet.
    UsageError
        When there is no such run.
    """
    from ftfkit.run.records import PLAN, find_run
    from ftfkit.run.rejudge import rejudge

    folder = find_run(Path(output), str(run)).resolve()
    planned = compose(f"plan={folder / PLAN}", *_chosen(gates), *overrides)
    document = _readiness(readiness) if readiness is not None else None
    return rejudge(folder, planned, changed=bool(gates or overrides), readiness=document)


def _chosen(gates: str | None) -> list[str]:
    return [f"gates={gates}"] if gates else []


def _readiness(file: str | Path) -> Readiness:
    from ftfkit.judge.criteria import read_readiness

    return read_readiness(str(file), "command line", "readiness")


def verify(run: str | Path, *, output: str | Path = "outputs") -> Verification:
    """Recompute every number and verdict of a run from rows, plan and data fingerprints.

    Parameters
    ----------
    run : str or Path
        Run id, a beginning of one, or the folder of a run.
    output : path
        Where run ids are looked up.

    Returns
    -------
    Verification
        ``mismatches`` names each place that does not agree, ``notes`` what could not be checked.

    Raises
    ------
    UsageError
        When there is no such run.
    """
    from ftfkit.dossier.write import write_dossier
    from ftfkit.errors import FtfkitError
    from ftfkit.run.records import PLAN, find_run
    from ftfkit.run.verify import verify_run

    folder = find_run(Path(output), str(run)).resolve()
    try:
        experiment = compose(f"plan={folder / PLAN}")
    except FtfkitError:  # a plugin or an option of the plan is gone; what needs neither is checked all the same
        experiment = None
    return verify_run(folder, folder.parents[1], experiment, write_dossier)
