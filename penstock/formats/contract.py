"""What a format of files promises to the source that reads them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.data.type_information import TypeInformation
from penstock.formats.bad_records import BadRecord, OnError, apply

if TYPE_CHECKING:
    import pyarrow

# Where a part ends that goes to the end of its file, wherever that is.
END_OF_FILE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class FilePart:
    """The records that begin in a range of the bytes of a file.

    ``position``: what the format needs to go on behind the records that were read, None before the first: the number of a
    byte in the (decompressed) file, or a number of records. ``size_bytes``: of the whole file, when it was found.
    ``stop`` is ``END_OF_FILE`` where a file is compressed, as nobody knows then where its plain bytes end.
    """

    path: str
    start: int
    stop: int
    size_bytes: int
    position: int | None = None

    def split_id(self) -> str:
        """The name of the part, which no other part of the source has."""
        return f"{self.path}:{self.start}-{self.stop}"


@dataclass(frozen=True, slots=True)
class FileAccess:
    """What a reader of a format is given: a way to open files, already decompressed, and where bad records go.

    ``put_aside`` emits a record into the side output that is named; only while the reader reads.
    """

    open: Callable[[str], BinaryIO]
    count_bad_records: Callable[[int], None]
    put_aside: Callable[[str, Any], None]

    def treat(self, record: BadRecord, on_error: OnError) -> None:
        """Do with a bad record what the policy says, and count it."""
        apply(on_error, record, self.put_aside)
        self.count_bad_records(1)


Piece = tuple["list[Any] | pyarrow.RecordBatch", int]
"""Records, or a batch of columns, and the position behind them."""


class FormatReader(ABC):
    """Reads parts of files one after the other."""

    @abstractmethod
    def begin(self, part: FilePart) -> None:
        """Open a part at its position, and leave the one before."""

    @abstractmethod
    def read(self) -> Piece | None:
        """The next records, which may be none, with the position behind them; None at the end of the part."""

    @abstractmethod
    def close(self) -> None:
        """Close what is open; may be called more than once."""


class FileFormat(ABC):
    """How the bytes of a file become records; a value that travels with the program."""

    output_layout = "rows"
    checks_types = False
    """Whether records are certain to be of the type that the format produces."""
    decompresses = True
    """Whether files are decompressed by the end of their name; formats that compress by themselves are not."""
    splittable = False
    """Whether several readers may share a file that is not compressed."""
    input_path: str | None = None
    """What ``create_input`` reads; None for formats that are given paths by a source."""

    @abstractmethod
    def create_reader(self, access: FileAccess) -> FormatReader:
        """A reader for one task."""

    def get_produced_type(self) -> TypeInformation | None:
        """The declared type of the records; None where it is open."""
        return None


class BulkFormat(FileFormat):
    """Formats that are read in batches with knowledge of the whole file, as Parquet, ORC and Avro are."""

    decompresses = False
