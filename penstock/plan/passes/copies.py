"""Find out where records have to be copied: where one function may change what another holds.

A function that changes nothing makes no copies necessary, and neither does one whose results nobody changes. So most programs
run without any. With ``pipeline.object-reuse`` no operator is kept from changing what others hold; a function may then still
change what it gave before, as in Flink, where the reader is through with it: what such functions give is copied all the same.
"""

from dataclasses import replace

from penstock.contracts.effects import Effect
from penstock.dataflow.job import ChainedOperator, JobGraph
from penstock.ids import VertexId

OBJECT_REUSE = "pipeline.object-reuse"

Place = tuple[VertexId, int]
"""A vertex, and the position of an operator in it."""


def plan_copies(graph: JobGraph) -> JobGraph:
    """The graph with what each operator does to records, and what those behind it do."""
    reuses = graph.settings.get(OBJECT_REUSE, "false").lower() == "true"
    effects = {
        (vertex.id, at): chained.spec.effect
        for vertex in graph.vertices
        for at, chained in enumerate(vertex.operators)
    }
    changed = set() if reuses else _changed_behind(_readers(graph), effects)

    def planned(place: Place, chained: ChainedOperator) -> ChainedOperator:
        return replace(chained, effect=effects[place], is_changed_behind=place in changed)

    vertices = tuple(
        replace(
            vertex,
            operators=tuple(planned((vertex.id, at), chained) for at, chained in enumerate(vertex.operators)),
        )
        for vertex in graph.vertices
    )
    return replace(graph, vertices=vertices)


def _readers(graph: JobGraph) -> dict[Place, list[Place]]:
    """Who reads each operator, in its own vertex and in others."""
    readers: dict[Place, list[Place]] = {}
    for vertex in graph.vertices:
        for at, chained in enumerate(vertex.operators):
            if chained.input_index is not None:
                readers.setdefault((vertex.id, chained.input_index), []).append((vertex.id, at))
    for edge in graph.edges:
        readers.setdefault((edge.source, edge.operator_index), []).append((edge.target, 0))
    return readers


def _changed_behind(readers: dict[Place, list[Place]], effects: dict[Place, Effect]) -> set[Place]:
    """The operators with one behind them, near or far, that may change records: it may be given what they gave."""
    sources: dict[Place, list[Place]] = {}
    for place, behind in readers.items():
        for reader in behind:
            sources.setdefault(reader, []).append(place)
    changed: set[Place] = set()
    waiting = [place for place, effect in effects.items() if effect is Effect.CHANGES]
    while waiting:
        for source in sources.get(waiting.pop(), []):
            if source not in changed:
                changed.add(source)
                waiting.append(source)
    return changed
