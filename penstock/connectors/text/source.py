"""A source of the lines of files."""

import codecs
import os
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, BinaryIO

from penstock.connectors.splits import SplitAfterSplit, SplitQueue
from penstock.connectors.text.charsets import (
    LONGEST_MARK_BYTES,
    LineCharset,
    charset_of_file,
    check_charset,
)
from penstock.contracts.source import (
    Boundedness,
    ReaderOutput,
    Source,
    SourceReader,
    SourceReaderContext,
    SplitEnumerator,
    SplitEnumeratorContext,
)
from penstock.errors import OutsideError, ProgramError
from penstock.storage.reading import FoundFile, absolute_path, find_files, open_file, outside_errors

# Read at once, and emitted as one batch. Small, as what becomes of a batch should still be in the processor's cache when the
# last operator sees it: 8 KiB is twice as fast as 128 KiB where lines are split into words or fields.
BLOCK_BYTES = 8 * 1024

# Parallel readers get several splits each, so that a slow one does not hold up the end, but none too small to be worth it.
SPLITS_PER_READER = 4
SMALLEST_SPLIT_BYTES = 64 * 1024


class TextFileSource(Source):
    """Emits the lines of a file, or of all files below a directory, without their ends.

    A line ends with ``\\n`` or ``\\r\\n``. Parallel readers share the files in ranges of bytes. ``errors`` says what happens
    to bytes that are not of the charset: ``strict`` fails with their place, ``replace`` puts U+FFFD there.

    >>> TextFileSource("lines.txt").display_name()
    'Text File Source (lines.txt)'
    """

    checks_types = True

    def __init__(self, path: str | os.PathLike[str], charset: str = "UTF-8", errors: str = "strict") -> None:
        self._path = absolute_path(path)
        self._codec = check_charset(charset)
        try:
            codecs.lookup_error(errors)
        except (LookupError, TypeError):
            raise ProgramError(f"errors must be 'strict', 'replace' or 'ignore', not {errors!r}") from None
        self._errors = errors

    def get_boundedness(self) -> Boundedness:
        return Boundedness.BOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        return _TextEnumerator(context, self._path)

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return SplitQueue(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _TextReader(context, self._codec, self._errors)

    def display_name(self) -> str:
        return f"Text File Source ({self._path.rstrip('/').rpartition('/')[2]})"


@dataclass(frozen=True, slots=True)
class TextSplit:
    """The lines that start at or after ``start`` and before ``stop``.

    ``position``: where the next line starts, None before the first was looked for. ``size_bytes``: of the whole file.
    """

    path: str
    start: int
    stop: int
    size_bytes: int
    position: int | None = None

    def split_id(self) -> str:
        return f"{self.path}:{self.start}-{self.stop}"


def divide_files(
    files: list[FoundFile], readers: int, smallest_bytes: int = SMALLEST_SPLIT_BYTES
) -> list[TextSplit]:
    """Whole files for one reader, ranges of bytes for several."""
    total_bytes = sum(file.size_bytes for file in files)
    most_bytes = max(smallest_bytes, -(-total_bytes // (readers * SPLITS_PER_READER)))
    splits = []
    for file in files:
        parts = 1 if readers == 1 else -(-file.size_bytes // most_bytes)
        # Borders stand between characters of any width.
        borders = [file.size_bytes * part // parts // 4 * 4 for part in range(parts)] + [file.size_bytes]
        splits += [
            TextSplit(file.path, start, stop, file.size_bytes)
            for start, stop in pairwise(borders)
            if start < stop
        ]
    return splits


class _TextEnumerator(SplitQueue):
    """Looks for the files when the job starts, so that a wrong path fails at once."""

    def __init__(self, context: SplitEnumeratorContext, path: str) -> None:
        super().__init__(context, [])
        self._path = path

    def start(self) -> None:
        files = find_files(self._path)
        self._waiting.extend(divide_files(files, self._context.current_parallelism()))


class _TextReader(SplitAfterSplit[TextSplit]):
    """Its only state is the position: the part of a line at the end of a block is read again with the next block."""

    def __init__(self, context: SourceReaderContext, codec: str, errors: str) -> None:
        super().__init__(context)
        self._codec = codec
        self._errors = errors
        self._file: BinaryIO | None = None
        self._charset = charset_of_file(codec, b"")
        self._block_bytes = BLOCK_BYTES

    def begin(self, split: TextSplit) -> None:
        self.close()
        self._file = open_file(split.path)
        self._charset = charset_of_file(self._codec, self._block(split, 0, LONGEST_MARK_BYTES))

    def read(self, split: TextSplit, output: ReaderOutput) -> TextSplit | None:
        if split.position is None:
            return self._find_first_line(split)
        charset, width = self._charset, len(self._charset.newline)
        block = self._block(split, split.position, self._block_bytes)
        last = charset.find_newline(block, max(0, split.stop - split.position - width))
        at = last if last >= 0 else charset.find_last_newline(block)
        if at < 0:
            if len(block) == self._block_bytes:
                self._block_bytes *= 2
                return split
            self._check_size(split, split.position + len(block))
            at = last = len(block)
        self._block_bytes = BLOCK_BYTES
        if block:
            output.collect_batch(self._lines(split, split.position, block, at))
        return replace(split, position=split.position + at + width) if last < 0 else None

    def _find_first_line(self, split: TextSplit) -> TextSplit | None:
        """A line that starts before the split belongs to the split before, which ends exactly there."""
        mark_bytes = self._charset.mark_bytes
        if split.start <= mark_bytes:
            return replace(split, position=mark_bytes) if mark_bytes < split.stop else None
        width = len(self._charset.newline)
        offset = split.start - width
        while True:
            block = self._block(split, offset, BLOCK_BYTES)
            at = self._charset.find_newline(block, 0)
            if at >= 0:
                position = offset + at + width
                return replace(split, position=position) if position < split.stop else None
            offset += len(block)
            if offset >= split.stop:
                return None
            if len(block) < BLOCK_BYTES:
                self._check_size(split, offset)
                return None

    def _lines(self, split: TextSplit, position: int, block: bytes, end: int) -> list[str]:
        try:
            text = str(memoryview(block)[:end], self._charset.codec, self._errors)
        except UnicodeDecodeError as error:
            raise self._not_of_charset(split, position + error.start, error) from error
        if "\r" in text:
            text = text.replace("\r\n", "\n").removesuffix("\r")
        return text.split("\n")

    def _block(self, split: TextSplit, offset: int, size: int) -> bytes:
        """The bytes at ``offset``, less than ``size`` only at the end of the file."""
        assert self._file is not None
        with outside_errors(split.path):
            self._file.seek(offset)
            block = self._file.read(size)
            while len(block) < size and (more := self._file.read(size - len(block))):
                block += more
        return block

    def _check_size(self, split: TextSplit, found_bytes: int) -> None:
        if found_bytes < split.stop:
            raise OutsideError(
                f"{split.path} had {split.size_bytes} bytes when the job started, but ends after {found_bytes} now; "
                "files must not change while they are read"
            )

    def _not_of_charset(self, split: TextSplit, offset: int, error: UnicodeDecodeError) -> OutsideError:
        line = 1 + _count(self._file, self._charset, offset)
        wrong = error.object[error.start : error.end].hex(" ")
        failure = OutsideError(
            f"{split.path}, line {line}, byte {offset}: {wrong} is not of the charset {self._charset.codec} "
            f"({error.reason}); give the file's charset, or errors='replace'"
        )
        failure.retryable = False
        return failure

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _count(file: BinaryIO | None, charset: LineCharset, stop: int) -> int:
    """How many lines end before ``stop``; reads the file once more, as only an error asks for it."""
    assert file is not None
    file.seek(0)
    lines = 0
    while stop > 0 and (block := file.read(min(BLOCK_BYTES, stop))):
        stop -= len(block)
        lines += block.decode(charset.codec, "replace").count("\n")
    return lines
