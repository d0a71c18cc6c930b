"""What a JobManager and a TaskManager say to each other, over an authenticated connection."""

from dataclasses import dataclass, field

from penstock.deploy.cluster.job_files import JobFiles
from penstock.deploy.local.lifeline import Birth


@dataclass(frozen=True, slots=True)
class TaskManagerJoined:
    """The first words of a TaskManager. ``log`` and ``out`` are the paths of its files, empty where it has none; ``epoch`` is
    the newest that it has served; ``cores`` are those of its machine; ``memory`` is what its options plan, in bytes.
    ``instance`` tells its process from others that were given the same id."""

    id: str
    host: str
    slots: int
    pid: int
    log: str = ""
    out: str = ""
    epoch: int = 0
    cores: int = 0
    memory: dict[str, int] = field(default_factory=dict)
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The TaskManager lives. ``metrics`` are of its process: CPU load, memory, threads."""

    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Welcome:
    """The first words of a JobManager: it leads with this epoch."""

    epoch: int


@dataclass(frozen=True, slots=True)
class HeartbeatHeard:
    """The JobManager lives, too."""


@dataclass(frozen=True, slots=True)
class StartWorker:
    """Start a worker process; ``number`` is its name between the two. ``files_of``: the job that has brought files for it."""

    number: int
    birth: Birth
    files_of: str | None = None


@dataclass(frozen=True, slots=True)
class BringFiles:
    """The files of a job, before the first of its workers that is to have them."""

    job_id: str
    files: JobFiles


@dataclass(frozen=True, slots=True)
class DropFiles:
    """The job has ended: its files are needed no more."""

    job_id: str


@dataclass(frozen=True, slots=True)
class SignalWorker:
    """Send a signal to a worker process and what it has started."""

    number: int
    signal: int


@dataclass(frozen=True, slots=True)
class WorkerEnded:
    """A worker process has ended, or could not be started. ``words`` are the last lines of its standard error."""

    number: int
    how: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadFile:
    """Send the content of one of the TaskManager's files from a byte on: ``log``, ``out``, or a name in its log
    directory."""

    request: int
    name: str
    start: int = 0


@dataclass(frozen=True, slots=True)
class FileContent:
    """The answer, and from which byte on it is; None where there is no such file."""

    request: int
    content: bytes | None
    start: int = 0


@dataclass(frozen=True, slots=True)
class ListFiles:
    """Send the names of the files in the log directory."""

    request: int


@dataclass(frozen=True, slots=True)
class FileNames:
    """The answer: names, sizes in bytes and times of the last change in milliseconds."""

    request: int
    files: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class ListThreads:
    """Send what each thread does."""

    request: int


@dataclass(frozen=True, slots=True)
class ThreadStacks:
    """The answer: the name of each thread, and its stack."""

    request: int
    threads: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Replaced:
    """Another process has joined later under the id of this one, which is not used any more: it is to end."""

    by: str


@dataclass(frozen=True, slots=True)
class Dismissed:
    """The JobManager wants the TaskManager to end."""
