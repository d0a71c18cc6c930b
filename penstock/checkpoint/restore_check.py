"""Whether a program can go on from a checkpoint or savepoint: everything that stands in the way, before anything runs."""

from penstock.checkpoint.handles import is_in_flight
from penstock.checkpoint.manifest import Manifest
from penstock.dataflow.job import ChainedOperator, JobGraph, JobVertex
from penstock.errors import StateError
from penstock.operators.contract import Origin
from penstock.operators.row_chain import RowChainSpec


def check_restore(manifest: Manifest, graph: JobGraph, path: str, allow_non_restored_state: bool) -> None:
    """Compare what was saved with what is to run.

    :raises StateError: one error that names every operator whose state nobody takes, and every one whose maximum parallelism
        has changed.
    """
    wanted = operators_by_id(graph)
    problems = []
    in_flight = [record for record in manifest.operators.values() if is_in_flight(record.operator_id)]
    if in_flight and _parallelism_changed(manifest, wanted):
        problems.append(
            f"the checkpoint holds records that were on their way ({in_flight[0].name}, ...), and they cannot be dealt out "
            "at another parallelism; start at the parallelism that it was taken at, or take a savepoint, which holds none"
        )
    for record in manifest.operators.values():
        if not record.has_state or is_in_flight(record.operator_id):
            continue
        if record.operator_id not in wanted:
            if not allow_non_restored_state:
                problems.append(_nobody_takes(record.name, record.operator_id))
            continue
        vertex, chained = wanted[record.operator_id]
        has_keys = any(handle.states for handle in record.handles)
        if has_keys and vertex.max_parallelism != record.max_parallelism:
            problems.append(
                f"operator {chained.name!r} was saved with a maximum parallelism of {record.max_parallelism} and now has "
                f"{vertex.max_parallelism}{_at(chained.origin)}; keys cannot be cut into other groups, so set it to "
                f"{record.max_parallelism}"
            )
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


def _parallelism_changed(manifest: Manifest, wanted: dict[str, tuple[JobVertex, ChainedOperator]]) -> bool:
    return any(
        record.operator_id in wanted and wanted[record.operator_id][0].parallelism != record.parallelism
        for record in manifest.operators.values()
    )


def _nobody_takes(name: str, operator_id: str) -> str:
    return (
        f"there is state of an operator {name!r} ({operator_id}) that the program does not have; give operators the uid "
        "that they had, or start with --allowNonRestoredState to leave it behind"
    )


def _at(origin: Origin | None) -> str:
    return f", made at {origin}" if origin else ""
