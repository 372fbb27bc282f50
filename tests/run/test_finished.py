from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ftfkit.run import finished
from ftfkit.run.finished import FinishedRows
from ftfkit.run.plan import PlannedCell
from ftfkit.run.store import Store, store_url
from ftfkit.types import Asset, Row

ASSET = Asset("AAVE", "USDC")


def cell(variant: str, row_key: str) -> PlannedCell:
    return PlannedCell(variant, ASSET, 0, "fit", row_key, "data", 0, None)


def row(row_key: str, buys: int | None = None) -> Row:
    return Row(row_key, "fit", "AAVEUSDC", 0, "ok", oof_buys_tuned=buys)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(store_url(None, tmp_path)) as opened:
        yield opened


def test_rows_come_in_the_plans_order_whatever_order_they_were_finished_in(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finished, "ROWS_AT_ONCE", 2)
    rows = FinishedRows(store, [cell("none", "a"), cell("mild", "b"), cell("bold", "a"), cell("mild", "c")])
    for key in "cba":
        store.put_row(row(key), 0.0)
        rows.accept(row(key))
    assert [(variant, one.row_key) for variant, one in rows.ordered()] == [
        ("none", "a"), ("mild", "b"), ("bold", "a"), ("mild", "c"),
    ]  # fmt: skip


def test_no_more_rows_are_read_back_at_a_time_than_said(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finished, "ROWS_AT_ONCE", 3)
    keys = [f"r{number}" for number in range(8)]
    rows = FinishedRows(store, [cell("none", key) for key in keys])
    for key in keys:
        store.put_row(row(key), 0.0)
        rows.accept(row(key))
    asked: list[int] = []
    read = store.get_rows
    monkeypatch.setattr(store, "get_rows", lambda wanted: asked.append(len(found := read(wanted))) or found)
    assert len(list(rows.ordered())) == 8
    assert asked == [3, 3, 2]


def test_skipped_rows_stand_in_no_store_and_can_be_taken_away(store: Store) -> None:
    rows = FinishedRows(store, [cell("none", "a"), cell("mild", "b")])
    store.put_row(row("a", buys=7), 0.0)
    rows.accept(row("a", buys=7))
    rows.skip({"b": Row("b", "fit", "AAVEUSDC", 0, "skipped")})
    assert [one.status for _, one in rows.ordered()] == ["ok", "skipped"]
    assert (len(rows), rows.oof_buys, store.get_rows(["b"])) == (2, {"a": 7}, {})
    rows.skip({})
    assert "a" in rows
    assert "b" not in rows
