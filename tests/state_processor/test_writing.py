"""Savepoints that are written out of records, and changed: read back, and gone on from by jobs."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from penstock.checkpoint.manifest import Manifest, OperatorRecord, read_manifest, write_manifest
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import read_operator_snapshot, write_operator_snapshot
from penstock.common import Time, WatermarkStrategy
from penstock.datastream import RuntimeExecutionMode, StreamExecutionEnvironment
from penstock.datastream.functions import AggregateFunction, ProcessWindowFunction
from penstock.datastream.state import (
    ListStateDescriptor,
    MapStateDescriptor,
    ValueStateDescriptor,
)
from penstock.datastream.state_backend import EmbeddedRocksDBStateBackend, HashMapStateBackend, StateBackend
from penstock.datastream.window import CountTrigger, TumblingEventTimeWindows
from penstock.errors import JobFailed, ProgramError, StateError
from penstock.operators.contract import OperatorSnapshot
from penstock.state_processor import (
    BroadcastStateBootstrapFunction,
    KeyedStateBootstrapFunction,
    OperatorIdentifier,
    OperatorTransformation,
    Savepoint,
    SavepointReader,
    SavepointWriter,
    StateBootstrapFunction,
    StateBootstrapTransformation,
)
from penstock.testing import CollectingSink, EmitWatermark, ScriptedSource, StreamRecord
from tests.checkpoint.parts import Part
from tests.cli.commands import Folder
from tests.state_processor.jobs import RULES, Account, Bank, Book, Rules, Seen

MAX_PARALLELISM = 16


def environment(parallelism: int = 1, batch: bool = True) -> StreamExecutionEnvironment:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(parallelism)
    if batch:
        env.set_runtime_mode(RuntimeExecutionMode.BATCH)
    return env


class Accounts(KeyedStateBootstrapFunction):
    """The state of `Book`: a value, a list and a timer for each key."""

    def open(self, runtime_context: Any) -> None:
        self.account = runtime_context.get_state(ValueStateDescriptor("account"))
        self.amounts = runtime_context.get_list_state(ListStateDescriptor("amounts"))

    def process_element(self, value: tuple[int, int, list[int]], ctx: Any) -> None:
        key, bookings, amounts = value
        assert ctx.get_current_key() == key
        self.account.update(Account(f"owner {key}", bookings))
        self.amounts.update(amounts)
        ctx.timer_service().register_event_time_timer(10_000 + key)


class SeenBefore(StateBootstrapFunction):
    """The state of `Seen`."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def process_element(self, value: Any, ctx: Any) -> None:
        assert ctx.current_processing_time() > 0
        self.seen.append(value)

    def snapshot_state(self, context: Any) -> None:
        self.state.update(self.seen)

    def initialize_state(self, context: Any) -> None:
        assert not context.is_restored()
        self.state = context.get_operator_state_store().get_list_state(ListStateDescriptor("seen"))


class RulesBefore(BroadcastStateBootstrapFunction):
    """The state of `Rules`."""

    def process_element(self, value: str, ctx: Any) -> None:
        ctx.get_broadcast_state(RULES).put(value, f"rule {value}")


def accounts(env: StreamExecutionEnvironment, rows: Iterable[Any]) -> StateBootstrapTransformation:
    begun = OperatorTransformation.bootstrap_with(env.from_collection(list(rows)))
    return begun.key_by(lambda row: row[0]).transform(Accounts())


ROWS = [(key, 10 * key, [key, key]) for key in range(20)]


