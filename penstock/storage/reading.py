"""Finding and opening files to read: on this machine, or by a URL that fsspec knows.

fsspec is imported when the first such URL is seen. What goes wrong becomes an ``OutsideError`` that names the path.
"""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from penstock.errors import OutsideError, ProgramError

BUFFER_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file, its size when it was found, and what changes when it is written anew: its time, or what a store says."""

    path: str
    size_bytes: int
    version: str = ""


def absolute_path(path: Any) -> str:
    """A path that means the same file in every process: absolute where it is local, unchanged where it is a URL.

    >>> absolute_path("file:///data/lines.txt"), absolute_path("s3://bucket/lines.txt")
    ('/data/lines.txt', 's3://bucket/lines.txt')
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ProgramError(f"a path is text or a pathlib.Path, not {path!r}")
    text = os.fspath(path)
    if not isinstance(text, str) or not text:
        raise ProgramError(f"a path is text and not empty, not {text!r}")
    if text.startswith("file:/"):
        from urllib.parse import unquote

        return unquote("/" + text.removeprefix("file:").lstrip("/"))
    return text if "://" in text else str(Path(text).absolute())


def find_files(path: str, is_recursive: bool = True) -> list[FoundFile]:
    """The file itself, or all files below a directory, sorted by path; names that start with ``.`` or ``_`` are hidden.

    A path with ``*``, ``?`` or ``[`` in it, where there is no file of that name, is a pattern; ``**`` stands for directories
    at any depth. What it matches is found in turn, and may be nothing. Without ``is_recursive`` directories inside of those
    that are named, or matched, are left out.

    :raises OutsideError: when there is nothing at ``path``, or something that cannot be read.
    """
    with outside_errors(path):
        if "://" in path:
            return _find_remote(path, is_recursive)
        if is_pattern(path) and not os.path.exists(path):
            return _find_matching(path, is_recursive)
        return _find_local(Path(path), is_recursive)


def names_in(directory: str) -> list[str]:
    """The names of the files and directories in a directory, sorted; none where it is not there.

    :raises OutsideError: when it cannot be looked into.
    """
    with outside_errors(directory):
        try:
            if "://" not in directory:
                return sorted(os.listdir(directory))
            import fsspec

            file_system, inside = fsspec.core.url_to_fs(directory)
            file_system.invalidate_cache()  # others write there, too
            names = file_system.ls(inside, detail=False)
        except FileNotFoundError:
            return []
    return sorted(str(name).rstrip("/").rpartition("/")[2] for name in names)


def is_pattern(path: str) -> bool:
    """Whether a path may stand for several.

    >>> is_pattern("logs/*.txt"), is_pattern("logs/a.txt")
    (True, False)
    """
    return any(letter in path for letter in "*?[")


def open_file(path: str) -> BinaryIO:
    """The file, open for reading bytes, unbuffered where it is local.

    :raises OutsideError: when it cannot be opened.
    """
    with outside_errors(path):
        if "://" not in path:
            return open(path, "rb", buffering=0)
        import fsspec

        file_system, inside = fsspec.core.url_to_fs(path)
        return file_system.open(inside, "rb")  # type: ignore[no-any-return]


def open_buffered(path: str) -> BinaryIO:
    """The file, open for reading bytes in large blocks.

    :raises OutsideError: when it cannot be opened.
    """
    return io.BufferedReader(open_file(path), BUFFER_BYTES)  # type: ignore[type-var]


@contextmanager
def outside_errors(path: str) -> Iterator[None]:
    """Turn what the operating system says about a file into an error with its path."""
    try:
        yield
    except OutsideError:
        raise
    except FileNotFoundError as error:
        raise OutsideError(
            f"there is no file or directory {error.filename or path}; check the path"
        ) from error
    except PermissionError as error:
        named = error.filename or path
        raise OutsideError(f"{named} may not be read by this user; change its permissions") from error
    except OSError as error:
        raise OutsideError(f"{path} cannot be read: {reason_of(error, path)}") from error
    except RuntimeError as error:
        if not is_web_hdfs(path):
            raise
        # So fsspec raises what a NameNode says, that it is in safe mode for example.
        raise OutsideError(f"{path} cannot be read: {error}") from error
    except (ImportError, ValueError) as error:
        # An unknown protocol, one whose driver is not installed, or a name that no file can have.
        raise ProgramError(f"{path} cannot be read: {error}") from error


def reason_of(error: OSError, path: str) -> str:
    """What an error says, in a line.

    >>> reason_of(OSError("no\\nlibrary"), "/data/a")
    'no'
    """
    text = str(error.strerror or error).partition("\n")[0]
    if path.startswith("hdfs://") and "Unable to load" in text:
        return (
            f"{text}: hdfs:// needs Java and Hadoop's native client on this machine; webhdfs:// needs neither, with the "
            "address of the NameNode's web server: webhdfs://namenode:9870/path"
        )
    return text


def is_web_hdfs(path: str) -> bool:
    """Whether a file is reached by the REST interface of HDFS."""
    return path.startswith(("webhdfs://", "webHDFS://"))


