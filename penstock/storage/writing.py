"""Writing files: on this machine, or by a URL that fsspec knows."""

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from penstock.chance import secret_token
from penstock.errors import OutsideError, ProgramError
from penstock.storage.reading import is_web_hdfs, outside_errors, reason_of, url_of


def open_new_file(path: str) -> BinaryIO:
    """A new file, open for writing bytes, in a directory that is made where it is missing.

    :raises OutsideError: when it cannot be made.
    """
    with writing_errors(path):
        if is_local(path):
            _make_directory(Path(path).parent)
            return open(path, "xb")
        file_system, inside = _remote(path)
        file_system.makedirs(inside.rpartition("/")[0], exist_ok=True)
        return file_system.open(inside, "wb")  # type: ignore[no-any-return]


def write_new_file(path: str, content: bytes) -> None:
    """Write a file that was not there, and have it on the disk when this returns.

    :raises OutsideError: when it cannot be written; then nothing of it is left.
    """
    write_new_blocks(path, (content,))


def write_new_blocks(path: str, blocks: Iterable[bytes]) -> None:
    """The same for a file that is made block by block. Nothing is left of it either when ``blocks`` raise."""
    stream = open_new_file(path)
    try:
        with writing_errors(path), stream:
            for block in blocks:
                stream.write(block)
            make_durable(stream, path)
    except BaseException:
        with suppress(OutsideError):
            delete_if_there(path)
        raise


def write_in_place(path: str, content: bytes) -> None:
    """Write a file that is there with its whole content or not at all, whenever the machine stops. What was there before is
    there until then, and stays when the new one cannot be written.

    On this machine it is written beside its place, forced to the disk, and renamed; object stores show a file only once it
    is complete.

    :raises OutsideError: when it cannot be written.
    """
    if not is_local(path):
        with writing_errors(path):
            _write_in_remote_place(path, content)
        return
    hidden = f"{path}.part"
    delete_if_there(hidden)
    write_new_file(hidden, content)
    put_in_place(hidden, path)


def _write_in_remote_place(path: str, content: bytes) -> None:
    file_system, inside = _remote(path)
    file_system.makedirs(inside.rpartition("/")[0], exist_ok=True)
    if not is_web_hdfs(path):
        file_system.pipe_file(inside, content)
        return
    hidden = f"{inside}.part"
    file_system.pipe_file(hidden, content)
    # Renaming over a file is in HDFS's API, and not in fsspec's.
    file_system._call("RENAME", method="put", path=hidden, destination=inside, renameoptions="OVERWRITE")


def _make_directory(directory: Path) -> None:
    """Make a directory and those above it that are missing, so that they are there when the machine has stopped, too."""
    missing = []
    while not directory.exists():
        missing.append(directory)
        directory = directory.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        _sync_directory_of(str(each))


def _sync_directory_of(path: str) -> None:
    """Have the name of a file, or that it is gone, on the disk: syncing the file is not enough for that.

    Some network file systems sync no directories and say so; there the name is as safe as they make it.
    """
    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(directory)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(directory)


def create_file(path: str, content: bytes) -> bool:
    """Make a file that is not there, with its whole content; False where somebody else has made it. One of many succeeds.

    :raises OutsideError: when it cannot be written.
    :raises ProgramError: where the storage cannot make sure that there is only one.
    """
    with writing_errors(path):
        if not is_local(path):
            return _create_remote(path, content)
        hidden = f"{path}.{secret_token(6).hex()}.part"
        write_new_file(hidden, content)
        try:
            os.link(hidden, path)
        except FileExistsError:
            return False
        finally:
            delete_if_there(hidden)
        _sync_directory_of(path)
        return True


def _create_remote(path: str, content: bytes) -> bool:
    file_system, inside = _remote(path)
    file_system.makedirs(inside.rpartition("/")[0], exist_ok=True)
    try:
        file_system.pipe_file(inside, content, mode="create")
    except FileExistsError:
        return False
    except TypeError as error:
        raise ProgramError(
            f"{path}: this storage cannot make a file only where there is none: {error}"
        ) from error
    return True


def delete_directory(path: str) -> None:
    """Delete a directory with everything in it; it may be gone already."""
    with writing_errors(path), suppress(FileNotFoundError):
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


