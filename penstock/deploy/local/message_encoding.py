"""Messages between the coordinator and worker processes as bytes.

Messages hold what users made: rows, splits, accumulators, errors. A class that cannot be imported on the other side travels
by the token that cloudpickle gave it in the job graph, so that it is one class everywhere, on the data plane too.
"""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from penstock.data import code_pickle
from penstock.data.program_classes import learn_shipped_classes
from penstock.dataflow.job import JobGraph
from penstock.deploy.local.error_transit import PackedError, pack, unpack
from penstock.errors import NotSerializable
from penstock.ids import SubtaskId, WorkerIndex
from penstock.network import by_value
from penstock.operators.user_code import shorten
from penstock.runtime.messages import Address, Deploy, Deployment, MetricsReport, SubtaskFailed

Announce = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class ShippedDeploy:
    """A ``Deploy`` whose graph was pickled once for all workers and attempts."""

    deployment: Deployment
    peers: dict[WorkerIndex, Address]
    graph: bytes
    subtasks: frozenset[SubtaskId] | None = None

    def unpack(self) -> Deploy:
        """The message as the worker takes it; the graph's functions and classes come into being here."""
        graph: JobGraph = pickle.loads(self.graph)
        learn_shipped_classes()
        return Deploy(replace(self.deployment, graph=graph), self.peers, self.subtasks)


NO_GRAPH = JobGraph("", (), (), False)
"""Stands in a deployment whose graph travels beside it."""


def encode(message: object, announce: Announce) -> bytes:
    """Pickle a message; ``announce(token)`` is called for each class by value in it, before its bytes are sent.

    Raises ``NotSerializable`` when something of the user's in it cannot be pickled.
    """
    if isinstance(message, SubtaskFailed):
        packed = pack(message.error, f"worker {message.worker}", lambda value: _dump(value, announce))
        message = _Failure(message, packed)
    elif isinstance(message, MetricsReport):
        message = _with_plain_metrics(message)
    try:
        return _dump(message, announce)
    except Exception as error:
        raise _not_serializable(message, error) from error


def decode(payload: bytes | bytearray) -> Any:
    """The message. Raises ``NotSerializable`` when this process cannot build something in it."""
    try:
        message = pickle.loads(payload)
        if isinstance(message, ShippedDeploy):
            return message.unpack()
    except Exception as error:
        raise _not_readable(error) from error
    if isinstance(message, _Failure):
        return replace(message.failed, error=unpack(message.packed))
    return message


class _Failure:
    """A ``SubtaskFailed`` with its error packed."""

    __slots__ = ("failed", "packed")

    def __init__(self, failed: SubtaskFailed, packed: PackedError) -> None:
        self.failed = failed
        self.packed = packed

    def __reduce__(self) -> tuple[Any, ...]:
        return _failure_again, (self.failed.worker, self.failed.subtask, self.packed)


def _failure_again(worker: WorkerIndex, subtask: Any, packed: PackedError) -> _Failure:
    return _Failure(SubtaskFailed(worker, subtask, NotSerializable("")), packed)


def _dump(value: object, announce: Announce) -> bytes:
    try:
        pickled = pickle.dumps(value, 5)
    except Exception:  # noqa: BLE001 - user classes may raise anything; the slower ways follow
        pass
    else:
        if not by_value.refers_to_main(pickled):
            return pickled
    try:
        return by_value.dumps(value, announce)
    except Exception:  # noqa: BLE001 - as above
        return code_pickle.dumps(value)


def _with_plain_metrics(report: MetricsReport) -> MetricsReport:
    """A gauge may read anything; what cannot travel is shown as text."""
    metrics = dict(report.metrics)
    for name, value in metrics.items():
        if type(value) not in (int, float, str, bool, type(None)):
            try:
                pickle.loads(pickle.dumps(value, 5))
            except Exception:  # noqa: BLE001 - the question is only whether it travels
                metrics[name] = shorten(value)
    return replace(report, metrics=metrics)


def _not_serializable(message: object, error: Exception) -> NotSerializable:
    for field in fields(message) if hasattr(message, "__dataclass_fields__") else ():  # type: ignore[arg-type]
        value = getattr(message, field.name)
        items = value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]
        for item in items:
            try:
                code_pickle.dumps(item)
            except Exception as reason:  # noqa: BLE001 - the question is only whether it can be pickled
                kind = f"{type(item).__module__}.{type(item).__qualname__}"
                return NotSerializable(
                    f"{shorten(item)} of type {kind} cannot be sent between the job's processes "
                    f"({type(message).__name__}.{field.name}): {reason}; "
                    "use values that pickle can take, or define __reduce__"
                )
    return NotSerializable(f"{type(message).__name__} cannot be sent between the job's processes: {error}")


def _not_readable(error: Exception) -> NotSerializable:
    if isinstance(error, ModuleNotFoundError):
        return NotSerializable(
            f"a worker process cannot import the module {error.name!r} that the job's functions or values need; make it "
            "importable (beside the program, installed, or on sys.path), or have it shipped with "
            "cloudpickle.register_pickle_by_value"
        )
    return NotSerializable(
        f"a function or value of the job cannot be built in another process: {type(error).__name__}: {error}; "
        "check what its module does when it is imported and its __setstate__ or __reduce__"
    )
