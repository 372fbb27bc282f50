from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from ftfkit.config.experiment import compose
from ftfkit.config.sections import ChampionConfig
from ftfkit.errors import ConfigError
from ftfkit.run.base_env import changed_env, option_variables, unified_diff

FOCAL = ChampionConfig(
    variables={
        "loss": {
            "none": {"CVN_LOSS_FUNCTION": "binary:logistic"},
            "*": {"CVN_LOSS_FUNCTION": "{option}", "CVN_LOSS_GAMMA": "{gamma}"},
        }
    }
)
GAMMA = {"name": "focal", "gamma": 2.0, "alpha": 0.25}


def test_the_shipped_conf_can_say_every_factor_group() -> None:
    config = compose([]).champion
    assert option_variables(config, "loss", "none", {}) == {"CVN_LOSS_FUNCTION": "binary:logistic"}
    assert option_variables(config, "loss", "focal/standard", GAMMA) == {"CVN_LOSS_FUNCTION": "focal/standard"}
    for group in ("features", "label", "targets", "balancing", "model", "decision"):
        (value,) = option_variables(config, group, "some/option", {}).values()
        assert value == "some/option"


def test_parameters_are_filled_in_and_variables_of_other_options_go() -> None:
    found = option_variables(FOCAL, "loss", "focal/standard", GAMMA)
    assert found == {"CVN_LOSS_FUNCTION": "focal/standard", "CVN_LOSS_GAMMA": "2.0"}
    back = option_variables(FOCAL, "loss", "none", {"name": "logistic"})
    assert back == {"CVN_LOSS_FUNCTION": "binary:logistic", "CVN_LOSS_GAMMA": None}


@pytest.mark.parametrize(
    ("group", "parameters", "values", "rule"),
    [
        ("model", {}, [], "must have an entry for this option, or '\\*'"),
        ("loss", {"alpha": 0.25}, [], "{gamma} must be one of: alpha, option"),
        ("loss", GAMMA, ["loss.alpha=0.5"], "must name {alpha}, which loss.alpha=0.5 has changed"),
    ],
)
def test_what_the_conf_cannot_say_is_refused(group: str, parameters: Any, values: list[str], rule: str) -> None:
    with pytest.raises(ConfigError, match=rf"champion\.variables\.{group} == .*{rule}"):
        option_variables(FOCAL, group, "x/y", parameters, values)


def test_a_changed_value_that_the_variables_name_is_fine() -> None:
    assert option_variables(FOCAL, "loss", "x", GAMMA, ["loss.gamma=2"])["CVN_LOSS_GAMMA"] == "2.0"
    assert option_variables(FOCAL, "loss", "x", GAMMA, ["++loss.gamma=2"])["CVN_LOSS_GAMMA"] == "2.0"


@pytest.mark.parametrize(
    ("before", "variables", "after"),
    [
        (None, {"A": "1"}, "A=1\n"),
        ("", {"A": "1"}, "A=1\n"),
        ("A=0\n", {"A": "1"}, "A=1\n"),
        ("A=0", {"A": "1"}, "A=1\n"),
        ("# A=0\nAB=7\n\nexport A=0\nB=2\n", {"A": "1"}, "# A=0\nAB=7\n\nexport A=1\nB=2\n"),
        ("A=0\nB=2\nA=3\n", {"A": "1"}, "A=1\nB=2\n"),
        ("A=0\nB=2\n", {"A": None, "B": "x=y"}, "B=x=y\n"),
        ("A=1\n", {"A": "1"}, "A=1\n"),
        ("# A\r\nA=0\r\nB=2", {"A": "1", "C": "3"}, "# A\r\nA=1\r\nB=2\r\nC=3\r\n"),
        ("B=2\nA=0\r\n", {"A": "1", "C": "3"}, "B=2\nA=1\r\nC=3\n"),
        ("B=x\x0cy\u2028z\n", {"A": "1"}, "B=x\x0cy\u2028z\nA=1\n"),
    ],
)
def test_only_the_named_variables_change(before: str | None, variables: dict[str, str | None], after: str) -> None:
    assert changed_env(before, variables) == after


def test_the_diff_names_files_and_changed_lines() -> None:
    file = Path("conf/base.env")
    assert unified_diff("A=1\n", "A=1\n", file) == ""
    assert unified_diff(None, "A=1\n", file) == "--- /dev/null\n+++ conf/base.env\n@@ -0,0 +1 @@\n+A=1\n"
    assert "-A=1\n+A=2\n" in unified_diff("A=1\n", "A=2\n", file)


@pytest.mark.parametrize(("before", "after"), [("A=1\nB=1", "A=2\n"), ("A=1\n", "A=2"), ("A=1", "A=2"), ("A", None)])
def test_a_diff_of_files_without_a_last_newline_is_what_diff_prints(
    tmp_path: Path, before: str, after: str | None
) -> None:
    (tmp_path / "old").write_text(before)
    (tmp_path / "new").write_text(after or "")
    run = subprocess.run(["diff", "-u", "old", "new"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert unified_diff(before, after, Path("env")).splitlines()[2:] == run.stdout.splitlines()[2:]
    assert "\n\\ No newline at end of file\n" in unified_diff(before, after, Path("env"))
