"""What the engine gives to user functions: who am I, which time is it, state, timers, metrics."""

from abc import ABC, abstractmethod
from enum import Enum
from typing import Any, Generic, TypeVar

from penstock.contracts.accumulators import Accumulator
from penstock.contracts.distributed_cache import DistributedCache
from penstock.contracts.state import KeyedStateStore
from penstock.metrics.kinds import MetricGroup

W = TypeVar("W")


class TimeDomain(Enum):
    """What moves a timer: the event times of the records, or the clock of the machine."""

    EVENT_TIME = 0
    PROCESSING_TIME = 1


class RuntimeContext(KeyedStateStore):
    """Where a function runs, and its state, metrics and accumulators. State can be asked for on keyed streams only."""

    @abstractmethod
    def get_task_name(self) -> str:
        """The name of the operator."""

    @abstractmethod
    def get_number_of_parallel_subtasks(self) -> int:
        """The parallelism of the operator."""

    @abstractmethod
    def get_max_number_of_parallel_subtasks(self) -> int:
        """The number of key groups: the most subtasks that the operator can ever have."""

    @abstractmethod
    def get_index_of_this_subtask(self) -> int:
        """Which subtask this is, counted from 0."""

    @abstractmethod
    def get_attempt_number(self) -> int:
        """How often the subtask was started before: 0 for the first attempt."""

    @abstractmethod
    def get_task_name_with_subtasks(self) -> str:
        """Name, subtask (counted from 1) and attempt, as ``Map (1/4)#0``."""

    @abstractmethod
    def get_job_parameter(self, key: str, default_value: str | None) -> str | None:
        """A global job parameter."""

    @abstractmethod
    def get_distributed_cache(self) -> DistributedCache:
        """The files registered with ``env.register_cached_file``."""

    @abstractmethod
    def get_metrics_group(self) -> MetricGroup:
        """Where the function registers its metrics."""

    @abstractmethod
    def add_accumulator(self, name: str, accumulator: Accumulator) -> None:
        """Register an accumulator; raises ``ProgramError`` when the name is taken in this function."""

    @abstractmethod
    def get_accumulator(self, name: str) -> Accumulator:
        """The accumulator registered under ``name``."""


class TimerService(ABC):
    """Time, and timers on keyed streams. Times are milliseconds since the epoch."""

    @abstractmethod
    def current_processing_time(self) -> int:
        """The clock's time."""

    @abstractmethod
    def current_watermark(self) -> int:
        """The event time up to which the stream is complete; ``MIN_TIMESTAMP`` before the first watermark."""

    @abstractmethod
    def register_processing_time_timer(self, timestamp: int) -> None:
        """Call ``on_timer`` for the current key when the clock reaches ``timestamp``; once however often registered."""

    @abstractmethod
    def register_event_time_timer(self, timestamp: int) -> None:
        """Call ``on_timer`` for the current key when the watermark reaches ``timestamp``; once however often registered."""

    @abstractmethod
    def delete_processing_time_timer(self, timestamp: int) -> None:
        """Forget the timer, if there is one."""

    @abstractmethod
    def delete_event_time_timer(self, timestamp: int) -> None:
        """Forget the timer, if there is one."""


class ProcessContext(ABC):
    """Given to ``process_element`` with each record; valid during that call only."""

    @abstractmethod
    def timer_service(self) -> TimerService:
        """Time and timers."""

    @abstractmethod
    def timestamp(self) -> int | None:
        """The record's event time; ``MIN_TIMESTAMP`` when it has none, as in PyFlink."""

    @abstractmethod
    def output(self, output_tag: Any, value: Any) -> None:
        """Emit to a side output, at once; the same as yielding ``(output_tag, value)``."""


class KeyedProcessContext(ProcessContext):
    """A :class:`ProcessContext` that knows the key."""

    @abstractmethod
    def get_current_key(self) -> Any:
        """The key of the record or timer."""


class KeyedOnTimerContext(KeyedProcessContext):
    """Given to ``on_timer``."""

    @abstractmethod
    def time_domain(self) -> TimeDomain:
        """Which kind of timer fired."""


class WindowContext(ABC, Generic[W]):
    """Given to process window functions; valid during the call only."""

    @abstractmethod
    def window(self) -> Any:
        """The window that is evaluated."""

    @abstractmethod
    def current_processing_time(self) -> int:
        """The clock's time."""

    @abstractmethod
    def current_watermark(self) -> int:
        """The watermark."""

    @abstractmethod
    def window_state(self) -> KeyedStateStore:
        """State of this key and window; delete it in ``clear``."""

    @abstractmethod
    def global_state(self) -> KeyedStateStore:
        """State of this key, shared by its windows."""

    @abstractmethod
    def output(self, output_tag: Any, value: Any) -> None:
        """Emit to a side output, at once; the same as yielding ``(output_tag, value)``."""
