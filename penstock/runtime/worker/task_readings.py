"""The metrics of one worker's tasks, as reporters of its process are told: with Flink's scopes and variables."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from penstock.dataflow.job import JobGraph, JobVertex, WrittenOperator
from penstock.ids import SubtaskId
from penstock.metrics.kinds import FoundMetric
from penstock.metrics.readings import Kind, Reading, Scope, flat, kind_of
from penstock.operators.user_code import shorten
from penstock.runtime.task.tasklet import Tasklet
from penstock.runtime.task_values import COUNTED, OF_TASKS, own_name, task_values, task_variables
from penstock.runtime.worker.task_metrics import RATED, TaskMetrics

_PLAIN = (int, float, str, bool, type(None))


def task_readings(metrics: TaskMetrics, tasklets: Iterable[Tasklet], graph: JobGraph) -> Iterator[Reading]:
    """What is measured of tasks that run, as of the last time that their metrics were read."""
    vertices = {vertex.id: vertex for vertex in graph.vertices}
    for tasklet in tasklets:
        vertex, context = vertices[tasklet.subtask.vertex], tasklet.chain.contexts[0]
        variables = task_variables(context.job_id, graph.job_name, vertex, tasklet.subtask, context.attempt)
        yield from _of_task(metrics, vertex, tasklet.subtask, variables)


def _of_task(
    metrics: TaskMetrics, vertex: JobVertex, subtask: SubtaskId, variables: Mapping[str, str]
) -> Iterator[Reading]:
    head, last = (_values(metrics, own_name(each), subtask) for each in (vertex.head, vertex.operators[-1]))
    for name, value in task_values(head, last).items():
        yield Reading(Scope.TASK, name, value, variables, _kind_of_name(name))
    for operator in vertex.operators:
        for written in operator.written:
            yield from _of_operator(metrics, written, subtask, variables)


def _of_operator(
    metrics: TaskMetrics, written: WrittenOperator, subtask: SubtaskId, of_task: Mapping[str, str]
) -> Iterator[Reading]:
    variables = {**of_task, "operator_id": written.id, "operator_name": written.name}
    for found in _found(metrics, written.metric_name, subtask):
        if found.name in OF_TASKS:
            continue
        own = {**variables, **found.variables} if found.variables else variables
        kind = kind_of(found.metric)
        for name, value in flat(found.name, found.metric.read()).items():
            logical = found.logical_name + name[len(found.name) :]
            yield Reading(Scope.OPERATOR, name, _plain(value), own, kind, logical)
        if found.name in COUNTED:
            rate = metrics.per_second(written.metric_name, subtask, found.name)
            yield Reading(Scope.OPERATOR, f"{found.name}PerSecond", rate, variables, Kind.METER)


def _found(metrics: TaskMetrics, operator: str, subtask: SubtaskId) -> Iterator[FoundMetric]:
    group = metrics.find_group(operator, subtask)
    return iter(()) if group is None else group.metrics()


def _values(metrics: TaskMetrics, operator: str, subtask: SubtaskId) -> dict[str, Any]:
    values = {found.name: found.metric.read() for found in _found(metrics, operator, subtask)}
    rated = [name for name in RATED if name in values]
    return values | {f"{name}PerSecond": metrics.per_second(operator, subtask, name) for name in rated}


def _kind_of_name(name: str) -> Kind:
    if name in COUNTED:
        return Kind.COUNTER
    return Kind.METER if name.removesuffix("PerSecond") in COUNTED else Kind.GAUGE


def _plain(value: Any) -> Any:
    """A gauge may read anything; what is no plain value is shown as text."""
    return value if type(value) in _PLAIN else shorten(value)
