"""`penstock savepoint`: what is in a savepoint, and what a program would make of it."""

import json
import textwrap
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


# What functions declare in open -----------------------------------------------------------------------------------------

SHOP = """\
import sys, time
from penstock.common import Types, WatermarkStrategy
from penstock.contracts.accumulators import IntCounter
from penstock.contracts.checkpointing import CheckpointedFunction
from penstock.contracts.state_ttl import StateTtlConfig
from penstock.datastream import KeyedProcessFunction
from penstock.datastream.connectors.number_seq import NumberSequenceSource
from penstock.datastream.state import (
    ListStateDescriptor, MapStateDescriptor, ReducingStateDescriptor, ValueStateDescriptor
)

class Sell(KeyedProcessFunction, CheckpointedFunction):
    def initialize_state(self, context):
{initialize}

    def snapshot_state(self, context):
        pass

    def open(self, context):
{open}
        self.seen = IntCounter()
        context.add_accumulator("seen", self.seen)

    def process_element(self, value, ctx):
        if hasattr(self, "price"):
            self.price.update(ctx.get_current_key())
            self.name.update(str(ctx.get_current_key()))
            self.sold.add(ctx.get_current_key())
            self.stock.put("here", 1)
            self.past.add(1)
        self.seen.add(1)
        yield value

source = NumberSequenceSource(0, 10**15)
numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers").uid("numbers")
sold = numbers.key_by(lambda number: number % 3).process(Sell()).name("shop").uid("shop")
sold.add_sink(lambda number: None).uid("end")
client = env.execute_async("shop")
if len(sys.argv) > 1:
    while client.get_accumulators().result().get("seen", 0) < 3:
        time.sleep(0.01)
    client.stop_with_savepoint(False, sys.argv[1]).result()
"""
OPEN = """
self.price = context.get_state(ValueStateDescriptor("price", Types.INT()))
self.name = context.get_state(ValueStateDescriptor("name", Types.STRING()))
self.sold = context.get_list_state(ListStateDescriptor("sold", Types.LONG()))
self.stock = context.get_map_state(MapStateDescriptor("stock", Types.STRING(), Types.LONG()))
"""
INITIALIZE = """
self.rest = context.get_operator_state_store().get_list_state(ListStateDescriptor("rest"))
self.past = context.get_operator_state_store().get_list_state(ListStateDescriptor("past", Types.INT()))
"""


