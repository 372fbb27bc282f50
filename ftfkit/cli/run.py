"""The experiment command: Hydra composes, one plan is run, the verdict table ends it."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftfkit.cli import help
from ftfkit.cli.completion import FLAGS, is_left_to_hydra
from ftfkit.config.compose import SEARCH_PATH, composer, search_path_of
from ftfkit.config.folders import HYDRA_GROUP, PRIMARY, conf_dir
from ftfkit.config.overrides import group_of, is_override, key_of
from ftfkit.errors import FtfkitError, UsageError

if TYPE_CHECKING:
    from ftfkit.config.compose import Composer

MULTIRUN = frozenset({"-m", "--multirun"})  # said or not, every run is one plan
HYDRAS_FLAGS = ("--cfg", "-c", "--resolve", "--package", "-p", "--info", "-i", "--hydra-help", "--version", *MULTIRUN)
ONE_OF = frozenset({"--cfg", "-c", "--info", "-i", *MULTIRUN})  # Hydra does one thing at a time
_HYDRA_FULL_ERROR = "HYDRA_FULL_ERROR"  # makes Hydra raise to us what it would print itself over many lines


def run(arguments: list[str]) -> int:
    """Run what the overrides declare; ``--help`` is ours too, every other flag (``--cfg``, completion) is Hydra's."""
    _refuse_words(arguments)
    if FLAGS & set(arguments) and not is_left_to_hydra(arguments):
        return 0
    words, folders = _parted(arguments)
    _refuse_unsupported(words, folders)
    overrides = [word for word in words if is_override(word)]
    others = {word for word in words if not is_override(word)}
    if others & help.FLAGS:
        words, folders = _with_plan(words, folders)
        help.print_help(composer(folders), [word for word in words if is_override(word)])
        return 0
    if others <= MULTIRUN and not any(group_of(word) == HYDRA_GROUP for word in overrides):
        return run_composed(composer(folders), overrides)
    return _through_hydra(*_with_plan(words, folders))


def _through_hydra(arguments: list[str], folders: list[Path]) -> int:
    """Let Hydra handle its own flags and overrides; what it is asked to run comes back through our sweeper."""
    import hydra

    @hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=PRIMARY)
    def app(cfg: Any) -> None:
        """Never called: hydra.mode is MULTIRUN, so every run goes through the sweeper as one plan."""

    wants_traceback = os.environ.get(_HYDRA_FULL_ERROR) == "1"
    before = sys.argv
    sys.argv = ["ftfkit", *_hydra_arguments(arguments, folders)]
    os.environ[_HYDRA_FULL_ERROR] = "1"
    try:
        app()
    except (FtfkitError, BrokenPipeError):
        raise
    except Exception as error:
        if wants_traceback:
            raise
        raise _in_one_line(error, arguments, folders) from error
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.argv = before
        if not wants_traceback:
            os.environ.pop(_HYDRA_FULL_ERROR, None)
    return 0


def _refuse_words(arguments: Sequence[str]) -> None:
    """What Hydra would answer with its grammar or a traceback."""
    if "" in arguments:
        raise UsageError(
            "command line: an empty argument is no override (group=option, key=value); is a variable unset?"
        )


def _parted(arguments: Sequence[str]) -> tuple[list[str], list[Path]]:
    """The words, and the folders given with ``--config-dir``."""
    kept, folders = [], []
    words = iter(arguments)
    for word in words:
        flag, _, value = word.partition("=")
        if flag not in {"--config-dir", "-cd"}:
            kept.append(word)
        elif folder := value or next(words, ""):
            folders.append(Path(folder))
        else:
            raise UsageError(f"command line: {flag} needs a folder")
    return kept, folders


def _with_plan(arguments: list[str], folders: list[Path]) -> tuple[list[str], list[Path]]:
    """Words and folders with what ``plan=FILE`` stands for: Hydra composes them before our sweeper can open the file.

    The plan's own overrides come first, as they do where the experiment is composed; its folders only where none is
    given, likewise.
    """
    overrides = [word for word in arguments if is_override(word)]
    given = [word for word in overrides if key_of(word) != "plan"]
    if given == overrides or FLAGS & set(arguments):
        return arguments, folders
    from ftfkit.config.planned import planned

    plan = planned(overrides)
    if plan is None:
        return arguments, folders
    first = next(position for position, word in enumerate(arguments) if is_override(word))
    own = plan.overrides[: len(plan.overrides) - len(given)]
    return [*arguments[:first], *own, *arguments[first:]], folders or list(plan.folders)


