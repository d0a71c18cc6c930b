"""How far the sources of each alignment group may read, from what they report: values in, values out."""

from collections.abc import Iterable

from penstock.data.elements import MAX_WATERMARK
from penstock.dataflow.job import JobVertex
from penstock.ids import SubtaskId, VertexId
from penstock.operators.source import SourceSpec


class AlignmentGroups:
    """All groups of a job. A subtask that has reported nothing yet holds nobody back, as in Flink."""

    def __init__(self, vertices: Iterable[JobVertex]) -> None:
        self._vertices: dict[VertexId, JobVertex] = {}
        self._drifts: dict[VertexId, int] = {}
        self._groups: dict[str, list[VertexId]] = {}
        self._group_of: dict[VertexId, str] = {}
        self._reported: dict[str, dict[SubtaskId, int]] = {}
        self._limits: dict[VertexId, int] = {}
        for vertex in vertices:
            spec = vertex.head.spec
            if isinstance(spec, SourceSpec) and spec.strategy.alignment is not None:
                group = spec.strategy.alignment.group
                self._vertices[vertex.id] = vertex
                self._drifts[vertex.id] = spec.strategy.alignment.max_drift_ms
                self._groups.setdefault(group, []).append(vertex.id)
                self._group_of[vertex.id] = group

    def report(self, subtask: SubtaskId, watermark: int) -> list[tuple[SubtaskId, int]]:
        """Take a report; which subtasks are to be told which limit because of it."""
        group = self._group_of[subtask.vertex]
        reported = self._reported.setdefault(group, {})
        reported[subtask] = watermark
        lowest = min(reported.values())
        told: list[tuple[SubtaskId, int]] = []
        for vertex_id in self._groups[group]:
            limit = min(lowest + self._drifts[vertex_id], MAX_WATERMARK)
            if limit != self._limits.get(vertex_id):
                self._limits[vertex_id] = limit
                told += [(each, limit) for each in self._vertices[vertex_id].subtasks()]
        return told

    def limit_of(self, subtask: SubtaskId) -> int | None:
        """What a subtask that starts in the middle of a run is to be told; None for nothing yet."""
        return self._limits.get(subtask.vertex)

    def forget(self, subtasks: Iterable[SubtaskId]) -> None:
        """Some subtasks start again, and have reported nothing."""
        for reported in self._reported.values():
            for subtask in subtasks:
                reported.pop(subtask, None)
