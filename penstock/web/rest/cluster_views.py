"""What the API tells of the cluster; pure functions of what the JobManager knows."""

import platform
import sys
from collections.abc import Iterable
from typing import Any

from penstock import __version__
from penstock.dataflow.submission import JobStatus
from penstock.deploy.cluster.dispatched_job import DispatchedJob
from penstock.deploy.cluster.slots import TaskManagerEntry
from penstock.web.rest.rest_settings import RestSettings

Json = dict[str, Any]
FLINK_VERSION = "2.3.0"


def overview(jobs: Iterable[DispatchedJob], entries: list[TaskManagerEntry]) -> Json:
    """The cluster in figures."""
    states = [job.status for job in jobs]
    return {
        "taskmanagers": len(entries),
        "slots-total": sum(entry.description.slots for entry in entries),
        "slots-available": sum(entry.free for entry in entries),
        "jobs-running": sum(not state.is_terminal_state() for state in states),
        "jobs-finished": states.count(JobStatus.FINISHED),
        "jobs-cancelled": states.count(JobStatus.CANCELED),
        "jobs-failed": states.count(JobStatus.FAILED),
        "flink-version": FLINK_VERSION,
        "flink-commit": "penstock",
        "penstock-version": __version__,
    }


def config(chosen: RestSettings) -> Json:
    """What a page has to know."""
    return {
        "refresh-interval": chosen.refresh_ms,
        "timezone-name": "UTC",
        "timezone-offset": 0,
        "flink-version": FLINK_VERSION,
        "flink-revision": "penstock",
        "features": {
            "web-submit": chosen.may_submit,
            "web-cancel": chosen.may_cancel,
            "web-rescale": chosen.may_rescale,
            "web-history": False,
        },
    }


def environment() -> Json:
    """The interpreter that the JobManager runs in; what Java has as class path is where modules are imported from."""
    return {
        "jvm": {
            "version": f"{platform.python_implementation()} {platform.python_version()}",
            "arch": platform.machine(),
            "options": [],
        },
        "classpath": list(sys.path),
    }


def taskmanager(entry: TaskManagerEntry) -> Json:
    """A TaskManager in the list."""
    description = entry.description
    return {
        "id": description.id,
        "path": f"penstock://{description.host}/{description.id}",
        "dataPort": 0,
        "jmxPort": -1,
        "pid": description.pid,
        "timeSinceLastHeartbeat": entry.last_heartbeat_ms,
        "slotsNumber": description.slots,
        "freeSlots": entry.free,
        "blocked": False,
        "metrics": entry.metrics,
        "allocatedSlots": [{"jobId": job_id} for job_id in entry.taken.values()],
    }


def threads(stacks: Iterable[tuple[str, str]]) -> Json:
    """What each thread does."""
    return {"threadInfos": [{"threadName": name, "stringifiedThreadInfo": stack} for name, stack in stacks]}
