from __future__ import annotations

from pathlib import Path

import pytest

from ftfkit.config.folders import ConfFolder, conf_dir, conf_folders, line_of, load_yaml
from ftfkit.errors import ConfigError, PluginError


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_nested_options_are_listed_with_their_path(tmp_path: Path) -> None:
    write(tmp_path, "loss/focal/standard.yaml", "name: focal")
    write(tmp_path, "loss/plain.yaml", "name: logistic")
    assert ConfFolder("x", tmp_path).options("loss") == ["focal/standard", "plain"]


def test_an_option_in_two_folders_is_refused_not_shadowed(tmp_path: Path) -> None:
    write(tmp_path, "universe/demo.yaml", "name: demo")
    with pytest.raises(PluginError, match=r"option 'universe/demo' of --config-dir is already defined by ftfkit"):
        conf_folders(extra=[tmp_path])


def test_line_of_finds_nested_keys_and_says_none_for_absent_ones(tmp_path: Path) -> None:
    file = write(tmp_path, "x.yaml", "# comment\na:\n  b:\n    c: 1\n  d: 2\n")
    assert line_of(file, ["a", "b", "c"]) == 4
    assert line_of(file, ["a", "d"]) == 5
    assert line_of(file, ["a", "e"]) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\n  bad: [1,\n", r"x\.yaml:\d+: bad YAML"),
        ("- a\n- b\n", "must be a mapping"),
        ("name: x\ninner:\n  _target_: os.system\n", r"x\.yaml:3: inner\._target_ == \.\.\. is not allowed"),
        ("# @package _global_\nhydra:\n  callbacks: {}\n", r"x\.yaml:3: hydra\.callbacks"),
    ],
)
def test_files_that_break_or_could_run_code_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_yaml(write(tmp_path, "x.yaml", text))


def test_no_shipped_option_is_named_like_a_yaml_boolean() -> None:
    names = {file.stem.lower() for file in conf_dir().rglob("*.yaml")}
    assert not names & {"on", "off", "yes", "no", "true", "false", "null"}
