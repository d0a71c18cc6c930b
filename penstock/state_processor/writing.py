"""The operators that write a savepoint in a job: those that take over what an older one holds, and the one that ends it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from penstock.checkpoint.handles import FileRole, OperatorStateHandle, StateFile
from penstock.checkpoint.manifest import MANIFEST_NAME, Manifest, OperatorRecord, write_manifest
from penstock.checkpoint.part_files import open_checked
from penstock.checkpoint.place import SHARED_PREFIX, CheckpointPlace
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import read_checked, read_operator_snapshot, write_operator_snapshot
from penstock.data.batch import RowBatch
from penstock.errors import StateError
from penstock.operators.contract import Operator, OperatorContext, OperatorSpec
from penstock.state.native_entries import open_rocksdb_files
from penstock.storage.writing import delete_if_there, exists, files_below, write_new_blocks, write_new_file

BLOCK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class TakenOver:
    """The state of one operator in one subtask of an older savepoint, under the identity that it gets."""

    handle: OperatorStateHandle
    operator_id: str


@dataclass(frozen=True, slots=True)
class TakeOverSpec(OperatorSpec):
    """Copies the files of what it is given, and emits the handles of the copies; files of RocksDB become files of entries."""

    place: CheckpointPlace
    directory: str

    def build(self, context: OperatorContext) -> Operator:
        return _TakeOver(self, context)


class _TakeOver(Operator):
    def __init__(self, spec: TakeOverSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._spec = spec

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        for taken_over in batch.values:
            if self.context.attempt:
                remove_earlier(self._spec.directory, taken_over.operator_id, taken_over.handle.subtask_index)
            is_native = any(file.role is FileRole.NATIVE for file in taken_over.handle.files)
            handle = self._rewritten(taken_over) if is_native else self._copied(taken_over)
            self.output.emit(RowBatch([handle]))

    def _copied(self, taken_over: TakenOver) -> OperatorStateHandle:
        old = taken_over.handle
        files = tuple(self._copy(file, taken_over) for file in old.files)
        return replace(old, operator_id=taken_over.operator_id, files=files)

    def _copy(self, file: StateFile, taken_over: TakenOver) -> StateFile:
        if file.content is not None:
            return file
        place, whose = self._spec.place, taken_over.handle.owner
        name = file.name.removeprefix(SHARED_PREFIX)  # a savepoint shares nothing
        copy = replace(file, name=name.replace(taken_over.handle.operator_id, taken_over.operator_id, 1))
        path = f"{self._spec.directory}/{copy.name}"
        if file.role is FileRole.PART:
            with open_checked(place, file, whose) as part:
                write_new_blocks(path, iter(partial(part.read, BLOCK_BYTES), b""))
        else:
            write_new_file(path, read_checked(place, file, whose))
        return copy

    def _rewritten(self, taken_over: TakenOver) -> OperatorStateHandle:
        old = taken_over.handle
        subtask = SubtaskPlace(old.subtask_index, old.parallelism, old.max_parallelism)
        snapshot = read_operator_snapshot(
            self._spec.place, (old,), subtask, partial(open_rocksdb_files, self.context.settings)
        )
        assert snapshot is not None
        place = CheckpointPlace(self._spec.directory)
        return write_operator_snapshot(place, snapshot, taken_over.operator_id, old.operator_name, subtask)


@dataclass(frozen=True, slots=True)
class ManifestSpec(OperatorSpec):
    """Gathers the handles of all subtasks, and writes the manifest when all are there. One subtask.

    ``manifest`` has the operators as they are to be, without handles.
    """

    manifest: Manifest
    directory: str

    def build(self, context: OperatorContext) -> Operator:
        return _WriteManifest(self, context)

    @property
    def ends_stream(self) -> bool:
        return True


class _WriteManifest(Operator):
    def __init__(self, spec: ManifestSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._spec = spec
        self._handles: list[OperatorStateHandle] = []

    def open(self) -> None:
        path = f"{self._spec.directory}/{MANIFEST_NAME}"
        if self.context.attempt:
            delete_if_there(path)
        elif exists(path):
            raise StateError(f"there is a savepoint at {self._spec.directory} already; write to another path")

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        self._handles += batch.values

    def on_watermark(self, timestamp: int) -> None:
        pass

    def on_status(self, status: Any) -> None:
        pass

    def finish(self) -> None:
        spec, context = self._spec, self.context
        records = {
            operator_id: _with_handles(record, self._handles)
            for operator_id, record in spec.manifest.operators.items()
        }
        manifest = replace(
            spec.manifest,
            timestamp_ms=context.clock.now_ms(),
            job_id=context.job_id,
            is_savepoint=True,
            operators=records,
        )
        write_manifest(spec.directory, manifest)


def _with_handles(record: OperatorRecord, handles: Iterable[OperatorStateHandle]) -> OperatorRecord:
    mine = [handle for handle in handles if handle.operator_id == record.operator_id]
    return replace(record, handles=tuple(sorted(mine, key=lambda handle: handle.subtask_index)))


def remove_earlier(directory: str, operator_id: str, subtask_index: int) -> None:
    """Remove what an earlier attempt of the job wrote of one operator in one subtask."""
    beginning = f"{operator_id}-{subtask_index}-"
    for path in files_below(directory):
        if path.rpartition("/")[2].startswith(beginning):
            delete_if_there(path)
