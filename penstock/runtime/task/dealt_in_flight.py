"""What was on its way to a task, dealt out to the subtasks of a run at another parallelism.

By key group over exchanges by key, by the function over custom ones, to the first subtask over global ones, and as whole
batches in turn where any subtask will do. Forward, rescale and broadcast exchanges hold nothing, as no barrier overtakes
there. Watermarks that were on their way are left out: their senders give newer ones. Source: Flink's documentation,
"Checkpointing under Backpressure".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from penstock.contracts.partitioning import Custom, Global, Hash, Partitioning, Rebalance, Shuffle
from penstock.data.batch import Batch, ColumnBatch, RowBatch
from penstock.data.elements import Element
from penstock.data.keys import KeyRouter
from penstock.dataflow.job import receivers_of
from penstock.errors import StateError
from penstock.network.partitioners import CustomPartitioner, HashPartitioner
from penstock.operators.user_code import callable_of
from penstock.runtime.task.in_flight import InFlight


def may_be_overtaken(partitioning: Partitioning) -> bool:
    """Whether records of an exchange can be dealt out anew, so that a barrier may overtake them, as in Flink.

    >>> may_be_overtaken(Rebalance()), may_be_overtaken(Global())
    (True, True)
    """
    return isinstance(partitioning, Hash | Rebalance | Shuffle | Global | Custom)


@dataclass(frozen=True, slots=True)
class RecordedEdge:
    """An input of a vertex: its exchange, from how many subtasks it came when it was recorded, and from how many it comes."""

    partitioning: Partitioning
    senders_before: int
    senders: int


@dataclass(frozen=True, slots=True)
class Receivers:
    """The subtasks of the vertex: how many there were when it was recorded, how many there are, and which one this is."""

    before: int
    now: int
    mine: int
    max_parallelism: int


def dealt_out(
    recorded: Sequence[InFlight | None], edges: Sequence[RecordedEdge], receivers: Receivers
) -> InFlight:
    """What one subtask gets; ``recorded`` has what was on its way to each of the earlier ones.

    :raises StateError: when the exchanges are not those of the program that wrote it, or cannot be dealt out.
    """
    unchanged = receivers.before == receivers.now and all(e.senders_before == e.senders for e in edges)
    channels: list[tuple[Element, ...]] = []
    by_edge = [_of_edge(recorded, edges, number, receivers) for number in range(len(edges))]
    for edge, of_receivers in zip(edges, by_edge, strict=True):
        if unchanged:
            channels += of_receivers[receivers.mine]
            continue
        batches = [
            mine
            for index, of_channels in enumerate(of_receivers)
            for elements in of_channels
            for batch in elements
            if isinstance(batch, RowBatch | ColumnBatch)
            and (mine := _mine(batch, index, edge.partitioning, receivers)) is not None
        ]
        count = len(_senders(edge.partitioning, receivers.mine, edge.senders, receivers.now))
        channels += [tuple(batches), *[()] * (count - 1)] if count else []
    return InFlight(tuple(channels))


def _of_edge(
    recorded: Sequence[InFlight | None], edges: Sequence[RecordedEdge], number: int, receivers: Receivers
) -> list[list[tuple[Element, ...]]]:
    """For each earlier subtask the channels of one edge."""
    found: list[list[tuple[Element, ...]]] = []
    for index in range(receivers.before):
        counts = [
            len(_senders(edge.partitioning, index, edge.senders_before, receivers.before)) for edge in edges
        ]
        given = recorded[index] if index < len(recorded) else None
        if given is None:
            found.append([()] * counts[number])
            continue
        if len(given.channels) != sum(counts):
            raise StateError(
                f"it holds records that were on their way over {len(given.channels)} channels to one subtask, and the "
                f"program as it is now would have had {sum(counts)}: its exchanges have changed; start from a savepoint, "
                "which holds no such records"
            )
        start = sum(counts[:number])
        found.append(list(given.channels[start : start + counts[number]]))
    return found


def _senders(partitioning: Partitioning, receiver: int, senders: int, receivers: int) -> list[int]:
    return [s for s in range(senders) if receiver in receivers_of(partitioning, s, senders, receivers)]


def _mine(batch: Batch, earlier: int, partitioning: Partitioning, receivers: Receivers) -> Batch | None:
    """The part of a batch to subtask ``earlier`` that is this subtask's now."""
    match partitioning:
        case Hash() if isinstance(batch, RowBatch) and batch.keys is not None:
            route = KeyRouter(receivers.max_parallelism, receivers.now).route
            parts = HashPartitioner(lambda each: route(each.keys), receivers.now).partition(batch)
            return parts[receivers.mine]
        case Custom(partition, key):
            choose = callable_of(partition, "partition", "partition_custom")
            by_key = callable_of(key, "get_key", "partition_custom")
            return CustomPartitioner(choose, receivers.now, by_key).partition(batch)[receivers.mine]
        case Global():
            return batch if receivers.mine == 0 else None
        case Rebalance() | Shuffle():
            return batch if earlier % receivers.now == receivers.mine else None
    raise StateError(
        f"it holds records that were on their way over a {type(partitioning).__name__.lower()} exchange, and they cannot be "
        "dealt out at another parallelism; start at the parallelism that it was taken at, or from a savepoint, which holds "
        "no such records"
    )
