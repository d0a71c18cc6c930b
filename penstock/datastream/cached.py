"""CachedDataStream: a stream whose rows later jobs of the environment read instead of computing them again."""

from typing import Any, Self

from penstock.contracts.output_tag import OutputTag
from penstock.datastream.stream import DataStream, StreamRef
from penstock.errors import ProgramError
from penstock.operators.cache_rows import CacheRowsSpec
from penstock.operators.user_code import origin_of_caller
from penstock.storage.cached_rows import CachedRows

_NOT_FOR_CACHED = {
    "uid": "Set uid",
    "set_uid_hash": "Set uid hash",
    "set_parallelism": "Set parallelism",
    "set_max_parallelism": "Set max parallelism",
    "force_non_parallel": "Set force non-parallel",
    "set_buffer_timeout": "Set buffer timeout",
    "start_new_chain": "Start new chain",
    "disable_chaining": "Disable chaining",
    "slot_sharing_group": "Setting slot sharing group",
    "set_description": "Set description",
}


class CachedDataStream(DataStream):
    """The rows are kept when a job has computed them to their end; jobs after that begin here. See ``DataStream.cache``."""

    def __init__(self, stream: DataStream, folder: str) -> None:
        program = stream._environment.program
        self._rows = CachedRows(f"{folder}/stream-{len(program)}")
        edges = tuple(ref.edge() for ref in stream._refs)
        fields: dict[str, Any] = {}
        if len(edges) == 1:
            above = program.node(edges[0].source)
            fields = {"parallelism": above.parallelism, "max_parallelism": above.max_parallelism}
        node_id = program.add("Cache", CacheRowsSpec(self._rows), edges, **fields)
        super().__init__(stream._environment, (StreamRef(node_id),), stream._type_info)

    def invalidate(self) -> None:
        """Forget the rows; the next job that reads the stream computes and keeps them again."""
        self._rows.remove()

    def cache(self) -> "CachedDataStream":
        """The stream itself, as it is cached already."""
        return self

    def get_side_output(self, output_tag: OutputTag) -> DataStream:
        """Side outputs are not kept: this raises."""
        raise ProgramError(
            "a CachedDataStream has no side outputs: take them from the operator's own stream, before cache() "
            f"({origin_of_caller()})"
        )

    def name(self, name: str) -> Self:
        """Not for a cached stream, which stands for rows and not for an operator: this raises."""
        raise self._refused("Set name")

    def get_name(self) -> str:
        """Not for a cached stream: this raises."""
        raise ProgramError(f"Get name of CachedDataStream is not supported ({origin_of_caller()})")

    def _refine(self, what: str, **fields: Any) -> None:
        raise self._refused(_NOT_FOR_CACHED[what])

    @staticmethod
    def _refused(what: str) -> ProgramError:
        return ProgramError(
            f"{what} for CachedDataStream is not supported: set it on the operator before cache() ({origin_of_caller()})"
        )
