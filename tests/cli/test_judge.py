from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ftfkit.__main__ import main
from ftfkit.api import judge
from ftfkit.cli.table import print_gates
from ftfkit.types import GateResult

ROWS = "\n".join(
    [
        "variant,asset,fold,status,f1_buy,expectancy_bps,sortino,max_drawdown_pct,n_trades",
        *(
            f"{name},A,{fold},ok,{0.4 + lift},1,1,2,60"
            for name, lift in (("none", 0), ("better", 0.02))
            for fold in (0, 1)
        ),
    ]
)


@pytest.mark.parametrize("flags_first", [True, False])
def test_overrides_may_stand_behind_flags(
    flags_first: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(ROWS)
    words, flags = [str(file), "gates.required_lift=0.5"], ["--gates", "f1_buy_boost", "--json"]
    assert main(["judge", *([*flags, *words] if flags_first else [words[0], *flags, words[1]])]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["variants"]["better"]["gates"]["f1_lift"]["threshold"] == 0.5


@pytest.mark.parametrize("name", ["technical+xgboost[max_rounds=50]+loss", "slow[/v2]", "a:heart:b"])
def test_names_and_units_are_printed_as_they_are(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    file = tmp_path / "rows.csv"
    file.write_text(ROWS.replace("better", name))
    assert main(["judge", str(file)]) == 0
    assert re.search(rf"^ *{re.escape(name)} +[A-Z]{{4}}", capsys.readouterr().out, re.MULTILINE)
    verdict = judge(file)
    variant = replace(verdict.variants[name], gates={f"gate {name}": GateResult("FAIL", 1.0, 2.0, f"[bps] {name}")})
    print_gates(replace(verdict, variants={name: variant}))
    assert re.search(rf"gate {re.escape(name)} +FAIL .*\[bps\] {re.escape(name)}", capsys.readouterr().out)


def test_rows_of_the_baseline_alone_have_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("\n".join(line for line in ROWS.splitlines() if not line.startswith("better")))
    assert main(["judge", str(file)]) == 0
    assert capsys.readouterr().out == "rows of the baseline none alone; no variant, so no verdict\n"


@pytest.mark.parametrize("plan", ["{}", "[]", "{"])
def test_a_run_whose_plan_is_damaged_is_refused_in_one_line(
    plan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.json").write_text(plan)
    assert main(["judge", str(tmp_path)]) == 1
    assert re.fullmatch(r".*plan\.json: cannot be read: .*\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (100, "variant verdict mean Δ CI95 d_z p (BH) NB p (BH)"),
        (70, "variant verdict mean Δ CI95 d_z p (BH)"),
        (60, "variant verdict mean Δ CI95"),
        (40, "variant verdict mean Δ"),
    ],
)
def test_a_narrow_terminal_keeps_variant_and_verdict(
    columns: int, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    file = tmp_path / "rows.csv"
    file.write_text(ROWS.replace("better", "aggressive_focus"))
    assert main(["judge", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (head,) = (number for number, line in enumerate(lines) if line.split()[:2] == ["variant", "verdict"])
    assert " ".join(lines[head].split()) == shown
    assert lines[head + 2].split()[0] == "aggressive_focus"
    assert max(map(len, lines[head : head + 3])) <= columns


def test_a_pipe_gets_whole_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    name = "technical+xgboost+hist_gradient_boosting+" + "x" * 80
    file = tmp_path / "rows.csv"
    file.write_text(ROWS.replace("better", name))
    assert main(["judge", str(file)]) == 0
    (line, *_) = (one for one in capsys.readouterr().out.splitlines() if one.split()[:1] == [name])
    assert len(line.split()) >= 8  # variant, verdict, mean, two bounds and three more figures
