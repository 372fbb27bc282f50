from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftfkit.__main__ import main

HEAD = "from ftfkit import hookimpl\nftfkit_api_version = 1\n"


def lines(text: str, mark: str) -> list[str]:
    return [line.removeprefix(mark).strip() for line in text.splitlines() if line.startswith(mark)]


def test_a_whole_installation_is_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", f"output.dir={tmp_path / 'out'}"]) == 0
    told = capsys.readouterr().out
    assert lines(told, "FAIL") == []
    for what in (
        "python 3",
        "ftfkit 0.",
        "xgboost 3.2",
        "CPUs",
        "plugin ftfkit",
        "conf folders",
        "is writable",
        "store.db",
    ):
        assert what in told
    assert "worker (loky) imports what this process does: ftfkit 0.1.0" in told
    assert len(told.splitlines()) == len(lines(told, "ok")), "one line a check"


def test_a_component_that_cannot_be_loaded_is_found_here_and_in_the_worker(site: Any) -> None:
    hook = "@hookimpl\ndef ftfkit_losses():\n    return {'acme': 'acme_loss.late:AcmeLoss'}\n"
    site.install("acme-loss", {"acme_loss/__init__.py": HEAD + hook, "acme_loss/late.py": "import no_such_sympy"})
    done = site.ftfkit("doctor")
    assert done.returncode == 3
    (line,) = lines(done.stdout, "FAIL")
    assert line.startswith("plugin acme-loss 1.0: ftfkit_losses 'acme' cannot be imported: module 'no_such_sympy'")


def test_what_only_the_worker_lacks_is_found(site: Any) -> None:
    """The plugin imports in the driver alone: what happens where workers have another environment."""
    guard = (
        "import multiprocessing\n"
        "if multiprocessing.current_process().name != 'MainProcess':\n"
        "    raise ImportError('not on this machine')\n"
    )
    site.install("acme-loss", {"acme_loss.py": guard + HEAD})
    done = site.ftfkit("doctor")
    assert done.returncode == 3
    failed = lines(done.stdout, "FAIL")
    assert "worker (loky): acme-loss 1.0 is missing" in failed
    assert "worker (loky): plugin acme-loss 1.0: cannot be imported: ImportError: not on this machine" in failed


@pytest.mark.parametrize("guard", ["", "if multiprocessing.current_process().name != 'MainProcess':\n    "])
def test_a_requirement_that_cannot_be_imported_is_found_here_or_in_the_worker_alone(guard: str, site: Any) -> None:
    (site.folder / "tiny_colours.py").write_text(f"import multiprocessing\n{guard}import no_such_termcolor\n")
    info = site.folder / "tiny_colours-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Tiny-Colours\nVersion: 1.2\n")
    (info / "top_level.txt").write_text("tiny_colours\n")
    site.install("acme-loss", {"acme_loss.py": HEAD}, requires=["tiny-colours"])
    done = site.ftfkit("doctor")
    assert done.returncode == 3
    (line,) = lines(done.stdout, "FAIL")
    reason = "requires tiny-colours, which cannot be imported: module 'no_such_termcolor' is not installed"
    assert line.startswith(f"{'worker (loky): ' if guard else ''}plugin acme-loss 1.0: {reason}")


def test_an_output_folder_that_cannot_be_written_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    words = [f"output.dir={tmp_path / 'file' / 'out'}", f"store.url=sqlite:///{tmp_path}/s.db", "executor=serial"]
    assert main(["doctor", *words]) == 1
    (line,) = lines(capsys.readouterr().out, "FAIL")
    assert line.startswith("output folder: NotADirectoryError")


def test_a_store_that_cannot_be_reached_fails_without_its_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "postgresql+psycopg://user:sesame@localhost:1/none"
    assert main(["doctor", f"output.dir={tmp_path}", f"store.url='{url}'", "executor=serial"]) == 1
    (line,) = lines(capsys.readouterr().out, "FAIL")
    assert line.startswith("store: command line: store.url == postgresql+psycopg://user:***@localhost:1/none cannot be")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("loss/none.yaml", "option 'loss/none' of acme-loss is already defined by ftfkit"),
        ("losss/none.yaml", "'losss' of acme-loss is no group; known: balancing, "),
        ("loss/acme.yml", "'acme.yml' of acme-loss must end in .yaml"),
    ],
)
def test_a_conf_folder_that_does_not_fit_is_told_once(option: str, message: str, site: Any) -> None:
    hook = "@hookimpl\ndef ftfkit_conf_folders():\n    return (Path(__file__).parent / 'conf',)\n"
    files = {
        "acme_loss/__init__.py": "from pathlib import Path\n" + HEAD + hook,
        f"acme_loss/conf/{option}": "name: logistic\n",
    }
    site.install("acme-loss", files)
    for command, *words in (["doctor", "executor=serial"], ["plugins"]):
        done = site.ftfkit(command, *words)
        assert done.returncode == 3
        (line,) = lines(done.stdout, "FAIL") if command == "doctor" else done.stderr.splitlines()
        assert message in line
        assert line.endswith("FTFKIT_BLOCK_PLUGINS=NAME leaves a plugin out")
        assert site.ftfkit(command, *words, FTFKIT_BLOCK_PLUGINS="acme-loss").returncode == 0
