"""``plugins``: what is registered, and by whom; validate and doctor also import the components and check schemas."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from ftfkit.cli.arguments import ArgumentParser
from ftfkit.config.folders import conf_problems
from ftfkit.errors import PluginError
from ftfkit.plugins import KINDS, Registry, registry


def main(arguments: list[str]) -> int:
    """Print plugins and what they offer; exit 3 when one is broken."""
    parser = ArgumentParser(prog="python -m ftfkit plugins", description=__doc__)
    parser.add_argument("--json", action="store_true", help="machine-readable")
    options = parser.parse_args(arguments)
    found = registry()
    broken = (*found.broken, *conf_problems(found))
    print(json.dumps(_document(found, broken), indent=2) if options.json else _text(found))
    for line in found.warnings:
        print(f"warning: {line}", file=sys.stderr)
    for line in broken:
        print(line, file=sys.stderr)
    return PluginError.exit_code if broken else 0


def _document(found: Registry, broken: Sequence[str]) -> dict[str, object]:
    return {
        "plugins": [
            {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
            for plugin in found.plugins
        ],
        "components": {
            kind: {name: entry.distribution for name, entry in sorted(found.registrations[kind].items())}
            for kind in KINDS
        },
        "conf": {owner: str(folder) for owner, folder in found.conf_folders},
        "broken": list(broken),
    }


def _text(found: Registry) -> str:
    lines = ["Plugins"]
    lines += [f"  {plugin.name:<24} {plugin.distribution} {plugin.version}" for plugin in found.plugins]
    for kind in KINDS:
        entries = found.registrations[kind]
        if entries:
            lines.append(kind.replace("_", " ").capitalize())
            lines += [f"  {name:<24} {entries[name].distribution}" for name in sorted(entries)]
    if found.conf_folders:
        lines.append("Conf folders")
        lines += [f"  {owner:<24} {folder}" for owner, folder in found.conf_folders]
    return "\n".join(lines)
