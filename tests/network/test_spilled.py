"""Spools and groupings, in memory and on disk."""

import os
import random
import subprocess
import sys
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.data.batch import ColumnBatch, RowBatch
from penstock.data.elements import END_OF_INPUT, MIN_TIMESTAMP, Barrier, Element, Watermark
from penstock.errors import OutsideError, ProtocolError
from penstock.network.framing import Encoder
from penstock.network.key_grouping import KeyGrouping
from penstock.network.spilled import SpillFile, SpoolChannel, SpoolMemory, estimated_bytes

elements = st.one_of(
    st.lists(st.integers(), max_size=20).map(RowBatch),
    st.integers(0, 100).map(Watermark),
    st.builds(Barrier, st.integers(0, 9), st.integers(0, 9)),
)


def descriptors_below(directory: Path) -> int:
    """How many open files lie in a directory, or were deleted from it."""
    found = 0
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # another thread's, or that of the listing
            found += os.readlink(f"/proc/self/fd/{descriptor}").startswith(f"{directory}/")
    return found


@given(
    st.lists(st.tuples(st.sampled_from(["put", "frame", "poll"]), elements)), st.sampled_from([0, 500, 10**9])
)
def test_a_spool_is_a_queue_wherever_its_elements_are(
    actions: list[tuple[str, Element]], memory: int
) -> None:
    spool, oracle = SpoolChannel(SpoolMemory(memory)), list[Element]()
    for action, element in actions:
        match action:
            case "put":
                spool.put(element)
                oracle.append(element)
            case "frame":
                spool.put_frame(*Encoder().encode(element))
                oracle.append(element)
            case _:
                assert spool.has_data == bool(oracle)
                assert spool.poll() == (oracle.pop(0) if oracle else None)
    states = [spool.ended]
    spool.put(END_OF_INPUT)
    states.append(spool.ended)
    assert states == [False, True]
    assert [spool.poll() for _ in range(len(oracle) + 1)] == [*oracle, END_OF_INPUT]
    assert not spool.has_data


def test_a_spool_keeps_no_descriptor_once_it_was_read_or_discarded(tmp_path: Path) -> None:
    for finish in ("read", "discard"):
        spool = SpoolChannel(SpoolMemory(0), str(tmp_path))
        spool.put(RowBatch(["x" * 3_000_000]))
        assert descriptors_below(tmp_path) == 1
        assert os.listdir(tmp_path) == []
        if finish == "read":
            assert spool.poll() == RowBatch(["x" * 3_000_000])
        else:
            spool.discard()
            assert not spool.has_data
        assert descriptors_below(tmp_path) == 0


def test_columns_and_instances_of_local_classes_can_be_spooled() -> None:
    @dataclass
    class Local:
        x: int

    spool = SpoolChannel(SpoolMemory(0))
    spool.put(ColumnBatch(pa.record_batch({"v": [1, 2]}), pa.array([5, 6])))
    spool.put(RowBatch([Local(1)]))
    columns = spool.poll()
    assert isinstance(columns, ColumnBatch)
    assert columns.columns.to_pydict() == {"v": [1, 2]}
    assert spool.poll() == RowBatch([Local(1)])


@given(st.lists(st.tuples(st.text(), st.integers(), st.none()), max_size=40))
def test_the_memory_of_fields_is_that_of_their_rows_and_none_is_made_to_know_it(rows: list[Any]) -> None:
    fields = [list(field) for field in zip(*rows, strict=True)] or [[], [], []]
    batch = RowBatch.of_fields(fields)
    assert estimated_bytes(batch) == estimated_bytes(RowBatch(rows))
    assert batch.fields is fields
    for memory in (0, 10**9):
        spool = SpoolChannel(SpoolMemory(memory))
        spool.put(batch)
        found = spool.poll()
        spool.discard()
        assert isinstance(found, RowBatch)
        assert found.fields == fields


def test_spools_share_their_memory_and_leave_it_to_each_other() -> None:
    memory = SpoolMemory(10_000)
    spools = [SpoolChannel(memory) for _ in range(4)]
    large = RowBatch(["x" * 4_000])
    for spool in spools:
        spool.put(large)
    assert [spool.spilled_bytes > 0 for spool in spools] == [False, False, True, True]
    assert [spool.poll() for spool in spools] == [large] * 4
    for spool in reversed(spools):
        spool.put(large)
    assert [spool.spilled_bytes > 0 for spool in spools] == [True, True, False, False]
    spools[2].leave()
    spools[3].discard()
    more = [SpoolChannel(memory) for _ in range(2)]
    for spool in more:
        spool.put(large)
    assert [spool.spilled_bytes for spool in more] == [0, 0]


def test_a_spool_that_is_kept_for_another_reader_outlives_the_one_that_leaves() -> None:
    spool = SpoolChannel(SpoolMemory(10_000), keeps=True)
    spool.put(RowBatch([1]))
    assert spool.poll() == RowBatch([1])
    spool.leave()
    spool.rewind()
    assert spool.poll() == RowBatch([1])


def test_a_closed_spool_takes_nothing_more() -> None:
    spool = SpoolChannel(SpoolMemory(100))
    spool.close()
    with pytest.raises(ProtocolError):
        spool.put(Watermark(1))


