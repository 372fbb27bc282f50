"""The same tests on SQLite and, where its server is installed, on PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from ftfkit.config.experiment import compose
from ftfkit.errors import ConfigError
from ftfkit.run.store import Store, open_store, row_from_json, row_to_json, store_of_run, store_url
from ftfkit.types import Row

ROW = Row("r1", "f1", "AAVEUSDC", 0, "ok", f1_buy=0.1 + 0.2, params={"max_depth": 4, "eta": 0.05}, no_trade=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL server of our own, without a password and on a socket only."""
    if not shutil.which("initdb"):
        pytest.skip("PostgreSQL server (initdb, pg_ctl) is not installed")
    pytest.importorskip("psycopg")
    folder = Path("/tmp") / f"ftfkit-pg-{os.getpid()}"  # a socket's path is limited to about 100 bytes
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    folder.mkdir()
    if user:
        shutil.chown(folder, user)

    def call(*command: str) -> None:
        subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    try:
        call("initdb", "-D", f"{folder}/db", "-A", "trust", "-U", "ftfkit", "-N")
        call("pg_ctl", "-D", f"{folder}/db", "-o", f"-k {folder} -c listen_addresses='' -F", "-w", "-l", "log", "start")
        yield f"postgresql+psycopg://ftfkit@/postgres?host={folder}"
        call("pg_ctl", "-D", f"{folder}/db", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return store_url(None, tmp_path / "out")
    found: str = request.getfixturevalue("server")
    engine = sa.create_engine(found)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS cells, runs, ftfkit_schema"))
    engine.dispose()
    return found


def test_a_row_comes_back_as_it_was(url: str) -> None:
    with Store(url) as store:
        store.put_row(ROW, 1.5)
        assert store.get_rows(["r1", "unknown"]) == {"r1": ROW}
    with Store(url) as again:
        assert again.get_rows(["r1"])["r1"].f1_buy == 0.1 + 0.2


def test_equal_rows_are_equal_bytes() -> None:
    other = replace(ROW, params={"eta": 0.05, "max_depth": 4})
    assert row_to_json(other) == row_to_json(ROW)
    assert row_from_json(row_to_json(ROW)) == ROW


def test_a_row_with_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        row_to_json(replace(ROW, sortino=float("nan")))


def test_an_error_row_is_replaced_and_a_good_one_is_not(url: str) -> None:
    failed = Row("r1", "f1", "AAVEUSDC", 0, "error", error="Traceback")
    with Store(url) as store:
        store.put_row(failed, 0.0)
        assert store.get_rows(["r1"])["r1"].status == "error"
        store.put_row(ROW, 1.0)
        assert store.get_rows(["r1"])["r1"] == ROW
        store.put_row(failed, 0.0)
        assert store.get_rows(["r1"])["r1"] == ROW


def test_many_keys_are_looked_up_at_once(url: str) -> None:
    with Store(url) as store:
        for number in range(0, 3000, 100):
            store.put_row(replace(ROW, row_key=f"r{number}"), 0.0)
        found = store.get_rows(f"r{number}" for number in range(3000))
        assert store.known(f"r{number}" for number in range(3000)) == set(found)
    assert sorted(found) == sorted(f"r{number}" for number in range(0, 3000, 100))


def test_a_row_is_known_though_another_version_wrote_it(url: str) -> None:
    with Store(url) as store:
        store.put_row(ROW, 0.0)
        with store._engine.begin() as connection:
            connection.execute(sa.text("UPDATE cells SET row = '{\"other_field\": 1}'"))
        assert store.known(["r1", "unknown"]) == {"r1"}


def test_runs_are_recorded_from_start_to_end(url: str) -> None:
    with Store(url) as store:
        store.start_run("ftf_1", Path("/out/runs/ftf_1"), '{"schema": 1}')
        assert [(run.run_id, run.status, run.finished_utc) for run in store.runs()] == [("ftf_1", "running", None)]
        store.finish_run("ftf_1", "interrupted")
        (run,) = store.runs()
        assert (run.status, run.folder) == ("interrupted", Path("/out/runs/ftf_1"))
        assert run.finished_utc
        assert store.plan("ftf_1") == {"schema": 1}
        assert store.plan("ftf_2") is None


def test_another_schema_is_refused(url: str) -> None:
    Store(url).__exit__(None, None, None)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE ftfkit_schema SET version = 99"))
    engine.dispose()
    with pytest.raises(ConfigError, match="holds schema 99, this ftfkit reads schema 1"):
        Store(url)


@pytest.mark.parametrize("wrong", ["nonsense", "sqlite:////no/such/folder/store.db", "oracle://u:secret@h/d"])
def test_a_store_that_cannot_be_opened_is_one_line_without_password(wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"store\.url == .* cannot be opened") as refused:
        Store(wrong)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


WRITER = """
import sys
from dataclasses import replace
from ftfkit.run.store import Store
from ftfkit.types import Row
url, name = sys.argv[1:]
with Store(url) as store:
    for number in range(200):
        store.put_row(Row(f"shared{number}", "f", "A", 0, "ok", f1_buy=0.5), 0.0)
        store.put_row(Row(f"{name}{number}", "f", "A", 0, "ok", f1_buy=0.5), 0.0)
"""


def test_two_drivers_write_at_once_from_an_empty_store(url: str) -> None:
    drivers = [subprocess.Popen([sys.executable, "-c", WRITER, url, name]) for name in ("a", "b")]
    assert [driver.wait(timeout=120) for driver in drivers] == [0, 0]
    wanted = [f"{name}{number}" for name in ("shared", "a", "b") for number in range(200)]
    with Store(url) as store:
        assert len(store.get_rows(wanted)) == 600


def test_a_masked_password_is_left_to_the_driver(tmp_path: Path) -> None:
    assert store_url("postgresql+psycopg://me:***@host/name", tmp_path) == "postgresql+psycopg://me@host/name"
    assert store_url("postgresql+psycopg://me:own@host/name", tmp_path) == "postgresql+psycopg://me:own@host/name"


def test_a_refused_store_blames_who_set_it(tmp_path: Path) -> None:
    asked = compose(["store.url=sqlite:////no/such/folder/store.db"])
    with pytest.raises(ConfigError, match=r"^command line: store\.url == sqlite:////no/such/.* cannot be opened"):
        open_store(asked)
    plan = tmp_path / "plan.json"
    plan.write_text('{"overrides": ["store.url=sqlite:////no/such/folder/store.db", "seed=1"]}')
    of_run = compose([f"plan={plan}"])
    for open_it in (open_store, lambda planned: store_of_run(planned, tmp_path)):
        with pytest.raises(ConfigError, match=rf"^{plan}: store\.url == sqlite:////no/such/.* cannot be opened"):
            open_it(of_run)
    with pytest.raises(ConfigError, match=r"^command line: store\.url == sqlite:////nor/this/"):
        open_store(compose([f"plan={plan}", "store.url=sqlite:////nor/this/store.db"]))
    (tmp_path / "store.db").mkdir()
    with pytest.raises(ConfigError, match=r"^command line: output\.dir == .* holds a store\.db that cannot be opened"):
        open_store(compose([f"output.dir={tmp_path}"]))
