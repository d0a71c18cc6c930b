"""What is measured of subtasks, under Flink's names: out of what their operators have measured.

Source: Flink's documentation, "Metrics", "System metrics".
"""

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.dataflow.job import ChainedOperator, JobGraph, JobVertex
from penstock.ids import SubtaskId
from penstock.metrics.readings import flat, in_names

Values = dict[str, Any]

# What the engine measures of a task lies among the metrics of its first operator; here is what Flink calls it.
OF_TASKS = {
    "busyTimeMs": "accumulateBusyTimeMs",
    "idleTimeMs": "accumulateIdleTimeMs",
    "backPressuredTimeMs": "accumulateBackPressuredTimeMs",
    "busyTimeMsPerSecond": "busyTimeMsPerSecond",
    "idleTimeMsPerSecond": "idleTimeMsPerSecond",
    "backPressuredTimeMsPerSecond": "backPressuredTimeMsPerSecond",
    "isBackPressured": "isBackPressured",
    "longestBarrierPauseMs": "longestBarrierPauseMs",
    "numBytesIn": "numBytesIn",
    "numBytesInPerSecond": "numBytesInPerSecond",
    "numBytesOut": "numBytesOut",
    "numBytesOutPerSecond": "numBytesOutPerSecond",
}
COUNTED = ("numRecordsIn", "numRecordsOut", "numBytesIn", "numBytesOut")


def task_values(head: Mapping[str, Any], last: Mapping[str, Any]) -> Values:
    """A subtask as a whole, of what its first and its last operator have: records into the one and out of the other, bytes,
    times, the watermark."""
    values = {name: head[name] for name in head if name.startswith(("numRecordsIn", "currentInputWatermark"))}
    values |= {name: last[name] for name in last if name.startswith("numRecordsOut")}
    return values | {flink: head[own] for own, flink in OF_TASKS.items() if own in head}


def attempt_id(job_id: str, task_id: str, subtask: int, attempt: int) -> str:
    """One attempt of a subtask, as Flink writes it.

    >>> attempt_id("job", "task", 1, 0)
    'job_task_1_0'
    """
    return f"{job_id}_{task_id}_{subtask}_{attempt}"


class Measured:
    """What the workers of a job have reported, by operator and subtask: the reports are looked through once, however many
    subtasks are asked for.

    The name of a metric begins with those of its operator and subtask; the operator's may have dots in it.
    """

    def __init__(self, metrics: Mapping[str, Any], graph: JobGraph) -> None:
        self._found: dict[str, Values] = {
            _prefix(name, subtask): {}
            for vertex in graph.vertices
            for operator in vertex.operators
            for name in _metric_names(operator)
            for subtask in range(vertex.parallelism)
        }
        for name, value in metrics.items():
            end = name.find(".")
            while end >= 0:
                own = self._found.get(name[: end + 1])
                if own is not None:
                    own.update(flat(name[end + 1 :], value))
                end = name.find(".", end + 1)

    def of_operator(self, name: str, subtask: int) -> Values:
        """One operator, by the name of its metrics, in one subtask, with what the program itself measures in it."""
        return self._found.get(_prefix(name, subtask), {})

    def of_task(self, vertex: JobVertex, subtask: int) -> Values:
        """A subtask as a whole."""
        head, last = vertex.operators[0], vertex.operators[-1]
        return task_values(
            self.of_operator(own_name(head), subtask), self.of_operator(own_name(last), subtask)
        )

    def of_vertex(self, vertex: JobVertex, subtask: int) -> Values:
        """A subtask and the operators in it, as the REST API names them: those of operators behind the operator's name."""
        values = self.of_task(vertex, subtask)
        for operator in vertex.operators:
            for each in operator.written:
                own = self.of_operator(each.metric_name, subtask)
                values |= {f"{in_names(each.name)}.{name}": own[name] for name in own if name not in OF_TASKS}
        return values


def own_name(operator: ChainedOperator) -> str:
    """The name under which the engine measures an operator."""
    return operator.metric_name or operator.name


def _metric_names(operator: ChainedOperator) -> Iterable[str]:
    return {own_name(operator), *(each.metric_name for each in operator.written)}


def _prefix(name: str, subtask: int) -> str:
    return f"{name}.{subtask}."


def task_variables(
    job_id: str, job_name: str, vertex: JobVertex, subtask: SubtaskId, attempt: int
) -> dict[str, str]:
    """Flink's variables of a subtask, but for where it runs."""
    task_id = vertex.head.id
    return {
        "job_id": job_id,
        "job_name": job_name,
        "task_id": task_id,
        "task_name": vertex.name,
        "task_attempt_id": attempt_id(job_id, task_id, subtask.index, attempt),
        "task_attempt_num": str(attempt),
        "subtask_index": str(subtask.index),
    }
