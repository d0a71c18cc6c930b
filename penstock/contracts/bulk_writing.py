"""How records become files that are written as a whole, as those of columns are: for file sinks."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import pyarrow


class BulkWriter(ABC):
    """Writes the records of one file."""

    @abstractmethod
    def add_elements(self, elements: list[Any]) -> None:
        """Write or buffer records."""

    def add_element(self, element: Any) -> None:
        """Write or buffer one record."""
        self.add_elements([element])

    def add_columns(self, columns: "pyarrow.RecordBatch") -> None:
        """Write or buffer Arrow columns; called where the factory takes them."""
        raise TypeError(f"{type(self).__name__} takes no columns")

    def flush(self) -> None:  # noqa: B027
        """Write out what is buffered, as far as the format allows."""

    @abstractmethod
    def finish(self) -> None:
        """Write the end of the file. The stream stays open; nothing is added any more."""

    def give_up(self) -> None:  # noqa: B027
        """The file will be deleted: let go of what is held, before the stream is closed."""


class BulkWriterFactory(ABC):
    """Makes a writer for each file; a value that travels with the program."""

    takes_columns = False
    """Whether its writers have ``add_columns``, so that columns need not become rows on their way."""

    @abstractmethod
    def create(self, out: BinaryIO) -> BulkWriter:
        """A writer into an open file that is empty."""
