"""What a run, or another command, makes of a plugin that it uses: a whole one, a broken one, a blocked one."""

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


WITH_CONF = offering(
    "ftfkit_conf_folders",
    "(Path(__file__).parent / 'conf',)",
    "from pathlib import Path\n" + offering("ftfkit_losses", "{'acme': 'acme_loss.loss:AcmeLoss'}"),
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
    for command in (["plugins"], ["doctor", "executor=serial"]):
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
