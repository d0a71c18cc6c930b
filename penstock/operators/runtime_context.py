"""What a user function is given in ``open``."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from penstock.contracts.accumulators import Accumulator
from penstock.contracts.context import RuntimeContext
from penstock.contracts.distributed_cache import DistributedCache
from penstock.contracts.state import (
    AggregatingState,
    AggregatingStateDescriptor,
    KeyedStateStore,
    ListState,
    ListStateDescriptor,
    MapState,
    MapStateDescriptor,
    ReducingState,
    ReducingStateDescriptor,
    StateDescriptor,
    ValueState,
    ValueStateDescriptor,
)
from penstock.errors import ProgramError, StateError
from penstock.metrics.kinds import MetricGroup
from penstock.operators.contract import OperatorContext

D = TypeVar("D", bound=StateDescriptor)
S = TypeVar("S")
JOB_PARAMETERS = "pipeline.global-job-parameters"


class RefusedState:
    """Stands for a state that cannot be had; whoever uses it gets the error."""

    __slots__ = ("_error",)

    def __init__(self, error: StateError) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        raise self._error


class OperatorRuntimeContext(RuntimeContext):
    """The runtime context of one operator of one subtask."""

    def __init__(self, context: OperatorContext) -> None:
        self._context = context

    def get_task_name(self) -> str:
        return self._context.name

    def get_number_of_parallel_subtasks(self) -> int:
        return self._context.parallelism

    def get_max_number_of_parallel_subtasks(self) -> int:
        return self._context.max_parallelism

    def get_index_of_this_subtask(self) -> int:
        return self._context.subtask_index

    def get_attempt_number(self) -> int:
        return self._context.attempt

    def get_task_name_with_subtasks(self) -> str:
        c = self._context
        return f"{c.name} ({c.subtask_index + 1}/{c.parallelism})#{c.attempt}"

    def get_job_parameter(self, key: str, default_value: str | None = None) -> str | None:
        settings = self._context.settings
        if f"{JOB_PARAMETERS}.{key}" in settings:
            return settings[f"{JOB_PARAMETERS}.{key}"]
        text = settings.get(JOB_PARAMETERS)
        if text is None:
            return default_value
        from penstock.config.value_texts import parse_value

        parameters: dict[str, str] = parse_value("map", text)
        return parameters.get(key, default_value)

    def get_distributed_cache(self) -> DistributedCache:
        return DistributedCache(self._context.settings)

    def get_metrics_group(self) -> MetricGroup:
        return self._context.metrics

    def add_accumulator(self, name: str, accumulator: Accumulator) -> None:
        if not isinstance(accumulator, Accumulator):
            raise ProgramError(
                f"accumulator {name!r} must be an Accumulator, not {type(accumulator).__name__}"
            )
        if name in self._context.accumulators:
            raise ProgramError(f"there is an accumulator {name!r} already; choose another name")
        self._context.accumulators[name] = accumulator

    def get_accumulator(self, name: str) -> Accumulator:
        try:
            return self._context.accumulators[name]
        except KeyError:
            known = ", ".join(sorted(self._context.accumulators)) or "none"
            raise ProgramError(f"no accumulator {name!r}; registered are: {known}") from None

    def get_state(self, state_descriptor: ValueStateDescriptor) -> ValueState[Any]:
        return self._had(self._store("get_state").get_state, state_descriptor)

    def get_list_state(self, state_descriptor: ListStateDescriptor) -> ListState[Any]:
        return self._had(self._store("get_list_state").get_list_state, state_descriptor)

    def get_map_state(self, state_descriptor: MapStateDescriptor) -> MapState[Any, Any]:
        return self._had(self._store("get_map_state").get_map_state, state_descriptor)

    def get_reducing_state(self, state_descriptor: ReducingStateDescriptor) -> ReducingState[Any]:
        return self._had(self._store("get_reducing_state").get_reducing_state, state_descriptor)

    def get_aggregating_state(
        self, state_descriptor: AggregatingStateDescriptor
    ) -> AggregatingState[Any, Any]:
        return self._had(self._store("get_aggregating_state").get_aggregating_state, state_descriptor)

    def _had(self, get: Callable[[D], S], state_descriptor: D) -> S:
        """A state; while the operator is opened one that was restored and does not fit is noted, so that the others are
        looked at, too."""
        try:
            return get(state_descriptor)
        except StateError as error:
            if self._context.refused is None:
                raise
            self._context.refused[state_descriptor.name] = error
            return cast("S", RefusedState(error))

    def _store(self, method: str) -> KeyedStateStore:
        if self._context.keyed_state is None:
            raise ProgramError(
                f"{method} needs a keyed stream, and {self._context.name!r} is not on one; call key_by before it"
            )
        return self._context.keyed_state
