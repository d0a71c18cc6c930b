"""What becomes of a record that cannot be read: the job fails, it is skipped and counted, goes to a side output, or the
user's code gets it."""

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from penstock.contracts.output_tag import OutputTag
from penstock.data.type_information import shortened
from penstock.errors import OutsideError, ProgramError


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be read, and where it stands.

    ``line``: counted from 1; in Avro, Parquet and ORC, which have no lines, the number of the record. ``column``: of the
    character for lines and JSON, of the field for CSV, counted from 1; None where it is not known.
    """

    path: str
    line: int
    column: int | None
    text: str
    reason: str

    def place(self) -> str:
        """File, line and column."""
        column = "" if self.column is None else f", column {self.column}"
        return f"{self.path}, line {self.line}{column}"


OnError = str | OutputTag[Any] | Callable[[BadRecord], Any]


def check_on_error(on_error: Any) -> OnError:
    """A policy as the user gave it.

    >>> check_on_error("skip")
    'skip'
    """
    if isinstance(on_error, OutputTag):
        if on_error.type_info is not None:
            raise ProgramError(
                f"the side output {on_error.tag_id!r} holds BadRecord objects, and its OutputTag declares "
                f"{on_error.type_info}; leave the type out, and map the records to what you need"
            )
        return on_error
    if on_error in ("fail", "skip") or callable(on_error):
        return on_error  # type: ignore[no-any-return]
    raise ProgramError(
        "on_error is 'fail', 'skip', an OutputTag for a side output, or a function that is given each BadRecord, not "
        f"{on_error!r}; DeadLetterFile(path) keeps them in a file"
    )


def apply(on_error: OnError, record: BadRecord, put_aside: Callable[[str, Any], None]) -> None:
    """Do with a bad record what the policy says. ``put_aside`` emits a record into a side output."""
    if isinstance(on_error, OutputTag):
        put_aside(on_error.tag_id, record)
    elif on_error == "fail":
        failure = OutsideError(
            f"{record.place()}: {record.reason}: {shortened(record.text)}; correct the file, or choose with on_error= "
            "what becomes of such records"
        )
        failure.retryable = False
        raise failure
    elif callable(on_error):
        on_error(record)


class DeadLetterFile:
    """Keeps bad records in a local file: a JSON object for each, in a line of its own, added at the end of the file.

    After a restart records may stand there twice. Worker processes of several machines write to files of their own.

    >>> DeadLetterFile("bad.jsonl").path.endswith("/bad.jsonl")
    True
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        text = os.fspath(path)
        if "://" in text:
            raise ProgramError(
                f"a dead letter file is a local file, not {text!r}; give a function that writes there"
            )
        self.path = os.path.abspath(text)

    def __call__(self, record: BadRecord) -> None:
        import json

        line = json.dumps(asdict(record)) + "\n"
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            raise OutsideError(f"{self.path} cannot be written: {error.strerror or error}") from error
