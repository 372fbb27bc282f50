from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ftfkit.errors import LedgerError, PlanError
from ftfkit.run.ledger import GENESIS, Entry, Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path / "outputs")
    for n in range(3):
        made.append("planned", {"plan_hash": f"{n}", "value": 0.1 * n})
    return made


def test_lines_are_numbered_and_chained(ledger: Ledger) -> None:
    entries = ledger.entries()
    assert [entry.n for entry in entries] == [1, 2, 3]
    assert [entry.previous for entry in entries] == [GENESIS, entries[0].hash, entries[1].hash]
    assert entries[2].facts == {"plan_hash": "2", "value": 0.2}


def test_an_absent_ledger_is_empty(tmp_path: Path) -> None:
    assert Ledger(tmp_path).entries() == ()


def test_every_digit_that_changes_is_noticed_on_its_line(ledger: Ledger) -> None:
    text = ledger.path.read_text()
    for match in re.finditer(r"\d", text):
        at = match.start()
        line = text.count("\n", 0, at) + 1
        ledger.path.write_text(f"{text[:at]}{(int(match[0]) + 1) % 10}{text[at + 1 :]}")
        with pytest.raises(LedgerError, match=rf"ledger.jsonl:{line}: "):
            ledger.entries()


def _rewritten(lines: list[str]) -> list[str]:
    """The second line changed, with a hash that fits its new content."""
    from ftfkit.run.keys import canonical, sha256

    content = json.loads(lines[1]) | {"facts": {"plan_hash": "other"}}
    del content["hash"]
    return [lines[0], canonical(content | {"hash": sha256(canonical(content))}), lines[2]]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0], lines[2]], 2),
        (lambda lines: [lines[1], lines[0], lines[2]], 1),
        (lambda lines: [*lines, lines[2]], 4),
        (_rewritten, 3),
        (lambda lines: [*lines, "{}"], 4),
        (lambda lines: [*lines, lines[2][:40]], 4),
    ],
    ids=["first gone", "middle gone", "swapped", "repeated", "rewritten", "other content", "cut"],
)
def test_lines_cannot_be_moved_taken_out_or_rewritten(
    ledger: Ledger, change: Callable[[list[str]], list[str]], line: int
) -> None:
    lines = ledger.path.read_text().splitlines()
    ledger.path.write_text("".join(f"{one}\n" for one in change(lines)))
    with pytest.raises(LedgerError, match=rf"ledger.jsonl:{line}: ") as error:
        ledger.entries()
    assert error.value.exit_code == 1


@pytest.mark.parametrize("left", [0, 1, 2])
def test_lines_cut_off_at_the_end_are_noticed(ledger: Ledger, left: int) -> None:
    lines = ledger.path.read_text().splitlines(keepends=True)
    ledger.path.write_text("".join(lines[:left]))
    for use in (ledger.entries, lambda: ledger.append("planned", {})):
        with pytest.raises(LedgerError, match=rf"ledger.jsonl: lines == {left} must be 3 or more, .* cut off"):
            use()
    assert ledger.path.read_text() == "".join(lines[:left])
    ledger.path.unlink()
    with pytest.raises(LedgerError, match="lines == 0 must be 3 or more"):
        ledger.entries()


def test_lines_cut_off_and_written_anew_are_noticed(ledger: Ledger) -> None:
    head = ledger.head.read_text()
    ledger.path.write_text(ledger.path.read_text().splitlines(keepends=True)[0])
    ledger.head.unlink()
    for n in range(3):
        ledger.append("planned", {"n": n})
    ledger.head.write_text(head)
    with pytest.raises(LedgerError, match=r"ledger.jsonl:3: hash == .* cut off and others written"):
        ledger.entries()


def test_an_older_ledger_gets_its_head_with_the_next_line(ledger: Ledger) -> None:
    ledger.head.unlink()
    assert len(ledger.entries()) == 3
    entry = ledger.append("planned", {})
    assert json.loads(ledger.head.read_text()) == {"n": 4, "hash": entry.hash}


def test_a_line_whose_writer_was_stopped_before_the_head_counts(ledger: Ledger) -> None:
    head = ledger.head.read_text()
    ledger.append("planned", {})
    ledger.head.write_text(head)
    assert len(ledger.entries()) == 4


def test_a_lost_line_feed_at_the_end_does_not_join_two_lines(ledger: Ledger) -> None:
    ledger.path.write_text(ledger.path.read_text().removesuffix("\n"))
    ledger.append("planned", {})
    assert [entry.n for entry in ledger.entries()] == [1, 2, 3, 4]


@pytest.mark.parametrize("odd", ["\u2028", "\x85"])
def test_a_name_may_hold_what_unicode_takes_for_the_end_of_a_line(ledger: Ledger, odd: str) -> None:
    ledger.append("planned", {"file": f"plans{odd}.json"})
    assert ledger.entries()[-1].facts == {"file": f"plans{odd}.json"}


def test_a_line_is_kept_out_by_what_another_driver_wrote_first(ledger: Ledger) -> None:
    def only_three(entries: Sequence[Entry]) -> None:
        if len(entries) > 3:
            raise PlanError("opened already")

    ledger.append("opened", {"variant": "one"}, only_three)
    with pytest.raises(PlanError, match="opened already"):
        ledger.append("opened", {"variant": "other"}, only_three)
    assert [entry.facts for entry in ledger.entries()[3:]] == [{"variant": "one"}]


@pytest.mark.parametrize("text", ["", "{}", "[]", "3"])
def test_a_damaged_head_is_named(ledger: Ledger, text: str) -> None:
    ledger.head.write_text(text)
    with pytest.raises(LedgerError, match=r"ledger.head: does not name the ledger's last line"):
        ledger.entries()


def test_nothing_is_chained_to_a_damaged_line(ledger: Ledger) -> None:
    ledger.path.write_text(ledger.path.read_text().replace('"value":0.2', '"value":0.3'))
    with pytest.raises(LedgerError, match=r"ledger.jsonl:3: hash"):
        ledger.append("planned", {})


def test_writers_at_the_same_time_keep_one_chain(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: Ledger(ledger.path.parent).append("judged", {"n": n}), range(40)))
    entries = ledger.entries()
    assert len(entries) == 43
    assert {entry.facts["n"] for entry in entries[3:]} == set(range(40))


def test_figures_that_json_cannot_hold_are_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        ledger.append("judged", {"value": float("nan")})
    assert len(ledger.entries()) == 3


def test_a_ledger_that_is_no_text_is_refused_in_one_line(ledger: Ledger) -> None:
    ledger.path.write_bytes(b"\xff\xfe")
    with pytest.raises(LedgerError, match=r"ledger\.jsonl: is not text") as refused:
        ledger.entries()
    assert "\n" not in str(refused.value)
    with pytest.raises(LedgerError, match="is not text"):
        ledger.append("planned", {})