def _refuse_unsupported(words: Sequence[str], folders: Sequence[Path]) -> None:
    """What Hydra offers and ftfkit does not: folders without our safety rules, and single jobs."""
    for word in words:
        flag = word.partition("=")[0]
        if flag in {"--config-path", "-cp", "--config-name", "-cn"} or key_of(word) == SEARCH_PATH:
            raise UsageError(
                f"command line: {key_of(word)} is not supported; add options of your own with --config-dir"
            )
        if key_of(word) == "hydra.mode":
            raise UsageError("command line: hydra.mode is not supported; every run is one plan, swept or not")
        if flag.startswith("-") and flag not in {*HYDRAS_FLAGS, *help.FLAGS, *FLAGS}:
            near = difflib.get_close_matches(flag, HYDRAS_FLAGS, n=1)
            hint = f"did you mean {near[0]}?" if near else "--help and --hydra-help tell of those there are"
            raise UsageError(f"command line: {flag} is not a flag; {hint}")
    several = [word for word in words if word.partition("=")[0] in ONE_OF]
    if len(several) > 1:
        raise UsageError(f"command line: {' and '.join(several)} exclude each other")
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"command line: --config-dir {folder} is not a folder")


def _hydra_arguments(arguments: Sequence[str], folders: Sequence[Path]) -> list[str]:
    """Words with folders of our own kind in them, so that nested options and the safety rules hold there too."""
    if not folders:
        return list(arguments)
    # Beside the other overrides: Hydra's parser takes them in one go only.
    place = next((position for position, word in enumerate(arguments) if is_override(word)), len(arguments))
    return [*arguments[:place], search_path_of([folder.resolve() for folder in folders]), *arguments[place:]]


def _in_one_line(error: Exception, arguments: Sequence[str], folders: Sequence[Path]) -> FtfkitError | Exception:
    """What Hydra refuses before our sweeper is reached, re-asked of our composer for its one-line error."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from ftfkit.config.experiment import compose

    overrides = [word for word in arguments if is_override(word)]
    try:
        compose([word for word in overrides if group_of(word) != "hydra"], composer(folders))
    except FtfkitError as ours:
        return ours
    except Exception:
        return error
    if not isinstance(error, (HydraException, OmegaConfBaseException)):
        return error
    return UsageError(f"command line: {' '.join(str(error).split())}")


def run_composed(using: Composer, overrides: Sequence[str]) -> int:
    """Run the plan of ``overrides`` and print its verdict; the exit code.

    An interruption leaves everything finished in the store: 130 for Ctrl-C, 143 for SIGTERM.
    """
    from ftfkit.config.experiment import compose

    try:
        experiment = compose(overrides, using)
    except FtfkitError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return _run_experiment(experiment)


def _run_experiment(experiment: Any) -> int:
    from ftfkit.api import run_experiment
    from ftfkit.cli.table import print_result, print_verdict
    from ftfkit.plugins import registry
    from ftfkit.run.executors import terminable

    plugins = registry(experiment.plugins.blocked)
    for line in (*plugins.warnings, *plugins.broken):
        print(f"warning: {line}", file=sys.stderr)
    try:
        with terminable():
            shown = partial(print_verdict, planned=experiment.plan is not None)
            result = run_experiment(experiment, progress=True, judged=shown)
    except FtfkitError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as interrupt:
        return interrupted(interrupt)
    print_result(result)
    return result.exit_code


def interrupted(by: KeyboardInterrupt) -> int:
    """Say what an interruption leaves; the exit code."""
    from ftfkit.run.executors import Terminated

    print("interrupted: what is finished is stored; the same command goes on from there", file=sys.stderr)
    return by.exit_code if isinstance(by, Terminated) else 130
