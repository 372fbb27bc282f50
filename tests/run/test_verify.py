"""One digit changed anywhere in a run is found, and its place is named."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from ftfkit.api import verify
from ftfkit.config.experiment import compose
from ftfkit.config.schema import Experiment
from ftfkit.run.records import write_manifest
from ftfkit.run.rescore import rescored
from ftfkit.run.store import Store, store_url
from ftfkit.run.sweep import run_sweep
from ftfkit.run.verify import Verification, verify_run

GATE_PACKAGE = "ftfkit-gate-cost-sensitivity"

# The desk of tests/conftest.py: ``desk`` is a copy that may be changed, ``finished_desk`` is shared.


def _undrawn(folder: Path) -> Path:
    """Stands for the dossier where a test is about numbers: drawing takes most of a verification's time."""
    return folder


@cache
def _planned(plan_file: Path) -> Experiment:
    return compose([f"plan={plan_file}"])


def check(desk, **changes) -> Verification:
    """Copies of the desk share its plan, which is composed once."""
    shared = desk.conf.resolve().parent / desk.plan_file.relative_to(desk.folder)
    experiment = changes["experiment"] if "experiment" in changes else _planned(shared)
    return verify_run(desk.run, desk.output, experiment, changes.get("render", _undrawn))


def plan_of(desk) -> dict:
    return json.loads((desk.run / "plan.json").read_text())


def flipped(text: str, seed: str) -> str:
    """The text with one digit changed."""
    match = random.Random(seed).choice(list(re.finditer(r"\d", text)))
    return f"{text[: match.start()]}{(int(match[0]) + 1) % 10}{text[match.end() :]}"


def test_an_untouched_run_agrees_to_the_last_figure(finished_desk) -> None:
    found = verify(finished_desk.run)
    assert found.mismatches == ()
    assert found.notes == ()
    assert {"rows.parquet: 8 rows as stored", "dossier.md", "figures/forest.png", "data: 2 of 2 fingerprints"} <= {
        *found.checked
    }
    assert "rows: 8 recomputed from predictions" in found.checked


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", ["plan.json", "verdict.json", "comparisons.json", "advice.json", "manifest.json"])
def test_a_digit_changed_in_a_json_file_is_named(desk, name: str, seed: int) -> None:
    file = desk.run / name
    file.write_text(flipped(file.read_text(), f"{name} {seed}"))
    if name != "manifest.json":
        write_manifest(desk.run)  # whoever changes a figure may well fit the manifest to it
    found = check(desk)
    assert any(re.match(rf"{name}: [\w.\[\]/-]+: ", line) for line in found.mismatches), found.mismatches


@pytest.mark.parametrize(
    ("column", "place"),
    [("f1_buy", 3), ("n_trades", 0), ("threshold_tuned", 7), ("params", 2), ("test_events", 5), ("n_purged", 1)],
)
def test_a_value_changed_in_the_rows_is_named(desk, column: str, place: int) -> None:
    rows = pd.read_parquet(desk.run / "rows.parquet")
    value = rows.loc[place, column]
    rows.loc[place, column] = flipped(value, column) if isinstance(value, str) else value + 1
    rows.to_parquet(desk.run / "rows.parquet", index=False)
    write_manifest(desk.run)
    first = check(desk).mismatches[0]
    row = rows.loc[place]
    cell = f"{row['variant']}, {row['asset']}, fold {row['fold']}"
    assert first.startswith(f"rows.parquet: row {place + 1} ({cell}): {column}: stored {value}, found ")


def test_a_value_changed_in_the_store_is_named(desk) -> None:
    engine = sa.create_engine(store_url(None, desk.output))
    key = json.loads((desk.run / "plan.json").read_text())["cells"][4]["row_key"]
    with engine.begin() as connection:
        text = connection.execute(sa.text("SELECT row FROM cells WHERE row_key = :key"), {"key": key}).scalar_one()
        changed = re.sub(r'"f1_buy":[\d.]+', '"f1_buy":0.999', text)
        connection.execute(sa.text("UPDATE cells SET row = :row WHERE row_key = :key"), {"row": changed, "key": key})
    engine.dispose()
    (line,) = check(desk).mismatches
    assert re.match(r"rows\.parquet: row 5 \(standard, AAVEUSDC, fold 0\): f1_buy: stored 0\.999, found 0\.\d+", line)


