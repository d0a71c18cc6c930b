"""Reading lines out of ranges of bytes: what text, JSON lines and CSV have in common."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.errors import OutsideError
from penstock.formats.bad_records import BadRecord, OnError
from penstock.formats.charsets import LONGEST_MARK_BYTES, charset_of_file
from penstock.formats.contract import END_OF_FILE, FileAccess, FilePart, FormatReader, Piece

if TYPE_CHECKING:
    import pyarrow

# Read at once, and emitted as one batch. Small, as what becomes of a batch should still be in the processor's cache when the
# last operator sees it: 8 KiB is twice as fast as 128 KiB where lines are split into words or fields.
BLOCK_BYTES = 8 * 1024


class LineReader(FormatReader):
    """Reads whole lines that begin in its part; its position is where the next line begins."""

    keeps_returns = False
    """Whether ``parse`` sees the carriage returns of lines that end with ``\\r\\n``."""

    def __init__(self, access: FileAccess, codec: str, errors: str, on_error: OnError) -> None:
        self.block_bytes = BLOCK_BYTES
        self._access = access
        self._codec = codec
        self._errors = errors
        self._on_error = on_error
        self._file: BinaryIO | None = None
        self._charset = charset_of_file(codec, b"")
        self._part = FilePart("", 0, 0, 0)
        self._rest = b""
        self._position = 0
        self._at_end = False
        self._begun_at = 0
        self._lines_before: int | None = 0
        self._lines = 0
        self._numbers: list[int] | None = None

    @abstractmethod
    def parse(self, text: str, final: bool) -> tuple[Any, int]:
        """The records of some lines, and how many of the lines at the end are to come again with those behind them.

        ``final``: nothing comes behind them. Lines are separated by newlines; the last has none.
        """

    def parse_bytes(self, block: bytes, end: int) -> "pyarrow.RecordBatch | None":
        """The records of the lines of a block up to ``end`` in columns, before they are decoded; None has them parsed."""
        return None

    def at_start_of_file(self) -> bool:
        """Whether nothing of the file has been read."""
        return self._begun_at <= self._charset.mark_bytes and self._position == self._begun_at

    def begin(self, part: FilePart) -> None:
        self.close()
        self._part = part
        self._file = file = self._access.open(part.path)
        head = file.read(LONGEST_MARK_BYTES)
        self._charset = charset_of_file(self._codec, head)
        mark = self._charset.mark_bytes
        self._at_end = False
        if part.position is None and part.start > mark:
            self._position = self._first_line(part.start)
        else:
            self._position = mark if part.position is None else part.position
            self._go_to(self._position, head)
        self._begun_at = self._position
        self._lines = 0
        self._lines_before = 0 if self._begun_at <= mark else None

    def _go_to(self, position: int, head: bytes) -> None:
        """Have ``position`` read next. ``head`` is what has been read of the file; compressed ones cannot go back."""
        assert self._file is not None
        if self._part.stop != END_OF_FILE:
            self._file.seek(position)
            self._rest = b""
            return
        self._rest = head[position:]
        missing = position - len(head)
        while missing > 0:
            skipped = len(self._file.read(min(missing, 1 << 20)))
            if not skipped:
                raise self._shrunk(position - missing, position)
            missing -= skipped

    def _first_line(self, start: int) -> int:
        """Where the first line begins at or after ``start``: one that begins before belongs to the part before."""
        assert self._file is not None
        width = len(self._charset.newline)
        offset = start - width
        self._go_to(offset, b"")
        while offset < self._part.stop:
            block = self._file.read(BLOCK_BYTES)
            at = self._charset.find_newline(block, 0)
            if at >= 0:
                self._rest = block[at + width :]
                return offset + at + width
            offset += len(block)
            if len(block) < BLOCK_BYTES:
                self._check_size(offset)
                break
        return self._part.stop

    def read(self) -> Piece | None:
        assert self._file is not None
        wanted, width, stop = self.block_bytes, len(self._charset.newline), self._part.stop
        while self._position < stop:
            block = self._rest
            missing = wanted - len(block)
            if missing > 0 and not self._at_end:
                more = self._file.read(missing)
                self._at_end = len(more) < missing
                block = self._rest = block + more if block else more
            final = False
            # The line that holds the last byte of the part is the last one, wherever it ends.
            end = self._charset.find_newline(block, max(0, stop - self._position - width))
            if end >= 0:
                final = True
            elif self._at_end:
                if not block:
                    self._check_size(self._position)
                    return None
                self._check_size(self._position + len(block))
                final, end = True, len(block)
                if self._charset.find_last_newline(block) == end - width:
                    end -= width
            else:
                end = self._charset.find_last_newline(block)
                if end < 0:
                    wanted *= 2
                    continue
            piece = self._records(block, end, final)
            if piece is not None:
                return piece
            wanted = max(wanted, len(block)) * 2
        return None

    def _records(self, block: bytes, end: int, final: bool) -> Piece | None:
        """The records of the lines up to ``end``; None where none of them is complete."""
        records: Any = self.parse_bytes(block, end)
        left = 0
        if records is None:
            text = self._decoded(block, end)
            records, left = self.parse(text, final) if text is not None else ([], 0)
        width = len(self._charset.newline)
        lines = block.count(b"\n", 0, end) + 1 if width == 1 else _count(self._charset, block[:end]) + 1
        if left:
            if left >= lines:
                return None
            for _ in range(left):
                end = self._charset.find_last_newline(block[:end])
        used = min(end + width, len(block))
        self._lines += lines - left
        self._position += used
        self._rest = block[used:]
        return records, self._position

    def _decoded(self, block: bytes, end: int) -> str | None:
        self._numbers = None
        try:
            text = str(memoryview(block)[:end], self._charset.codec, self._errors)
        except UnicodeDecodeError as error:
            return self._decoded_line_by_line(block[:end], error)
        if "\r" in text and not self.keeps_returns:
            text = text.replace("\r\n", "\n").removesuffix("\r")
        return text

    def _decoded_line_by_line(self, block: bytes, first: UnicodeDecodeError) -> str | None:
        """The lines that are of the charset; the others are bad records. None where all are bad."""
        lines, numbers, start, number = [], [], 0, 0
        while start <= len(block):
            end = self._charset.find_newline(block, start)
            end = len(block) if end < 0 else end
            try:
                lines.append(block[start:end].decode(self._charset.codec, self._errors).removesuffix("\r"))
                numbers.append(number)
            except UnicodeDecodeError as error:
                wrong = error.object[error.start : error.end].hex(" ")
                reason = (
                    f"byte {self._position + start + error.start}: {wrong} is not of the charset "
                    f"{self._charset.codec} ({error.reason}); give the file's charset, or errors='replace'"
                )
                self.bad(number, block[start:end].decode(self._charset.codec, "replace"), reason)
            start, number = end + len(self._charset.newline), number + 1
        self._numbers = numbers
        return "\n".join(lines) if lines else None

    def bad(self, index: int, text: str, reason: str, column: int | None = None) -> None:
        """Do what the policy says with the record that begins in line ``index`` of those being parsed."""
        index = index if self._numbers is None or index >= len(self._numbers) else self._numbers[index]
        if self._lines_before is None:
            self._lines_before = self._count_lines_before()
        line = self._lines_before + self._lines + index + 1
        self._access.treat(BadRecord(self._part.path, line, column, text, reason), self._on_error)

    def _count_lines_before(self) -> int:
        """How many lines stand before the first that was read; reads them, as only a bad record asks for it."""
        lines, left = 0, self._begun_at
        with self._access.open(self._part.path) as file:
            while left > 0 and (block := file.read(min(1 << 20, left))):
                lines += _count(self._charset, block)
                left -= len(block)
        return lines

    def _check_size(self, found_bytes: int) -> None:
        if self._part.stop != END_OF_FILE and found_bytes < self._part.stop:
            raise self._shrunk(found_bytes, self._part.size_bytes)

    def _shrunk(self, found_bytes: int, expected_bytes: int) -> OutsideError:
        return OutsideError(
            f"{self._part.path} had {expected_bytes} bytes when the job started, but ends after {found_bytes} now; "
            "files must not change while they are read"
        )

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._rest = b""


class RecordPerLineReader(LineReader):
    """Reads formats in which a line is a record."""

    @abstractmethod
    def records(self, lines: list[str]) -> list[Any]:
        """The records of some lines.

        :raises ValueError: (or TypeError, LookupError, ArithmeticError) when there is a bad one among them.
        """

    def parse(self, text: str, final: bool) -> tuple[list[Any], int]:
        lines = text.split("\n")
        try:
            return self.records(lines), 0
        except (ValueError, TypeError, LookupError, ArithmeticError):
            return self._one_by_one(lines), 0

    def _one_by_one(self, lines: list[str]) -> list[Any]:
        found: list[Any] = []
        for index, line in enumerate(lines):
            try:
                found += self.records([line])
            except (ValueError, TypeError, LookupError, ArithmeticError) as error:
                self.bad(index, line, _reason(error), getattr(error, "colno", None))
        return found


def _reason(error: Exception) -> str:
    """What an error says, without the place in a text of its own that JSON's adds."""
    return str(getattr(error, "msg", None) or str(error) or type(error).__name__)


def _count(charset: Any, block: bytes) -> int:
    lines, at = 0, charset.find_newline(block, 0)
    while at >= 0:
        lines, at = lines + 1, charset.find_newline(block, at + len(charset.newline))
    return lines