def test_a_directory_that_is_not_there_is_named() -> None:
    with pytest.raises(OutsideError, match="/no/such/place"):
        SpillFile("/no/such/place")


def test_the_consumer_finds_the_failure_of_the_disk() -> None:
    spool = SpoolChannel(SpoolMemory(100))
    spool.fail(OutsideError("no room"))
    assert spool.ended
    assert spool.has_data
    with pytest.raises(OutsideError, match="no room"):
        spool.poll()


FULL_DISK = """
import resource, sys
from penstock.data.batch import RowBatch
from penstock.network.spilled import SpoolChannel, SpoolMemory
resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, 2_500_000))
spool = SpoolChannel(SpoolMemory(0), sys.argv[1])
try:
    for number in range(10):
        spool.put(RowBatch(["x" * 1_000_000]))
except OSError as error:
    print(type(error).__name__, error)
"""


def test_a_disk_that_takes_no_more_is_reported_with_its_directory(tmp_path: Path) -> None:
    """The system's limit on the size of a file stands in for a full disk: writing fails half way in the same manner."""
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert run.stdout.startswith(f"OutsideError a temporary file in {tmp_path} cannot be written: ")
    assert "make room there" in run.stdout


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), max_size=12),
            st.booleans(),
        ),
        max_size=12,
    ),
    st.sampled_from([0, 2_000, 10**9]),
)
def test_each_key_comes_once_with_all_its_records(batches: list[Any], memory: int) -> None:
    grouping = KeyGrouping(memory)
    oracle: dict[int, dict[int, list[tuple[int, str]]]] = defaultdict(lambda: defaultdict(list))
    for number, (port, rows, timed) in enumerate(batches):
        values = [f"{number}.{i}" for i in range(len(rows))]
        times = [time for _, time in rows] if timed else None
        grouping.add(port, RowBatch(values, times, [key for key, _ in rows]))
        for value, (key, time) in zip(values, rows, strict=True):
            oracle[key][port].append((time if timed else MIN_TIMESTAMP, value))
    seen = {}
    for key, parts in grouping.groups():
        assert key not in seen
        seen[key] = [
            (port, value, time)
            for port, values, times in parts
            for value, time in zip(values, times or [MIN_TIMESTAMP] * len(values), strict=True)
        ]
        assert all(times is None or max(times) != MIN_TIMESTAMP for _, _, times in parts)
    assert seen.keys() == oracle.keys()
    for key, by_port in oracle.items():
        records = [(port, value, time) for port in sorted(by_port) for time, value in by_port[port]]
        if all(time != MIN_TIMESTAMP for _, _, time in records):
            records.sort(key=lambda record: record[2])
        assert seen[key] == records


def test_a_large_input_is_grouped_within_its_memory_and_leaves_no_descriptor(tmp_path: Path) -> None:
    grouping = KeyGrouping(memory_bytes=200_000, directory=str(tmp_path))
    numbers = list(range(40_000))
    random.Random(3).shuffle(numbers)
    for start in range(0, len(numbers), 1000):
        some = numbers[start : start + 1000]
        grouping.add(0, RowBatch(some, some, [f"key {number % 3000}" for number in some]))
    assert descriptors_below(tmp_path) == 1
    keys = set()
    for key, [(port, values, times)] in grouping.groups():
        rest = int(key.split()[1])
        assert port == 0
        assert values == times == list(range(rest, 40_000, 3000))
        keys.add(key)
    assert len(keys) == 3000
    assert descriptors_below(tmp_path) == 0


def test_a_grouping_that_is_not_read_to_its_end_leaves_no_descriptor(tmp_path: Path) -> None:
    grouping = KeyGrouping(0, str(tmp_path))
    grouping.add(0, RowBatch([1, 2], None, ["a", "b"]))
    groups = grouping.groups()
    next(groups)
    groups.close()
    assert descriptors_below(tmp_path) == 0


def test_one_key_alone_is_never_written_to_disk(tmp_path: Path) -> None:
    grouping = KeyGrouping(0, str(tmp_path))
    for number in range(3):
        grouping.add(0, RowBatch([number], None, ["only"]))
    assert descriptors_below(tmp_path) == 0
    assert list(grouping.groups()) == [("only", [(0, [0, 1, 2], None)])]


def test_a_batch_without_keys_cannot_be_grouped() -> None:
    with pytest.raises(ProtocolError, match="without keys"):
        KeyGrouping(0).add(0, RowBatch([1]))


@given(
    st.lists(st.tuples(st.sampled_from(["put", "poll", "rewind"]), elements)),
    st.sampled_from([0, 500, 10**9]),
)
def test_a_spool_that_keeps_what_was_read_begins_again_with_the_first_element(
    actions: list[tuple[str, Element]], memory: int
) -> None:
    spool, everything, position = SpoolChannel(SpoolMemory(memory), keeps=True), list[Element](), 0
    for action, element in actions:
        match action:
            case "put":
                spool.put(element)
                everything.append(element)
            case "rewind":
                spool.rewind()
                position = 0
            case _:
                polled = spool.poll()
                assert polled == (everything[position] if position < len(everything) else None)
                position += polled is not None
    spool.rewind()
    assert [spool.poll() for _ in everything] == everything
    spool.discard()
