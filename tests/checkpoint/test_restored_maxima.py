"""Which maximum parallelism a job takes over from what it starts from."""

from dataclasses import replace
from typing import Any

import pytest

from penstock.checkpoint.handles import OperatorStateHandle, StateDescription
from penstock.checkpoint.manifest import Manifest, OperatorRecord
from penstock.checkpoint.restore_check import check_restore
from penstock.checkpoint.restored_maxima import with_saved_maxima
from penstock.contracts.partitioning import Hash
from penstock.dataflow.job import JobGraph, JobVertex
from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import StateError
from penstock.plan.compile import compile_graph


def job(parallelism: int = 2, own: int | None = None, **settings: str) -> JobGraph:
    """A keyed sum between two vertices without keys."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(parallelism)
    for key, value in settings.items():
        env.get_configuration().set_string(key.replace("_", "."), value)
    pairs = env.from_collection([(1, 1)]).map(lambda pair: pair).uid("pairs")
    summed: Any = pairs.key_by(lambda pair: pair[0]).sum(1).uid("sum")
    if own is not None:
        summed.set_max_parallelism(own)
    summed.print().uid("end")
    return compile_graph(env.get_stream_graph())


def saved(graph: JobGraph, maximum: int, states: bool = True, operators: slice = slice(1)) -> Manifest:
    """A savepoint of the keyed sum's vertex, or of some of the operators in it."""
    described = (StateDescription("sum", "value"),) if states else ()
    records = {
        each.id: OperatorRecord(
            each.id,
            each.name,
            1,
            maximum,
            (OperatorStateHandle(each.id, each.name, 0, 1, maximum, (), described),),
        )
        for each in keyed(graph).operators[operators]
    }
    return Manifest(1, 0, "job", "a job", True, records)


def keyed(graph: JobGraph) -> JobVertex:
    return graph.vertex(next(e.target for e in graph.edges if isinstance(e.partitioning, Hash)))


@pytest.mark.parametrize("parallelism", [1, 2, 100])
@pytest.mark.parametrize("maximum", [100, 128, 4096])
def test_a_maximum_that_was_set_nowhere_is_that_of_the_savepoint(parallelism: int, maximum: int) -> None:
    graph = job(parallelism)
    manifest = saved(graph, maximum)
    taken = with_saved_maxima(graph, manifest)
    assert keyed(taken).max_parallelism == maximum
    others = [vertex for vertex in taken.vertices if vertex != keyed(taken)]
    assert others == [vertex for vertex in graph.vertices if vertex != keyed(graph)]
    check_restore(manifest, taken, "/saved", allow_non_restored_state=False)


@pytest.mark.parametrize("settings", [{"pipeline_max-parallelism": "64"}, {"own": 64}])
def test_a_maximum_that_was_set_stays_and_another_one_is_refused(settings: Any) -> None:
    graph = job(**settings)
    manifest = saved(graph, 128)
    taken = with_saved_maxima(graph, manifest)
    assert taken == graph
    message = "maximum parallelism of 128 and now has 64.* set it to 128, or do not set it"
    with pytest.raises(StateError, match=message):
        check_restore(manifest, taken, "/saved", allow_non_restored_state=False)
    same = saved(graph, 64)
    check_restore(same, with_saved_maxima(graph, same), "/saved", allow_non_restored_state=False)


def test_a_parallelism_above_that_of_the_savepoint_is_refused_with_the_most_there_can_be() -> None:
    graph = job(parallelism=129)
    manifest = saved(graph, 128)
    with pytest.raises(
        StateError, match=r"of 128 and now has parallelism 129.* a parallelism of at most 128"
    ):
        check_restore(manifest, with_saved_maxima(graph, manifest), "/saved", allow_non_restored_state=True)


def test_what_has_no_states_is_no_obstacle_at_a_higher_parallelism() -> None:
    graph = job(parallelism=129)
    manifest = saved(graph, 128, states=False)
    taken = with_saved_maxima(graph, manifest)
    assert taken == graph
    check_restore(manifest, taken, "/saved", allow_non_restored_state=False)


def test_of_operators_that_are_chained_the_one_with_states_decides() -> None:
    graph = job()
    assert len(keyed(graph).operators) > 1
    first = saved(graph, 50, states=False)
    last = saved(graph, 40, operators=slice(1, None))
    both = replace(first, operators=first.operators | last.operators)
    assert keyed(with_saved_maxima(graph, both)).max_parallelism == 40
