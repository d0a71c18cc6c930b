"""What a client hands to the JobManager: the graph, and where its functions are imported from."""

import pickle
from dataclasses import dataclass

from penstock.dataflow.job import JobGraph
from penstock.dataflow.rescaling import ParallelismBounds
from penstock.deploy.cluster.job_files import JobFiles, pack_files
from penstock.deploy.local.graph_shipping import ship_graph
from penstock.errors import ProgramError
from penstock.logs.shipped import ShippedLogging


@dataclass(frozen=True, slots=True)
class Submission:
    """``graph`` is pickled for itself, so that name and path are known before user code is loaded. ``parallelism``: the one
    that the job was rescaled to, and ``bounds`` between which it may be. ``files`` travel with it.
    ``client_timeout_ms``: so long it goes on without a sign of its client's life; None where that does not matter."""

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


def encode_submission(
    job_id: str,
    graph: JobGraph,
    import_path: list[str],
    argv: list[str],
    logging: ShippedLogging | None = None,
) -> bytes:
    """The bytes that are sent; only who may run code on the cluster may send them. ``logging`` is the job's own file.
    The files that the job's options name go with it.

    :raises NotSerializable: naming the operator and the function that cannot travel.
    :raises PenstockError: naming the file that cannot.
    """
    submission = Submission(
        job_id,
        graph.job_name,
        ship_graph(graph),
        tuple(import_path),
        tuple(argv),
        logging,
        files=pack_files(graph.settings),
    )
    return pickle.dumps(submission, 5)


def decode_submission(data: bytes) -> Submission:
    """The submission again.

    :raises ProgramError: where it is none.
    """
    try:
        made = pickle.loads(data)
    except Exception as error:
        raise ProgramError(f"this is not a job of penstock: {type(error).__name__}: {error}") from error
    if not isinstance(made, Submission):
        raise ProgramError(f"this is not a job of penstock but a {type(made).__name__}")
    return made
