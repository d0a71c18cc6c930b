"""A file system in memory that fails as the seed wants it, behind ``penstock.storage`` by the URL ``simulated://``.

Half of all worlds have files that are there only once they are closed, as object stores do it; in the other half a file is
there from its first byte, so that whoever dies while it writes leaves part of one.
"""

import errno
import io
from collections.abc import Callable, Collection
from typing import Any

from penstock.checkpoint.manifest import MANIFEST_NAME
from penstock.testing.simulation.faults import Fault, Misfortunes
from penstock.testing.simulation.story import Story

PROTOCOL = "simulated"
ROOT = f"{PROTOCOL}://"

Touch = Callable[[str], None]


class SimulatedFiles:
    """All files of one world, by path. ``touch`` is called where whoever acts may die."""

    def __init__(self, misfortunes: Misfortunes, story: Story, touch: Touch, shows_parts: bool) -> None:
        self.content: dict[str, bytes] = {}
        self.undeletable: set[str] = set()
        """Directories in which a deletion failed, or reading the manifest that says whether to delete: whoever deletes says
        so in the log, and leaves the rest as it is."""
        self.abandoned: set[str] = set()
        """Files of jobs and JobManagers that died, of which whoever comes after them knows nothing."""
        self._misfortunes = misfortunes
        self._story = story
        self._touch = touch
        self._shows_parts = shows_parts

    def below(self, directory: str) -> list[str]:
        """The paths of all files below a directory, sorted."""
        start = directory.removeprefix(ROOT).rstrip("/") + "/"
        return sorted(path for path in self.content if path.startswith(start))

    def abandon(self, directory: str = "", but: Collection[str] = ()) -> None:
        """Whoever comes next knows nothing of what is below a directory, but for what was there before."""
        left = self.below(directory) if directory else self.content
        self.abandoned.update(path for path in left if path not in but)

    # What the file system behind the URL calls --------------------------------------------------------------------------

    def open_to_write(self, path: str) -> "_NewFile":
        """A new file, or one in the place of an old one."""
        self._touch(f"open {path}")
        if self._misfortunes.strikes(Fault.FAILED_WRITE):
            self._story.tell(f"FAULT {path} cannot be opened")
            raise OSError(errno.EIO, "simulated: the storage does not answer")
        if self._shows_parts:
            self.content[path] = b""
        return _NewFile(self, path)

    def read(self, path: str) -> bytes:
        """The content of a file."""
        self._touch(f"read {path}")
        if path not in self.content:
            raise FileNotFoundError(errno.ENOENT, "simulated: no such file", path)
        if self._misfortunes.strikes(Fault.FAILED_READ):
            self._story.tell(f"FAULT {path} cannot be read")
            if path.endswith("/" + MANIFEST_NAME):
                self.undeletable.add(path.rpartition("/")[0])
            raise OSError(errno.EIO, "simulated: the storage does not answer")
        return self.content[path]

    def delete(self, paths: list[str]) -> None:
        """Delete files one after the other; those that are gone already are passed over."""
        for path in paths:
            self._touch(f"delete {path}")
            if self._misfortunes.strikes(Fault.FAILED_DELETION):
                self._story.tell(f"FAULT {path} cannot be deleted")
                self.undeletable.add(path.rpartition("/")[0])
                raise OSError(errno.EIO, "simulated: the storage does not answer")
            self.content.pop(path, None)

    def move(self, old: str, new: str) -> None:
        """Rename a file."""
        self._touch(f"rename {old}")
        if self._misfortunes.strikes(Fault.FAILED_WRITE):
            self._story.tell(f"FAULT {old} cannot be renamed")
            raise OSError(errno.EIO, "simulated: the storage does not answer")
        if old not in self.content:
            raise FileNotFoundError(errno.ENOENT, "simulated: no such file", old)
        self.content[new] = self.content.pop(old)
        self._touch(f"renamed to {new}")
        self._fail_afterwards(new)

    def written(self, path: str, chunk: bytes, so_far: bytes) -> None:
        """A file that is being written grows."""
        self._touch(f"write {path}")
        whole = so_far + chunk
        if self._misfortunes.strikes(Fault.TORN_WRITE):
            self._story.tell(f"FAULT {path} is full after {len(whole) // 2} bytes of {len(whole)}")
            if self._shows_parts:
                self.content[path] = whole[: len(whole) // 2]
            raise OSError(errno.ENOSPC, "simulated: no space left")
        if self._shows_parts:
            self.content[path] = whole

    def closed(self, path: str, whole: bytes) -> None:
        """A file is complete."""
        self._touch(f"close {path}")
        self.content[path] = whole
        self._touch(f"closed {path}")
        self._fail_afterwards(path)

    def _fail_afterwards(self, path: str) -> None:
        if self._misfortunes.strikes(Fault.FAILED_AFTERWARDS):
            self._story.tell(f"FAULT {path} is there, and is said to have failed")
            raise OSError(errno.ETIMEDOUT, "simulated: no answer in time")


class _NewFile(io.RawIOBase):
    """A file that is being written; one that nobody closes is never complete."""

    def __init__(self, files: SimulatedFiles, path: str) -> None:
        super().__init__()
        self._files = files
        self._path = path
        self._so_far = b""
        self._is_broken = False

    def writable(self) -> bool:
        return True

    def write(self, chunk: Any) -> int:
        data = bytes(chunk)
        try:
            self._files.written(self._path, data, self._so_far)
        except BaseException:
            self._is_broken = True
            raise
        self._so_far += data
        return len(data)

    def tell(self) -> int:
        return len(self._so_far)

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        if not self._is_broken:
            self._files.closed(self._path, self._so_far)

    def __del__(self) -> None:
        """Whoever dies closes nothing."""
        self._is_broken = True


def file_system_class(find: Callable[[], SimulatedFiles]) -> type:
    """The class that fsspec asks; ``find`` gives the files of the world that exists now."""
    from fsspec import AbstractFileSystem

    class SimulatedFileSystem(AbstractFileSystem):  # type: ignore[misc]
        protocol = PROTOCOL
        cachable = False

        def _open(self, path: str, mode: str = "rb", **_: Any) -> Any:
            inside = self._strip_protocol(path)
            return io.BytesIO(find().read(inside)) if mode == "rb" else find().open_to_write(inside)

        def makedirs(self, path: str, exist_ok: bool = False) -> None:
            """There are no directories but those in paths."""

        def mkdir(self, path: str, create_parents: bool = True, **_: Any) -> None:
            """There are no directories but those in paths."""

        def rm(self, path: str, recursive: bool = False, maxdepth: int | None = None) -> None:
            inside = self._strip_protocol(path)
            paths = find().below(inside) if recursive else []
            if inside in find().content:
                paths.append(inside)
            if not paths:
                raise FileNotFoundError(errno.ENOENT, "simulated: no such file", inside)
            find().delete(paths)

        def mv(self, path1: str, path2: str, **_: Any) -> None:
            find().move(self._strip_protocol(path1), self._strip_protocol(path2))

        def info(self, path: str, **_: Any) -> dict[str, Any]:
            inside = self._strip_protocol(path)
            content = find().content.get(inside)
            if content is not None:
                return {"name": inside, "size": len(content), "type": "file"}
            if find().below(inside):
                return {"name": inside, "size": 0, "type": "directory"}
            raise FileNotFoundError(errno.ENOENT, "simulated: no such file", inside)

        def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
            inside = self._strip_protocol(path).rstrip("/")
            names: dict[str, None] = {}
            for name in find().below(inside):
                first = name[len(inside) + 1 :].partition("/")[0]
                names[f"{inside}/{first}"] = None
            found = [self.info(name) for name in names]
            if not found:
                found = [self.info(inside)]
            return found if detail else [each["name"] for each in found]

    return SimulatedFileSystem