def write_bank(path: str, parallelism: int, backend: StateBackend | None = None, batch: bool = True) -> None:
    """A savepoint of the four operators of `Bank`."""
    env = environment(parallelism, batch)
    sums = OperatorTransformation.bootstrap_with(env.from_collection([(key, 100 + key) for key in range(3)]))
    writer = (
        SavepointWriter.new_savepoint(env, MAX_PARALLELISM, backend)
        .with_operator("bank", accounts(env, ROWS))
        .with_operator(
            OperatorIdentifier.for_uid("sums"),
            sums.assign_timestamps(lambda row, _: row[0])
            .key_by(lambda row: row[0])
            .window(TumblingEventTimeWindows.of(Time.seconds(100)))
            .reduce(lambda one, two: (one[0], one[1] + two[1])),
        )
        .with_operator(
            "seen",
            OperatorTransformation.bootstrap_with(env.from_collection([7, 8, 9])).transform(SeenBefore()),
        )
        .with_operator(
            "rules",
            OperatorTransformation.bootstrap_with(env.from_collection(["x", "y"])).transform(RulesBefore()),
        )
    )
    writer.write(path)
    env.execute()


@pytest.mark.parametrize(
    ("parallelism", "backend", "batch"),
    [
        (1, None, True),
        (1, EmbeddedRocksDBStateBackend(), False),
        pytest.param(2, HashMapStateBackend(), True, marks=pytest.mark.slow),
        pytest.param(2, EmbeddedRocksDBStateBackend(True), False, marks=pytest.mark.slow),
    ],
)
def test_what_was_written_is_read_again(
    parallelism: int, backend: StateBackend | None, batch: bool, tmp_path: Path
) -> None:
    path = str(tmp_path / "made")
    write_bank(path, parallelism, backend, batch)
    savepoint = Savepoint.read(path)
    assert savepoint.manifest.is_savepoint
    assert {(each.name, each.max_parallelism) for each in savepoint.operators()} == {
        (name, MAX_PARALLELISM) for name in ("bank", "sums", "seen", "rules")
    }
    found = {row["key"]: row["value"] for row in savepoint.state("bank", "account").rows()}
    assert found == {key: Account(f"owner {key}", bookings) for key, bookings, _ in ROWS}
    timers = sorted(savepoint.timers("bank").rows(), key=lambda row: row["time"])
    assert timers == [{"key": key, "domain": "event", "time": 10_000 + key} for key in range(20)]
    windows = savepoint.state("sums", "window-contents").rows()
    assert sorted((row["key"], row["namespace"].end, row["value"][1]) for row in windows) == [
        (key, 100_000, 100 + key) for key in range(3)
    ]
    assert sorted(row["element"] for row in savepoint.state("seen", "seen")) == [7, 8, 9]
    assert {row["key"]: row["value"] for row in savepoint.state("rules", "rules")} == {
        "x": "rule x",
        "y": "rule y",
    }


class GoesOn:
    """A job like `Bank`, bounded, that starts from a savepoint."""

    def __init__(
        self, path: str, parallelism: int, backend: str, ids: tuple[str, ...] = ("bank", "sums")
    ) -> None:
        self.booked, self.summed, self.seen, self.ruled = (CollectingSink() for _ in range(4))
        env = self.env = environment(parallelism, batch=False)
        env.set_max_parallelism(MAX_PARALLELISM)
        options = env.get_configuration()
        options.set_string("state.backend.type", backend)
        options.set_string("execution.state-recovery.path", path)
        items = [*(StreamRecord((key, 1), 1000) for key in range(3)), EmitWatermark(10_000)]
        source = ScriptedSource(items, bounded=True)
        pairs = env.from_source(source, WatermarkStrategy.no_watermarks(), "pairs").uid("pairs")
        keyed = pairs.map(lambda pair: pair).key_by(lambda pair: pair[0])
        keyed.process(Book()).uid(ids[0]).sink_to(self.booked).uid("booked")
        keyed.window(TumblingEventTimeWindows.of(Time.seconds(100))).reduce(
            lambda one, two: (one[0], one[1] + two[1])
        ).uid(ids[1]).sink_to(self.summed).uid("summed")
        pairs.map(Seen()).uid("seen").sink_to(self.seen).uid("seen-sink")
        rules = env.from_collection([]).broadcast(RULES)
        pairs.connect(rules).process(Rules()).uid("rules").sink_to(self.ruled).uid("ruled")


