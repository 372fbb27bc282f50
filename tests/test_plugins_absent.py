"""An option, or a component, of a plugin that did not load is refused with the reason why it did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

PACKAGE = """
from pathlib import Path
from ftfkit import hookimpl
ftfkit_api_version = 1
@hookimpl
def ftfkit_losses():
    return {'acme': 'acme_loss.loss:AcmeLoss'}
@hookimpl
def ftfkit_conf_folders():
    return (Path(__file__).parent / 'conf',)
"""
ABSENT: dict[str, tuple[str, Sequence[str]]] = {
    "import failure": ("import no_such_sympy\n", ()),
    "misspelt hook": (PACKAGE.replace("ftfkit_losses", "ftfkit_loses"), ()),
    "another API version": (PACKAGE.replace("version = 1", "version = 2"), ()),
    "missing requirement": (PACKAGE, ["no-such-sympy>=1"]),
}


@pytest.mark.parametrize("fault", ABSENT)
def test_an_option_of_a_plugin_that_did_not_load_is_refused_with_the_reason(fault: str, site: Any) -> None:
    text, requires = ABSENT[fault]
    files = {"acme_loss/__init__.py": text, "acme_loss/conf/loss/acme.yaml": "name: acme"}
    site.install("acme-loss", files, requires=requires)
    (line,) = site.ftfkit("plugins").stderr.splitlines()
    done = site.ftfkit("loss=acme")
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("command line: loss == acme is no option of this group")
    assert f"not loaded: {line}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("result", ["None", "['acme']", "{}['acme']"])
def test_so_is_an_option_that_names_a_component_of_a_broken_plugin(result: str, site: Any) -> None:
    text = PACKAGE.replace("{'acme': 'acme_loss.loss:AcmeLoss'}", result)
    site.install("acme-loss", {"acme_loss/__init__.py": text, "acme_loss/conf/loss/acme.yaml": "name: acme"})
    (line,) = site.ftfkit("plugins").stderr.splitlines()
    done = site.ftfkit("plan", "loss=acme")
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("site/acme_loss/conf/loss/acme.yaml:1: loss.name == acme cannot be used: loss 'acme'")
    assert f"not loaded: {line}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "command",
    [
        ["track=acme"],
        ["loss=glob(acme*)", "-m"],
        ["loss=none,acme", "-m"],
        ["plan", "loss=acme"],
        ["validate", "loss=acme"],
    ],
    ids=" ".join,
)
def test_so_is_it_wherever_an_option_may_stand(command: list[str], site: Any) -> None:
    site.install("acme-loss", {"acme_loss.py": "import no_such_sympy"})
    done = site.ftfkit(*command)
    assert done.returncode == 3, done.stderr
    assert "not loaded: plugin acme-loss 1.0: cannot be imported: module 'no_such_sympy'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
