"""`penstock savepoint`: what is in a savepoint, and what a program would make of it."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import Folder
from tests.state_processor.jobs import Bank

BANK = """\
import dataclasses, sys, time
from penstock.common import WatermarkStrategy
from penstock.contracts.accumulators import IntCounter
from penstock.datastream import KeyedProcessFunction
from penstock.datastream.connectors.number_seq import NumberSequenceSource
from penstock.datastream.state import ValueStateDescriptor

@dataclasses.dataclass
class Account:
    owner: str
    bookings: int
{field}
class Book(KeyedProcessFunction):
    def open(self, runtime_context):
        self.account = runtime_context.get_state(ValueStateDescriptor("account"))
        self.seen = IntCounter()
        runtime_context.add_accumulator("seen", self.seen)

    def process_element(self, value, ctx):
        self.account.update(Account(f"owner {{ctx.get_current_key()}}", 1))
        self.seen.add(1)
        yield value

source = NumberSequenceSource(0, 10**15)
numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers").uid("numbers")
booked = numbers.key_by(lambda number: number % 3).process(Book()).name("bank").uid("{uid}")
booked.add_sink(lambda number: None).uid("end")
client = env.execute_async("banking")
if len(sys.argv) > 1:
    while client.get_accumulators().result().get("seen", 0) < 3:
        time.sleep(0.01)
    client.stop_with_savepoint(False, sys.argv[1]).result()
"""


def bank(field: str = "", uid: str = "bank") -> str:
    return BANK.format(field=f"    {field}\n" if field else "", uid=uid)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder with the savepoint `saved` of the job `banking`."""
    folder = Folder(tmp_path_factory.mktemp("bank"))
    folder.write_program("bank.py", bank())
    finished = folder.penstock("run", "bank.py", "savepoints")
    assert finished.code == 0, finished.err
    [savepoint] = Path(folder.path, "savepoints").iterdir()
    savepoint.rename(folder.path / "saved")
    return folder


def test_operators_and_states_are_shown_with_kinds_types_rows_and_key_groups(folder: Folder) -> None:
    finished = folder.penstock("savepoint", "inspect", "saved")
    assert finished.code == 0, finished.err
    assert "of job 'banking'" in finished.out
    assert "bank (" in finished.out and "key groups 0-127" in finished.out
    [line] = [line for line in finished.out.splitlines() if line.startswith("  account")]
    assert line.split()[1] == "value"
    assert "key int64, value struct<owner: large_string, bookings: int64>" in line
    assert line.split()[-2] == "3"


def test_the_json_has_the_same(folder: Folder) -> None:
    shown = json.loads(folder.penstock("savepoint", "inspect", "--json", "saved").out)
    [operator] = [operator for operator in shown["operators"] if operator["name"] == "bank"]
    assert operator["key_groups"] == {"0": [0, 127]}
    assert [(state["name"], state["kind"], state["rows"]) for state in operator["states"]] == [
        ("account", "value", 3),
        ("user-timers", "timers", 0),
    ]
    assert shown["state_bytes"] == sum(
        state["bytes"]
        for operator in shown["operators"]
        for state in operator["states"]
        if state["kind"] != "enumerator"
    )


def test_what_is_no_savepoint_is_an_error(folder: Folder) -> None:
    finished = folder.penstock("savepoint", "inspect", "nowhere")
    assert finished.code == 1
    assert finished.err.startswith("Error: there is no checkpoint or savepoint at ")


def test_the_same_program_can_start(folder: Folder) -> None:
    finished = folder.penstock("savepoint", "check", "saved", "bank.py")
    assert finished.code == 0, finished.err
    assert "restored: bank (" in finished.out
    assert finished.out.endswith("It can start from there.\n")


def test_fields_that_came_and_went_are_told(folder: Folder) -> None:
    folder.write_program("more.py", bank("currency: str = 'EUR'").replace("    bookings: int\n", ""))
    finished = folder.penstock("savepoint", "check", "saved", "more.py")
    assert "migrated: bank (" in finished.out
    assert "__main__.Account: currency comes with its default, bookings is dropped" in finished.out
    assert finished.code == 0


