"""Every way in which an installed package can be broken, provoked with one; each gives one line that names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

HEAD = "from ftfkit import hookimpl\nftfkit_api_version = 1\n"
TINY = (
    "universe.assets=[AAVE]",
    "data.days=150",
    "cv.n_folds=2",
    "hpo=fixed",
    "model.max_rounds=5",
    "executor.workers=1",
)
LOSS = """
from ftfkit.components import Loss
class AcmeLoss(Loss):
    def value(self, logit, y): raise NotImplementedError
    def objective(self, y, weight): raise NotImplementedError
"""


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


WITH_CONF = offering(
    "ftfkit_conf_folders",
    "(Path(__file__).parent / 'conf',)",
    LOSSES.replace("from ftfkit", "from pathlib import Path\nfrom ftfkit"),
)
USED: dict[str, tuple[str, int, str]] = {
    "dependency that is missing": (
        "import no_such_sympy" + LOSS,
        3,
        "plugin acme-loss 1.0: ftfkit_losses 'acme' cannot be imported: module 'no_such_sympy' is not installed, "
        "wanted by acme_loss.loss",
    ),
    "class that is not there": (
        "",
        3,
        "plugin acme-loss 1.0: ftfkit_losses 'acme' cannot be imported: AttributeError: module 'acme_loss.loss' has "
        "no attribute 'AcmeLoss'",
    ),
    "class of another kind": (
        "from ftfkit.components import Metric\nclass AcmeLoss(Metric):\n    def compute(self, scored): return {}\n",
        3,
        "plugin acme-loss 1.0: ftfkit_losses 'acme' is <class 'acme_loss.loss.AcmeLoss'>, must be a subclass of Loss",
    ),
    "method that is missing": (
        LOSS.replace("    def objective(self, y, weight): raise NotImplementedError\n", ""),
        3,
        "plugin acme-loss 1.0: ftfkit_losses 'acme' is AcmeLoss, which lacks objective of Loss",
    ),
    "type that is not there": (
        LOSS + "    x: 'NoSuchType'\n",
        3,
        "plugin acme-loss 1.0: ftfkit_losses 'acme' is AcmeLoss, whose fields pydantic cannot read: "
        "PydanticUndefinedAnnotation: name 'NoSuchType' is not defined",
    ),
    "class that is not frozen": (
        LOSS + "    model_config = {'frozen': False}\n",
        3,
        "plugin acme-loss 1.0: ftfkit_losses 'acme' is AcmeLoss, must keep frozen=True and extra='forbid' in "
        "model_config",
    ),
    "class that takes any key": (
        LOSS + "    model_config = {'extra': 'allow'}\n",
        3,
        "plugin acme-loss 1.0: ftfkit_losses 'acme' is AcmeLoss, must keep frozen=True and extra='forbid' in "
        "model_config",
    ),
    "field that is called name": (
        LOSS + "    name: str = 'x'\n",
        3,
        "plugin acme-loss 1.0: ftfkit_losses 'acme' is AcmeLoss, which has the field 'name', must call it otherwise: "
        "'name' selects the component",
    ),
    "validator that fails": (
        LOSS + "    def model_post_init(self, context): raise RuntimeError('no licence\\nfound')\n",
        3,
        "site/acme_loss/conf/loss/acme.yaml:1: loss cannot be validated: RuntimeError: no licence found "
        "(plugin acme-loss)",
    ),
    "parameter out of range": (
        LOSS + "    from pydantic import Field\n    gamma: float = Field(default=-1, validate_default=True, ge=0)\n",
        1,
        "site/acme_loss/conf/loss/acme.yaml:1: loss.gamma == -1 must be >= 0 (plugin acme-loss)",
    ),
}


def install_with_conf(site: Any, loss: str, option: str = "loss/acme.yaml", text: str = "name: acme\n") -> None:
    files = {"acme_loss/__init__.py": WITH_CONF, "acme_loss/loss.py": loss, f"acme_loss/conf/{option}": text}
    site.install("acme-loss", files)


def install_needing(site: Any, library: str, plugin: Mapping[str, str], name: str = "acme-loss") -> str:
    """Install a plugin, and a library that it requires and imports late if at all; the line this deserves."""
    (site.folder / "tiny_colours.py").write_text(library)
    info = site.folder / "tiny_colours-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Tiny-Colours\nVersion: 1.2\n")
    (info / "top_level.txt").write_text("tiny_colours\ntests\n_tiny\n")
    site.install(name, plugin, requires=["ftfkit>=0.1", "tiny-colours>=1", 'no-such; extra == "x"'])
    reason = "module 'no_such_termcolor' is not installed, wanted by tiny_colours"
    return f"plugin {name} 1.0: requires tiny-colours, which cannot be imported: {reason}"


def test_a_library_that_lacks_one_of_its_own_is_found_before_the_first_cell(site: Any, tmp_path: Path) -> None:
    files = {
        "acme_loss/__init__.py": WITH_CONF,
        "acme_loss/loss.py": LOSS,
        "acme_loss/conf/loss/acme.yaml": "name: acme",
    }
    line = install_needing(site, "import no_such_termcolor", files)
    for command in (["loss=none,acme", *TINY, "-m"], ["plan", "loss=acme"]):
        done = site.ftfkit(*command)
        assert (done.returncode, done.stderr.splitlines()) == (3, [line])
    assert not (tmp_path / "outputs").exists()
    assert site.ftfkit("plan", "loss=none", *TINY).returncode == 0, "it takes no part"


def test_a_section_of_every_dossier_takes_part_and_an_observer_does_not(site: Any) -> None:
    watching = HEAD + "@hookimpl\ndef ftfkit_run_started(run_id): pass\n"
    line = install_needing(site, "import no_such_termcolor", {"acme_watch.py": watching}, "acme-watch")
    assert site.ftfkit("plan", *TINY).returncode == 0
    section = (
        "class AcmeSection(DossierSection):\n    title = 'x'\n    def render(self, rows, comparisons): return ''\n"
    )
    text = offering("ftfkit_dossier_sections", "{'acme': AcmeSection}")
    head = f"from ftfkit.components import DossierSection\n{section}"
    (site.folder / "acme_watch.py").write_text(head + text)
    done = site.ftfkit("plan", *TINY)
    assert (done.returncode, done.stderr.splitlines()) == (3, [line])


ABSENT: dict[str, tuple[str, Sequence[str]]] = {
    "import failure": ("import no_such_sympy\n", ()),
    "misspelt hook": (WITH_CONF.replace("ftfkit_losses", "ftfkit_loses"), ()),
    "another API version": (WITH_CONF.replace("version = 1", "version = 2"), ()),
    "missing requirement": (WITH_CONF, ["no-such-sympy>=1"]),
}


@pytest.mark.parametrize("fault", ABSENT)
def test_an_option_of_a_plugin_that_did_not_load_is_refused_with_the_reason(fault: str, site: Any) -> None:
    text, requires = ABSENT[fault]
    files = {"acme_loss/__init__.py": text, "acme_loss/loss.py": LOSS, "acme_loss/conf/loss/acme.yaml": "name: acme"}
    site.install("acme-loss", files, requires=requires)
    (line,) = site.ftfkit("plugins").stderr.splitlines()
    done = site.ftfkit("loss=acme", *TINY)
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("command line: loss == acme is no option of this group")
    assert f"not loaded: {line}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("result", ["None", "['acme']", "{}['acme']"])
def test_so_is_an_option_that_names_a_component_of_a_broken_plugin(result: str, site: Any) -> None:
    text = WITH_CONF.replace("{'acme': 'acme_loss.loss:AcmeLoss'}", result)
    site.install("acme-loss", {"acme_loss/__init__.py": text, "acme_loss/conf/loss/acme.yaml": "name: acme"})
    (line,) = site.ftfkit("plugins").stderr.splitlines()
    done = site.ftfkit("plan", "loss=acme", *TINY)
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


@pytest.mark.parametrize("fault", USED)
def test_a_run_that_uses_it_is_refused_before_anything_is_read_or_written(
    fault: str, site: Any, tmp_path: Path
) -> None:
    loss, code, line = USED[fault]
    install_with_conf(site, loss)
    before = sorted(path.name for path in tmp_path.iterdir())
    done = site.ftfkit("loss=none,acme", *TINY, "-m")
    assert (done.returncode, done.stderr.splitlines()) == (code, [line])
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_broken_plugin_that_is_not_used_is_a_warning(site: Any, tmp_path: Path) -> None:
    site.install("acme-loss", {"acme_loss.py": "import no_such_sympy"})
    done = site.ftfkit(*TINY)
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if "acme" in line]
    rule = "module 'no_such_sympy' is not installed, wanted by acme_loss"
    assert warnings == [f"warning: plugin acme-loss 1.0: cannot be imported: {rule}"]
    assert list((tmp_path / "outputs" / "runs").iterdir())


def test_a_broken_dossier_section_stops_a_run_before_it_starts(site: Any, tmp_path: Path) -> None:
    """Sections are needed at the very end, and by every run."""
    text = offering("ftfkit_dossier_sections", "{'acme': 'acme_section.late:AcmeSection'}")
    site.install("acme-section", {"acme_section/__init__.py": text, "acme_section/late.py": "import no_such_sympy"})
    done = site.ftfkit(*TINY)
    assert done.returncode == 3
    assert "no_such_sympy" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "outputs").exists()


@pytest.mark.slow
def test_validate_names_everything_that_is_broken(site: Any) -> None:
    install_with_conf(site, "import no_such_sympy" + LOSS)
    site.install("zeta-loss", {"zeta_loss.py": HEAD.replace("1", "2")})
    site.install("iota-loss", {"iota_loss.py": offering("ftfkit_losses", "{'iota': 'iota_loss:no_class'}")})
    done = site.ftfkit("validate")
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 3
    assert "plugin iota-loss 1.0: ftfkit_losses 'iota' cannot be imported: AttributeError: " in done.stderr
    assert "'no_such_sympy' is not installed, wanted by acme_loss.loss" in done.stderr
    assert "plugin zeta-loss 1.0: built for plugin API 2" in done.stderr


CONF_FAULTS: Sequence[tuple[str, str, int, str]] = (
    ("loss/none.yaml", "name: acme\n", 3, "option 'loss/none' of acme-loss is already defined by ftfkit"),
    ("losss/acme.yaml", "name: acme\n", 3, "'losss' of acme-loss is no group; known: "),
    ("loss/acme.yml", "name: acme\n", 3, "loss/acme.yml: 'acme.yml' of acme-loss must end in .yaml"),
    ("loss/on.yaml", "name: acme\n", 3, "option 'on' of acme-loss must be called by letters"),
    ("loss/a b,c.yaml", "name: acme\n", 3, "option 'a b,c' of acme-loss must be called by letters"),
    ("loss/acme.yaml", "_target_: os.system\n", 1, "loss/acme.yaml:1: _target_ == ... is not allowed"),
    ("loss/acme.yaml", "name: [acme\n", 1, "loss/acme.yaml:2: bad YAML"),
    ("loss/acme.yaml", "name: acme\ngama: 2\n", 1, "loss/acme.yaml:2: loss.gama == 2 is not a parameter here"),
)


@pytest.mark.parametrize(("option", "text", "code", "message"), CONF_FAULTS, ids=[fault[3] for fault in CONF_FAULTS])
def test_a_conf_option_that_clashes_or_could_run_code_is_refused(
    option: str, text: str, code: int, message: str, site: Any
) -> None:
    install_with_conf(site, LOSS, option, text)
    done = site.ftfkit(f"{Path(option).parent}={Path(option).stem}", *TINY)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_plugin_joins_run_sweep_help_completion_and_plugins(site: Any) -> None:
    install_with_conf(site, LOSS, "loss/acme/plain.yaml")
    assert "acme-loss" in site.ftfkit("plugins").stdout
    assert "acme/plain" in site.ftfkit("--help").stdout
    completed = site.ftfkit("-sc", "query=bash", COMP_LINE="ftfkit loss=acme/", COMP_POINT="17")
    assert "loss=acme/plain" in completed.stdout
    assert "name: acme" in site.ftfkit("loss=acme/plain", "--cfg", "job").stdout


def test_a_plugin_blocked_by_the_environment_is_gone(site: Any) -> None:
    install_with_conf(site, LOSS)
    for name in ("acme_loss", "acme-loss", "Acme.Loss"):  # names of plugins and distributions are written many ways
        listed = site.ftfkit("plugins", FTFKIT_BLOCK_PLUGINS=f"track06_focal_loss, {name}")
        assert (listed.returncode, listed.stderr) == (0, "")
        assert "acme" not in listed.stdout
        assert "focal" not in listed.stdout
    done = site.ftfkit("loss=acme", FTFKIT_BLOCK_PLUGINS="acme_loss")
    assert done.returncode == 1
    assert "loss == acme is no option of this group" in done.stderr
    assert "; blocked: acme_loss" in done.stderr


def test_a_name_that_blocks_nothing_is_a_warning_in_the_environment_and_refused_in_conf(site: Any) -> None:
    for command in (["plugins"], ["doctor"]):
        done = site.ftfkit(*command, FTFKIT_BLOCK_PLUGINS="acme_los,track06_focal_loss")
        assert done.returncode == 0
        assert done.stderr.startswith(
            "warning: FTFKIT_BLOCK_PLUGINS == acme-los is no installed plugin; known: ftfkit, "
        )
        assert len(done.stderr.splitlines()) == 1
    refused = site.ftfkit("plugins.blocked=[track06_focal_loss,acme_los]")
    assert refused.returncode == 1
    line = "command line: plugins.blocked == acme_los is no installed plugin; known: ftfkit, "
    assert refused.stderr.startswith(line)
    assert len(refused.stderr.splitlines()) == 1


def test_a_plugin_blocked_by_conf_offers_nothing(site: Any) -> None:
    install_with_conf(site, LOSS)
    for name in ("acme_loss", "acme-loss"):
        done = site.ftfkit("loss=acme", f"plugins.blocked=[{name}]")
        assert done.returncode == 1
        assert "loss 'acme' is not registered" in done.stderr
        assert "blocked: acme_loss" in done.stderr


def test_a_blocked_component_is_refused_where_another_one_names_it(site: Any) -> None:
    done = site.ftfkit(
        "features=market_context/leaders", "features.base=finer_bars", "plugins.blocked=[track12-finer-bars]", *TINY
    )
    line = "command line: features.base == finer_bars is of the blocked plugin track12_finer_bars (ftfkit)"
    assert (done.returncode, done.stderr.splitlines()) == (1, [line])