@pytest.mark.parametrize(
    ("before", "after", "backend"),
    [
        (1, 1, "rocksdb"),
        pytest.param(1, 3, "hashmap", marks=pytest.mark.slow),
        pytest.param(3, 2, "rocksdb", marks=pytest.mark.slow),
    ],
)
def test_a_job_starts_from_what_was_written(before: int, after: int, backend: str, tmp_path: Path) -> None:
    path = str(tmp_path / "made")
    write_bank(path, before)
    job = GoesOn(path, after, backend)
    result = job.env.execute()
    assert result.get_recovery().restored_checkpoint == 0
    booked = [row for row in job.booked.records if row[0] == "booked"]
    assert sorted(booked) == [("booked", key, 10 * key + 1) for key in range(3)]
    fired = [row for row in job.booked.records if row[0] == "timer"]
    assert sorted(fired) == [("timer", key, 10_000 + key) for key in range(20)]
    assert sorted(job.summed.records) == [(key, 101 + key) for key in range(3)]
    assert all(row[2] == ["x", "y"] for row in job.ruled.records) and len(job.ruled.records) == 3


def test_an_existing_savepoint_is_changed_and_stays_as_it_was(tmp_path: Path) -> None:
    old = Bank().savepoint(tmp_path / "old", 18)
    before = {file.name: file.read_bytes() for file in Path(old).iterdir()}
    env = environment()
    again = OperatorTransformation.bootstrap_with(env.from_collection([(5, 50, [5])]))
    new = str(tmp_path / "new")
    (
        SavepointWriter.from_existing_savepoint(env, old)
        .remove_operator("bank")
        .with_operator("bank", again.key_by(lambda row: row[0]).transform(Accounts()))
        .change_operator_identifier("sums", "totals")
        .remove_operator("rules")
        .write(new)
    )
    env.execute()
    assert {file.name: file.read_bytes() for file in Path(old).iterdir()} == before
    changed = Savepoint.read(new)
    assert [(row["key"], row["value"]) for row in changed.state("bank", "account")] == [
        (5, Account("owner 5", 50))
    ]
    sums = changed.state("totals", "window-contents").rows()
    assert sorted((row["key"], row["value"]) for row in sums) == [(0, 3), (1, 5), (2, 7)]
    assert sorted(row["element"] for row in changed.state("seen", "seen")) == list(range(6))
    for gone in ("sums", "rules"):
        with pytest.raises(StateError, match=f"there is no operator '{gone}'"):
            changed.record(gone)
    original = Savepoint.read(old).manifest
    assert changed.manifest.checkpoint_id == original.checkpoint_id
    assert changed.manifest.job_name == "bank"
    enumerators = [record.enumerator for record in original.operators.values() if record.enumerator]
    assert [
        record.enumerator for record in changed.manifest.operators.values() if record.enumerator
    ] == enumerators


def test_an_incremental_checkpoint_becomes_a_savepoint_of_plain_files(tmp_path: Path) -> None:
    old = Bank("rocksdb").retained(tmp_path / "old", 18)
    env = environment()
    new = str(tmp_path / "new")
    SavepointWriter.from_existing_savepoint(env, old).change_operator_identifier("bank", "banks").write(new)
    env.execute()
    shutil.rmtree(tmp_path / "old")
    assert sorted(
        file.name for file in Path(new).iterdir() if file.suffix not in (".parquet", ".pickle")
    ) == ["_metadata"]
    accounts = {row["key"]: row["value"] for row in Savepoint.read(new).state("banks", "account")}
    assert accounts == {key: Account(f"owner {key}", 2) for key in range(3)}
    assert len(list(Savepoint.read(new).timers("banks"))) == 3


