"""Outputs that count what goes through them, and outputs that copy it."""

from collections.abc import Callable

from penstock.data.batch import Batch, RowBatch
from penstock.data.own_copies import copies_or_same
from penstock.metrics.kinds import Counter


def counted(targets: list[Callable[[Batch], None]], records_out: Counter) -> Callable[[Batch], None]:
    """One function that gives a batch to every target and counts its records once."""
    if not targets:

        def discard(batch: Batch) -> None:
            records_out.count += len(batch)

        return discard
    if len(targets) == 1:
        only = targets[0]

        def emit(batch: Batch) -> None:
            records_out.count += len(batch)
            only(batch)

        return emit

    def emit_to_all(batch: Batch) -> None:
        records_out.count += len(batch)
        for target in targets:
            target(batch)

    return emit_to_all


def counting_input(take: Callable[[Batch, int], None], records_in: Counter) -> Callable[[Batch], None]:
    """``take(batch, 0)`` that counts the records first."""

    def on_batch(batch: Batch) -> None:
        records_in.count += len(batch)
        take(batch, 0)

    return on_batch


def copying(take: Callable[[Batch], None]) -> Callable[[Batch], None]:
    """``take(batch)`` of records that nobody else holds; those that can never change are passed on as they are."""

    def on_batch(batch: Batch) -> None:
        take(copied(batch))

    return on_batch


def copied(batch: Batch) -> Batch:
    """The batch, with copies of the records that can change."""
    if not isinstance(batch, RowBatch):
        return batch
    values = copies_or_same(batch.values)
    return batch if values is batch.values else RowBatch(values, batch.timestamps, batch.keys)
