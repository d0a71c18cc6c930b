"""A sink that writes records into files. A file is hidden while it is written, and appears as a whole."""

from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from penstock.chance import secret_token
from penstock.connectors.files.layout import BucketAssigner, OutputFileConfig, RollingPolicy
from penstock.contracts.serialization import Encoder
from penstock.contracts.sink import (
    Committer,
    CommittingSinkWriter,
    Sink,
    SinkWriter,
    SinkWriterContext,
    WriterInitContext,
)
from penstock.data.type_information import TypeInformation
from penstock.errors import ProgramError
from penstock.storage.writing import delete_if_there, open_new_file, put_in_place


@dataclass(frozen=True, slots=True)
class FileSink(Sink):
    """Writes the records of each bucket into files of their own, named ``<prefix>-<writer>-<number><suffix>``.

    Files are finished at a checkpoint, at the end of a bounded job, and when the rolling policy says so; they become visible
    at a checkpoint and at the end. What a failed job leaves are hidden files whose names begin with a dot.

    >>> sink = FileSink.for_row_format("/data/out", Encoder.simple_string_encoder()).build()
    >>> sink.display_name()
    'FileSink'
    """

    base_path: str
    encoder: Encoder
    assigner: BucketAssigner
    file_config: OutputFileConfig
    rolling_policy: RollingPolicy

    @staticmethod
    def for_row_format(base_path: str, encoder: Encoder) -> "FileSink.RowFormatBuilder":
        """Begin a sink that writes record by record."""
        from penstock.storage.reading import absolute_path

        if not isinstance(encoder, Encoder):
            raise ProgramError(f"for_row_format takes an Encoder, not {encoder!r}")
        assigner = BucketAssigner.date_time_bucket_assigner()
        policy = RollingPolicy.default_rolling_policy()
        sink = FileSink(absolute_path(base_path), encoder, assigner, OutputFileConfig(), policy)
        return FileSink.RowFormatBuilder(sink)

    class RowFormatBuilder:
        """Collects the settings of a sink."""

        def __init__(self, sink: "FileSink") -> None:
            self._sink = sink

        def with_bucket_check_interval(self, interval: int) -> "FileSink.RowFormatBuilder":
            """Kept for programs that set it: the rolling policy is asked at every record."""
            return self

        def with_bucket_assigner(self, bucket_assigner: BucketAssigner) -> "FileSink.RowFormatBuilder":
            """Say in which directory a record goes."""
            self._sink = replace(self._sink, assigner=bucket_assigner)
            return self

        def with_output_file_config(
            self, output_file_config: OutputFileConfig
        ) -> "FileSink.RowFormatBuilder":
            """Say what the names of files begin and end with."""
            self._sink = replace(self._sink, file_config=output_file_config)
            return self

        def with_rolling_policy(self, rolling_policy: RollingPolicy) -> "FileSink.RowFormatBuilder":
            """Say when the next file is begun."""
            self._sink = replace(self._sink, rolling_policy=rolling_policy)
            return self

        def build(self) -> "FileSink":
            """The sink."""
            return self._sink

    def for_type(self, type_info: TypeInformation | None) -> "FileSink":
        """The sink for records of a declared type."""
        return replace(self, encoder=self.encoder.for_type(type_info))

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        return _FileWriter(self, context)

    def create_committer(self) -> Committer:
        return _FileCommitter()

    def display_name(self) -> str:
        return "FileSink"


@dataclass(frozen=True, slots=True)
class FinishedFile:
    """A file that waits to be made visible."""

    hidden_path: str
    path: str


@dataclass(slots=True)
class _OpenFile:
    finished: FinishedFile
    stream: BinaryIO
    opened_ms: int
    written_ms: int


class _FileWriter(CommittingSinkWriter):
    def __init__(self, sink: FileSink, context: WriterInitContext) -> None:
        self._sink = sink
        self._clock = context.clock()
        self._encode = sink.encoder.encode
        self._writer_id = secret_token(16).hex()
        self._number = 0
        self._open: dict[str, _OpenFile] = {}
        self._finished: list[FinishedFile] = []

    def write(self, element: Any, context: SinkWriterContext) -> None:
        now_ms = self._clock.now_ms()
        bucket = self._sink.assigner.get_bucket_id(element, now_ms, context)
        file = self._open.get(bucket)
        if file is not None and self._sink.rolling_policy.is_due(
            file.stream.tell(), file.opened_ms, file.written_ms, now_ms
        ):
            self._finish(bucket)
            file = None
        if file is None:
            file = self._open[bucket] = self._begin(bucket, now_ms)
        self._encode(element, file.stream)
        file.written_ms = now_ms

    def _begin(self, bucket: str, now_ms: int) -> _OpenFile:
        config = self._sink.file_config
        name = f"{config.part_prefix}-{self._writer_id}-{self._number}{config.part_suffix}"
        self._number += 1
        directory = f"{self._sink.base_path}/{bucket}" if bucket else self._sink.base_path
        finished = FinishedFile(f"{directory}/.{name}.inprogress", f"{directory}/{name}")
        return _OpenFile(finished, open_new_file(finished.hidden_path), now_ms, now_ms)

    def _finish(self, bucket: str) -> None:
        file = self._open.pop(bucket)
        file.stream.close()
        self._finished.append(file.finished)

    def flush(self, end_of_input: bool) -> None:
        for bucket in list(self._open):
            self._finish(bucket)

    def prepare_commit(self) -> list[Any]:
        finished, self._finished = self._finished, []
        return list(finished)

    def close(self) -> None:
        for file in self._open.values():
            file.stream.close()
            delete_if_there(file.finished.hidden_path)
        self._open.clear()


class _FileCommitter(Committer):
    def commit(self, committables: list[Any]) -> list[Any]:
        for file in committables:
            put_in_place(file.hidden_path, file.path)
        return []
