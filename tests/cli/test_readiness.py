from __future__ import annotations

from pathlib import Path

import pytest

from ftfkit.cli.readiness import main
from ftfkit.config.compose import composer
from ftfkit.config.experiment import compose
from ftfkit.errors import ConfigError, UsageError
from ftfkit.judge.criteria import readiness_file


def test_a_scaffold_is_open_until_every_section_is_filled_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "mlops_readiness.md"
    assert main([str(document), "--scaffold"]) == 0
    assert main([str(document)]) == 1
    assert capsys.readouterr().out.count("open ") == 6
    filled = [
        line if not line.startswith("TODO") else "We do it, every day." for line in document.read_text().split("\n")
    ]
    document.write_text("\n".join(filled))
    assert main([str(document)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok    Model card",
        "ok    Data lineage",
        "ok    Reproducibility",
        "ok    Monitoring",
        "ok    Rollback",
        "ok    Ownership",
    ]
    document.write_text(document.read_text().replace("## Rollback", "## Return"))
    assert main([str(document)]) == 1
    assert "open  Rollback is missing" in capsys.readouterr().out


def test_nothing_is_written_over_and_a_missing_document_is_named(tmp_path: Path) -> None:
    document = tmp_path / "there.md"
    document.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        main([str(document), "--scaffold"])
    assert document.read_text() == "mine"
    with pytest.raises(UsageError, match="is not a file"):
        main([str(tmp_path / "absent.md")])


def test_a_gate_set_without_readiness_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no option of this group"):
        main([str(tmp_path / "x.md"), "--gates", "nothing"])


@pytest.mark.parametrize("option", composer().options("track"))
def test_the_document_of_every_track_is_found_and_complete(option: str) -> None:
    track = compose([f"track={option}"]).track
    assert track is not None
    assert track.readiness is not None
    assert main([str(readiness_file(track.readiness))]) == 0