def test_long_parts_of_what_an_operator_remembers_go_along(tmp_path: Path) -> None:
    identity = OperatorIdentifier.for_uid("sink").uid_hash
    place = CheckpointPlace(f"{tmp_path}/job/chk-1", f"{tmp_path}/job/shared")
    one = SubtaskPlace(0, 1, 4)
    remembered = OperatorSnapshot(own=[Part(3 << 20), "and more"])
    handle = write_operator_snapshot(place, remembered, identity, "sink", one)
    record = OperatorRecord(identity, "sink", 1, 4, (handle,))
    write_manifest(f"{tmp_path}/job/chk-1", Manifest(1, 0, "job", "a job", operators={identity: record}))
    env = environment()
    new = str(tmp_path / "new")
    writer = SavepointWriter.from_existing_savepoint(env, f"{tmp_path}/job/chk-1")
    writer.change_operator_identifier("sink", "other").write(new)
    env.execute()
    shutil.rmtree(tmp_path / "job")
    manifest, moved = read_manifest(new)
    (record,) = manifest.operators.values()
    snapshot = read_operator_snapshot(moved, record.handles, one)
    assert snapshot is not None
    part, rest = snapshot.own
    assert (part.whole(), rest) == (b"a" * (3 << 20), "and more")


def test_two_operators_change_places(tmp_path: Path) -> None:
    env = environment()
    first = str(tmp_path / "first")
    (
        SavepointWriter.new_savepoint(env, 4)
        .with_operator("one", accounts(env, [(1, 1, [])]))
        .with_operator("two", accounts(env, [(2, 2, [])]))
        .write(first)
    )
    env.execute()
    second = str(tmp_path / "second")
    writer = SavepointWriter.from_existing_savepoint(env, first)
    writer.change_operator_identifier("one", "aside").change_operator_identifier("two", "one")
    writer.change_operator_identifier("aside", "two").write(second)
    env.execute()
    keys = {
        uid: [row["key"] for row in Savepoint.read(second).state(uid, "account")] for uid in ("one", "two")
    }
    assert keys == {"one": [2], "two": [1]}


@pytest.mark.slow
def test_an_operator_keeps_a_maximum_parallelism_of_its_own(tmp_path: Path) -> None:
    env = environment(3)
    own = OperatorTransformation.bootstrap_with(env.from_collection(["x"])).set_max_parallelism(2)
    SavepointWriter.new_savepoint(env, 8).with_operator("rules", own.transform(RulesBefore())).write(
        str(tmp_path / "made")
    )
    env.execute()
    [operator] = Savepoint.read(str(tmp_path / "made")).operators()
    assert (operator.parallelism, operator.max_parallelism) == (1, 2)


class Mean(AggregateFunction):
    """Sum and number."""

    def create_accumulator(self) -> tuple[int, int]:
        return 0, 0

    def add(self, value: Any, accumulator: tuple[int, int]) -> tuple[int, int]:
        return accumulator[0] + value[1], accumulator[1] + 1

    def get_result(self, accumulator: tuple[int, int]) -> float:
        return accumulator[0] / accumulator[1]

    def merge(self, a: Any, b: Any) -> Any:
        return a[0] + b[0], a[1] + b[1]


class All(ProcessWindowFunction):
    """All records of a window."""

    def process(self, key: Any, context: Any, elements: Iterable[Any]) -> Iterable[Any]:
        yield key, sorted(elements)


def test_windows_of_accumulators_and_of_records_are_written(tmp_path: Path) -> None:
    env = environment()
    stream = env.from_collection([("a", 1), ("a", 3), ("b", 5)])
    keyed = (
        OperatorTransformation.bootstrap_with(stream)
        .assign_timestamps(lambda row, _: 0)
        .key_by(lambda row: row[0])
    )
    assigner = TumblingEventTimeWindows.of(Time.seconds(1))
    path = str(tmp_path / "made")
    (
        SavepointWriter.new_savepoint(env, 4)
        .with_operator("means", keyed.window(assigner).aggregate(Mean()))
        .with_operator("all", keyed.window(assigner).trigger(CountTrigger.of(2)).process(All()))
        .write(path)
    )
    env.execute()
    reader = SavepointReader.read(env, path)
    with reader.window(assigner).aggregate("means", Mean()).execute_and_collect() as results:
        assert sorted((key, mean) for key, _, mean in results) == [("a", 2.0), ("b", 5.0)]
    with reader.window(assigner).process("all").execute_and_collect() as results:
        assert sorted((key, values) for key, _, values in results) == [
            ("a", [("a", 1), ("a", 3)]),
            ("b", [("b", 5)]),
        ]


