"""A program changes between its savepoint and its going on: other state, other operators, parallelism and state backend."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.commands import Folder

RECORDS = 6_000
KEYS = 12

# One program at two times of its life: what stands in braces is what changes.
PROGRAM = """\
import sys
from dataclasses import dataclass
from penstock.common import Encoder, Types, WatermarkStrategy
from penstock.contracts.accumulators import IntCounter
from penstock.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from penstock.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy
from penstock.datastream.connectors.file_system import FileSink, RollingPolicy
from penstock.datastream.state import ValueStateDescriptor

@dataclass
class Account:
    owner: str
    bookings: int
{field}
class Mark:
    def __init__(self, number):
        self.number = number

    def shown(self):
        return {shown}

class Book(KeyedProcessFunction):
    def open(self, runtime_context):
        self.account = runtime_context.get_state(ValueStateDescriptor("account"))
        self.mark = runtime_context.get_state(ValueStateDescriptor("mark"))
        self.booked = IntCounter()
        runtime_context.add_accumulator("booked", self.booked)

    def process_element(self, value, ctx):
        account = self.account.value() or Account(f"owner {{ctx.get_current_key()}}", 0)
        account.bookings += 1
        self.account.update(account)
        mark = self.mark.value() or Mark(0)
        assert isinstance(mark, Mark)
        self.mark.update(Mark(mark.number + 1))
        self.booked.add(1)
        yield {row}

class Every(KeyedProcessFunction):
    def __init__(self, many):
        self.many = many

    def open(self, runtime_context):
        self.seen = runtime_context.get_state(ValueStateDescriptor("seen", Types.INT()))

    def process_element(self, value, ctx):
        self.seen.update((self.seen.value() or 0) + 1)
        if self.seen.value() % self.many == 0:
            yield value

def lines(folder):
    sink = FileSink.for_row_format(folder, Encoder.simple_string_encoder())
    return sink.with_rolling_policy(RollingPolicy.on_checkpoint_rolling_policy()).build()

rate, count = int(sys.argv[1]), int(sys.argv[2])
env = StreamExecutionEnvironment.get_execution_environment()
source = DataGeneratorSource(lambda index: index, {records}, RateLimiterStrategy.per_second(rate))
numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers").uid("numbers")
booked = numbers.key_by(lambda number: number % {keys}).process(Book(), Types.STRING()).uid("bank")
booked.sink_to(lines("booked")).uid("booked")
{operator}
if count:
    client = env.execute_async("bank")
    while client.get_accumulators().result().get("booked", 0) < count:
        assert not client.get_job_status().result().is_globally_terminal_state()
    client.stop_with_savepoint(False, "savepoints").result()
    client.get_job_execution_result().result()
else:
    env.execute("bank")
"""
BEFORE = {
    "field": "",
    "shown": 'f"mark {self.number}"',
    "row": 'f"{ctx.get_current_key()} {account.bookings}"',
    "operator": "",
}
AFTER = {
    "field": '    currency: str = "EUR"',
    "shown": 'f"new mark {self.number}"',
    "row": 'f"{ctx.get_current_key()} {account.bookings} {account.owner} {account.currency} {mark.shown()}"',
    "operator": 'booked.key_by(lambda line: line.split()[0]).process(Every(10), Types.STRING()).uid("every")'
    '.sink_to(lines("every")).uid("every-sink")',
}


def program(parts: dict[str, str]) -> str:
    return PROGRAM.format(records=RECORDS, keys=KEYS, **parts)


def lines(folder: Path) -> list[list[str]]:
    files = [file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(".")]
    return [line.split(maxsplit=2) for file in files for line in file.read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after", "backend"),
    [(2, 3, "rocksdb"), (1, 1, "hashmap"), (1, 2, "rocksdb"), (2, 1, "hashmap")],
)
def test_a_changed_program_goes_on_at_another_parallelism_on_another_backend(
    before: int, after: int, backend: str, tmp_path: Path
) -> None:
    """Its classes are those of the main program, which worker processes do not have by name."""
    folder = Folder(tmp_path)
    folder.write("before.py", program(BEFORE))
    folder.write("after.py", program(AFTER))
    taken = folder.penstock("run", "-p", str(before), "before.py", "2000", "1500")
    assert taken.code == 0, taken.err
    first = lines(tmp_path / "booked")
    assert 1500 <= len(first) < RECORDS
    [savepoint] = (tmp_path / "savepoints").iterdir()

    changes = json.loads(
        folder.penstock("savepoint", "check", "--json", str(savepoint), "after.py", "1", "0").out
    )
    assert changes["can_start"]
    [migrated] = changes["migrated"]
    assert migrated["changes"] == ["__main__.Account: currency comes with its default"]
    assert [entry["name"] for entry in changes["restored"]] == ["Source: numbers", "Sink: Writer"]
    assert changes["lost"] == []

    chosen = ("-D", f"state.backend.type={backend}")
    finished = folder.penstock(
        "run", "-p", str(after), *chosen, "-s", str(savepoint), "after.py", str(10 * RECORDS), "0"
    )
    assert finished.code == 0, finished.err

    # The same as if one program had run from the beginning to the end: every number was booked, and once.
    booked = lines(tmp_path / "booked")
    expected = [(key, count) for key in range(KEYS) for count in range(1, RECORDS // KEYS + 1)]
    assert sorted((int(key), int(count)) for key, count, *_ in booked) == expected
    rows = [row for row in booked if len(row) == 3]
    assert len(rows) == RECORDS - len(first)
    assert all(rest == f"owner {key} EUR new mark {int(count) - 1}" for key, count, rest in rows)
    # The new operator began with nothing, and got what came after the savepoint.
    every = Counter(key for key, *_ in lines(tmp_path / "every"))
    assert every == {key: count // 10 for key, count in Counter(key for key, *_ in rows).items()}


@pytest.mark.slow
@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_class_of_the_main_program_that_is_gone_is_named(parallelism: int, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("before.py", program(BEFORE))
    taken = folder.penstock("run", "before.py", "2000", "500")
    assert taken.code == 0, taken.err
    [savepoint] = (tmp_path / "savepoints").iterdir()
    folder.write("after.py", program(AFTER).replace("Mark", "Sign"))
    failed = folder.penstock("run", "-p", str(parallelism), "-s", str(savepoint), "after.py", "9000", "0")
    assert failed.code == 1
    assert "state 'mark': a pickled value cannot be read" in failed.err and "'Mark'" in failed.err
    assert "in operator 'KEYED PROCESS', subtask " in failed.err
    assert "classes of the main program must be there again" in failed.err
