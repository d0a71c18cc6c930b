"""The sink for targets without transactions, which Flink has in Java only."""

from penstock.connectors.functions.write_ahead import CheckpointCommitter, GenericWriteAheadSink

__all__ = [
    "CheckpointCommitter",
    "GenericWriteAheadSink",
]