def test_rows_and_store_changed_alike_contradict_the_ledger(desk) -> None:
    rows = pd.read_parquet(desk.run / "rows.parquet")
    rows.loc[4, "f1_buy"] = 0.9
    rows.to_parquet(desk.run / "rows.parquet", index=False)
    (desk.output / "store.db").unlink()
    write_manifest(desk.run)
    found = check(desk)
    assert any(note.startswith("the store has none of these rows") for note in found.notes)
    assert any(line.startswith("ledger.jsonl: line 3: files.rows.parquet: entered") for line in found.mismatches)
    assert any(re.match(r"ledger\.jsonl: line 3: variants\.standard\.f1\.0: ", line) for line in found.mismatches)


def test_what_follows_from_predictions_is_recomputed_of_them(desk) -> None:
    """Whoever forges rows, and every copy of them, does not make predictions that lead to them."""
    rows = pd.read_parquet(desk.run / "rows.parquet")
    forged = ("f1_buy", "f1_buy_fixed", "f1_buy_tuned", "average_precision")
    rows.loc[4, [*forged]] += 1e-6
    rows.loc[1, "n_trades"] += 1
    rows.to_parquet(desk.run / "rows.parquet", index=False)
    inputs = rescored(plan_of(desk), desk.compose(), rows, desk.output / "predictions")
    assert [line.split(" predictions give ")[0] for line in inputs.mismatches] == [
        f"{cell}: {column}:"
        for cell, columns in (
            ("none, AAVEUSDC, fold 1", ["n_trades"]),
            ("standard, AAVEUSDC, fold 0", ["average_precision", *forged[:3]]),
        )
        for column in columns
    ]
    (desk.output / "store.db").unlink()
    write_manifest(desk.run)
    line = re.compile(r"predictions: standard, AAVEUSDC, fold 0: f1_buy: predictions give 0\.\d+, the row has 0\.\d+")
    assert any(map(line.fullmatch, check(desk).mismatches))
    for file in (desk.output / "predictions").iterdir():
        file.unlink()
    assert not any(map(line.fullmatch, check(desk).mismatches))


def test_a_rule_that_reproduces_the_baseline_is_recomputed(desk) -> None:
    judged = replace(desk, run_id=run_sweep(desk.compose("decision=matched_rate")).run_id)
    rows = pd.read_parquet(judged.run / "rows.parquet")
    found = rescored(plan_of(judged), desk.compose("decision=matched_rate"), rows, desk.output / "predictions")
    assert found.mismatches == found.notes == ()
    other = rescored(plan_of(judged), desk.compose("decision=tuned"), rows, desk.output / "predictions")
    assert other.mismatches == ()
    assert other.notes[0] == "rows: standard is composed otherwise now, and was not recomputed from predictions"


@pytest.mark.parametrize("seed", range(3))
def test_a_digit_changed_in_the_ledger_is_named_with_its_line(desk, seed: int) -> None:
    file = desk.output / "ledger.jsonl"
    file.write_text(flipped(file.read_text(), str(seed)))
    (line,) = check(desk).mismatches
    assert re.match(r"ledger\.jsonl: .*ledger\.jsonl:\d: hash == ", line)


def test_a_ledger_without_the_run_is_not_enough(desk) -> None:
    file = desk.output / "ledger.jsonl"
    file.write_text(file.read_text().splitlines(keepends=True)[0])
    (line,) = check(desk).mismatches
    assert line.startswith(f"ledger.jsonl: {file}: lines == 1 must be ")
    file.with_name("ledger.head").unlink()
    assert check(desk).mismatches == (f"ledger.jsonl: has no line of {desk.run_id}",)


def test_predictions_that_are_damaged_or_of_another_fit_are_named(desk) -> None:
    folder = desk.output / "predictions"
    rows = pd.read_parquet(desk.run / "rows.parquet")
    first, second, third = rows["fit_key"].drop_duplicates()[:3]
    shutil.copyfile(folder / f"{rows['fit_key'].iloc[-1]}.parquet", folder / f"{first}.parquet")
    (folder / f"{second}.parquet").write_bytes(b"PAR1")
    (folder / f"{third}.parquet").unlink()
    found = check(desk)
    own = rows.iloc[0]
    assert found.notes == (f"predictions: 1 of {rows['fit_key'].nunique()} files are not in {folder}",)
    assert all(line.startswith("predictions: ") for line in found.mismatches)
    assert any(f"{own['variant']}, {own['asset']}, fold 0: n_train: " in line for line in found.mismatches)
    assert any(line.endswith(f"{second}.parquet is damaged") for line in found.mismatches)


