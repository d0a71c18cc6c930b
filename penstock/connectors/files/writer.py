"""Writes the records of one subtask into files.

A checkpoint holds the committables of files that are finished, and how far those are that are still written. After a restore
the latter are cut to that size and continued; where files cannot be cut, or are written as a whole, each checkpoint finishes
all. Source: Flink's documentation, "FileSystem connector".
"""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

from penstock.chance import secret_token
from penstock.connectors.files.compaction import rows_in
from penstock.connectors.files.layout import BucketAssigner, OutputFileConfig, RollingPolicy
from penstock.connectors.files.parts import (
    FilesToPutTogether,
    FinishedFile,
    UnfinishedFile,
    WriterFiles,
    delete_left_overs,
)
from penstock.contracts.bulk_writing import BulkWriter, BulkWriterFactory
from penstock.contracts.serialization import Encoder
from penstock.contracts.sink import (
    CommittingSinkWriter,
    SinkWriterContext,
    StatefulSinkWriter,
    WriterInitContext,
)
from penstock.errors import OutsideError
from penstock.storage.writing import (
    delete_if_there,
    is_local,
    make_durable,
    open_new_file,
    reopen_cut,
    writing_errors,
)

if TYPE_CHECKING:
    import pyarrow

    from penstock.connectors.files.compaction import FileCompactor, FileCompactStrategy


@dataclass(frozen=True, slots=True)
class FileLayout:
    """Where files go, and how they are written, named, and put together."""

    base_path: str
    encoding: Encoder | BulkWriterFactory
    assigner: BucketAssigner
    file_config: OutputFileConfig
    rolling_policy: RollingPolicy
    compact_strategy: "FileCompactStrategy | None" = None
    compactor: "FileCompactor | None" = None
    bucket_check_interval_ms: int = 60_000


@dataclass(slots=True)
class _OpenFile:
    finished: FinishedFile
    stream: BinaryIO
    opened_ms: int
    written_ms: int
    bulk: BulkWriter | None = None


