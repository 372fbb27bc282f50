"""``judge``: verdict on rows from anywhere (CSV, Parquet)."""

from __future__ import annotations

import argparse
import json


def main(arguments: list[str]) -> int:
    """Judge a file of rows; exit 0 whatever the verdict, 1 when the rows are refused."""
    parser = argparse.ArgumentParser(prog="python -m ftfkit judge", description=__doc__)
    parser.add_argument("rows", help="CSV or Parquet file, one row a (variant, asset, fold)")
    parser.add_argument(
        "--gates", default="f1_buy_boost_strict", help="option of the conf group gates (default %(default)s)"
    )
    parser.add_argument("--baseline", default="none", help="name of the baseline variant (default %(default)s)")
    parser.add_argument("--readiness", help="readiness document (Markdown) for mlops_readiness")
    parser.add_argument("--json", action="store_true", help="print verdict.json instead of tables")
    parser.add_argument("overrides", nargs="*", help="more overrides (gates.required_lift=0.02)")
    options = parser.parse_args(arguments)

    from ftfkit.api import judge
    from ftfkit.judge.serialise import verdict_to_dict

    verdict = judge(
        options.rows,
        baseline=options.baseline,
        gates=options.gates,
        readiness=options.readiness,
        overrides=options.overrides,
    )
    if options.json:
        print(json.dumps(verdict_to_dict(verdict), indent=2, allow_nan=False))
    else:
        from ftfkit.cli.table import print_gates, print_verdict

        print_verdict(verdict)
        print_gates(verdict)
    return 0
