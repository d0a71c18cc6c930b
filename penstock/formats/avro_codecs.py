"""How the blocks of Avro files are compressed, and which libraries that needs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from penstock.errors import OutsideError, PenstockError, ProgramError

_LIBRARIES = {
    "null": None,
    "deflate": None,
    "bzip2": None,
    "xz": None,
    "snappy": "cramjam",
    "zstandard": None if sys.version_info >= (3, 14) else "backports.zstd",
}


def check_codec(codec: Any) -> str:
    """A codec that files can be written with.

    >>> check_codec("deflate")
    'deflate'

    :raises ProgramError: for another, or one whose library is not installed.
    """
    if codec not in _LIBRARIES:
        raise ProgramError(f"the codec of Avro is one of {', '.join(_LIBRARIES)}, not {codec!r}")
    missing = _missing_library(codec)
    if missing is not None:
        raise ProgramError(f"the codec {codec} of Avro needs {_to_install(missing)}")
    return str(codec)


def check_codec_of_file(codec: str, path: str) -> None:
    """Raise where a file's blocks cannot be read for what they are compressed with, which is no damage of the file.

    :raises ProgramError: where a library is not installed.
    :raises OutsideError: for a codec that nobody here knows.
    """
    if codec not in _LIBRARIES:
        failure: PenstockError = OutsideError(
            f"{path} cannot be read: it is compressed with the codec {codec!r}, and those of Avro that are known are "
            f"{', '.join(_LIBRARIES)}"
        )
        failure.retryable = False
        raise failure
    missing = _missing_library(codec)
    if missing is not None:
        raise ProgramError(
            f"{path} is compressed with the codec {codec} of Avro, which needs {_to_install(missing)}"
        )


@contextmanager
def decompressing(codec: str) -> Iterator[None]:
    """Turn what the library of a codec raises for damaged data into a ``ValueError``, and no other error."""
    try:
        yield
    except PenstockError:
        raise
    except _damage_of(codec) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the file could not be read
        raise ValueError(f"it cannot be decompressed: {error}") from error


def _damage_of(codec: str) -> tuple[type[Exception], ...]:
    match codec:
        case "deflate":
            import zlib

            return (zlib.error,)
        case "bzip2":
            return (OSError,)
        case "xz":
            import lzma

            return (lzma.LZMAError,)
        case "snappy":
            return (import_module("cramjam").DecompressionError,)
        case "zstandard":
            name = _LIBRARIES["zstandard"] or "compression.zstd"
            return (import_module(name).ZstdError,)
    return ()


def _missing_library(codec: str) -> str | None:
    library = _LIBRARIES[codec]
    if library is None:
        return None
    try:
        import_module(library)
    except ImportError:
        return library
    return None


def _to_install(library: str) -> str:
    return f"{library}, which is not installed; install it with: pip install 'penstock[avro]'"