def test_a_failed_attempt_leaves_nothing_in_the_savepoint(tmp_path: Path) -> None:
    class FailsOnce(KeyedStateBootstrapFunction):
        def open(self, runtime_context: Any) -> None:
            self.attempt = runtime_context.get_attempt_number()
            self.state = runtime_context.get_state(ValueStateDescriptor("account"))

        def process_element(self, value: Any, ctx: Any) -> None:
            if value[0] == 9 and self.attempt == 0:
                raise ValueError("nine")
            self.state.update(value[1])

    old = Bank().savepoint(tmp_path / "old", 18)
    env = environment()
    options = env.get_configuration()
    options.set_string("restart-strategy.type", "fixed-delay").set_string(
        "restart-strategy.fixed-delay.delay", "0 s"
    )
    begun = OperatorTransformation.bootstrap_with(env.from_collection(ROWS))
    writer = SavepointWriter.from_existing_savepoint(env, old)
    writer.with_operator("again", begun.key_by(lambda row: row[0]).transform(FailsOnce()))
    path = str(tmp_path / "made")
    writer.write(path)
    env.execute()
    savepoint = Savepoint.read(path)
    assert len(list(savepoint.state("again", "account"))) == len(ROWS)
    named = {
        file.name
        for record in savepoint.manifest.operators.values()
        for handle in record.handles
        for file in handle.files
    }
    assert {file.name for file in Path(path).iterdir()} == named | {"_metadata"}


# What is wrong -----------------------------------------------------------------------------------------------------------


def test_what_does_not_fit_is_refused_at_the_users_line(tmp_path: Path) -> None:
    env = environment()
    stream = env.from_collection([(1, 1, [])])
    begun = OperatorTransformation.bootstrap_with(stream)
    with pytest.raises(ProgramError, match=r"without keys transform takes .*test_writing\.py"):
        begun.transform(Accounts())  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match="behind key_by transform takes"):
        begun.key_by(lambda row: row[0]).transform(RulesBefore())  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match="takes a DataStream without keys"):
        OperatorTransformation.bootstrap_with(stream.key_by(lambda row: row[0]))
    writer = SavepointWriter.new_savepoint(env, 4)
    with pytest.raises(ProgramError, match="no operator to write"):
        writer.write(str(tmp_path / "made"))
    writer.with_operator("bank", accounts(env, ROWS))
    with pytest.raises(ProgramError, match=r"has an operator 'bank' .* already"):
        writer.with_operator("bank", accounts(env, ROWS))
    with pytest.raises(ProgramError, match=r"there is no operator 'bonk' .*there are: 'bank'"):
        writer.remove_operator("bonk")
    with pytest.raises(ProgramError, match=r"'bonk'"):
        writer.change_operator_identifier("bonk", "bank")
    with pytest.raises(ProgramError, match="has an operator 'bank'"):
        writer.change_operator_identifier("bank", "bank")
    with pytest.raises(ProgramError, match=r"options of the state backend .*not 'parallelism\.default'"):
        writer.with_configuration("parallelism.default", 3)
    with pytest.raises(ProgramError, match="of another environment"):
        writer.with_operator("other", accounts(environment(), ROWS))
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ProgramError, match="there is something in"):
        writer.write(str(tmp_path))
    with pytest.raises(StateError, match="there is no checkpoint or savepoint"):
        SavepointWriter.from_existing_savepoint(env, str(tmp_path / "nowhere"))


