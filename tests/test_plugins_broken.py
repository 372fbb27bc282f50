"""Every way in which an installed package can be broken, provoked with one; each gives one line that names it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

HEAD = "from ftfkit import hookimpl\nftfkit_api_version = 1\n"


def offering(hook: str, result: str, head: str = HEAD) -> str:
    return f"{head}@hookimpl\ndef {hook}():\n    return {result}\n"


LOSSES = offering("ftfkit_losses", "{'acme': 'acme_loss.loss:AcmeLoss'}")


BROKEN: dict[str, tuple[Mapping[str, str], Mapping[str, Any], str]] = {
    "another API version": (
        {"acme_loss.py": HEAD.replace("1", "2")},
        {},
        "plugin acme-loss 1.0: built for plugin API 2, this ftfkit has API 1",
    ),
    "API version as text": (
        {"acme_loss.py": HEAD.replace("1", "'1'")},
        {},
        "plugin acme-loss 1.0: built for plugin API '1', this ftfkit has API 1",
    ),
    "API version that only equals one": (
        {"acme_loss.py": HEAD.replace("1", "True")},
        {},
        "plugin acme-loss 1.0: built for plugin API True, this ftfkit has API 1",
    ),
    "no API version": (
        {"acme_loss.py": "x = 1"},
        {},
        "plugin acme-loss 1.0: states no ftfkit_api_version, must state the plugin API it is built for (1)",
    ),
    "misspelt hook": (
        {"acme_loss.py": offering("ftfkit_loses", "{}")},
        {},
        "plugin acme-loss 1.0: unknown hook 'ftfkit_loses'; did you mean 'ftfkit_losses'?",
    ),
    "hook that is not marked": (
        {"acme_loss.py": "ftfkit_api_version = 1\ndef ftfkit_losses():\n    return {}\n"},
        {},
        "plugin acme-loss 1.0: hook 'ftfkit_losses' lacks @ftfkit.hookimpl",
    ),
    "wrong argument": (
        {"acme_loss.py": HEAD + "@hookimpl\ndef ftfkit_run_started(run, plan):\n    pass\n"},
        {},
        "plugin acme-loss 1.0: hook 'ftfkit_run_started' has the parameter 'run', must take (run_id, plan)",
    ),
    "argument where there is none": (
        {"acme_loss.py": HEAD + "@hookimpl\ndef ftfkit_losses(config):\n    return {}\n"},
        {},
        "plugin acme-loss 1.0: hook 'ftfkit_losses' has the parameter 'config', must take no argument",
    ),
    "argument with a default, which would never be passed": (
        {"acme_loss.py": HEAD + "@hookimpl\ndef ftfkit_run_started(run_id, plan=None):\n    pass\n"},
        {},
        "plugin acme-loss 1.0: hook 'ftfkit_run_started' has the parameter 'plan=None', must take (run_id, plan)",
    ),
    "wrapper around other plugins": (
        {"acme_loss.py": HEAD + "@hookimpl(wrapper=True)\ndef ftfkit_losses():\n    return (yield)\n"},
        {},
        "plugin acme-loss 1.0: hook 'ftfkit_losses' is a wrapper, must not stand around other plugins' hooks",
    ),
    "list where a mapping is due": (
        {"acme_loss.py": offering("ftfkit_losses", "['acme']")},
        {},
        "plugin acme-loss 1.0: ftfkit_losses returned list, must be a mapping of name to class",
    ),
    "forgotten return": (
        {"acme_loss.py": offering("ftfkit_losses", "None")},
        {},
        "plugin acme-loss 1.0: ftfkit_losses returned NoneType, must be a mapping of name to class",
    ),
    "target that is no class": (
        {"acme_loss.py": offering("ftfkit_losses", "{'acme': 'acme_loss.loss.AcmeLoss'}")},
        {},
        "plugin acme-loss 1.0: ftfkit_losses 'acme' is 'acme_loss.loss.AcmeLoss', must be a class or 'module:Class'",
    ),
    "hook that fails": (
        {"acme_loss.py": offering("ftfkit_losses", "{}['acme']")},
        {},
        "plugin acme-loss 1.0: ftfkit_losses failed: KeyError: 'acme'",
    ),
    "conf folder that is text": (
        {"acme_loss.py": offering("ftfkit_conf_folders", "'conf'")},
        {},
        "plugin acme-loss 1.0: ftfkit_conf_folders returned 'conf', must be a tuple of Path",
    ),
    "conf folder that is not there": (
        {"acme_loss.py": offering("ftfkit_conf_folders", "(Path('/nowhere'),)", "from pathlib import Path\n" + HEAD)},
        {},
        "plugin acme-loss 1.0: ftfkit_conf_folders names /nowhere, which is not a folder",
    ),
    "import failure": (
        {"acme_loss.py": "raise RuntimeError('no licence\\nfound')"},
        {},
        "plugin acme-loss 1.0: cannot be imported: RuntimeError: no licence found",
    ),
    "exit at import": (
        {"acme_loss.py": "raise SystemExit(0)"},
        {},
        "plugin acme-loss 1.0: cannot be imported: SystemExit: 0",
    ),
    "bad syntax": (
        {"acme_loss.py": "def:"},
        {},
        "plugin acme-loss 1.0: cannot be imported: SyntaxError: invalid syntax (acme_loss.py, line 1)",
    ),
    "module that is not installed": (
        {"acme_loss.py": "import no_such_sympy"},
        {},
        "plugin acme-loss 1.0: cannot be imported: module 'no_such_sympy' is not installed, wanted by acme_loss",
    ),
    "module that another package wants": (
        {"acme_loss.py": "import helper_package.core", "helper_package/core.py": "import no_such_sympy.parsing"},
        {},
        "plugin acme-loss 1.0: cannot be imported: module 'no_such_sympy' is not installed, wanted by "
        "helper_package.core",
    ),
    "requirement that is not installed": (
        {"acme_loss.py": LOSSES},
        {"requires": ["ftfkit>=0.1", "no-such-sympy>=1.13", 'other; python_version < "3"', 'extra-only; extra == "x"']},
        "plugin acme-loss 1.0: requires no-such-sympy>=1.13, which is not installed",
    ),
    "requirement of another version": (
        {"acme_loss.py": LOSSES},
        {"requires": ["ftfkit>=99"]},
        "plugin acme-loss 1.0: requires ftfkit>=99, installed is 0.1.0",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_package_is_one_line_that_names_it(fault: str, site: Any) -> None:
    files, metadata, line = BROKEN[fault]
    site.install("acme-loss", files, **metadata)
    done = site.ftfkit("plugins")
    assert done.returncode == 3
    assert done.stderr.splitlines() == [line]
    assert "logistic" in done.stdout, "the plugins that are whole stay"


def test_two_packages_with_one_component_name_are_both_named(site: Any) -> None:
    for name in ("acme-loss", "zeta-loss"):
        module = name.replace("-", "_")
        text = offering("ftfkit_losses", f"{{'same': '{module}:X', '{module}': '{module}:X'}}")
        site.install(name, {f"{module}.py": text})
    done = site.ftfkit("plugins")
    assert done.returncode == 3
    line = "loss 'same' is offered by plugin acme-loss 1.0 and plugin zeta-loss 1.0; rename it, or block all but one"
    assert done.stderr.splitlines() == [line]
    assert "zeta_loss " in done.stdout, "what is not contested stays"
    assert site.ftfkit("plugins", FTFKIT_BLOCK_PLUGINS="zeta-loss").returncode == 0


def test_a_package_cannot_take_over_a_built_in(site: Any) -> None:
    site.install("acme-loss", {"acme_loss.py": offering("ftfkit_losses", "{'logistic': 'acme_loss:X'}")})
    refused = site.ftfkit("loss=none")
    assert refused.returncode == 3
    assert (
        "cannot be used: loss 'logistic' is offered by plugin ftfkit 0.1.0 and plugin acme-loss 1.0" in refused.stderr
    )
    assert len(refused.stderr.splitlines()) == 1


def test_two_distributions_with_one_plugin_name_are_both_refused(site: Any) -> None:
    for name in ("acme-loss", "zeta-loss"):
        site.install(name, {f"{name.replace('-', '_')}.py": HEAD}, plugin="shared")
    done = site.ftfkit("plugins")
    assert done.returncode == 3
    rule = "uninstall or block all but one"
    assert done.stderr.splitlines() == [
        f"plugin acme-loss 1.0: plugin name 'shared' is also that of zeta-loss; {rule}",
        f"plugin zeta-loss 1.0: plugin name 'shared' is also that of acme-loss; {rule}",
    ]
    assert site.ftfkit("plugins", FTFKIT_BLOCK_PLUGINS="acme-loss").returncode == 0