def test_bytes_changed_in_other_files_are_named(desk) -> None:
    for name in ("timings.parquet", "figures/forest.png", "dossier.html"):
        file = desk.run / name
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    found = check(desk).mismatches
    assert [line.partition(":")[0] for line in found] == ["manifest.json"] * 3
    assert [line.split(": ")[1] for line in found] == ["dossier.html", "figures/forest.png", "timings.parquet"]


def test_files_added_and_missing_are_named(desk) -> None:
    (desk.run / "extra.csv").write_text("1")
    (desk.run / "timings.parquet").unlink()
    first, second = check(desk).mismatches
    assert first.startswith("manifest.json: extra.csv: listed not, found ")
    assert second.endswith("found no such file")


def test_a_changed_readiness_document_is_named(desk) -> None:
    file = desk.run / "readiness.md"
    file.write_text(file.read_text().replace("Said in full.", "", 1))
    found = check(desk).mismatches
    assert any(line.startswith("readiness.md: sha256: planned ") for line in found)
    assert any(line.startswith("verdict.json: variants.standard.gates.mlops_readiness.") for line in found)


def test_rows_that_cannot_be_read_are_said(desk) -> None:
    (desk.run / "rows.parquet").write_bytes(b"PAR1 and nothing else")
    assert any(line.startswith("rows.parquet: cannot be read: ") for line in check(desk).mismatches)


def test_a_run_that_has_not_finished_is_said_and_not_searched(desk) -> None:
    for name in ("rows.parquet", "verdict.json", "manifest.json"):
        (desk.run / name).unlink()
    found = check(desk)
    assert found.mismatches == ("rows.parquet: is missing: the run has not finished, and its command goes on with it",)
    assert found.checked == ()


def test_a_plan_that_is_none_is_said(desk) -> None:
    (desk.run / "plan.json").write_text("[]")
    (line,) = verify_run(desk.run, desk.output, None, _undrawn).mismatches
    assert line.startswith("plan.json: is not a plan: ")


def test_a_plan_that_lacks_something_is_said_beside_the_rest(desk) -> None:
    plan = json.loads((desk.run / "plan.json").read_text())
    del plan["period"]
    (desk.run / "plan.json").write_text(json.dumps(plan))
    found = check(desk).mismatches
    assert "plan.json: what follows from it cannot be checked: KeyError: 'period'" in found
    assert any(line.startswith("plan.json: period: stored ") for line in found)
    assert not any("is not a plan" in line for line in found)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("null_checks.json", b"[{"),
        ("readiness.md", b"\xff"),
        ("manifest.json", b"[1]"),
        ("verdict.json", b"{"),
        ("rows.parquet", None),
    ],
)
def test_a_file_that_cannot_be_read_is_named_itself(desk, name: str, content: bytes | None) -> None:
    if content is None:
        pd.read_parquet(desk.run / name).drop(columns="f1_buy").to_parquet(desk.run / name)
    else:
        (desk.run / name).write_bytes(content)
    found = check(desk).mismatches
    assert any(line.startswith(f"{name}: cannot be read: ") for line in found), found
    assert not any(line.startswith("plan.json") for line in found)


def test_a_damaged_row_of_the_store_is_said(desk) -> None:
    engine = sa.create_engine(store_url(None, desk.output))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE cells SET row = '{'"))
    engine.dispose()
    (line,) = check(desk).mismatches
    assert line.startswith("store: cannot be read: JSONDecodeError: ")


def test_a_fault_of_the_code_is_not_put_down_to_the_run(desk) -> None:
    def faulty(_folder: Path) -> Path:
        raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        check(desk, render=faulty)


