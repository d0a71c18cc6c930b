"""What the operations of the API work on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from penstock.dataflow.job import JobVertex
from penstock.deploy.cluster.dispatched_job import DispatchedJob, JobNotFound
from penstock.deploy.cluster.dispatcher import Dispatcher
from penstock.deploy.cluster.roster import Roster
from penstock.deploy.cluster.row_transit import RowsOutlet
from penstock.deploy.cluster.slots import TaskManagerEntry
from penstock.metrics.system_resources import SystemResources
from penstock.web.rest.applications import Applications
from penstock.web.rest.requests import number_in_path
from penstock.web.rest.rest_settings import RestSettings
from penstock.web.rest.triggers import Triggers
from penstock.web.rest.vertex_views import vertex_id


@dataclass(slots=True, eq=False)
class Api:
    """``token`` is asked for where it is set, else what runs code needs ``submission_proof``; ``stop_cluster`` ends all
    processes; ``machine`` measures what the whole of it uses; ``directory`` is where uploaded programs lie; ``address`` is
    where clients find the API, with its port once the server listens."""

    dispatcher: Dispatcher
    roster: Roster
    settings: dict[str, str]
    stop_cluster: Callable[[], None]
    submission_proof: str
    token: str | None = None
    log: str = ""
    out: str = ""
    directory: Path | None = None
    address: tuple[str, int] = ("", 0)
    signing_key: bytes = b""
    machine: SystemResources | None = None
    outlets: dict[tuple[str, str], RowsOutlet] = field(default_factory=dict)
    chosen: RestSettings = field(init=False)
    applications: Applications = field(init=False)
    savepoints: Triggers = field(init=False)
    checkpoints: Triggers = field(init=False)
    disposals: Triggers = field(init=False)
    rescalings: Triggers = field(init=False)

    def __post_init__(self) -> None:
        self.chosen = RestSettings.of(self.settings)
        self.applications = Applications(self.dispatcher)
        self.log = self.chosen.log or self.log
        kept_s = self.chosen.kept_s
        self.savepoints, self.checkpoints = Triggers(kept_s), Triggers(kept_s)
        self.disposals, self.rescalings = Triggers(kept_s), Triggers(kept_s)

    def job(self, request: Request) -> DispatchedJob:
        """The job that the path names."""
        return self.dispatcher.job(request.path_params["job"])

    def vertex(self, request: Request) -> tuple[DispatchedJob, JobVertex]:
        """The vertex that the path names, with its job."""
        job = self.job(request)
        wanted = request.path_params["vertex"]
        for vertex in job.graph.vertices:
            if vertex_id(vertex) == wanted:
                return job, vertex
        raise JobNotFound(f"job {job.id} has no vertex {wanted}")

    def subtask(self, request: Request) -> tuple[DispatchedJob, JobVertex, int]:
        """The subtask that the path names, with its vertex and job."""
        job, vertex = self.vertex(request)
        index = number_in_path(request, "subtask")
        if index is None or index >= vertex.parallelism:
            raise JobNotFound(
                f"vertex {vertex_id(vertex)} has no subtask {request.path_params['subtask']}; there are 0 to "
                f"{vertex.parallelism - 1}"
            )
        return job, vertex, index

    def taskmanager(self, request: Request) -> TaskManagerEntry:
        """The TaskManager that the path names."""
        wanted = request.path_params["taskmanager"]
        for entry in self.roster.entries():
            if entry.description.id == wanted:
                return entry
        raise JobNotFound(f"there is no TaskManager {wanted}")
