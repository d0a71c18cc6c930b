"""What a client hands to the JobManager, and what that keeps until the job has ended: the graph, and where its functions are
imported from.

One line says what it is, with format version, length of the head and checksum of the rest; then comes the head, in JSON, then
the pickled graph and the files of the job. The head names the fields of the classes in the graph, so that another version of
penstock, where they have others, reads it as far as it can, and says so where it cannot. Version 1 was a pickle as a whole.
"""

import io
import json
import pickle
import platform
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files as package_files
from typing import Any

from penstock import __version__
from penstock.checkpoint.checksums import checksum_of
from penstock.data.saved_classes import DATACLASS, Reference
from penstock.data.saved_pickles import stand_ins_for
from penstock.dataflow.job import JobGraph
from penstock.dataflow.rescaling import ParallelismBounds
from penstock.deploy.cluster.job_files import JobFiles, pack_files
from penstock.deploy.local.graph_shipping import ship_graph
from penstock.errors import ProgramError, StateError
from penstock.logs.shipped import ShippedLogging

FORMAT_VERSION = 2
_MAGIC = "penstock-job"
_PICKLE = b"\x80"
_OWN = "penstock."
_CODE = b"_code_in_file"


@dataclass(frozen=True, slots=True)
class Maker:
    """Which penstock and Python have pickled a graph; both are empty where that is not known."""

    penstock: str = ""
    python: str = ""

    def __str__(self) -> str:
        return f"penstock {self.penstock} on Python {self.python}" if self.penstock else "an older penstock"


HERE = Maker(__version__, ".".join(platform.python_version_tuple()[:2]))


@dataclass(frozen=True, slots=True)
class Submission:
    """``graph`` is pickled for itself, so that name and path are known before user code is loaded. ``parallelism``: the one
    that the job was rescaled to, and ``bounds`` between which it may be. ``files`` travel with it.
    ``client_timeout_ms``: so long it goes on without a sign of its client's life; None where that does not matter.
    ``classes``: those of penstock in the graph, with their fields, as ``made_by`` has them."""

    job_id: str
    job_name: str
    graph: bytes
    import_path: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()
    logging: ShippedLogging | None = None
    parallelism: int | None = None
    files: JobFiles | None = None
    bounds: ParallelismBounds | None = None
    client_timeout_ms: int | None = None
    classes: tuple[Reference, ...] = ()
    made_by: Maker = Maker()

    def load_graph(self, foreign: Collection[str] = ()) -> Any:
        """What was pickled. What is in it of ``foreign`` packages is not made, and passed on when it is pickled again.

        Raises whatever the user's modules raise.

        :raises ProgramError: where this version of penstock or Python has no place for what another has pickled.
        """
        if _CODE in self.graph and self.made_by.python not in ("", HERE.python):
            raise ProgramError(
                f"job {self.job_name!r} has functions that were compiled by Python {self.made_by.python}, and the cluster "
                f"runs Python {HERE.python}; submit it with that, or put its functions into modules that travel (-pyfs)"
            )
        try:
            return _GraphUnpickler(self.graph, self.classes, foreign).load()
        except StateError as error:
            raise ProgramError(self._why_not(error.message)) from error
        except (AttributeError, ImportError, TypeError) as error:
            if self.made_by == HERE or _OWN not in str(error):
                raise
            raise ProgramError(self._why_not(f"{type(error).__name__}: {error}")) from error

    def _why_not(self, what: str) -> str:
        return (
            f"job {self.job_name!r} ({self.job_id}) was submitted by {self.made_by}, and {HERE} cannot read its graph: "
            f"{what}; have that version stop it with a savepoint, and start it here from that, or cancel it"
        )


class _GraphUnpickler(pickle.Unpickler):
    """Values of classes that have other fields now get the new ones' defaults."""

    def __init__(self, graph: bytes, classes: Iterable[Reference], foreign: Collection[str] = ()) -> None:
        super().__init__(io.BytesIO(graph))
        self._classes = {(each["module"], each["class"]): each for each in classes}
        self._foreign = foreign

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if module_name.partition(".")[0] in self._foreign:
            from penstock.data.passed_on import Name

            return Name.of(module_name, global_name)
        found = super().find_class(module_name, global_name)
        reference = self._classes.get((module_name, global_name))
        return found if reference is None else stand_ins_for([reference]).get(found, found)


