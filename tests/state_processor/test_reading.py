"""State of a savepoint as rows, tables, dataframes and streams, whichever backend wrote it."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.state import ListStateDescriptor, ValueStateDescriptor
from penstock.errors import StateError
from penstock.state_processor import KeyedStateReaderFunction, Savepoint, SavepointReader
from tests.state_processor.jobs import Account, Bank

ROWS = 18  # six numbers booked, seen, and compared with the rules


@pytest.fixture(scope="module", params=["hashmap", "rocksdb", "files of rocksdb"])
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Savepoints of both backends, and an incremental checkpoint."""
    folder = tmp_path_factory.mktemp("savepoints")
    if request.param == "files of rocksdb":
        return Bank("rocksdb").retained(folder, ROWS)
    return Bank(request.param).savepoint(folder, ROWS)


def test_keyed_state_comes_as_rows_and_as_columns(path: str) -> None:
    state = Savepoint.read(path).state("bank", "account")
    rows = sorted(state.rows(), key=lambda row: row["key"])
    assert rows == [{"key": key, "value": Account(f"owner {key}", 2)} for key in range(3)]
    table = state.to_arrow()
    assert table.column_names == ["key_group", "key", "value"]
    assert table["value"].to_pylist()[0].keys() == {"owner", "bookings"}
    assert sorted(state.to_polars()["key"].to_list()) == [0, 1, 2]


def test_state_without_entries_and_values_that_arrow_does_not_take_make_tables_all_the_same(
    path: str,
) -> None:
    savepoint = Savepoint.read(path)
    unused = savepoint.state("bank", "unused")
    assert list(unused.rows()) == []
    assert (unused.to_arrow().column_names, len(unused.to_polars())) == (["key_group", "key", "value"], 0)
    half = savepoint.state("bank", "half a character")
    assert [row["value"] for row in half.rows()] == ["\ud800"] * 3
    assert {type(value) for value in half.to_arrow()["value"].to_pylist()} == {bytes}


def test_timers_windows_operator_and_broadcast_state_are_read(path: str) -> None:
    savepoint = Savepoint.read(path)
    timers = sorted(savepoint.timers("bank").rows(), key=lambda row: row["key"])
    assert timers == [{"key": key, "domain": "event", "time": 10_000 + key} for key in range(3)]
    windows = savepoint.state("sums", "window-contents").rows()
    assert sorted((row["key"], row["namespace"].end, row["value"]) for row in windows) == [
        (0, 100_000, 3),
        (1, 100_000, 5),
        (2, 100_000, 7),
    ]
    assert sorted(row["element"] for row in savepoint.state("seen", "seen")) == list(range(6))
    assert {row["key"]: row["value"] for row in savepoint.state("rules", "rules")} == {
        "x": "rule x",
        "y": "rule y",
    }


class Balances(KeyedStateReaderFunction):
    """Everything that is kept for a key."""

    def open(self, runtime_context: Any) -> None:
        self.account = runtime_context.get_state(ValueStateDescriptor("account"))
        self.amounts = runtime_context.get_list_state(ListStateDescriptor("amounts"))

    def read_key(self, key: Any, ctx: Any) -> Iterable[Any]:
        yield (
            key,
            self.account.value().bookings,
            sorted(self.amounts.get()),
            ctx.registered_event_time_timers(),
        )


def test_a_program_reads_state_as_streams(path: str) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    reader = SavepointReader.read(env, path)
    with reader.read_keyed_state("bank", Balances()).execute_and_collect() as results:
        assert sorted(results) == [(key, 2, [key, key + 3], {10_000 + key}) for key in range(3)]
    with reader.read_list_state("seen", "seen").execute_and_collect() as results:
        assert sorted(results) == list(range(6))
    with reader.read_broadcast_state("rules", "rules").execute_and_collect() as results:
        assert sorted(results) == [("x", "rule x"), ("y", "rule y")]
    with reader.window().reduce("sums", lambda a, b: a + b).execute_and_collect() as results:
        assert sorted((key, window.start, total) for key, window, total in results) == [
            (0, 0, 3),
            (1, 0, 5),
            (2, 0, 7),
        ]


def test_what_is_not_there_is_named_with_what_is(path: str) -> None:
    savepoint = Savepoint.read(path)
    with pytest.raises(StateError, match="there is no operator 'bonk'"):
        savepoint.state("bonk", "account")
    with pytest.raises(StateError, match=r"has no state 'acount'.*there are: .*'account'"):
        savepoint.state("bank", "acount")


def test_an_altered_file_is_an_error_that_names_it(path: str, tmp_path: Path) -> None:
    copy = tmp_path / "job" / "copy"
    shutil.copytree(path, copy)
    files = list(copy.glob("*-account.parquet"))
    if not files:
        shutil.copytree(Path(path).parent / "shared", tmp_path / "job" / "shared")
        files = list((tmp_path / "job" / "shared").iterdir())
    for file in files:
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(StateError, match="was altered or cut off"):
        list(Savepoint.read(str(copy)).state("bank", "account").rows())
