"""How records become files that are written as a whole, as those of columns are: for file sinks."""

from abc import ABC, abstractmethod
from typing import Any, BinaryIO


class BulkWriter(ABC):
    """Writes the records of one file."""

    @abstractmethod
    def add_elements(self, elements: list[Any]) -> None:
        """Write or buffer records."""

    def add_element(self, element: Any) -> None:
        """Write or buffer one record."""
        self.add_elements([element])

    def flush(self) -> None:  # noqa: B027
        """Write out what is buffered, as far as the format allows."""

    @abstractmethod
    def finish(self) -> None:
        """Write the end of the file. The stream stays open; nothing is added any more."""

    def give_up(self) -> None:  # noqa: B027
        """The file will be deleted: let go of what is held, before the stream is closed."""


class BulkWriterFactory(ABC):
    """Makes a writer for each file; a value that travels with the program."""

    @abstractmethod
    def create(self, out: BinaryIO) -> BulkWriter:
        """A writer into an open file that is empty."""