def make_submission(
    job_id: str,
    graph: JobGraph,
    import_path: list[str],
    argv: list[str],
    logging: ShippedLogging | None = None,
) -> Submission:
    """What is sent; only who may run code on the cluster may send it. ``logging`` is the job's own file. The files that the
    job's options name go with it.

    :raises NotSerializable: naming the operator and the function that cannot travel.
    :raises PenstockError: naming the file that cannot.
    """
    classes: list[Reference] = []
    pickled = ship_graph(graph, classes)
    return Submission(
        job_id,
        graph.job_name,
        pickled,
        tuple(import_path),
        tuple(argv),
        logging,
        files=pack_files(graph.settings),
        classes=tuple(each for each in classes if each["module"].startswith(_OWN)),
        made_by=HERE,
    )


def encode_submission(submission: Submission) -> bytes:
    """The bytes that are sent and kept."""
    files = submission.files
    head = {
        name: asdict(value) if isinstance(value, ShippedLogging | ParallelismBounds | Maker) else value
        for name in Submission.__slots__
        if name not in ("graph", "files")
        for value in [getattr(submission, name)]
    }
    if files is not None:
        head["files"] = {name: getattr(files, name) for name in JobFiles.__slots__ if name != "content"}
    written = json.dumps(head).encode()
    content = files.content if files is not None else b""
    rest = written + len(submission.graph).to_bytes(8, "big") + submission.graph + content
    return f"{_MAGIC} {FORMAT_VERSION} {len(written)} {checksum_of(rest)}\n".encode() + rest


def decode_submission(data: bytes) -> Submission:
    """The submission again, whichever version of the format it has.

    :raises ProgramError: where it is none, is of a newer format, or was altered.
    """
    if data.startswith(_PICKLE):
        return _of_version_1(data)
    first, _, rest = data.partition(b"\n")
    words = first[:200].decode("latin-1").split(" ")
    if len(words) != 4 or words[0] != _MAGIC or not words[1].isdecimal():
        raise ProgramError(f"this is not a job of penstock: it begins with {data[:20]!r}")
    if int(words[1]) > FORMAT_VERSION:
        raise ProgramError(
            f"this job has format version {words[1]}, and penstock {__version__} reads up to {FORMAT_VERSION}; use the "
            "version that has submitted it, or a newer one"
        )
    if checksum_of(rest) != words[3] or not words[2].isdecimal():
        raise ProgramError(f"this job was altered or cut off: its checksum is not {words[3]}")
    return _from_parts(json.loads(rest[: int(words[2])]), rest[int(words[2]) :])


def _from_parts(head: dict[str, Any], rest: bytes) -> Submission:
    size = int.from_bytes(rest[:8], "big")
    graph, content = rest[8 : 8 + size], rest[8 + size :]
    files, logging, bounds = head.get("files"), head["logging"], head["bounds"]
    return Submission(
        head["job_id"],
        head["job_name"],
        graph,
        tuple(head["import_path"]),
        tuple(head["argv"]),
        None if logging is None else ShippedLogging(**logging),
        head["parallelism"],
        None if files is None else _files(files, content),
        None if bounds is None else ParallelismBounds(**bounds),
        head["client_timeout_ms"],
        tuple(head["classes"]),
        Maker(**head["made_by"]),
    )


def _files(head: dict[str, Any], content: bytes) -> JobFiles:
    return JobFiles(
        content,
        tuple(head["import_path"]),
        tuple((place, target) for place, target in head["archives"]),
        head["requirements"],
        head["cached"],
    )


def _of_version_1(data: bytes) -> Submission:
    classes = _classes_of_version_1()
    try:
        made = _GraphUnpickler(data, classes).load()
    except Exception as error:
        raise ProgramError(f"this is not a job of penstock: {type(error).__name__}: {error}") from error
    if not isinstance(made, Submission):
        raise ProgramError(f"this is not a job of penstock but a {type(made).__name__}")
    object.__setattr__(made, "classes", classes)
    return made


@cache
def _classes_of_version_1() -> tuple[Reference, ...]:
    """The classes that could be in a graph, as they were when version 1 was written for the last time."""
    text = package_files("penstock.deploy.cluster").joinpath("classes_of_version_1.json").read_text("utf-8")
    named = ((*name.split(":"), fields) for name, fields in json.loads(text).items())
    return tuple(
        {"as": DATACLASS, "module": module, "class": kind, "names": fields} for module, kind, fields in named
    )