def test_a_field_without_default_keeps_it_from_starting(folder: Folder) -> None:
    folder.write_program("strict.py", bank("currency: str"))
    finished = folder.penstock("savepoint", "check", "saved", "strict.py")
    assert finished.code == 1
    assert "__main__.Account has the field 'currency' now, which has no default" in finished.out


def test_state_that_nobody_takes_is_lost_and_what_is_new_begins_empty(folder: Folder) -> None:
    folder.write_program("other.py", bank(uid="other"))
    finished = folder.penstock("savepoint", "check", "--json", "saved", "other.py")
    found = json.loads(finished.out)
    assert finished.code == 1
    assert not found["can_start"]
    assert [entry["name"] for entry in found["lost"]] == ["bank"]
    assert "bank" in [entry["name"] for entry in found["begins_empty"]]
    assert "--allowNonRestoredState" in found["problems"][0]
    allowed = folder.penstock("savepoint", "check", "-n", "saved", "other.py")
    assert allowed.code == 0
    assert "lost: bank (" in allowed.out


def test_another_maximum_parallelism_keeps_it_from_starting(folder: Folder) -> None:
    finished = folder.penstock("savepoint", "check", "-D", "pipeline.max-parallelism=64", "saved", "bank.py")
    assert finished.code == 1
    assert "was saved with a maximum parallelism of 128 and now has 64" in finished.out


@pytest.mark.slow
def test_a_program_that_sets_no_maximum_parallelism_starts_at_any_up_to_that_of_the_savepoint(
    folder: Folder,
) -> None:
    finished = folder.penstock("run", "-D", "pipeline.max-parallelism=16", "bank.py", "few")
    assert finished.code == 0, finished.err
    [few] = (str(path) for path in Path(folder.path, "few").iterdir())
    allowed = folder.penstock("savepoint", "check", "-p", "2", few, "bank.py")
    assert (allowed.code, allowed.err) == (0, "")
    refused = folder.penstock("savepoint", "check", "-p", "17", few, "bank.py")
    assert refused.code == 1
    said = "was saved with a maximum parallelism of 16 and now has parallelism 17"
    assert said in refused.out
    started = folder.penstock("run", "-p", "17", "-s", few, "bank.py", "none")
    assert started.code == 1
    assert said in started.err
    started = folder.penstock("run", "-p", "2", "-s", few, "bank.py", "again")
    assert started.code == 0, started.err
    [again] = (str(path) for path in Path(folder.path, "again").iterdir())
    shown = json.loads(folder.penstock("savepoint", "inspect", "--json", again).out)
    assert {operator["max_parallelism"] for operator in shown["operators"]} == {16}


def test_rows_in_files_of_rocksdb_are_counted_and_an_altered_file_is_named(tmp_path: Path) -> None:
    path = Bank("rocksdb").retained(tmp_path / "checkpoints", 18)
    folder = Folder(tmp_path)
    shown = json.loads(folder.penstock("savepoint", "inspect", "--json", path).out)
    states = {
        state["name"] or state["kind"]: state for each in shown["operators"] for state in each["states"]
    }
    for name, kind, rows in (
        ("account", "value", 3),
        ("amounts", "list", 3),
        ("window-contents", "reducing", 3),
    ):
        assert (states[name]["kind"], states[name]["rows"], states[name]["native"]) == (kind, rows, True)
    assert states["native"]["bytes"] > 0
    for file in (Path(path).parent / "shared").iterdir():
        file.write_bytes(b"?")
    damaged = folder.penstock("savepoint", "inspect", path)
    assert damaged.code == 0
    assert (
        "Rows in files of RocksDB cannot be counted" in damaged.err
        and "was altered or cut off" in damaged.err
    )
    [line] = [line for line in damaged.out.splitlines() if line.split()[:1] == ["account"]]
    assert line.endswith(" in native")
