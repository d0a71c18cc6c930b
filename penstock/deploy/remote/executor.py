"""Runs jobs on a cluster: ``execution.target`` is ``remote``, ``rest.address`` and ``rest.port`` say where."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from penstock.clock import SYSTEM_CLOCK, monotonic, pause
from penstock.dataflow.job import JobGraph
from penstock.dataflow.recovery import CheckpointStatistics, Recovery, SavepointWish
from penstock.dataflow.submission import JobExecutionResult, JobStatus
from penstock.deploy.cluster.job_files import REQUIREMENTS
from penstock.deploy.cluster.job_requirements import INSTALL_S
from penstock.deploy.cluster.row_transit import RowsPart
from penstock.deploy.cluster.secret import own_signing_keys
from penstock.deploy.cluster.signed_values import JobValues, unpack
from penstock.deploy.cluster.submission import encode_submission, make_submission
from penstock.deploy.remote.client import TIMEOUT_S, ClusterClient
from penstock.errors import JobCancelled, JobFailed, OutsideError, PenstockError, ProgramError
from penstock.ids import JobID
from penstock.logs.shipped import shipped_logging

ASK_AGAIN_S = 0.1
LOOK_FOR_ROWS_S = 0.005

Answer = TypeVar("Answer")


class RemoteExecutor:
    """The executor ``remote``."""

    def submit(self, graph: JobGraph) -> "RemoteJob":
        """Hand a job over; it runs on the cluster, whatever becomes of this program."""
        client = ClusterClient.of(graph.settings)
        job_id = JobID.random()
        path = [os.path.abspath(place or os.curdir) for place in sys.path]
        logging = shipped_logging(os.environ.get("PENSTOCK_CONF_DIR"))
        submission = make_submission(str(job_id), graph, path, list(sys.argv), logging)
        installs = bool(graph.settings.get(REQUIREMENTS))
        answer = replace(client, timeout_s=TIMEOUT_S + (INSTALL_S if installs else 0)).submit(
            encode_submission(submission)
        )
        return RemoteJob(client, JobID(answer["jobid"]), graph)


class RemoteJob:
    """A job on a cluster, seen through its API."""

    def __init__(self, client: ClusterClient, job_id: JobID, graph: JobGraph) -> None:
        self._client = client
        self._job_id = job_id
        self._graph = graph
        self._path = f"/v1/jobs/{job_id}"

    @property
    def job_id(self) -> JobID:
        return self._job_id

    @property
    def in_background(self) -> bool:
        return True

    def status(self) -> JobStatus:
        return JobStatus[self._patiently(lambda client: client.get(f"{self._path}/status"))["status"]]

    def start_in_background(self) -> None:
        """It runs already."""

    def say_client_is_there(self, timeout_ms: int) -> None:
        """The job is cancelled unless this is said again within this time."""

        def say(client: ClusterClient) -> None:
            until_ms = SYSTEM_CLOCK.now_ms() + timeout_ms
            client.ask("PATCH", f"{self._path}/clientHeartbeat", {"expiredTimestamp": until_ms})

        self._patiently(say)

    def cancel(self) -> None:
        try:
            self._client.ask("PATCH", f"{self._path}?mode=cancel")
        except ProgramError:
            if not self.status().is_globally_terminal_state():  # as it may be by itself, meanwhile
                raise

    def result(self, timeout_s: float | None = None) -> JobExecutionResult:
        deadline = None if timeout_s is None else monotonic() + timeout_s
        while True:
            answer = self._patiently(lambda client: client.get(f"{self._path}/execution-result"))
            if answer["status"]["id"] == "COMPLETED":
                return self._result(answer["job-execution-result"])
            if deadline is not None and monotonic() >= deadline:
                raise TimeoutError(f"job {self._job_id} still runs after {timeout_s} s")
            pause(ASK_AGAIN_S)

    def _patiently(self, ask: Callable[[ClusterClient], Answer]) -> Answer:
        """What the JobManager says; one that is being started again is waited for, and one that leads instead is found."""
        unreachable_until = monotonic() + self._client.patience_s
        while True:
            try:
                return ask(replace(self._client, attempts=0))
            except OutsideError:
                if monotonic() >= unreachable_until:
                    raise
            pause(ASK_AGAIN_S)
            with suppress(OutsideError):
                self._client = ClusterClient.of(self._graph.settings)

    def _result(self, result: dict[str, Any]) -> JobExecutionResult:
        match result["application-status"]:
            case "SUCCEEDED":
                values = self._values()
                return JobExecutionResult(
                    self._job_id,
                    result["net-runtime"],
                    values.accumulators,
                    values.metrics,
                    values.recovery,
                    values.checkpoints,
                )
            case "CANCELED":
                raise JobCancelled(f"job {self._job_id} was cancelled")
        raise JobFailed(result["failure"] or f"job {self._graph.job_name!r} ({self._job_id}) failed")

    def _values(self) -> JobValues:
        packed = self._patiently(lambda client: client.values(f"{self._path}/values"))
        return unpack(packed, own_signing_keys(self._client.token), JobValues)

    def rows(self, collector: str) -> Iterator[list[Any]]:
        """What a collecting sink receives, batch by batch; whoever stops reading cancels the job."""
        keys = own_signing_keys(self._client.token)
        if not keys:
            self.cancel()
            raise ProgramError(
                "rows of a job are read from a cluster whose secret is known here: set PENSTOCK_HOME to the cluster's home, "
                "or rest.token on both sides"
            )
        has_ended = False
        try:
            for part in self._parts(collector, keys):
                has_ended = part.has_ended
                yield from part.batches
        finally:
            if not has_ended:
                with suppress(PenstockError):
                    self.cancel()
        self.result()

    def _parts(self, collector: str, keys: tuple[bytes, ...]) -> Iterator[RowsPart]:
        session, number, wait_s = "", 0, LOOK_FOR_ROWS_S
        while True:
            part = unpack(
                self._client.values(f"{self._path}/rows/{collector}?after={number}"), keys, RowsPart
            )
            if session and part.session != session:
                raise OutsideError(
                    f"the JobManager has been started anew while rows of job {self._job_id} were read, and some may have "
                    "been lost with it; run the program again, or write to a sink"
                )
            session, number = part.session, part.number
            yield part
            if part.has_ended:
                return
            wait_s = LOOK_FOR_ROWS_S if part.batches else min(2 * wait_s, ASK_AGAIN_S)
            if not part.batches:
                pause(wait_s)

    def accumulators(self) -> dict[str, Any]:
        return self._values().accumulators

    def metrics(self) -> dict[str, Any]:
        return self._values().metrics

    def savepoint(self, wish: SavepointWish) -> "Future[str]":
        if wish.stops:
            body = {"targetDirectory": wish.directory, "drain": wish.drains}
            answer = self._client.ask("POST", f"{self._path}/stop", body)
        else:
            body = {"target-directory": wish.directory, "cancel-job": wish.cancels}
            answer = self._client.ask("POST", f"{self._path}/savepoints", body)
        future: Future[str] = Future()

        def wait() -> None:
            try:
                future.set_result(self._client.wait_for(f"{self._path}/savepoints/{answer['request-id']}"))
            except Exception as error:  # noqa: BLE001  (whoever asks for the path gets it)
                future.set_exception(error)

        threading.Thread(target=wait, daemon=True).start()
        return future

    def checkpoints(self) -> list[CheckpointStatistics]:
        return list(self._values().checkpoints)

    def recovery(self) -> Recovery:
        return self._values().recovery
