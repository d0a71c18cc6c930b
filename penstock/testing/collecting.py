"""Bringing the records of a local job into lists of this process."""

import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from penstock.contracts.sink import Sink, SinkWriter, SinkWriterContext, WriterInitContext
from penstock.datastream.stream import DataStream


def collect(stream: DataStream) -> list[Any]:
    """Run the program and return the records of one stream.

    >>> from penstock.datastream import StreamExecutionEnvironment
    >>> env = StreamExecutionEnvironment.get_execution_environment()
    >>> collect(env.from_collection([1, 2, 3]).filter(lambda x: x != 2))
    [1, 3]
    """
    with stream.execute_and_collect() as rows:
        return list(rows)


class CollectingSink(Sink):
    """Gathers records on this machine, at any parallelism; several may be in one program.

    In this process records are kept as they are; worker processes append them to files of a temporary folder that lives
    as long as the sink. Per subtask the order is kept. A restarted subtask writes some records again.

    >>> from penstock.datastream import StreamExecutionEnvironment
    >>> env = StreamExecutionEnvironment.get_execution_environment()
    >>> numbers, even = CollectingSink(), CollectingSink()
    >>> stream = env.from_collection([1, 2, 3])
    >>> _ = stream.sink_to(numbers), stream.filter(lambda x: x % 2 == 0).sink_to(even)
    >>> result = env.execute()
    >>> numbers.records, even.records
    ([1, 2, 3], [2])
    """

    def __init__(self) -> None:
        self._here: list[Any] | None = []
        self._folder: tempfile.TemporaryDirectory[str] | None = tempfile.TemporaryDirectory(
            prefix="penstock-collected-"
        )
        self._path = self._folder.name

    @property
    def records(self) -> list[Any]:
        """Everything so far, subtask after subtask."""
        found = list(self._here or ())
        for file in sorted(Path(self._path).iterdir()):
            found += _read(file)
        return found

    def clear(self) -> None:
        """Forget what was gathered; not while a job writes."""
        self._here = []
        for file in Path(self._path).iterdir():
            file.unlink()

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        if self._here is not None:
            return _ListWriter(self._here)
        name = f"{context.index_of_subtask():05}-{context.attempt_number():05}"
        return _FileWriter(Path(self._path) / name)

    def __getstate__(self) -> dict[str, Any]:
        """A copy in another process writes to the folder, and does not own it."""
        return {"_here": None, "_folder": None, "_path": self._path}


class _ListWriter(SinkWriter):
    def __init__(self, records: list[Any]) -> None:
        self._records = records

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self._records.append(element)

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        self._records += values


class _FileWriter(SinkWriter):
    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("ab")

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self.write_batch([element], None, context)

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        pickle.dump(values, self._file, protocol=5)
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def _read(path: Path) -> Iterator[Any]:
    """All records of a file; a batch that is being written is left out."""
    with path.open("rb") as file:
        while True:
            try:
                batch = pickle.load(file)
            except (EOFError, pickle.UnpicklingError):
                return
            yield from batch