def url_of(name: str, like: str, file_system: Any) -> str:
    """The URL of a file that a file system knows by a name; ``like`` is the URL by which the file system was found.

    fsspec leaves out the host, where its names are paths on that host.
    """
    scheme, _, rest = like.partition("://")
    host, _, path = rest.partition("/")
    if host and file_system._strip_protocol(like) == "/" + path.rstrip("/"):
        return f"{scheme}://{host}{name}"
    return str(file_system.unstrip_protocol(name))


def is_hidden(name: str) -> bool:
    """Whether a name inside a directory is left out."""
    return name.startswith((".", "_"))


def _find_local(path: Path, is_recursive: bool) -> list[FoundFile]:
    if not path.is_dir():
        return [_found(path)]
    found = (_found_unless_gone(Path(name)) for name in sorted(_names_below(path, is_recursive)))
    return [file for file in found if file is not None]


def _found_unless_gone(path: Path) -> FoundFile | None:
    """A file that was in its directory a moment ago; None where it has been removed since."""
    try:
        return _found(path)
    except OutsideError as error:
        if isinstance(error.__cause__, FileNotFoundError) and not os.path.lexists(path):
            return None
        raise


def _find_matching(pattern: str, is_recursive: bool) -> list[FoundFile]:
    from glob import glob

    # Hidden names match no wildcard that does not begin with their dot; underscores are left out here.
    fixed = len(_fixed_part(pattern))
    names = [
        name
        for name in glob(pattern, recursive=True)
        if not any(map(is_hidden, name[fixed:].strip("/").split("/")))
    ]
    found: dict[str, FoundFile] = {}
    for name in names:
        try:
            found.update((file.path, file) for file in _find_local(Path(name), is_recursive))
        except (FileNotFoundError, OutsideError):
            if os.path.lexists(name):
                raise
    return [found[path] for path in sorted(found)]


def _fixed_part(pattern: str) -> str:
    """The directories before the first wildcard."""
    first = min(pattern.index(letter) for letter in "*?[" if letter in pattern)
    return pattern[: pattern.rfind("/", 0, first) + 1]


def _names_below(directory: Path, is_recursive: bool) -> Iterator[str]:
    for entry in os.scandir(directory):
        if is_hidden(entry.name):
            continue
        if not entry.is_dir():
            yield entry.path
        elif is_recursive:
            try:
                yield from _names_below(Path(entry.path), True)
            except FileNotFoundError:
                continue  # removed since its own directory was read


def _found(path: Path) -> FoundFile:
    with outside_errors(str(path)):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OutsideError(
                f"{path} is not a regular file, so it cannot be read in parts and again; copy it first"
            )
        if not os.access(path, os.R_OK):
            path.stat()  # it may be gone by now
            raise PermissionError
        return FoundFile(str(path), status.st_size, f"{status.st_mtime_ns}")


def _find_remote(url: str, is_recursive: bool) -> list[FoundFile]:
    import fsspec

    file_system, root = fsspec.core.url_to_fs(url)
    file_system.invalidate_cache()  # others write there, too
    if is_pattern(root) and not file_system.exists(root):
        found = file_system.glob(root, detail=True)
        inside = len(_fixed_part(root))
        for name, details in list(found.items()):
            if details.get("type") == "directory":
                del found[name]
                with suppress(FileNotFoundError):  # removed since
                    found.update(_all_below(file_system, name, is_recursive))
    else:
        found = _all_below(file_system, root, is_recursive)
        inside = len(root.rstrip("/")) + 1
        if not found:
            file_system.info(root)  # says what is wrong with it
    return [
        FoundFile(url_of(name.rstrip("/"), url, file_system), int(details["size"]), _version_of(details))
        for name, details in sorted(found.items())
        if not any(map(is_hidden, name[inside:].split("/")))
    ]


def _version_of(details: dict[str, Any]) -> str:
    """Whatever a file system says of when a file was written, and which content that gave."""
    known = (
        "ETag",
        "etag",
        "mtime",
        "modificationTime",
        "LastModified",
        "last_modified",
        "updated",
        "created",
    )
    return " ".join(str(details[name]) for name in known if name in details)


def _all_below(file_system: Any, root: str, is_recursive: bool) -> dict[str, Any]:
    """All files by their names, with details; a directory that cannot be read is an error, which fsspec would pass over."""
    from fsspec.spec import AbstractFileSystem

    if type(file_system).find is not AbstractFileSystem.find or not file_system.isdir(root):
        found = file_system.find(root, detail=True)
        inside = len(root.rstrip("/")) + 1
        return {name: details for name, details in found.items() if is_recursive or "/" not in name[inside:]}
    found = {}
    directories = [root]
    while directories:
        directory = directories.pop()
        try:
            listed = file_system.ls(directory, detail=True)
        except FileNotFoundError:
            if directory == root:
                raise
            continue  # removed since its own directory was read
        for details in listed:
            name = details["name"]
            if details["type"] != "directory":
                found[name] = details
            elif (
                is_recursive
                and name.rstrip("/") != directory.rstrip("/")
                and not is_hidden(name.rstrip("/").rpartition("/")[2])
            ):
                directories.append(name)
    return found
