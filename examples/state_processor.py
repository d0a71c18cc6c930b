"""State out of data: balances of an old system become the state of a job, are corrected by hand, and are read again.

A savepoint is written out of a list of balances. The balance of one account is then put right in another savepoint, and the
operator gets the uid that the job gives it. A job starts from that and books; its own savepoint is read at the end.

Run it with ``python examples/state_processor.py``. It prints::

    ann has 110 after +10
    bob has 45 after -5
    cid has 7 after +7
    saved: {'ann': 110, 'bob': 45, 'cid': 7}
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from penstock.common import WatermarkStrategy
from penstock.datastream import KeyedProcessFunction, RuntimeExecutionMode, StreamExecutionEnvironment
from penstock.datastream.state import ValueStateDescriptor
from penstock.state_processor import (
    KeyedStateBootstrapFunction,
    KeyedStateReaderFunction,
    OperatorTransformation,
    Savepoint,
    SavepointReader,
    SavepointWriter,
)
from penstock.testing import CollectingSink, ScriptedSource

MAX_PARALLELISM = 128
BALANCE = ValueStateDescriptor("balance")


class Book(KeyedProcessFunction):
    """The job: adds an amount to the balance of its account."""

    def open(self, runtime_context: Any) -> None:
        """Ask for the state."""
        self.balance = runtime_context.get_state(BALANCE)

    def process_element(self, value: tuple[str, int], ctx: Any) -> Iterable[str]:
        """One booking."""
        account, amount = value
        self.balance.update((self.balance.value() or 0) + amount)
        yield f"{account} has {self.balance.value()} after {amount:+}"


class Opening(KeyedStateBootstrapFunction):
    """Writes the state of ``Book`` out of pairs of account and balance."""

    def open(self, runtime_context: Any) -> None:
        """Ask for the state by the name that it has in the job."""
        self.balance = runtime_context.get_state(BALANCE)

    def process_element(self, value: tuple[str, int], ctx: Any) -> None:
        """One account."""
        self.balance.update(value[1])


class Balances(KeyedStateReaderFunction):
    """Reads the state of ``Book``."""

    def open(self, runtime_context: Any) -> None:
        """Ask for the state by the name that it has in the job."""
        self.balance = runtime_context.get_state(BALANCE)

    def read_key(self, key: str, ctx: Any) -> Iterable[tuple[str, int]]:
        """One account."""
        yield key, self.balance.value()


def write(path: str) -> None:
    """The first savepoint: what the old system knew."""
    env = batch_environment()
    known = env.from_collection([("ann", 100), ("bob", 5000)])
    state = OperatorTransformation.bootstrap_with(known).key_by(lambda pair: pair[0]).transform(Opening())
    SavepointWriter.new_savepoint(env, MAX_PARALLELISM).with_operator("old system", state).write(path)
    env.execute("write")


def correct(path: str, corrected: str) -> None:
    """The second savepoint: the first one's state, with Bob's balance put right, under the uid of the job's operator."""
    env = batch_environment()
    balances = SavepointReader.read(env, path).read_keyed_state("old system", Balances())
    right = balances.map(lambda pair: ("bob", 50) if pair[0] == "bob" else pair)
    state = OperatorTransformation.bootstrap_with(right).key_by(lambda pair: pair[0]).transform(Opening())
    writer = SavepointWriter.from_existing_savepoint(env, path).remove_operator("old system")
    writer.with_operator("bank", state).write(corrected)
    env.execute("correct")


def book(start: str, directory: str) -> str:
    """The job starts from the savepoint, books, and is stopped with a savepoint of its own."""
    env = StreamExecutionEnvironment.get_execution_environment({"execution.state-recovery.path": start})
    bookings = ScriptedSource([("ann", 10), ("bob", -5), ("cid", 7)], bounded=False)
    stream = env.from_source(bookings, WatermarkStrategy.no_watermarks(), "bookings").uid("bookings")
    sink = CollectingSink()
    stream.key_by(lambda booking: booking[0]).process(Book()).uid("bank").sink_to(sink).uid("sink")
    client = env.execute_async("bank")
    while len(sink.records) < 3:
        assert not client.get_job_status().result().is_globally_terminal_state()
    path = client.stop_with_savepoint(False, directory).result()
    print(*sorted(sink.records), sep="\n")
    return path


def batch_environment() -> StreamExecutionEnvironment:
    """Savepoints are written by bounded jobs, which BATCH mode suits."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_runtime_mode(RuntimeExecutionMode.BATCH)
    return env


def main() -> None:
    """Print what is booked, and what is saved in the end."""
    with tempfile.TemporaryDirectory() as folder:
        written, corrected = str(Path(folder, "written")), str(Path(folder, "corrected"))
        write(written)
        correct(written, corrected)
        path = book(corrected, folder)
        saved = Savepoint.read(path).state("bank", "balance").rows()
        print("saved:", dict(sorted((row["key"], row["value"]) for row in saved)))


if __name__ == "__main__":
    main()
