"""``judge``: verdict on rows from anywhere (CSV, Parquet), or on a run once more."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ftfkit.cli.arguments import ArgumentParser
from ftfkit.errors import RowsError, UsageError

if TYPE_CHECKING:
    from ftfkit.types import Verdict


def main(arguments: list[str]) -> int:
    """Judge a file of rows or a run; exit 0 whatever the verdict, 1 when the rows are refused."""
    parser = ArgumentParser(prog="python -m ftfkit judge", description=__doc__)
    parser.add_argument("rows", help="CSV or Parquet file, one row a (variant, asset, fold); or a run, finished or not")
    parser.add_argument(
        "--gates", help="option of the conf group gates (default: config.yaml's; of a run: the planned ones)"
    )
    parser.add_argument("--baseline", help="name of the baseline variant (default none; of a run: the planned one)")
    parser.add_argument("--readiness", help="readiness document (Markdown) for mlops_readiness")
    parser.add_argument("--output", type=Path, default=Path("outputs"), help="output.dir of the runs (default outputs)")
    parser.add_argument("--json", action="store_true", help="print verdict.json instead of tables")
    parser.add_argument("overrides", nargs="*", default=[], help="more overrides (gates.required_lift=0.02)")
    options = parser.parse_intermixed_args(arguments)
    verdict = _verdict(options)
    if options.json:
        from ftfkit.judge.serialise import verdict_to_dict

        print(json.dumps(verdict_to_dict(verdict), indent=2, allow_nan=False))
    else:
        from ftfkit.cli.table import print_gates, print_verdict

        if not verdict.variants:
            print(f"rows of the baseline {verdict.baseline} alone; no variant, so no verdict")
            return 0
        print_verdict(verdict)
        print_gates(verdict)
    return 0


def _verdict(options: argparse.Namespace) -> Verdict:
    from ftfkit.api import judge, judge_run
    from ftfkit.run.files import UNREADABLE, brief, read_json
    from ftfkit.run.records import PLAN, ROWS, find_run

    file = Path(options.rows)
    of_run = file.name == ROWS and (file.parent / PLAN).is_file()  # rows in their run's folder have a plan to keep to
    if file.suffix.lower() in {".csv", ".parquet"} and not of_run:
        return judge(
            file,
            baseline=options.baseline or "none",
            gates=options.gates,
            readiness=options.readiness,
            overrides=options.overrides,
        )
    if file.is_file() and not of_run:
        raise UsageError(f"command line: {file} must be rows (FILE.csv, FILE.parquet), or a run")
    folder = file.parent if of_run else find_run(options.output, options.rows)
    try:
        planned = read_json(folder / PLAN)["baseline"]
    except UNREADABLE as error:
        raise RowsError(f"{folder / PLAN}: cannot be read: {brief(error)} (ftfkit)") from error
    if options.baseline not in {None, planned}:
        raise UsageError(f"command line: --baseline == {options.baseline} must be {planned}, as the run was planned")
    return judge_run(folder, gates=options.gates, readiness=options.readiness, overrides=options.overrides)
