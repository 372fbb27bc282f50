"""The command line from plan to lock: what it prints, writes, refuses and exits with."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from ftfkit.__main__ import main
from ftfkit.config.experiment import compose
from ftfkit.run.ledger import Ledger
from ftfkit.run.records import list_runs
from ftfkit.run.sweep import run_sweep

Capture = pytest.CaptureFixture[str]


def lock(desk, *words: str) -> int:
    return main(["lock", *words, f"--output={desk.output}"])


def env_of(desk):
    return desk.output / "champion" / "ftf_config.base_env"


def test_a_lock_shows_its_diff_is_what_the_next_sweep_starts_from_and_can_be_undone(desk, capsys: Capture) -> None:
    assert lock(desk, desk.run_id, "standard", "--dry-run") == 0
    assert (
        capsys.readouterr().out
        == f"--- /dev/null\n+++ {env_of(desk)}\n@@ -0,0 +1 @@\n+CVN_LOSS_FUNCTION=focal/standard\n"
    )
    assert not env_of(desk).exists()
    assert lock(desk, desk.run_id, "standard") == 0
    assert "+CVN_LOSS_FUNCTION=focal/standard\nstandard is the champion: " in capsys.readouterr().out
    assert env_of(desk).read_text() == "CVN_LOSS_FUNCTION=focal/standard\n"
    assert compose([f"output.dir={desk.output}"]).baseline.spec.options["loss"] == "focal/standard"
    assert lock(desk, "--undo") == 0
    assert f"the lock of standard (run {desk.run_id}) is taken back" in capsys.readouterr().out
    assert not env_of(desk).exists()
    assert lock(desk, "--history") == 0
    assert re.findall(r"Z?  (locked|unlocked) +standard", capsys.readouterr().out.replace("+00:00", "Z")) == [
        "locked",
        "unlocked",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--undo", "--dry-run"], "--undo and --dry-run exclude each other"),
        (["--undo", "--history"], "--undo and --history exclude each other"),
        (["ftf_1", "standard", "--undo"], "--undo takes no RUN and no VARIANT, found ftf_1 standard"),
        (["ftf_1", "--history"], "--history takes no RUN and no VARIANT, found ftf_1"),
    ],
)
def test_flags_that_would_be_left_unheard_are_refused(words: list[str], told: str, capsys: Capture) -> None:
    assert main(["lock", *words]) == 2
    assert capsys.readouterr().err == f"command line: {told}\n"


def test_a_run_compared_with_an_older_champion_is_not_locked(desk, capsys: Capture) -> None:
    assert lock(desk, desk.run_id, "standard") == 0
    assert lock(desk, desk.run_id, "standard") == 1
    assert capsys.readouterr().err.startswith("lock refused: the champion has changed since: ")


def test_the_start_of_a_run_says_where_its_baseline_is_from(desk) -> None:
    assert lock(desk, desk.run_id, "standard") == 0
    told: list[str] = []

    class Told:
        def start(self, n_cells: int, n_reused: int) -> None: ...

        def advance(self, outcome: object) -> None: ...

        def line(self, text: str) -> None:
            told.append(text)

        def stop(self) -> None: ...

    overrides = [one for one in desk.overrides if not one.startswith("track=")]
    found = run_sweep(compose([*overrides, f"output.dir={desk.output}"]), progress=Told())
    assert told[0] == f"the baseline stands on the champion locked by {desk.run_id} standard"
    assert json.loads((found.folder / "plan.json").read_text())["champion"] == f"{desk.run_id} standard"


def test_an_unplanned_run_is_refused_with_a_line_for_each_reason(desk, capsys: Capture) -> None:
    plain = replace(desk, overrides=tuple(one for one in desk.overrides if not one.startswith("track=")))
    run = run_sweep(plain.compose("loss=focal/standard", "gates=easy"))
    assert lock(desk, run.run_id, "standard") == 5  # a run without a dossier does not verify
    assert "verify: " in capsys.readouterr().err
    _with_dossier(run.folder)
    assert lock(desk, run.run_id, "standard") == 1
    reasons = capsys.readouterr().err.splitlines()
    assert [line.removeprefix("lock refused: ").split(":")[0] for line in reasons] == [
        "mlops_readiness was not applicable, must PASS",
        "the run was not pre-registered",
    ]
    assert not env_of(desk).exists()


def _with_dossier(folder) -> None:
    assert main(["report", str(folder)]) == 0


def test_a_run_that_does_not_verify_is_refused_with_its_place(desk, capsys: Capture) -> None:
    file = desk.run / "verdict.json"
    file.write_text(file.read_text().replace('"n_pairs": 4', '"n_pairs": 5'))
    assert lock(desk, desk.run_id, "nosuch") == 2  # which needs no verification
    assert "nosuch is no variant of this run; known: standard" in capsys.readouterr().err
    assert lock(desk, desk.run_id, "standard") == 5
    assert "lock refused: verify: verdict.json: variants.standard.comparison.n_pairs: " in capsys.readouterr().err


def test_what_could_not_be_verified_is_not_locked(desk, capsys: Capture) -> None:
    (desk.output / "store.db").unlink()
    assert lock(desk, desk.run_id, "standard") == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(": not checked: ")[0] for line in lines] == ["lock refused"] * 2
    assert lines[1].endswith("the store has none of these rows; they were checked against the ledger alone")
    assert not env_of(desk).exists()


def test_a_variant_that_its_hold_out_does_not_confirm_is_never_locked(desk, capsys: Capture) -> None:
    """On these bars focal/standard lifts one of two assets."""
    assert lock(desk, desk.run_id, "standard", "--confirm") == 1
    told = capsys.readouterr()
    assert len(re.findall(r"^hold-out   \w+ delta f1_buy [+-]0\.\d{4}$", told.out, re.MULTILINE)) == 2
    reached = "1 of 2 assets reach 0.001, needed 2"
    assert told.err == f"lock refused: the hold-out does not confirm standard: {reached}\n"
    assert Ledger(desk.output).entries()[-1].facts["passed"] is False
    assert lock(desk, desk.run_id, "standard") == 1
    assert capsys.readouterr().err == "lock refused: its hold-out did not confirm it\n"
    assert main([f"plan={desk.plan_file}", f"output.dir={desk.output}"]) == 0
    capsys.readouterr()
    assert lock(desk, list_runs(desk.output)[0].run_id, "standard") == 1
    assert capsys.readouterr().err == "lock refused: its hold-out did not confirm it\n"
    assert not env_of(desk).exists()


def test_a_variant_that_its_hold_out_confirms_is_locked(desk, capsys: Capture) -> None:
    """On these bars focal/class_balanced lifts both assets."""
    words = [*desk.overrides, "loss=focal/class_balanced", f"output.dir={desk.output}", f"--config-dir={desk.conf}"]
    assert main(["plan", *words, "--out", str(desk.folder / "p.json")]) == 0
    assert main([f"plan={desk.folder / 'p.json'}"]) == 0
    run = list_runs(desk.output)[0]
    capsys.readouterr()
    assert lock(desk, run.run_id, "class_balanced", "--confirm") == 0
    assert "hold-out   2 of 2 assets reach 0.001, needed 2\n" in capsys.readouterr().out
    assert [entry.kind for entry in Ledger(desk.output).entries()][-3:] == ["opened", "confirmed", "locked"]
    assert env_of(desk).read_text() == "CVN_LOSS_FUNCTION=focal/class_balanced\n"


def test_the_kinder_of_two_registered_gate_sets_is_not_locked(desk, capsys: Capture) -> None:
    words = [*desk.overrides, "loss=focal/class_balanced", f"output.dir={desk.output}", f"--config-dir={desk.conf}"]
    files = {n: desk.folder / f"{n}.json" for n in (100_000, 1)}
    for n, file in files.items():
        assert main(["plan", *words, f"gates.checks.sample_size.min_trades={n}", "--out", str(file)]) == 0
    run_sweep(compose([f"plan={files[100_000]}"]))  # whose dossier nothing here is about
    assert main([f"plan={files[1]}"]) == 0
    strict, kind = list_runs(desk.output)[1], list_runs(desk.output)[0]
    told = json.loads((kind.folder / "advice.json").read_text())["elsewhere"]
    refused = strict.verdict.variants["class_balanced"].verdict
    assert refused != "LOCK"
    assert [(one["kind"], one["verdict"]) for one in told] == [("planned", None), ("judged", refused)]
    assert "**Same variants in other plans**: class_balanced is also in another plan" in (
        (kind.folder / "dossier.md").read_text()
    )
    capsys.readouterr()
    assert lock(desk, kind.run_id, "class_balanced") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"lock refused: another plan judged it {refused} (run {strict.run_id}, ledger line ")


def test_a_history_without_locks_says_so(desk, capsys: Capture) -> None:
    assert lock(desk, "--history") == 0
    assert capsys.readouterr().out.startswith("nothing was locked in ")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "lock needs RUN VARIANT"),
        (["only_a_run"], 2, "lock needs RUN VARIANT"),
        (["no_such_run", "standard"], 2, "'no_such_run' is not a run in"),
        (["--undo"], 1, "holds no lock, nothing can be undone"),
    ],
)
def test_mistakes_are_one_line(desk, capsys: Capture, words: list[str], code: int, message: str) -> None:
    assert lock(desk, *words) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
