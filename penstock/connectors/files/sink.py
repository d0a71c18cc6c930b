"""A sink that writes records into files. A file is hidden while it is written, and appears as a whole."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from penstock.connectors.files.compaction import FileCompactor, FileCompactStrategy
from penstock.connectors.files.layout import BucketAssigner, OutputFileConfig, RollingPolicy
from penstock.connectors.files.parts import FileCommitter
from penstock.connectors.files.writer import FileLayout, FileWriter
from penstock.contracts.bulk_writing import BulkWriterFactory
from penstock.contracts.effects import Effect, effect_of_parts
from penstock.contracts.serialization import Encoder
from penstock.contracts.sink import Committer, Sink, SinkWriter, WriterInitContext
from penstock.data.type_information import TypeInformation
from penstock.errors import ProgramError


class FileSinkBuilder:
    """Collects the settings of a sink of files, of either kind."""

    def __init__(self, layout: FileLayout, make: "Callable[[FileLayout], FileSink]") -> None:
        self._layout = layout
        self._make = make

    def with_bucket_check_interval(self, interval: int) -> Self:
        """Say how often, in milliseconds, policies are asked while no records come; each minute unless set."""
        if interval <= 0:
            raise ProgramError(f"a bucket check interval is above 0 milliseconds, not {interval}")
        self._layout = replace(self._layout, bucket_check_interval_ms=interval)
        return self

    def with_bucket_assigner(self, bucket_assigner: BucketAssigner) -> Self:
        """Say in which directory a record goes."""
        if not isinstance(bucket_assigner, BucketAssigner):
            raise ProgramError(
                f"with_bucket_assigner takes a BucketAssigner, not {bucket_assigner!r}; derive from it, or use "
                "BucketAssigner.base_path_bucket_assigner()"
            )
        self._layout = replace(self._layout, assigner=bucket_assigner)
        return self

    def with_output_file_config(self, output_file_config: OutputFileConfig) -> Self:
        """Say what the names of files begin and end with."""
        if not isinstance(output_file_config, OutputFileConfig):
            raise ProgramError(
                f"with_output_file_config takes an OutputFileConfig, not {output_file_config!r}"
            )
        self._layout = replace(self._layout, file_config=output_file_config)
        return self

    def with_rolling_policy(self, rolling_policy: RollingPolicy) -> Self:
        """Say when the next file is begun."""
        if not isinstance(rolling_policy, RollingPolicy):
            raise ProgramError(f"with_rolling_policy takes a RollingPolicy, not {rolling_policy!r}")
        self._layout = replace(self._layout, rolling_policy=rolling_policy)
        return self

    def enable_compact(self, strategy: FileCompactStrategy, compactor: FileCompactor) -> Self:
        """Put small files together before they become visible. Each writer does so with its own files."""
        if not isinstance(strategy, FileCompactStrategy) or not isinstance(compactor, FileCompactor):
            raise ProgramError(
                f"enable_compact takes a FileCompactStrategy and a FileCompactor, not {strategy!r} and {compactor!r}"
            )
        self._layout = replace(self._layout, compact_strategy=strategy, compactor=compactor)
        return self

    def disable_compact(self) -> Self:
        """Leave files as they were written. What waits in a checkpoint that is restored becomes visible as it is."""
        self._layout = replace(self._layout, compact_strategy=None, compactor=None)
        return self

    def build(self) -> "FileSink":
        """The sink."""
        return self._make(self._layout)


class RowSinkBuilder(FileSinkBuilder):
    """Collects the settings of a sink that writes record by record."""


class BulkSinkBuilder(FileSinkBuilder):
    """Collects the settings of a sink whose files are written as a whole, so that each checkpoint finishes them."""

    def with_rolling_policy(self, rolling_policy: RollingPolicy) -> Self:
        """The policy that rolls at checkpoints, as no other is possible."""
        if not (isinstance(rolling_policy, RollingPolicy) and rolling_policy.at_checkpoints):
            raise ProgramError(
                "rolling_policy must be OnCheckpointRollingPolicy for bulk format; "
                "RollingPolicy.on_checkpoint_rolling_policy() makes it"
            )
        return super().with_rolling_policy(rolling_policy)


@dataclass(frozen=True, slots=True)
class FileSink(Sink):
    """Writes the records of each bucket into files of their own, named ``<prefix>-<random>-<number><suffix>``.

    Each record is there exactly once: a file becomes visible when a checkpoint is complete that has all of it, or at the end
    of a bounded job. Until then its name begins with a dot; what a failed job leaves of these is deleted, or cut and
    continued, when the job goes on from a checkpoint.

    >>> sink = FileSink.for_row_format("/data/out", Encoder.simple_string_encoder()).build()
    >>> sink.display_name()
    'FileSink'
    """

    layout: FileLayout

    BaseBuilder = FileSinkBuilder
    RowFormatBuilder = RowSinkBuilder
    BulkFormatBuilder = BulkSinkBuilder

    @classmethod
    def for_row_format(cls, base_path: str, encoder: Encoder) -> RowSinkBuilder:
        """Begin a sink that writes record by record."""
        if not isinstance(encoder, Encoder):
            raise ProgramError(f"for_row_format takes an Encoder, not {encoder!r}")
        policy = RollingPolicy.default_rolling_policy()
        return RowSinkBuilder(_layout(base_path, encoder, policy), cls)

    @classmethod
    def for_bulk_format(cls, base_path: str, writer_factory: BulkWriterFactory) -> BulkSinkBuilder:
        """Begin a sink whose files are written as a whole: Parquet, ORC, Avro, CSV."""
        if not isinstance(writer_factory, BulkWriterFactory):
            raise ProgramError(
                f"for_bulk_format takes a BulkWriterFactory, not {writer_factory!r}; "
                "ParquetBulkWriters.for_row_type(row_type) makes one"
            )
        policy = RollingPolicy.on_checkpoint_rolling_policy()
        return BulkSinkBuilder(_layout(base_path, writer_factory, policy), cls)

    @property
    def input_layout(self) -> str:  # type: ignore[override]
        """Columns are taken as they are where the format can write them and the bucket does not depend on the record."""
        encoding, assigner = self.layout.encoding, self.layout.assigner
        takes_columns = isinstance(encoding, BulkWriterFactory) and encoding.takes_columns
        return "any" if takes_columns and not assigner.looks_at_records else "rows"

    @property
    def effect(self) -> Effect:  # type: ignore[override]
        """Nothing, unless the user wrote a part of it."""
        return effect_of_parts(self.layout.encoding, self.layout.assigner)

    def for_type(self, type_info: TypeInformation | None) -> "FileSink":
        """The sink for records of a declared type."""
        encoding = self.layout.encoding
        if isinstance(encoding, BulkWriterFactory):
            return self
        return replace(self, layout=replace(self.layout, encoding=encoding.for_type(type_info)))

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        return FileWriter(self.layout, context, [])

    def restore_writer(self, context: WriterInitContext, states: list[Any]) -> SinkWriter:
        return FileWriter(self.layout, context, states)

    def create_committer(self) -> Committer:
        return FileCommitter()

    def display_name(self) -> str:
        return "FileSink"


class StreamingFileSink(FileSink):
    """The name that ``FileSink`` had before Flink 1.12; for ``add_sink``."""

    DefaultRowFormatBuilder = RowSinkBuilder
    DefaultBulkFormatBuilder = BulkSinkBuilder


def _layout(
    base_path: str, encoding: Encoder | BulkWriterFactory, rolling_policy: RollingPolicy
) -> FileLayout:
    from penstock.storage.reading import absolute_path

    assigner = BucketAssigner.date_time_bucket_assigner()
    return FileLayout(absolute_path(base_path), encoding, assigner, OutputFileConfig(), rolling_policy)
