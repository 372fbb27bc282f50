"""``readiness``: write or check the readiness document that the gate mlops_readiness reads."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftfkit.cli.arguments import ArgumentParser
from ftfkit.errors import ConfigError, UsageError

GATE = "mlops_readiness"
HINTS: Mapping[str, str] = {
    "Model card": "what it is, what it is for, what it must not be used for, and its known limits",
    "Data lineage": "which data enters, how it is derived, and how its identity is recorded",
    "Reproducibility": "the command, the versions and the seeds that give the same rows again",
    "Monitoring": "what is watched after a LOCK, how often, and which value raises an alert",
    "Rollback": "the switch back to the champion, who throws it, and how long it takes",
    "Ownership": "who owns the package, the track and the model in production",
}


def main(arguments: list[str]) -> int:
    """Check a document section by section, or write an empty one; exit 1 while it is not complete."""
    parser = ArgumentParser(prog="python -m ftfkit readiness", description=__doc__)
    parser.add_argument("document", type=Path, help="Markdown file")
    parser.add_argument("--scaffold", action="store_true", help="write the document with its sections to be filled in")
    parser.add_argument("--gates", help="option of the conf group gates (default: config.yaml's)")
    options = parser.parse_args(arguments)
    gate = _gate(options.gates)
    if options.scaffold:
        return _write(options.document, gate.sections)
    if not options.document.is_file():
        raise UsageError(f"command line: {options.document} is not a file; --scaffold writes it")
    from ftfkit.judge.criteria import read_readiness

    text = read_readiness(str(options.document), "command line", "document").text
    wrong: Mapping[str, str] = gate.incomplete(text)
    for section in gate.sections:
        print(f"{'open' if section in wrong else 'ok':<5} {section} {wrong.get(section, '')}".rstrip())
    return int(bool(wrong))


def _gate(gates: str | None) -> Any:
    from ftfkit.config.experiment import compose

    experiment = compose([f"gates={gates}"] if gates else [])
    if GATE not in experiment.gate_checks:
        raise ConfigError("command line", "gates", experiment.gates.name, f"must be a set with the gate {GATE}")
    return experiment.gate_checks[GATE]


def _write(document: Path, sections: tuple[str, ...]) -> int:
    if document.exists():
        raise UsageError(f"command line: {document} exists already; it is not written over")
    parts = ["# MLOps readiness", f"The gate `{GATE}` fails while a section is empty or holds a placeholder."]
    for section in sections:
        parts += [f"## {section}", f"TODO: {HINTS.get(section, 'describe it')}."]
    document.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(f"{document}: {len(sections)} sections to fill in", file=sys.stderr)
    return 0