def shop(opened: str = OPEN, initialized: str = INITIALIZE) -> str:
    indented = (textwrap.indent(text.strip(), " " * 8) for text in (opened, initialized))
    return SHOP.format(**dict(zip(("open", "initialize"), indented, strict=True)))


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder with the savepoint `saved` of the job `shop`."""
    folder = Folder(tmp_path_factory.mktemp("shop"))
    folder.write_program("shop.py", shop())
    finished = folder.penstock("run", "shop.py", "savepoints")
    assert finished.code == 0, finished.err
    [savepoint] = Path(folder.path, "savepoints").iterdir()
    savepoint.rename(folder.path / "saved")
    return folder


def test_states_that_are_declared_as_before_are_restored_without_a_word(market: Folder) -> None:
    finished = market.penstock("savepoint", "check", "saved", "shop.py")
    assert finished.code == 0, finished.err
    [line] = [line for line in finished.out.splitlines() if ": shop (" in line]
    assert line.lstrip().startswith("restored: shop (")
    assert "state '" not in finished.out


def test_states_that_are_declared_otherwise_in_open_are_told(market: Folder) -> None:
    changed = OPEN.replace("Types.INT()", "Types.DOUBLE()").replace('"name"', '"title"') + (
        "expiring = ValueStateDescriptor('price', Types.DOUBLE())\n"
        "expiring.enable_time_to_live(StateTtlConfig.new_builder(1000).build())\n"
        "context.get_state(expiring)\n"
    )
    lists = INITIALIZE.replace('"rest"', '"remains"').replace("Types.INT()", "Types.DOUBLE()")
    market.write_program("changed.py", shop(changed, lists))
    finished = market.penstock("savepoint", "check", "saved", "changed.py")
    assert finished.code == 0, finished.err
    told = [line.strip() for line in finished.out.splitlines()]
    assert any(line.startswith("migrated: shop (") for line in told)
    assert "state 'price': Integer becomes Double" in told
    assert "state 'past': ListTypeInfo<Integer> becomes ListTypeInfo<Double>" in told
    assert "state 'price' gets a time to live: what is there counts as written at the start" in told
    unused = "is not asked for in open: it stays as it is, and is not used unless it is asked for later"
    assert f"state 'name' {unused}" in told
    assert f"state 'rest' {unused}" in told
    assert "state 'title' begins empty" in told
    assert "state 'remains' begins empty" in told
    assert told[-1] == "It can start from there."
    quick = market.penstock("savepoint", "check", "--no-open", "saved", "changed.py")
    assert quick.code == 0
    assert "restored: shop (" in quick.out
    assert "state '" not in quick.out


def test_states_that_cannot_become_what_open_declares_keep_it_from_starting(market: Folder) -> None:
    changed = (
        OPEN.replace('"name", Types.STRING()', '"name", Types.LONG()')
        .replace("get_list_state(ListStateDescriptor", "get_state(ValueStateDescriptor")
        .replace("Types.INT()", "Types.LONG()")
    )
    union = INITIALIZE.replace(
        'get_list_state(ListStateDescriptor("rest"', 'get_union_list_state(ListStateDescriptor("rest"'
    )
    union = union.replace("Types.INT()", "Types.STRING()")
    market.write_program("wrong.py", shop(changed, union))
    finished = market.penstock("savepoint", "check", "--json", "saved", "wrong.py")
    assert finished.code == 1
    found = json.loads(finished.out)
    told = "\n".join(found["problems"])
    assert "state 'name' was saved as String and is now declared as Long; what is stored under key" in told
    assert "state 'sold' is list state and cannot become value state" in told
    assert "operator state 'rest' is split state and cannot become union state" in told
    assert (
        "state 'past' was saved as ListTypeInfo<Integer> and is now declared as ListTypeInfo<String>" in told
    )
    [shop_entry] = [entry for entry in found["migrated"] if entry["name"] == "shop"]
    assert "state 'price': Integer becomes Long" in shop_entry["changes"]
    migrated = OPEN.replace('ValueStateDescriptor("name", Types.STRING())', "named") + ""
    market.write_program(
        "mended.py",
        shop(
            "named = ValueStateDescriptor('name', Types.LONG())\nnamed.migrate_with(lambda old, kind: int(old))"
            + migrated
        ),
    )
    mended = market.penstock("savepoint", "check", "saved", "mended.py")
    assert mended.code == 0, mended.out
    assert "state 'name': String becomes Long" in mended.out


def test_a_migration_that_fails_keeps_it_from_starting(market: Folder) -> None:
    named = (
        "named = ValueStateDescriptor('name', Types.LONG())\nnamed.migrate_with(lambda old, kind: {}[old])"
    )
    changed = OPEN.replace('ValueStateDescriptor("name", Types.STRING())', "named")
    market.write_program("failing.py", shop(named + changed))
    finished = market.penstock("savepoint", "check", "--json", "saved", "failing.py")
    assert finished.code == 1, finished.err
    [problem] = json.loads(finished.out)["problems"]
    assert (
        "state 'name' was saved as String and is now declared as Long, version 1; migrating it failed"
        in problem
    )
    assert "KeyError('" in problem


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("raise ConnectionError('nobody answers')", "ConnectionError: nobody answers"),
        ("print('a line that is no part of the answer'); sys.exit(3)", "SystemExit"),
    ],
)
def test_a_function_that_cannot_be_opened_here_is_told_of_and_does_not_stop_the_check(
    wrong: str, said: str, market: Folder
) -> None:
    market.write_program("elsewhere.py", shop(f"{OPEN.strip()}\n{wrong}"))
    finished = market.penstock("savepoint", "check", "--json", "saved", "elsewhere.py")
    assert finished.code == 0, finished.err
    [entry] = [entry for entry in json.loads(finished.out)["restored"] if entry["name"] == "shop"]
    [remark] = entry["remarks"]
    assert remark.startswith("what it declares in open was not seen: ")
    assert said in remark


def test_functions_are_closed_again_and_sinks_are_not_opened(market: Folder) -> None:
    closing = SHOP.replace(
        "    def process_element", "    def close(self):\n        print('closed')\n\n    def process_element"
    )
    closing = closing.replace(
        "sold.add_sink(lambda number: None)",
        "from penstock.datastream.functions import SinkFunction\n"
        "class Opens(SinkFunction):\n"
        "    def open(self, context):\n"
        "        print('sink opened')\n"
        "    def invoke(self, value, context):\n"
        "        pass\n"
        "sold.add_sink(Opens())",
    )
    indented = {
        "open": textwrap.indent(OPEN.strip(), " " * 8),
        "initialize": textwrap.indent(INITIALIZE.strip(), " " * 8),
    }
    market.write_program("closing.py", closing.format(**indented))
    finished = market.penstock("savepoint", "check", "saved", "closing.py")
    assert finished.code == 0, finished.err
    assert finished.err == "closed\n"