def open_over(path: str) -> BinaryIO:
    """A file, open for writing bytes, in place of one that may be there.

    :raises OutsideError: when it cannot be made.
    """
    delete_if_there(path)
    return open_new_file(path)


def exists(path: str) -> bool:
    """Whether there is a file, or a directory."""
    with writing_errors(path):
        if is_local(path):
            return os.path.exists(path)
        file_system, inside = _remote(path)
        return bool(file_system.exists(inside))


def is_local(path: str) -> bool:
    """Whether files can be cut and continued there."""
    return "://" not in path


def make_durable(stream: BinaryIO, path: str) -> int:
    """Have everything that was written survive a crash, and the file's name with it; the size then."""
    with writing_errors(path):
        stream.flush()
        if is_local(path):
            os.fsync(stream.fileno())
            _sync_directory_of(path)
        return stream.tell()


def reopen_cut(path: str, size_bytes: int) -> BinaryIO:
    """A local file, cut to a size that it once had, open for writing behind that.

    :raises OutsideError: when it is gone, or shorter.
    """
    with writing_errors(path):
        stream = open(path, "r+b")  # noqa: SIM115  (the caller closes it)
        try:
            found_bytes = stream.seek(0, os.SEEK_END)
            if found_bytes < size_bytes:
                raise OSError(f"it has {found_bytes} bytes, and had {size_bytes} at the checkpoint")
            stream.truncate(size_bytes)
            stream.seek(size_bytes)
        except BaseException:
            stream.close()
            raise
        return stream


def files_below(directory: str) -> list[str]:
    """All files below a directory, hidden ones too; none where it is not there.

    :raises OutsideError: when it cannot be looked into.
    """
    with outside_errors(directory):
        if is_local(directory):
            found = os.walk(directory, onerror=_raise_unless_gone)
            return [f"{folder}/{name}" for folder, _, names in found for name in names]
        from fsspec.spec import AbstractFileSystem

        file_system, inside = _remote(directory)
        file_system.invalidate_cache()
        # What is everybody's passes over what it cannot look into, unless it is told otherwise.
        is_common = type(file_system).find is AbstractFileSystem.find
        names = file_system.find(inside, **({"on_error": _raise_unless_gone} if is_common else {}))
        return [url_of(name, directory, file_system) for name in names]


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def put_in_place(hidden_path: str, path: str) -> None:
    """Rename a file, so that it has its new name after a crash, too; asked again it leaves the renamed one as it is.

    :raises OutsideError: when there is neither.
    """
    put_all_in_place([(hidden_path, path)])


def put_all_in_place(renamings: Sequence[tuple[str, str]]) -> None:
    """The same for several files; each directory is forced to the disk once.

    :raises OutsideError: when there is neither of one; those before it may be renamed then.
    """
    directories = {}
    for hidden_path, path in renamings:
        with writing_errors(path):
            if is_local(path):
                _rename(hidden_path, path)
                directories[os.path.dirname(path)] = path
            else:
                _rename_remote(hidden_path, path)
    for path in directories.values():
        with writing_errors(path):
            _sync_directory_of(path)


def _rename(hidden_path: str, path: str) -> None:
    try:
        os.replace(hidden_path, path)
    except FileNotFoundError:
        if not os.path.exists(path):
            raise


def _rename_remote(hidden_path: str, path: str) -> None:
    file_system, inside = _remote(path)
    hidden = _remote(hidden_path)[1]
    if file_system.exists(hidden):
        file_system.mv(hidden, inside)
        if is_web_hdfs(path) and file_system.exists(hidden):
            # HDFS says so in its answer, which fsspec does not look at.
            raise OSError(f"HDFS did not rename {hidden}; there may be a file of the new name already")
    elif not file_system.exists(inside):
        raise FileNotFoundError(hidden_path)


def delete_if_there(path: str) -> None:
    """Delete a file that may be gone already."""
    with writing_errors(path), suppress(FileNotFoundError):
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
def writing_errors(path: str) -> Iterator[None]:
    """Turn what the operating system says about a file into an error with its path."""
    try:
        yield
    except OSError as error:
        raise OutsideError(f"{path} cannot be written: {reason_of(error, path)}") from error
    except RuntimeError as error:
        if not is_web_hdfs(path):
            raise
        raise OutsideError(f"{path} cannot be written: {error}") from error
    except (ImportError, ValueError) as error:
        raise ProgramError(f"{path} cannot be written: {error}") from error
