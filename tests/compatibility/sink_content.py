"""What a Kafka sink has in the checkpoints that are kept: the state of its writer, and epochs that wait to be committed.

Epochs are long, so that they become files of their own with their second checkpoint. What is here is never changed.
"""

from random import Random
from typing import Any

from penstock.connectors.kafka.epochs import Epoch, EpochRecords, WriterName
from penstock.connectors.kafka.exactly_once import LastEpoch
from penstock.connectors.kafka.serialization import ProducerRecord
from penstock.operators.commits import Committable, WriterState
from penstock.operators.contract import KeptTogether

JOB_ID = "c" * 32
TOPICS = ("orders", "returns")


def messages(number: int) -> list[ProducerRecord]:
    """Those of one epoch; nothing makes them shorter."""
    chance = Random(number)
    long = [
        ProducerRecord("orders", chance.randbytes(3000), b"key", 0, 1000 + at, (("h", None),))
        for at in range(2)
    ]
    return [*long, ProducerRecord("returns", None)]


def epoch(subtask: int, number: int) -> Epoch:
    """One that waits to be committed."""
    records = EpochRecords()
    for message in messages(number):
        records.add([message])
    writer = WriterName("shop", subtask)
    return Epoch(writer, f"{writer}-1", TOPICS, number, f"identity {number}", f"{JOB_ID}/run", records)


def sink_state(checkpoint_id: int, epochs: list[Epoch]) -> KeptTogether:
    """What the operator of the sink remembers; the last epoch is new with the checkpoint, the others are older."""
    oldest = checkpoint_id - len(epochs) + 1
    waiting = [Committable(oldest + at, each) for at, each in enumerate(epochs)]
    return KeptTogether([WriterState(LastEpoch(epochs[-1].number, JOB_ID)), *waiting])


def told(own: Any) -> list[Any]:
    """All that is in the state, as plain values, whatever was read from where."""
    return [
        (
            entry.checkpoint_id,
            entry.value,
            [record for batch in entry.value.records.batches() for record in batch],
        )
        if isinstance(entry, Committable)
        else entry
        for entry in own
    ]
