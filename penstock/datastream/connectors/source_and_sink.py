"""What all sources and sinks have in common, and what a source or sink of your own is made of."""

from penstock.contracts.delivery import DeliveryGuarantee
from penstock.contracts.sink import (
    Committer,
    CommittingSinkWriter,
    Sink,
    SinkWriter,
    SinkWriterContext,
    StatefulSinkWriter,
    WriterInitContext,
)
from penstock.contracts.source import (
    Boundedness,
    InputStatus,
    ReaderOutput,
    Source,
    SourceReader,
    SourceReaderContext,
    SourceSplit,
    SplitEnumerator,
    SplitEnumeratorContext,
    SplitOutput,
)

__all__ = [
    "Boundedness",
    "Committer",
    "CommittingSinkWriter",
    "DeliveryGuarantee",
    "InputStatus",
    "ReaderOutput",
    "Sink",
    "SinkWriter",
    "SinkWriterContext",
    "Source",
    "SourceReader",
    "SourceReaderContext",
    "SourceSplit",
    "SplitEnumerator",
    "SplitEnumeratorContext",
    "SplitOutput",
    "StatefulSinkWriter",
    "WriterInitContext",
]
