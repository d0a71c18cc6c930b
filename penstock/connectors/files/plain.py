"""Files that are written in place, as ``write_as_text`` and ``write_as_csv`` do; and how often files are read."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, BinaryIO

from penstock.contracts.effects import Effect
from penstock.contracts.sink import Sink, SinkWriter, SinkWriterContext, WriterInitContext
from penstock.data.text_forms import file_form, java_form
from penstock.data.type_composites import TupleTypeInfo
from penstock.data.type_information import TypeInformation, shortened
from penstock.errors import OutsideError, ProgramError, TypeMismatch
from penstock.storage.writing import exists, open_over, writing_errors

Form = Callable[[Any], str]


class WriteMode(Enum):
    """What becomes of a file that is there already."""

    NO_OVERWRITE = 0
    OVERWRITE = 1


class FileProcessingMode(Enum):
    """Whether files are read as they are when the job starts, or also those that come later."""

    PROCESS_ONCE = 0
    PROCESS_CONTINUOUSLY = 1


@dataclass(frozen=True, slots=True)
class PlainFileSink(Sink):
    """Writes a line for each record into one file, or with several writers into files ``1``, ``2`` and so on in a directory.

    It takes no part in checkpoints: after a failure the files are written from where the job goes on.

    >>> PlainFileSink("/data/out.txt").display_name()
    'Text File'
    """

    effect = Effect.NONE

    path: str
    write_mode: WriteMode = WriteMode.NO_OVERWRITE
    field_delimiter: str | None = None
    row_delimiter: str = "\n"
    type_info: TypeInformation | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.write_mode, WriteMode):
            raise ProgramError(f"write_mode is WriteMode.NO_OVERWRITE or OVERWRITE, not {self.write_mode!r}")
        if self.field_delimiter is None:
            return
        if self.type_info is not None and not isinstance(self.type_info, TupleTypeInfo):
            raise ProgramError(
                f"write_as_csv can only be used on data streams of tuples, and this one is of {self.type_info}"
            )

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        path = self.path
        if context.number_of_parallel_subtasks() > 1:
            path = f"{path.rstrip('/')}/{context.index_of_subtask() + 1}"
        if self.write_mode is WriteMode.NO_OVERWRITE and not context.attempt_number() and exists(path):
            raise OutsideError(
                f"{path} is there already, and existing files are not overwritten in mode NO_OVERWRITE; "
                "delete it, or use WriteMode.OVERWRITE"
            )
        form = (
            file_form(self.type_info)
            if self.field_delimiter is None
            else _fields_form(self.type_info, self.field_delimiter)
        )
        return _PlainWriter(path, form, self.row_delimiter)

    def display_name(self) -> str:
        return "Text File" if self.field_delimiter is None else "CSV File"


class _PlainWriter(SinkWriter):
    def __init__(self, path: str, form: Form, row_delimiter: str) -> None:
        self._path = path
        self._form = form
        self._row_delimiter = row_delimiter
        self._stream: BinaryIO = open_over(path)

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self.write_batch([element], None, context)

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        end = self._row_delimiter
        text = end.join(map(self._form, values)) + end if values else ""
        with writing_errors(self._path):
            self._stream.write(text.encode())

    def flush(self, end_of_input: bool) -> None:
        with writing_errors(self._path):
            self._stream.flush()

    def close(self) -> None:
        with writing_errors(self._path):
            self._stream.close()


def _fields_form(type_info: TypeInformation | None, delimiter: str) -> Form:
    """The fields of a tuple, without quotes; nothing for None."""
    forms = (
        [java_form(kind) for kind in type_info.get_field_types()]
        if isinstance(type_info, TupleTypeInfo)
        else None
    )

    def form(value: Any) -> str:
        if not isinstance(value, (tuple, list)):
            raise TypeMismatch(
                f"write_as_csv can only be used on data streams of tuples, got {shortened(value)}"
            )
        if forms is None:
            return delimiter.join("" if field is None else str(field) for field in value)
        return delimiter.join(
            "" if field is None else of(field) for of, field in zip(forms, value, strict=True)
        )

    return form
