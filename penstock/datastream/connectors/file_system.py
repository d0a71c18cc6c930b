"""Files; the names of ``pyflink.datastream.connectors.file_system``."""

from penstock.connectors.files.compaction import FileCompactor, FileCompactStrategy
from penstock.connectors.files.layout import (
    BucketAssigner,
    BucketContext,
    DefaultRollingPolicy,
    OnCheckpointRollingPolicy,
    OutputFileConfig,
    RollingPolicy,
)
from penstock.connectors.files.plain import FileProcessingMode, WriteMode
from penstock.connectors.files.sink import FileSink, StreamingFileSink
from penstock.connectors.files.source import FileSource, FileSourceBuilder
from penstock.connectors.files.source_parts import FileEnumeratorProvider, FileSplitAssignerProvider
from penstock.formats.contract import BulkFormat
from penstock.formats.text import StreamFormat

__all__ = [
    "BucketAssigner",
    "BucketContext",
    "BulkFormat",
    "DefaultRollingPolicy",
    "FileCompactStrategy",
    "FileCompactor",
    "FileEnumeratorProvider",
    "FileProcessingMode",
    "FileSink",
    "FileSource",
    "FileSourceBuilder",
    "FileSplitAssignerProvider",
    "OnCheckpointRollingPolicy",
    "OutputFileConfig",
    "RollingPolicy",
    "StreamFormat",
    "StreamingFileSink",
    "WriteMode",
]
