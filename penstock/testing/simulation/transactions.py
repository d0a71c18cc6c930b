"""A sink whose transactions are kept in the simulated world, which sees each begun, prepared, committed or aborted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from penstock.contracts.sink import (
    Committer,
    CommittingSinkWriter,
    Sink,
    SinkWriterContext,
    StatefulSinkWriter,
    WriterInitContext,
)
from penstock.testing.simulation.faults import Fault, Misfortunes
from penstock.testing.simulation.story import Story


class TransactionState(Enum):
    """How far a transaction has come."""

    OPEN = "open"
    PREPARED = "prepared"
    COMMITTED = "committed"
    ABORTED = "aborted"


@dataclass(slots=True)
class Transaction:
    """Records that become visible together. ``checkpoint_id``: the checkpoint that holds it, once it is prepared for one."""

    number: int
    sink: str
    subtask: int
    era: int
    state: TransactionState = TransactionState.OPEN
    checkpoint_id: int | None = None
    records: list[Any] = field(default_factory=list)


class TransactionBroken(Exception):
    """The engine asked for what no transaction stands, such as the commit of an aborted one."""


class Ledger:
    """All transactions of all sinks of a world. ``era`` grows with each start of a job."""

    def __init__(self, misfortunes: Misfortunes, story: Story, touch: Callable[[str], None]) -> None:
        self.transactions: list[Transaction] = []
        self.era = 0
        self.broken: list[str] = []
        self._misfortunes = misfortunes
        self._story = story
        self._touch = touch

    def begin(self, sink: str, subtask: int, era: int) -> Transaction:
        """A new transaction."""
        self._touch(f"begin in {sink}")
        transaction = Transaction(len(self.transactions), sink, subtask, era)
        self.transactions.append(transaction)
        return transaction

    def prepare(self, transaction: Transaction) -> None:
        """It takes no more records, and stays until it is committed or aborted."""
        self._touch(f"prepare {transaction.number}")
        transaction.state = TransactionState.PREPARED

    def abort(self, transaction: Transaction) -> None:
        """Its records are never seen."""
        self._touch(f"abort {transaction.number}")
        if transaction.state is TransactionState.COMMITTED:
            self._break(f"transaction {transaction.number} is committed, and was to be aborted")
        transaction.state = TransactionState.ABORTED

    def abort_left_over(self, sink: str, mine: Callable[[int], bool], era: int, restored: int | None) -> None:
        """Abort what earlier attempts left and the restored checkpoint does not hold."""
        for each in self.transactions:
            if each.sink != sink or each.era >= era or not mine(each.subtask):
                continue
            is_held = (
                restored is not None and each.checkpoint_id is not None and each.checkpoint_id <= restored
            )
            if each.state is TransactionState.OPEN or (
                each.state is TransactionState.PREPARED and not is_held
            ):
                self.abort(each)

    def commit(self, numbers: list[int]) -> list[int]:
        """Commit all; yields those that are to be tried again."""
        left: list[int] = []
        for number in numbers:
            self._touch(f"commit {number}")
            if self._misfortunes.strikes(Fault.FAILED_COMMIT):
                self._story.tell(f"FAULT transaction {number} cannot be committed")
                raise ConnectionError("simulated: the database does not answer")
            if self._misfortunes.strikes(Fault.LATE_COMMIT):
                self._story.tell(f"FAULT transaction {number} is to be committed later")
                left.append(number)
                continue
            self._commit(self.transactions[number])
            if self._misfortunes.strikes(Fault.COMMIT_REPORTED_AS_FAILED):
                self._story.tell(f"FAULT transaction {number} is committed, and is said to have failed")
                raise ConnectionError("simulated: no answer in time")
        return left

    def _commit(self, transaction: Transaction) -> None:
        if transaction.state in (TransactionState.ABORTED, TransactionState.OPEN):
            self._break(
                f"transaction {transaction.number} is {transaction.state.value}, and was to be committed"
            )
        transaction.state = TransactionState.COMMITTED

    def _break(self, what: str) -> None:
        self._story.tell(f"BROKEN {what}")
        self.broken.append(what)
        raise TransactionBroken(what)

    def committed(self, sink: str) -> list[Any]:
        """The records of a sink that everybody can see."""
        return [
            record
            for transaction in self.transactions
            if transaction.sink == sink and transaction.state is TransactionState.COMMITTED
            for record in transaction.records
        ]

    def leaked(self) -> list[Transaction]:
        """Transactions that nobody has brought to an end."""
        return [t for t in self.transactions if t.state in (TransactionState.OPEN, TransactionState.PREPARED)]


class TransactionalSink(Sink):
    """Writes to the ledger of the world in which the job runs; made by ``World.sink``."""

    def __init__(self, name: str, find: Callable[[], Ledger]) -> None:
        self._name = name
        self._find = find

    def create_writer(self, context: WriterInitContext) -> "_TransactionWriter":
        return _TransactionWriter(self._name, self._find(), context)

    def restore_writer(self, context: WriterInitContext, states: list[Any]) -> "_TransactionWriter":
        return self.create_writer(context)

    def create_committer(self) -> Committer:
        return _TransactionCommitter(self._find())

    def display_name(self) -> str:
        return f"Transactions {self._name}"


class _TransactionWriter(CommittingSinkWriter, StatefulSinkWriter):
    def __init__(self, name: str, ledger: Ledger, context: WriterInitContext) -> None:
        self._name = name
        self._ledger = ledger
        self._subtask = context.index_of_subtask()
        self._era = ledger.era * 10_000 + context.attempt_number()
        self._open: Transaction | None = None
        self._unstamped: list[Transaction] = []
        writers = context.number_of_parallel_subtasks()
        ledger.abort_left_over(
            name,
            lambda subtask: subtask % writers == self._subtask,
            self._era,
            context.restored_checkpoint_id(),
        )

    def write(self, element: Any, context: SinkWriterContext) -> None:
        if self._open is None:
            self._open = self._ledger.begin(self._name, self._subtask, self._era)
        self._open.records.append(element)

    def prepare_commit(self) -> list[Any]:
        if self._open is None:
            return []
        transaction, self._open = self._open, None
        self._ledger.prepare(transaction)
        self._unstamped.append(transaction)
        return [transaction.number]

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        for transaction in self._unstamped:
            transaction.checkpoint_id = checkpoint_id
        self._unstamped.clear()
        return []

    def close(self) -> None:
        if self._open is not None:
            self._ledger.abort(self._open)
            self._open = None


class _TransactionCommitter(Committer):
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def commit(self, committables: list[Any]) -> list[Any]:
        return self._ledger.commit(committables)
