"""Writing files: on this machine, or by a URL that fsspec knows."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from penstock.errors import OutsideError, ProgramError


def open_new_file(path: str) -> BinaryIO:
    """A new file, open for writing bytes, in a directory that is made where it is missing.

    :raises OutsideError: when it cannot be made.
    """
    with _outside_errors(path):
        if "://" not in path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            return open(path, "xb")
        file_system, inside = _remote(path)
        file_system.makedirs(inside.rpartition("/")[0], exist_ok=True)
        return file_system.open(inside, "wb")  # type: ignore[no-any-return]


def write_new_file(path: str, content: bytes) -> None:
    """Write a file that was not there, and have it on the disk when this returns.

    :raises OutsideError: when it cannot be written; then nothing of it is left.
    """
    stream = open_new_file(path)
    try:
        with _outside_errors(path), stream:
            stream.write(content)
            _to_disk(stream, path)
    except OutsideError:
        with suppress(OutsideError):
            delete_if_there(path)
        raise


def write_in_place(path: str, content: bytes) -> None:
    """Write a file that is there with its whole content or not at all, whenever the machine stops.

    On this machine it is written beside its place, forced to the disk, and renamed; object stores show a file only once it
    is complete.
    """
    if "://" in path:
        delete_if_there(path)
        write_new_file(path, content)
        return
    hidden = f"{path}.part"
    delete_if_there(hidden)
    write_new_file(hidden, content)
    put_in_place(hidden, path)
    with _outside_errors(path):
        directory = os.open(os.path.dirname(path), os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def delete_directory(path: str) -> None:
    """Delete a directory with everything in it; it may be gone already."""
    with _outside_errors(path), suppress(FileNotFoundError):
        if "://" in path:
            file_system, inside = _remote(path)
            file_system.rm(inside, recursive=True)
        else:
            from shutil import rmtree

            rmtree(path)


def delete_if_empty(path: str) -> None:
    """Delete a directory if nothing is in it; on object stores there are no empty ones."""
    if "://" not in path:
        with suppress(OSError):
            os.rmdir(path)


def _to_disk(stream: BinaryIO, path: str) -> None:
    stream.flush()
    if "://" not in path:
        os.fsync(stream.fileno())


def put_in_place(hidden_path: str, path: str) -> None:
    """Rename a file; asked for a second time it leaves the renamed one as it is.

    :raises OutsideError: when there is neither.
    """
    with _outside_errors(path):
        if "://" not in path:
            try:
                os.replace(hidden_path, path)
            except FileNotFoundError:
                if not os.path.exists(path):
                    raise
            return
        file_system, inside = _remote(path)
        hidden = _remote(hidden_path)[1]
        if file_system.exists(hidden):
            file_system.mv(hidden, inside)
        elif not file_system.exists(inside):
            raise FileNotFoundError(hidden_path)


def delete_if_there(path: str) -> None:
    """Delete a file that may be gone already."""
    with _outside_errors(path), suppress(FileNotFoundError):
        if "://" in path:
            file_system, inside = _remote(path)
            file_system.rm(inside)
        else:
            os.remove(path)


def _remote(url: str) -> tuple[Any, str]:
    import fsspec

    file_system, inside = fsspec.core.url_to_fs(url)
    return file_system, inside


@contextmanager
def _outside_errors(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutsideError(f"{path} cannot be written: {error.strerror or error}") from error
    except (ImportError, ValueError) as error:
        raise ProgramError(f"{path} cannot be written: {error}") from error
