"""``report``: write the dossier of a run anew."""

from __future__ import annotations

from pathlib import Path

from ftfkit.cli.arguments import ArgumentParser


def main(arguments: list[str]) -> int:
    """Render the dossier of a finished run from its files; needs neither its data nor its plugins."""
    parser = ArgumentParser(prog="python -m ftfkit report", description=__doc__)
    parser.add_argument("run", help="run id, or a folder of a run")
    parser.add_argument("--output", type=Path, default=Path("outputs"), help="output.dir of the runs (default outputs)")
    options = parser.parse_args(arguments)
    from ftfkit.dossier.write import write_dossier
    from ftfkit.run.records import MANIFEST, find_run, write_manifest

    folder = find_run(options.output, options.run)
    print(write_dossier(folder))
    if (folder / MANIFEST).is_file():
        write_manifest(folder)
    return 0
