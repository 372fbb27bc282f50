from __future__ import annotations

from pathlib import Path

import pytest

from ftfkit.config.compose import composer
from ftfkit.config.experiment import compose
from ftfkit.errors import ConfigError

HEADER = "# @package _global_\n"


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        (
            HEADER + "track:\n  id: a\n  variants:\n    loss: [focal/standrd]\n",
            (),
            ":5: loss == focal/standrd is no option",
        ),
        (HEADER + "track:\n  id: a\n  hypothsis: b\n", (), ":4: track.hypothsis == b is not a parameter here"),
        ("track:\n  id: a\n", (), ":1: must begin with the line '# @package _global_'"),
        ("defaults:\n  - override /hpo: quick\n", (), "begins with the line '# @package _global_' (ftfkit)"),
        (
            HEADER + "track:\n  id: a\n  variants:\n    loss: [focal/standard]\n",
            ("loss=focal/standrd",),
            "command line: loss == focal/standrd is no option",
        ),
    ],
)
def test_a_track_that_is_refused_is_named_with_its_line(
    text: str, given: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    file = tmp_path / "track" / "mine.yaml"
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        compose(["track=mine", *given], composer([tmp_path]))
    whole = f"{file}{said}" if said.startswith(":") else said
    assert whole in str(error.value)
