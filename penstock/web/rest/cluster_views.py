"""What the API tells of the cluster; pure functions of what the JobManager knows."""

import platform
import sys
from collections.abc import Iterable
from typing import Any

from penstock import __version__
from penstock.dataflow.submission import JobStatus
from penstock.deploy.cluster.dispatched_job import DispatchedJob
from penstock.deploy.cluster.memory import PARTS
from penstock.deploy.cluster.slots import TaskManagerEntry
from penstock.metrics.process_metrics import COLLECTORS
from penstock.web.rest.rest_settings import RestSettings

Json = dict[str, Any]
_BUFFERS = (
    "directCount", "directUsed", "directMax", "mappedCount", "mappedUsed", "mappedMax", "nettyShuffleMemorySegmentsAvailable",
    "nettyShuffleMemorySegmentsUsed", "nettyShuffleMemorySegmentsTotal", "nettyShuffleMemoryAvailable",
    "nettyShuffleMemoryUsed", "nettyShuffleMemoryTotal",
)  # fmt: skip
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
        "assignedTasks": len(entry.taken),
        "totalResource": _resource(description.slots),
        "freeResource": _resource(entry.free),
        "hardware": {
            "cpuCores": description.cores,
            "physicalMemory": round(entry.metrics.get("Status.JVM.Memory.Heap.Max", 0)),
            "freeMemory": round(entry.metrics.get("System.Memory.Available", 0)),
            "managedMemory": 0,
        },
        "memoryConfiguration": {part: description.memory.get(part) for part in PARTS},
        "blocked": False,
        "metrics": entry.metrics,
        "allocatedSlots": [
            {"jobId": job_id, "resource": _resource(1), "assignedTasks": 1} for job_id in entry.taken.values()
        ],
    }


def taskmanager_detail(entry: TaskManagerEntry) -> Json:
    """A TaskManager by itself: its process under the names that Flink has for a Java machine. Memory is of the process,
    which nothing divides here, so that what Flink keeps for parts of it is 0."""
    told, metrics = taskmanager(entry), entry.metrics
    used, whole = (round(metrics.get(f"Status.JVM.Memory.Heap.{each}", 0)) for each in ("Used", "Max"))
    nothing = ("nonHeapUsed", "nonHeapCommitted", "nonHeapMax", *_BUFFERS)
    collectors = [
        {
            "name": name,
            "count": metrics.get(f"Status.JVM.GarbageCollector.{name}.Count", 0),
            "time": metrics.get(f"Status.JVM.GarbageCollector.{name}.Time", 0),
        }
        for name in COLLECTORS
    ]
    return {
        **told,
        "metrics": {
            "heapUsed": used,
            "heapCommitted": used,
            "heapMax": whole,
            **dict.fromkeys(nothing, 0),
            "garbageCollectors": collectors,
        },
    }


def _resource(slots: int) -> Json:
    parts = ("taskHeapMemory", "taskOffHeapMemory", "managedMemory", "networkMemory")
    return {"cpuCores": float(slots), **dict.fromkeys(parts, 0), "extendedResources": {}}


def threads(stacks: Iterable[tuple[str, str]]) -> Json:
    """What each thread does."""
    return {"threadInfos": [{"threadName": name, "stringifiedThreadInfo": stack} for name, stack in stacks]}
