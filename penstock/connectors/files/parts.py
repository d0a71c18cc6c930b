"""The files of a sink: while they are written, when they wait for their commit, and when they are visible.

A file that is not visible yet is called ``.<name>.inprogress.<start>-<subtask>-<number>``. The start is the same for all
attempts that go on from one checkpoint; so what they have begun is known to the next, and deleted.
"""

from dataclasses import dataclass

from penstock.contracts.sink import Committer
from penstock.storage.writing import delete_if_there, files_below, put_all_in_place

_MARK = ".inprogress."


@dataclass(frozen=True, slots=True)
class FinishedFile:
    """The committable: a file that waits to be made visible, and those that are in it now and go with its commit."""

    hidden_path: str
    path: str
    size_bytes: int = 0
    put_together_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnfinishedFile:
    """In a snapshot: a file that is written on, and how much of it belongs to the checkpoint."""

    bucket: str
    hidden_path: str
    path: str
    size_bytes: int
    opened_ms: int
    written_ms: int


@dataclass(frozen=True, slots=True)
class WriterFiles:
    """In a snapshot: a writer of a start, and how many files it had begun."""

    start: str
    subtask: int
    files: int

    def name(self, part: str, number: int) -> str:
        """What a file is called before it is visible.

        >>> WriterFiles("1f", 2, 0).name("part-a-0", 0)
        '.part-a-0.inprogress.1f-2-0'
        """
        return f".{part}{_MARK}{self.start}-{self.subtask}-{number}"

    def has(self, file: FinishedFile) -> bool:
        """Whether a file is one of its later ones, which the snapshot does not know."""
        origin = _origin_of(file.hidden_path)
        return origin is not None and origin[:2] == (self.start, self.subtask) and origin[2] >= self.files


@dataclass(frozen=True, slots=True)
class FilesToPutTogether:
    """In a snapshot: finished files of a bucket that wait for company, and for how many checkpoints they have."""

    bucket: str
    files: tuple[FinishedFile, ...]
    checkpoints: int


def delete_left_overs(directory: str, own: WriterFiles, parallelism: int, before: list[WriterFiles]) -> None:
    """Delete what no checkpoint knows: what ``before`` had begun later, and what attempts from the same start have begun.

    Each writer deletes its share of the latter, as there may have been more of them.
    """
    known = {(writer.start, writer.subtask): writer.files for writer in before}
    for path in files_below(directory):
        origin = _origin_of(path)
        if origin is None:
            continue
        start, subtask, number = origin
        is_of_this_start = start == own.start and subtask % parallelism == own.subtask
        if is_of_this_start or number >= known.get((start, subtask), number + 1):
            delete_if_there(path)


def _origin_of(path: str) -> tuple[str, int, int] | None:
    name = path.rpartition("/")[2]
    if not name.startswith(".") or _MARK not in name:
        return None
    parts = name.rpartition(_MARK)[2].split("-")
    if len(parts) != 3 or not (parts[1].isdigit() and parts[2].isdigit()):
        return None
    return parts[0], int(parts[1]), int(parts[2])


class FileCommitter(Committer):
    """Gives files their names. Asked for the same again, it finds them there."""

    def commit(self, committables: list[FinishedFile]) -> list[FinishedFile]:
        put_all_in_place([(file.hidden_path, file.path) for file in committables])
        for file in committables:
            for source in file.put_together_from:
                delete_if_there(source)
        return []
