"""``null-check``: how often an experiment locks noise, and with ``--effect`` how often it finds what is there."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from ftfkit.cli.arguments import ArgumentParser
from ftfkit.cli.run import interrupted
from ftfkit.config.overrides import group_of


def main(arguments: list[str]) -> int:
    """Run the missing replicates and print the rates; exit 4 when cells failed, 130 or 143 when interrupted."""
    options = _parser().parse_intermixed_args(arguments)

    from ftfkit.config.compose import composer
    from ftfkit.config.experiment import compose
    from ftfkit.dossier.null_checks import write_report
    from ftfkit.run.noise import NoiseDesign
    from ftfkit.run.null_check import null_check
    from ftfkit.run.progress import progress_on

    experiment = compose(fixed_unless_told(options.overrides), composer(options.config_dir))
    design = NoiseDesign(
        options.noise_features, options.noise_correlation, options.noise_memory_bars, effect=options.effect
    )
    try:
        check = null_check(experiment, design, options.replicates, progress=progress_on())
    except KeyboardInterrupt as interrupt:
        return interrupted(interrupt)
    report = write_report(check.folder)
    text = report.read_text(encoding="utf-8")
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")
    print(f"{text}\n{check.n_reused} cells reused, {check.n_failed} failed; report: {report}")
    return 4 if check.n_failed else 0


def _parser() -> ArgumentParser:
    from ftfkit.run.noise import NoiseDesign

    usual = NoiseDesign()
    parser = ArgumentParser(
        prog="python -m ftfkit null-check",
        description=__doc__,
        epilog="Rows are stored as they come: the same command resumes, and more replicates add to those there are.",
    )
    parser.add_argument("overrides", nargs="*", help="the experiment (group=option); hpo=fixed unless given")
    for flag, kind, default, meaning in (
        ("--replicates", _number(int, 1), 200, "sweeps of two arms"),
        ("--effect", _number(float, 0), usual.effect, "plant a column that sees the label, so many sd apart"),
        ("--noise-features", _number(int, 1), usual.n_columns, "noise columns of each arm"),
        ("--noise-correlation", _number(float, 0, 1), usual.correlation, "of a noise column between any two assets"),
        ("--noise-memory-bars", _number(int, 1), usual.memory_bars, "label bars that a noise column averages over"),
    ):
        parser.add_argument(flag, type=kind, default=default, help=f"{meaning} (default %(default)s)")
    parser.add_argument("--out", type=Path, help="write the report to this file too")
    parser.add_config_dir()
    return parser


def fixed_unless_told(overrides: list[str]) -> list[str]:
    """The overrides, with ``hpo=fixed`` where they say nothing about the search."""
    told = any(group_of(override) == "hpo" for override in overrides)
    return overrides if told else [*overrides, "hpo=fixed"]


def _number(kind: type[int] | type[float], low: float, high: float = math.inf) -> Callable[[str], float]:
    """Parser of a number in [low, high]."""

    def parse(text: str) -> float:
        value = kind(text)
        if not low <= value <= high:
            rule = f"must be in [{low:g}, {high:g}]" if math.isfinite(high) else f"must be >= {low:g}"
            raise argparse.ArgumentTypeError(f"{text} {rule}")
        return value

    parse.__name__ = kind.__name__  # argparse names it when the text is no number
    return parse
