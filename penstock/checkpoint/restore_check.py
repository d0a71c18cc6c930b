"""Whether a program can go on from a checkpoint or savepoint: everything that stands in the way, before anything runs."""

from collections.abc import Iterator
from typing import Any

from penstock.checkpoint.handles import in_flight_id, is_in_flight, operator_of_in_flight
from penstock.checkpoint.manifest import Manifest, OperatorRecord
from penstock.checkpoint.restored_maxima import has_states
from penstock.contracts.partitioning import Hash
from penstock.dataflow.job import ChainedOperator, JobGraph, JobVertex
from penstock.errors import StateError
from penstock.operators.contract import Origin
from penstock.operators.row_chain import RowChainSpec

_TEXTS = frozenset(("large_string",))
_NUMBERS = frozenset(("int64", "double", "bool"))  # of which equal ones are one key
_ANY_KEYS = frozenset(("large_binary", "null"))  # pickles may hold anything
_KEY_COLUMNS = {
    "String": _TEXTS,
    **dict.fromkeys(("Byte", "Short", "Integer", "Long", "Float", "Double", "Boolean"), _NUMBERS),
}


def check_restore(manifest: Manifest, graph: JobGraph, path: str, allow_non_restored_state: bool) -> None:
    """Compare what was saved with what is to run, a graph that has taken over the maxima that were saved.

    :raises StateError: one error that names every operator whose state nobody takes, and every one whose maximum parallelism
        has changed.
    """
    # Records that were on their way are taken by heads of vertices alone.
    wanted = operators_by_id(graph) | {in_flight_id(v.head.id): (v, v.head) for v in graph.vertices}
    problems = []
    for record in manifest.operators.values():
        if not record.has_state:
            continue
        if record.operator_id not in wanted:
            if is_in_flight(record.operator_id) and operator_of_in_flight(record.operator_id) in wanted:
                problems.append(_is_chained_now(record))
            elif not allow_non_restored_state:
                problems.append(_nobody_takes(record.name, record.operator_id))
            continue
        vertex, chained = wanted[record.operator_id]
        if has_states(record) and vertex.max_parallelism != record.max_parallelism:
            problems.append(_other_maximum(record, vertex, chained))
        if chained is vertex.head and (declared := _key_type(graph, vertex)) is not None:
            problems += _other_keys(record, chained, declared)
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise StateError(
            f"the job {graph.job_name!r} cannot go on from {path} (checkpoint {manifest.checkpoint_id} of job "
            f"{manifest.job_name!r}):\n{listed}"
        )


def operators_by_id(graph: JobGraph) -> dict[str, tuple[JobVertex, ChainedOperator]]:
    """Every operator of a job with its vertex; those that run fused in one by their own identity, too."""
    found: dict[str, tuple[JobVertex, ChainedOperator]] = {}
    for vertex in graph.vertices:
        for chained in vertex.operators:
            found[chained.id] = (vertex, chained)
            if isinstance(chained.spec, RowChainSpec):
                for step in chained.spec.steps:
                    found.setdefault(step.operator_id, (vertex, chained))
    return found


def _other_maximum(record: OperatorRecord, vertex: JobVertex, chained: ChainedOperator) -> str:
    saved = record.max_parallelism
    if vertex.parallelism > saved:
        return (
            f"operator {chained.name!r} was saved with a maximum parallelism of {saved} and now has parallelism "
            f"{vertex.parallelism}{_at(chained.origin)}; keys cannot be cut into other groups, so give it a "
            f"parallelism of at most {saved}"
        )
    return (
        f"operator {chained.name!r} was saved with a maximum parallelism of {saved} and now has {vertex.max_parallelism}"
        f"{_at(chained.origin)}; keys cannot be cut into other groups, so set it to {saved}, or do not set it"
    )


def _key_type(graph: JobGraph, vertex: JobVertex) -> Any:
    """The type that was declared for the keys of what comes in; None where none was."""
    into = [edge.partitioning for edge in graph.edges if edge.target == vertex.id]
    return next((each.key_type for each in into if isinstance(each, Hash) and each.key_type), None)


def _other_keys(record: OperatorRecord, chained: ChainedOperator, declared: Any) -> Iterator[str]:
    """Keys that are saved as columns of texts where numbers are declared, or the other way round, or of other things."""
    wanted = _KEY_COLUMNS.get(str(declared))
    files = [file for handle in record.handles for file in handle.files]
    kinds = {kind for file in files for name, kind in file.columns if name == "key"} - _ANY_KEYS
    if wanted is not None and has_states(record) and kinds - wanted:
        saved = ", ".join(sorted(kinds - wanted))
        yield (
            f"operator {chained.name!r} was saved with keys of type {saved}, and they are declared as {declared} now"
            f"{_at(chained.origin)}: they would be other keys, for which nothing is saved; keep their type, or give the "
            "operator another uid"
        )


def _is_chained_now(record: OperatorRecord) -> str:
    return (
        f"the checkpoint holds {record.name!r}, and the program as it is now chains that operator to its input, so that "
        "nothing is on its way to it; start at the parallelism that the checkpoint was taken at, call start_new_chain() on "
        "the operator, or start from a savepoint, which holds no such records"
    )


def _nobody_takes(name: str, operator_id: str) -> str:
    return (
        f"there is state of an operator {name!r} ({operator_id}) that the program does not have; give operators the uid "
        "that they had, or start with --allowNonRestoredState to leave it behind"
    )


def _at(origin: Origin | None) -> str:
    return f", made at {origin}" if origin else ""
