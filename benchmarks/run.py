"""Every benchmark in turn, in its small size; each prints its figures and keeps them as JSON under ``--out``."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from measuring import REPOSITORY

BENCHMARKS = ("loop", "overhead", "objective", "kernels", "scaling", "memory", "startup")


def main() -> int:
    """Run them; the exit code is 1 when one of them broke down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=BENCHMARKS, help=" ".join(BENCHMARKS))
    parser.add_argument("--full", action="store_true", help="the loop benchmark in the size its target is about")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "outputs" / "benchmarks")
    arguments = parser.parse_args()
    failed = []
    for name in arguments.names:
        print(f"\n{name}", flush=True)
        script = REPOSITORY / "benchmarks" / f"{name}.py"
        command = [sys.executable, str(script), "--out", str(arguments.out)]
        if name == "loop" and arguments.full:
            command.append("--full")
        if subprocess.run(command, check=False).returncode != 0:
            failed.append(name)
    if failed:
        print(f"broke down: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
