from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONF = [file for file in ROOT.glob("conf/**/*") if file.is_file()]
PLUGINS = sorted(file.parent for file in ROOT.glob("plugins/*/pyproject.toml"))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    for project in (ROOT, *PLUGINS):
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(project)],
            check=True,
            capture_output=True,
        )
    return sorted(folder.glob("*.whl"))


def test_the_wheel_holds_conf_and_hydra_plugins_and_nothing_of_the_checkout(wheels: list[Path]) -> None:
    core = next(wheel for wheel in wheels if wheel.name.startswith("ftfkit-0"))
    names = zipfile.ZipFile(core).namelist()
    shipped = {name: zipfile.ZipFile(core).read(name) for name in names if name.startswith("ftfkit/conf/")}
    assert shipped == {f"ftfkit/{file.relative_to(ROOT).as_posix()}": file.read_bytes() for file in CONF}
    assert "hydra_plugins/ftfkit/sweeper.py" in names
    assert "hydra_plugins/__init__.py" not in names
    assert "ftfkit/py.typed" in names
    assert not [name for name in names if name.startswith(("tests", "outputs", "plugins", "benchmarks"))]


@pytest.mark.parametrize("project", PLUGINS, ids=lambda project: project.name)
def test_a_plugins_wheel_holds_its_conf_and_readiness_document_and_no_tests(wheels: list[Path], project: Path) -> None:
    module = project.name.replace("-", "_")
    names = zipfile.ZipFile(next(wheel for wheel in wheels if wheel.name.startswith(f"{module}-"))).namelist()
    beside = [*project.glob("conf/**/*.yaml"), *project.glob("mlops_readiness.md")]
    shipped = {f"{module}/{file.relative_to(project).as_posix()}" for file in beside}
    assert {f"{module}/py.typed"} | shipped <= set(names)
    assert not [name for name in names if "tests" in name]


def test_wheels_alone_run_far_from_the_checkout(wheels: list[Path], tmp_path: Path) -> None:
    """Core and plugins from wheels in a folder of their own; only third-party packages come from this environment.

    Every component is imported and every conf file read; that each option of these files composes is what
    ``tests/cli/test_validate.py`` checks.
    """
    site = tmp_path / "site with space"
    for wheel in wheels:
        zipfile.ZipFile(wheel).extractall(site)
    work = tmp_path / "empty"
    work.mkdir()
    # -P and a .pth-free site keep the editable checkout out of sight: its finder would win otherwise.
    code = (
        "import sys\n"
        f"sys.meta_path[:] = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]\n"
        f"sys.path[:] = [{str(site)!r}] + [p for p in sys.path if not p.startswith({str(ROOT)!r}) or '.venv' in p]\n"
        "import ftfkit\nassert 'site with space' in ftfkit.__file__, ftfkit.__file__\n"
        "from ftfkit.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    )
    run = [sys.executable, "-P", "-c", code]
    config = subprocess.run(
        [*run, "loss=focal/standard", "--cfg", "job"], cwd=work, capture_output=True, text=True, check=False
    )
    assert config.returncode == 0, config.stderr
    assert "gamma: 2" in config.stdout
    done = subprocess.run([*run, "doctor", "executor=serial"], cwd=work, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    options = [file for folder in (ROOT, *PLUGINS) for file in folder.glob("conf/*/**/*.yaml")]
    n_options = sum(file.relative_to(ROOT).parts[:2] != ("conf", "hydra") for file in options)
    assert f"conf folders: {n_options} files in " in done.stdout
    assert done.stdout.count("components imported: ") == 1 + len(PLUGINS)
