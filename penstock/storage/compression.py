"""Files that are compressed: which ones are, by the end of their name, and their content as a stream of plain bytes."""

import io
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

from penstock.errors import OutsideError, ProgramError
from penstock.storage.reading import outside_errors

# Read from the file and decompressed at once.
BLOCK_BYTES = 128 * 1024

_ENDINGS = {
    ".gz": "gzip",
    ".gzip": "gzip",
    ".deflate": "deflate",
    ".bz2": "bz2",
    ".xz": "xz",
    ".zst": "zstd",
    ".zstd": "zstd",
    ".lz4": "lz4",
}
_UNREADABLE = (".zip", ".br", ".snappy", ".sz", ".lzo", ".z", ".7z", ".rar", ".tgz", ".tar")


def compression_of(path: str) -> str | None:
    """How a file is compressed, by the end of its name; None for one that is not.

    >>> compression_of("logs/2024.txt.gz"), compression_of("logs/2024.txt")
    ('gzip', None)

    :raises ProgramError: for a compression or an archive that cannot be read.
    """
    name = path.rpartition("/")[2].lower()
    ending = name[name.rfind(".") :] if "." in name else ""
    if ending in _UNREADABLE:
        raise ProgramError(
            f"{path} cannot be read: files that end in {ending} are not supported; decompress it, or use one of "
            f"{', '.join(_ENDINGS)}"
        )
    return _ENDINGS.get(ending)


def decompressed(file: BinaryIO, path: str) -> BinaryIO:
    """The plain bytes of a file whose name says that it is compressed; the file itself otherwise."""
    compression = compression_of(path)
    if compression is None:
        return file
    compressed = _CompressedFile(file, path)
    match compression:
        case "zstd" | "lz4" as codec:
            return io.BufferedReader(_ArrowStream(compressed, path, codec), BLOCK_BYTES)
        case "gzip" | "deflate" as codec:
            make: Callable[[], _Decompressor] = _gzip if codec == "gzip" else _deflate
            damage: type[Exception] = zlib.error
        case "bz2":
            import bz2

            make, damage = bz2.BZ2Decompressor, OSError
        case _:
            import lzma

            make, damage = lzma.LZMADecompressor, lzma.LZMAError
    return io.BufferedReader(_DecompressedStream(compressed, path, make, damage), BLOCK_BYTES)


class _Decompressor(Protocol):
    """What bz2 and lzma have, and what zlib is made to have."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Zlib:
    def __init__(self, window_bits: int) -> None:
        self._inflater = zlib.decompressobj(window_bits)

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def needs_input(self) -> bool:
        return not self._inflater.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._inflater.decompress(self._inflater.unconsumed_tail + data, max_length)


def _gzip() -> _Decompressor:
    return _Zlib(31)


def _deflate() -> _Decompressor:
    return _Zlib(15)


class _CompressedFile:
    """The file below, whose own errors are ``OutsideError``, so that nobody takes them for damage of what is in it."""

    closed = False

    def __init__(self, file: BinaryIO, path: str) -> None:
        self._file = file
        self._path = path

    def read(self, size: int = -1) -> bytes:
        with outside_errors(self._path):
            return self._file.read(size) or b""

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True
        self._file.close()


class _DecompressedStream(io.RawIOBase):
    """Reads one compressed stream after the other, as files are that were put together from several."""

    def __init__(
        self, file: _CompressedFile, path: str, make: Callable[[], _Decompressor], damage: type[Exception]
    ) -> None:
        self._file = file
        self._path = path
        self._make = make
        self._damage = damage
        self._decompressor = make()
        self._pending = b""
        self._begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            data = self._next(len(buffer))
        except OutsideError:
            raise
        except (self._damage, EOFError) as error:
            raise _damaged(self._path, error) from error
        buffer[: len(data)] = data
        return len(data)

    def _next(self, size: int) -> bytes:
        while True:
            if self._decompressor.eof:
                rest = (self._decompressor.unused_data + self._pending).lstrip(b"\0") or self._read().lstrip(
                    b"\0"
                )
                if not rest:
                    return b""
                self._decompressor, self._pending, self._begun = self._make(), rest, False
            given = b""
            if self._decompressor.needs_input:
                given = self._pending or self._read()
                self._pending = b""
                if not given:
                    if not self._begun:
                        return b""
                    raise EOFError("it ends in the middle of the compressed data")
                self._begun = True
            data = self._decompressor.decompress(given, size)
            if data:
                return data

    def _read(self) -> bytes:
        return self._file.read(BLOCK_BYTES)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
            super().close()


class _ArrowStream(io.RawIOBase):
    """What Arrow decompresses."""

    def __init__(self, file: _CompressedFile, path: str, codec: str) -> None:
        import pyarrow

        self._path = path
        self._file = file
        self._stream = pyarrow.CompressedInputStream(pyarrow.PythonFile(file, mode="r"), codec)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            data = self._stream.read(len(buffer))
        except OutsideError:
            raise
        except (OSError, ValueError) as error:
            raise _damaged(self._path, error) from error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            self._file.close()
            super().close()


def _damaged(path: str, error: Exception) -> OutsideError:
    failure = OutsideError(f"{path} cannot be decompressed: {error}; the file is damaged or misnamed")
    failure.retryable = False
    return failure