def test_without_the_plugin_of_a_gate_all_else_is_checked(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = "+gates.checks.cost_sensitivity={factor: 1.5, fee_bps: 1.0, slippage_bps: 1.0}"
    judged = replace(desk, run_id=run_sweep(desk.compose(gate)).run_id)
    assert check(judged).notes == ()
    monkeypatch.setenv("FTFKIT_BLOCK_PLUGINS", GATE_PACKAGE)
    found = check(judged, experiment=None)
    assert found.mismatches == ()
    assert re.match("verdict, comparisons, advice and dossier cannot be recomputed: .*cost_sensitivity", found.notes[0])
    assert found.notes[1] == f"the run was made with {GATE_PACKAGE} {version(GATE_PACKAGE)}, which is not loaded here"
    assert {one.partition(":")[0] for one in found.checked} == {
        "ledger.jsonl",
        "plan.json",
        "rows.parquet",
        "predictions",
        "manifest.json",
    }
    rows = pd.read_parquet(judged.run / "rows.parquet")
    rows.loc[3, "f1_buy"] = 0.9
    rows.to_parquet(judged.run / "rows.parquet", index=False)
    assert check(judged, experiment=None).mismatches[0].startswith("rows.parquet: row 4 ")


def test_a_digit_changed_in_the_dossier_is_named_with_its_line(desk) -> None:
    text = (desk.run / "dossier.md").read_text()
    at = text.index("Paired delta")
    digit = re.compile(r"\d").search(text, at)
    assert digit is not None
    changed = f"{text[: digit.start()]}{(int(digit[0]) + 1) % 10}{text[digit.end() :]}"
    (desk.run / "dossier.md").write_text(changed)
    write_manifest(desk.run)
    (line,) = verify(desk.run).mismatches
    assert line.startswith(f"dossier.md: line {text.count(chr(10), 0, digit.start()) + 1}: rendered ")


def test_other_bars_are_named_and_unreachable_ones_said(desk, tmp_path: Path) -> None:
    bars = tmp_path / "bars"
    shutil.copytree(next(one.partition("=")[2] for one in desk.overrides if one.startswith("data.path=")), bars)
    frame = pd.read_parquet(bars / "AAVEUSDC_1h.parquet")
    frame.loc[100, "volume"] += 1
    frame.to_parquet(bars / "AAVEUSDC_1h.parquet")
    (bars / "ARBUSDC_1h.parquet").unlink()
    found = check(desk, experiment=compose([f"plan={desk.plan_file}", f"data.path={bars}"]))
    (line,) = found.mismatches
    assert line.startswith("data: AAVEUSDC: sha256: planned ")
    (note,) = found.notes
    assert note.startswith("data: ARBUSDC cannot be reached: ")


def test_bars_that_came_later_do_not_matter(desk, tmp_path: Path) -> None:
    bars = tmp_path / "bars"
    shutil.copytree(next(one.partition("=")[2] for one in desk.overrides if one.startswith("data.path=")), bars)
    for file in bars.iterdir():
        frame = pd.read_parquet(file)
        later = frame.iloc[-24:].assign(timestamp=lambda one: one["timestamp"] + pd.Timedelta(days=1))
        pd.concat([frame, later]).to_parquet(file)
    assert check(desk, experiment=compose([f"plan={desk.plan_file}", f"data.path={bars}"])).mismatches == ()


def test_without_its_configuration_the_data_is_not_checked(desk) -> None:
    found = check(desk, experiment=None)
    assert found.mismatches == ()
    assert found.notes[0].startswith("data: the plan's configuration cannot be composed here")


def test_an_error_row_that_was_computed_since_is_no_mismatch(desk) -> None:
    rows = pd.read_parquet(desk.run / "rows.parquet")
    error = rows.loc[0].to_dict()
    with Store(store_url(None, desk.output)) as store:
        stored = store.get_rows([str(error["row_key"])])[str(error["row_key"])]
    assert stored.status == "ok"
    changed = replace(stored, status="error", f1_buy=None)
    rows.loc[0, "status"] = changed.status
    rows.to_parquet(desk.run / "rows.parquet", index=False)
    found = check(desk)
    assert not any(line.startswith("rows.parquet: row 1") for line in found.mismatches)
    assert any(note.startswith("row 1 (none, AAVEUSDC, fold 0): was an error") for note in found.notes)


@pytest.fixture
def command() -> Callable[[list[str]], int]:
    from ftfkit.__main__ import main

    return main


def test_the_command_exits_5_and_names_the_place(desk, command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["verify", desk.run_id, "--output", str(desk.output)]) == 0
    assert "agrees: rows.parquet: 8 rows as stored" in capsys.readouterr().out
    file = desk.run / "comparisons.json"
    file.write_text(re.sub(r'("n_pairs": )\d', r"\g<1>9", file.read_text()))
    assert command(["verify", desk.run_id, "--output", str(desk.output)]) == 5
    assert "comparisons.json: standard.n_pairs: recomputed 4, found 9" in capsys.readouterr().err


def test_the_command_checks_the_ledger_alone(desk, command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["verify", "--output", str(desk.output)]) == 0
    file = desk.output / "ledger.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text(lines[0])
    assert command(["verify", "--output", str(desk.output)]) == 5
    assert "ledger.jsonl: lines == 1 must be " in capsys.readouterr().err
    file.with_name("ledger.head").unlink()
    assert command(["verify", "--output", str(desk.output)]) == 5
    assert f"has no line of the completed run {desk.run_id}" in capsys.readouterr().err
    file.write_text(flipped(lines[0], "0"))
    assert command(["verify", "--output", str(desk.output)]) == 5