def test_a_bootstrap_function_gives_no_records(tmp_path: Path) -> None:
    class Yields(KeyedStateBootstrapFunction):
        def process_element(self, value: Any, ctx: Any) -> Any:
            yield value

    env = environment()
    begun = OperatorTransformation.bootstrap_with(env.from_collection([1]))
    writer = SavepointWriter.new_savepoint(env, 4)
    writer.with_operator("bank", begun.key_by(lambda row: row).transform(Yields())).write(
        str(tmp_path / "made")
    )
    with pytest.raises(JobFailed, match="a bootstrap function writes state and gives no records"):
        env.execute()
    assert not (tmp_path / "made" / "_metadata").exists()


def test_a_job_that_takes_checkpoints_writes_no_savepoint(tmp_path: Path) -> None:
    env = environment(batch=False)
    env.enable_checkpointing(1000)
    writer = SavepointWriter.new_savepoint(env, 4).with_operator("bank", accounts(env, ROWS))
    with pytest.raises(ProgramError, match=r"set execution\.runtime-mode to BATCH"):
        writer.write(str(tmp_path / "made"))
    env.set_runtime_mode(RuntimeExecutionMode.BATCH)
    writer.write(str(tmp_path / "made"))
    env.execute()
    assert (tmp_path / "made" / "_metadata").is_file()


def test_state_that_is_of_no_operator_of_the_writer_is_read_by_its_hash(tmp_path: Path) -> None:
    env = environment()
    identifier = OperatorIdentifier.for_uid_hash("0123456789abcdef" * 2)
    path = str(tmp_path / "made")
    SavepointWriter.new_savepoint(env, 4, checkpoint_id=41).with_configuration(
        "state.backend.type", "rocksdb"
    ).with_operator(identifier, accounts(env, ROWS[:2])).write(path)
    env.execute()
    savepoint = Savepoint.read(path)
    assert savepoint.manifest.checkpoint_id == 41
    assert len(list(savepoint.state(identifier, "account"))) == 2


def test_map_state_and_a_class_of_the_program_come_back(tmp_path: Path) -> None:
    class Carts(KeyedStateBootstrapFunction):
        def open(self, runtime_context: Any) -> None:
            self.cart = runtime_context.get_map_state(MapStateDescriptor("cart"))

        def process_element(self, value: Any, ctx: Any) -> None:
            self.cart.put(value[1], Account(value[0], value[2]))

    env = environment()
    begun = OperatorTransformation.bootstrap_with(env.from_collection([("a", "tea", 1), ("a", "milk", 2)]))
    path = str(tmp_path / "made")
    SavepointWriter.new_savepoint(env, 4).with_operator(
        "carts", begun.key_by(lambda row: row[0]).transform(Carts())
    ).write(path)
    env.execute()
    [row] = Savepoint.read(path).state("carts", "cart")
    assert row == {"key": "a", "value": {"tea": Account("a", 1), "milk": Account("a", 2)}}


JOB = """
import sys
from penstock.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from penstock.datastream.state import ValueStateDescriptor

class Book(KeyedProcessFunction):
    def open(self, runtime_context):
        self.account = runtime_context.get_state(ValueStateDescriptor("account"))

    def process_element(self, value, ctx):
        yield f"account {value} has {self.account.value().bookings} bookings"

env = StreamExecutionEnvironment.get_execution_environment()
env.set_max_parallelism(16)
numbers = env.from_collection(list(range(20)))
numbers.key_by(lambda number: number).process(Book()).uid("bank").print()
env.execute()
"""


@pytest.mark.slow
def test_the_command_line_starts_a_job_from_what_was_written_at_another_parallelism(tmp_path: Path) -> None:
    write_bank(str(tmp_path / "made"), 1)
    folder = Folder(tmp_path)
    (tmp_path / "job.py").write_text(JOB)
    refused = folder.penstock("run", "-s", "made", "-p", "2", "job.py")
    assert refused.code == 1
    for name in ("sums", "seen", "rules"):
        assert f"there is state of an operator '{name}'" in refused.err
    finished = folder.penstock("run", "-n", "-s", "made", "-p", "2", "job.py")
    assert finished.code == 0, finished.err
    for key in range(20):
        assert f"account {key} has {10 * key} bookings" in finished.out
