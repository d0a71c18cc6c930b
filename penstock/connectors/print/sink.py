"""A sink that writes each record as a line on standard output or standard error."""

import sys
from collections.abc import Callable
from typing import Any, TextIO

from penstock.contracts.effects import Effect
from penstock.contracts.sink import Sink, SinkWriter, SinkWriterContext, WriterInitContext
from penstock.data.text_forms import print_prefix
from penstock.errors import OutsideError


class PrintSink(Sink):
    """Prints. Each line starts with the identifier, and with the number of the subtask where there are several.

    ``form`` gives the text of a record, by default ``str``. A batch is one write and one flush.

    >>> PrintSink("numbers", to_stderr=True).display_name()
    'Print to Std. Err'
    """

    effect = Effect.NONE

    def __init__(
        self,
        identifier: str | None = None,
        to_stderr: bool = False,
        form: Callable[[Any], str] | None = None,
    ) -> None:
        self._identifier = identifier
        self._to_stderr = to_stderr
        self._form = form

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        prefix = print_prefix(
            self._identifier, context.index_of_subtask(), context.number_of_parallel_subtasks()
        )
        return _PrintWriter(prefix, self._to_stderr, str if self._form is None else self._form)

    def display_name(self) -> str:
        return "Print to Std. Err" if self._to_stderr else "Print to Std. Out"


class _PrintWriter(SinkWriter):
    def __init__(self, prefix: str, to_stderr: bool, form: Callable[[Any], str]) -> None:
        self._prefix = prefix
        self._between = f"\n{prefix}"
        self._to_stderr = to_stderr
        self._form = form

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self._print(f"{self._prefix}{self._form(element)}\n")

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        if values:
            self._print(f"{self._prefix}{self._between.join(map(self._form, values))}\n")

    def _print(self, text: str) -> None:
        # Looked up for each batch: programs and test runners replace sys.stdout while a job runs.
        stream: TextIO | None = sys.stderr if self._to_stderr else sys.stdout
        name = "standard error" if self._to_stderr else "standard output"
        if stream is None:
            raise OutsideError(f"this process has no {name} to print to; use another sink")
        try:
            stream.write(text)
            stream.flush()
        except UnicodeEncodeError as error:
            raise OutsideError(
                f"{name} has the encoding {error.encoding}, which cannot write {error.object[error.start]!r}; "
                "set PYTHONIOENCODING=utf-8"
            ) from error
        except (OSError, ValueError) as error:
            raise OutsideError(f"cannot print to {name}: {error}") from error
