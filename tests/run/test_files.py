from __future__ import annotations

from pathlib import Path

import pytest

from ftfkit.run.files import read_json, write_atomically, write_json


def test_a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / "base.env"
    write_atomically(file, "A=1\n")
    before = file.stat().st_ino
    write_atomically(file, "A=2\n")
    assert file.read_text() == "A=2\n"
    assert file.stat().st_ino != before  # another file took its place: nobody can have read half of it
    assert list(file.parent.iterdir()) == [file]
    write_atomically(file, None)
    write_atomically(file, None)
    assert list(file.parent.iterdir()) == []


def test_a_link_stays_a_link_and_the_file_keeps_its_permissions(tmp_path: Path) -> None:
    real, link = tmp_path / "real" / "job.env", tmp_path / "base.env"
    real.parent.mkdir()
    real.write_text("A=1\n")
    real.chmod(0o640)
    link.symlink_to(real)
    write_atomically(link, "A=2\n")
    assert link.is_symlink()
    assert real.read_text() == "A=2\n"
    assert real.stat().st_mode & 0o777 == 0o640
    write_atomically(link, None)
    assert link.is_symlink()
    assert not real.exists()


def test_a_record_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    write_json(tmp_path, "plan.json", {"a": 1})
    before = (tmp_path / "plan.json").stat().st_ino
    write_json(tmp_path, "plan.json", {"a": 2})
    assert (tmp_path / "plan.json").stat().st_ino != before  # another file took its place
    with pytest.raises(UnicodeEncodeError):
        write_json(tmp_path, "plan.json", {"a": "x" * 100_000 + "\udc80"})  # half of it would be there by now
    assert read_json(tmp_path / "plan.json") == {"a": 2}


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    write_atomically(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "new \ud800")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("plan.json", "old")]
