"""``validate``: compose and check every option of every group, plugins' included."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from ftfkit.cli.arguments import ArgumentParser
from ftfkit.config.compose import Composer, composer
from ftfkit.config.experiment import compose
from ftfkit.config.folders import find_option, load_yaml
from ftfkit.config.schema import FACTOR_GROUPS
from ftfkit.errors import FtfkitError, PluginError
from ftfkit.plugins import registry


def main(arguments: list[str]) -> int:
    """Check every option; print one line for each that is refused and exit with the first one's code."""
    parser = ArgumentParser(prog="python -m ftfkit validate", description=__doc__)
    parser.add_argument("overrides", nargs="*", help="context to check the options in (group=option)")
    parser.add_config_dir()
    parser.add_argument("--smoke", action="store_true", help="also run every option on a tiny synthetic universe")
    options = parser.parse_args(arguments)
    using = composer(options.config_dir)
    n_checked = 0
    refused: list[FtfkitError] = []
    for group, option in _every_option(using):
        n_checked += 1
        try:
            check_option(using, group, option, options.overrides)
        except FtfkitError as error:
            if str(error) not in map(str, refused):  # a wrong context says the same of every option
                print(error, file=sys.stderr)
            refused.append(error)
    for line in registry().warnings:
        print(f"warning: {line}", file=sys.stderr)
    broken = registry().problems()
    told = "\n".join(map(str, refused))
    for line in (one for one in broken if one not in told):
        print(line, file=sys.stderr)
    print(f"{n_checked} options in {len(using.groups())} groups checked, {len(refused)} refused")
    if broken:
        return PluginError.exit_code
    if refused:
        return refused[0].exit_code
    if options.smoke:
        from ftfkit.cli.smoke import smoke

        return smoke(using)
    return 0


def _every_option(using: Composer) -> Iterator[tuple[str, str]]:
    for group in using.groups():
        for option in using.options(group):
            yield group, option


def check_option(using: Composer, group: str, option: str, context: list[str]) -> None:
    """Compose one option in the given context and build everything it names.

    Values that only the user can give (``???``) are filled with a placeholder of the right kind: a path.
    """
    file = find_option(using.folders, f"{group}/{option}")
    content = load_yaml(file) if file else {}
    filled = [f"{group}.{key}=." for key, value in content.items() if value == "???"]
    champion = [f"baseline.{group}={option}"] if group in FACTOR_GROUPS else []
    compose([*context, f"{group}={option}", *champion, *filled], using)