class FileWriter(CommittingSinkWriter, StatefulSinkWriter):
    """One writer; ``states`` are those that it goes on from."""

    def __init__(self, layout: FileLayout, context: WriterInitContext, states: list[Any]) -> None:
        self._layout = layout
        self._clock = context.clock()
        self._number = 0
        self._names: dict[str, tuple[str, Iterator[int]]] = {}
        self._begun = WriterFiles(_name_of_start(layout, context), context.index_of_subtask(), 0)
        self._open: dict[str, list[_OpenFile]] = {}
        self._finished: list[tuple[str, FinishedFile]] = []
        self._to_put_together: dict[str, FilesToPutTogether] = {}
        # Files that cannot be cut later must be finished at each checkpoint.
        self._finishes_all = (
            layout.rolling_policy.at_checkpoints
            or isinstance(layout.encoding, BulkWriterFactory)
            or not is_local(layout.base_path)
        )
        self._restore(states, context)
        self._register_timer = context.register_timer
        self._forget_timer: Callable[[], None] | None = None
        if not layout.rolling_policy.at_checkpoints:
            self._check_later()

    def _check_later(self) -> None:
        at_ms = self._clock.now_ms() + self._layout.bucket_check_interval_ms
        self._forget_timer = self._register_timer(at_ms, self._check_buckets)

    def _check_buckets(self, _: int) -> None:
        """Finish what is due by its age or its silence, though no record comes."""
        now_ms = self._clock.now_ms()
        for bucket in list(self._open):
            self._finish_what_is_due(bucket, now_ms)
        self._check_later()

    def _restore(self, states: list[Any], context: WriterInitContext) -> None:
        earlier = [state for state in states if isinstance(state, WriterFiles)]
        if states or context.attempt_number():
            parallelism = context.number_of_parallel_subtasks()
            delete_left_overs(self._layout.base_path, self._begun, parallelism, earlier)
        for state in states:
            match state:
                case UnfinishedFile():
                    finished = FinishedFile(state.hidden_path, state.path)
                    stream = self._reopened(state)
                    file = _OpenFile(finished, stream, state.opened_ms, state.written_ms)
                    self._open.setdefault(state.bucket, []).append(file)
                case FilesToPutTogether(bucket, files, _) if self._layout.compact_strategy is None:
                    self._finished += [(bucket, file) for file in files]
                case FilesToPutTogether(bucket, files, checkpoints):
                    before = self._to_put_together.get(bucket, FilesToPutTogether(bucket, (), 0))
                    self._to_put_together[bucket] = FilesToPutTogether(
                        bucket, before.files + files, max(before.checkpoints, checkpoints)
                    )

    @staticmethod
    def _reopened(state: UnfinishedFile) -> BinaryIO:
        try:
            return reopen_cut(state.hidden_path, state.size_bytes)
        except OutsideError as error:
            raise OutsideError(
                f"the file that was being written at the checkpoint cannot be continued: {error}; restore the newest "
                "checkpoint, and let nothing else change files that begin with a dot"
            ) from error

    # Writing ------------------------------------------------------------------------------------------------------------

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self._write_into(self._bucket_of(element, context), [element])

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        if not values:
            return
        if not self._layout.assigner.looks_at_records:
            self._write_into(self._bucket_of(None, context), values)
            return
        moving: Any = context
        buckets: dict[str, list[Any]] = {}
        for index, value in enumerate(values):
            moving.now_at(None if timestamps is None else timestamps[index])
            buckets.setdefault(self._bucket_of(value, context), []).append(value)
        for bucket, elements in buckets.items():
            self._write_into(bucket, elements)

    def write_columns(self, columns: "pyarrow.RecordBatch", context: SinkWriterContext) -> None:
        if not columns.num_rows:
            return
        bucket, now_ms = self._bucket_of(None, context), self._clock.now_ms()
        file = self._file_for(bucket, now_ms)
        assert file.bulk is not None
        with writing_errors(file.finished.hidden_path):
            file.bulk.add_columns(columns)
        file.written_ms = now_ms

    def _bucket_of(self, element: Any, context: SinkWriterContext) -> str:
        bucket = self._layout.assigner.get_bucket_id(element, _BucketContext(context, self._clock.now_ms))
        if not isinstance(bucket, str) or bucket.startswith("/") or ".." in bucket.split("/"):
            raise ValueError(
                f"a bucket is a directory below the sink's, as text, and get_bucket_id gave {bucket!r}"
            )
        return bucket

    def _write_into(self, bucket: str, elements: list[Any]) -> None:
        now_ms = self._clock.now_ms()
        policy = self._layout.rolling_policy
        encoding = self._layout.encoding
        file = self._file_for(bucket, now_ms)
        with writing_errors(file.finished.hidden_path):
            if file.bulk is not None:
                file.bulk.add_elements(elements)
            elif isinstance(encoding, Encoder) and policy.part_size is None:
                encoding.encode_batch(elements, file.stream)
            else:
                self._write_by_size(bucket, file, elements, now_ms)
        for open_file in self._open.get(bucket, ()):
            open_file.written_ms = now_ms

    def _write_by_size(self, bucket: str, file: _OpenFile, elements: list[Any], now_ms: int) -> None:
        """At once where all fits into the file, otherwise record by record."""
        encoding = self._layout.encoding
        assert isinstance(encoding, Encoder)
        buffer = io.BytesIO()
        encoding.encode_batch(elements, buffer)
        encoded = buffer.getvalue()  # a view of the buffer could outlive it in a traceback
        part_size = self._layout.rolling_policy.part_size or 0
        if file.stream.tell() + len(encoded) <= part_size or len(elements) == 1:
            file.stream.write(encoded)
            return
        for element in elements:
            file = self._file_for(bucket, now_ms)
            encoding.encode(element, file.stream)
            file.written_ms = now_ms

    def _file_for(self, bucket: str, now_ms: int) -> _OpenFile:
        """The open file of a bucket, another where that is due to be finished."""
        self._finish_what_is_due(bucket, now_ms)
        files = self._open.get(bucket)
        if not files:
            files = self._open[bucket] = [self._begin(bucket, now_ms)]
        return files[-1]

    def _finish_what_is_due(self, bucket: str, now_ms: int) -> None:
        is_due = self._layout.rolling_policy.is_due
        files = self._open.get(bucket, [])
        due = [file for file in files if is_due(file.stream.tell(), file.opened_ms, file.written_ms, now_ms)]
        for file in due:
            self._finish(bucket, file)

    def _begin(self, bucket: str, now_ms: int) -> _OpenFile:
        finished = self._named(bucket, self._next_name(bucket))
        stream = open_new_file(finished.hidden_path)
        encoding = self._layout.encoding
        bulk = None
        if isinstance(encoding, BulkWriterFactory):
            with writing_errors(finished.hidden_path):
                bulk = encoding.create(stream)
        return _OpenFile(finished, stream, now_ms, now_ms, bulk)

    def _next_name(self, bucket: str) -> str:
        """Each bucket of a writer has a name of its own, and its files have numbers."""
        if bucket not in self._names:
            self._names[bucket] = (str(UUID(bytes=secret_token(16), version=4)), count())
        config = self._layout.file_config
        random_name, numbers = self._names[bucket]
        return f"{config.part_prefix}-{random_name}-{next(numbers)}{config.part_suffix}"

    def _named(self, bucket: str, name: str) -> FinishedFile:
        directory = f"{self._layout.base_path.rstrip('/')}/{bucket}".rstrip("/")
        hidden = self._begun.name(name, self._number)
        self._number += 1
        return FinishedFile(f"{directory}/{hidden}", f"{directory}/{name}")

    # Finishing ----------------------------------------------------------------------------------------------------------

    def _finish(self, bucket: str, file: _OpenFile) -> None:
        hidden = file.finished.hidden_path
        with writing_errors(hidden):
            if file.bulk is not None:
                file.bulk.finish()
            size_bytes = make_durable(file.stream, hidden)
            file.stream.close()
        files = self._open[bucket]
        files.remove(file)
        if not files:
            del self._open[bucket]
        self._finished.append((bucket, FinishedFile(hidden, file.finished.path, size_bytes)))

    def flush(self, end_of_input: bool) -> None:
        now_ms = self._clock.now_ms()
        for bucket, files in list(self._open.items()):
            if end_of_input or self._finishes_all:
                for file in list(files):
                    self._finish(bucket, file)
            else:
                self._finish_what_is_due(bucket, now_ms)
        self._put_together(end_of_input)

    def _put_together(self, all_of_them: bool) -> None:
        """Let finished files wait for company, and make one of those that have waited long enough."""
        strategy = self._layout.compact_strategy
        if strategy is None:
            return
        fresh: dict[str, list[FinishedFile]] = {bucket: [] for bucket in self._to_put_together}
        for bucket, file in self._finished:
            fresh.setdefault(bucket, []).append(file)
        self._finished = []
        for bucket, files in fresh.items():
            before = self._to_put_together.pop(bucket, FilesToPutTogether(bucket, (), 0))
            waiting = FilesToPutTogether(bucket, before.files + tuple(files), before.checkpoints + 1)
            size_bytes = sum(file.size_bytes for file in waiting.files)
            if all_of_them or strategy.is_due(size_bytes, waiting.checkpoints):
                self._finished.append((bucket, self._made_one(waiting)))
            else:
                self._to_put_together[bucket] = waiting

    def _made_one(self, waiting: FilesToPutTogether) -> FinishedFile:
        assert self._layout.compactor is not None
        one = self._named(waiting.bucket, "compacted-" + waiting.files[0].path.rpartition("/")[2])
        sources = tuple(file.hidden_path for file in waiting.files)
        stream = open_new_file(one.hidden_path)
        try:
            with writing_errors(one.hidden_path):
                self._layout.compactor.compact(list(sources), stream, self._write_anew)
                size_bytes = make_durable(stream, one.hidden_path)
        finally:
            stream.close()
        return FinishedFile(one.hidden_path, one.path, size_bytes, sources)

    def _write_anew(self, stream: BinaryIO, batches: "Iterable[list[Any] | pyarrow.RecordBatch]") -> None:
        encoding = self._layout.encoding
        if isinstance(encoding, Encoder):
            for batch in batches:
                encoding.encode_batch(rows_in(batch), stream)
            return
        bulk = encoding.create(stream)
        try:
            for batch in batches:
                if encoding.takes_columns and not isinstance(batch, list):
                    bulk.add_columns(batch)
                else:
                    bulk.add_elements(rows_in(batch))
        except BaseException:
            bulk.give_up()
            raise
        bulk.finish()

    def prepare_commit(self) -> list[Any]:
        finished, self._finished = self._finished, []
        return [file for _, file in finished]

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        self._begun = replace(self._begun, files=self._number)
        states: list[Any] = [self._begun, *self._to_put_together.values()]
        for bucket, files in self._open.items():
            for file in files:
                hidden = file.finished.hidden_path
                size_bytes = make_durable(file.stream, hidden)
                states.append(
                    UnfinishedFile(
                        bucket, hidden, file.finished.path, size_bytes, file.opened_ms, file.written_ms
                    )
                )
        return states

    def close(self) -> None:
        if self._forget_timer is not None:
            self._forget_timer()
        for files in self._open.values():
            for file in files:
                # What a full disk has left in the buffer was reported when it was written.
                with suppress(OSError):
                    if file.bulk is not None:
                        file.bulk.give_up()
                with suppress(OSError):
                    file.stream.close()
                self._finished.append(("", file.finished))
        self._open.clear()
        for _, finished in self._finished:
            # What a checkpoint knows stays.
            if self._begun.has(finished):
                delete_if_there(finished.hidden_path)


class _BucketContext:
    __slots__ = ("_now_ms", "_writer_context")

    def __init__(self, writer_context: SinkWriterContext, now_ms: Callable[[], int]) -> None:
        self._writer_context = writer_context
        self._now_ms = now_ms

    def current_processing_time(self) -> int:
        return self._now_ms()

    def current_watermark(self) -> int:
        return self._writer_context.current_watermark()

    def timestamp(self) -> int | None:
        return self._writer_context.timestamp()


def _name_of_start(layout: FileLayout, context: WriterInitContext) -> str:
    """The same for all writers of a sink that start from the same checkpoint, and for no others."""
    import hashlib

    parts = (context.job_id(), context.operator_id(), layout.file_config, context.restored_checkpoint_id())
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()
