"""A source of records that a function makes of their index, in parallel and at a rate."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from operator import length_hint
from typing import Any

from penstock.connectors.collection.source import RangeSplit, divide
from penstock.connectors.datagen.rate_limiting import RateLimiter, RateLimiterStrategy, strategy_argument
from penstock.connectors.splits import SplitAfterSplit, SplitQueue
from penstock.contracts.pace import BATCH_RECORDS, Pace
from penstock.contracts.source import (
    Boundedness,
    InputStatus,
    ReaderOutput,
    Source,
    SourceReader,
    SourceReaderContext,
    SplitEnumerator,
    SplitEnumeratorContext,
)
from penstock.errors import ProgramError

_INTERVAL, _MODE = "execution.checkpointing.interval", "execution.runtime-mode"
_log = logging.getLogger(__name__)


class GeneratorFunction(ABC):
    """Makes a record of its index; each reader has a copy of its own."""

    def open(self, reader_context: SourceReaderContext) -> None:  # noqa: B027
        """Called once before the first record."""

    @abstractmethod
    def map(self, value: int) -> Any:
        """The record with index ``value``, from 0."""

    def close(self) -> None:  # noqa: B027
        """Called once at the end."""


class DataGeneratorSource(Source):
    """Emits ``generator_function(0)`` up to ``generator_function(count - 1)``; parallel readers take a part each.

    After a restart each reader goes on behind the last record of the checkpoint.

    >>> from penstock.common import WatermarkStrategy
    >>> from penstock.datastream import StreamExecutionEnvironment
    >>> env = StreamExecutionEnvironment.get_execution_environment()
    >>> source = DataGeneratorSource(lambda index: f"record {index}", 2, RateLimiterStrategy.per_second(1000))
    >>> _ = env.from_source(source, WatermarkStrategy.no_watermarks(), "generated").print()
    >>> result = env.execute()
    record 0
    record 1
    """

    def __init__(
        self,
        generator_function: GeneratorFunction | Callable[[int], Any],
        count: int,
        rate_limiter_strategy: RateLimiterStrategy | None = None,
    ) -> None:
        if isinstance(generator_function, type) and issubclass(generator_function, GeneratorFunction):
            raise ProgramError(
                f"generator_function is an object, not the class {generator_function.__name__}; "
                f"write {generator_function.__name__}()"
            )
        if not isinstance(generator_function, GeneratorFunction) and not callable(generator_function):
            raise ProgramError(
                f"generator_function is a GeneratorFunction or a function of an index, not {generator_function!r}"
            )
        if type(count) is not int or count < 0:
            raise ProgramError(f"count is the number of records, not {count!r}")
        self._function = self.user_function = generator_function
        self._count = count
        self._strategy = strategy_argument(rate_limiter_strategy)

    def get_boundedness(self) -> Boundedness:
        return Boundedness.BOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        settings = context.configuration()
        is_checkpointed = _INTERVAL in settings and settings.get(_MODE, "").upper() != "BATCH"
        if self._strategy.needs_checkpoints and not is_checkpointed:
            _log.warning(
                "%s waits for checkpoints, and none are taken by themselves: set %s in STREAMING mode, or it stops behind "
                "its first records",
                self.display_name(),
                _INTERVAL,
            )
        return SplitQueue(context, divide(0, self._count, context.current_parallelism()))

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return SplitQueue(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        limiter = self._strategy.create_rate_limiter(context.current_parallelism())
        return _GeneratorReader(context, self._function, limiter)

    def display_name(self) -> str:
        return "Data Generator Source"


class _GeneratorReader(SplitAfterSplit[RangeSplit]):
    def __init__(self, context: SourceReaderContext, function: Any, limiter: RateLimiter | None) -> None:
        super().__init__(context)
        self._function = function
        self._rich = isinstance(function, GeneratorFunction)
        self._make: Callable[[int], Any] = function.map if self._rich else function
        self._limiter = limiter
        self._clock = context.clock()
        self._permitted = BATCH_RECORDS
        self._pace = Pace()
        self._opened = False

    def start(self) -> None:
        if self._rich:
            self._function.open(self.context)
            self._opened = True
        super().start()

    def begin(self, split: RangeSplit) -> None:
        pass

    def poll_next(self, output: ReaderOutput) -> InputStatus:
        if self._limiter is not None and self._has_work():
            self._permitted = min(self._limiter.permitted(self._clock.now_ms()), BATCH_RECORDS)
            if not self._permitted:
                return InputStatus.NOTHING_AVAILABLE
        return super().poll_next(output)

    def wait_ms(self) -> int | None:
        if self._limiter is None or not self._has_work():
            return None
        return self._limiter.wait_ms(self._clock.now_ms())

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:
        if self._limiter is not None:
            self._limiter.notify_checkpoint_complete(checkpoint_id)
            self.context.wake_up()

    def _has_work(self) -> bool:
        return self._current is not None or bool(self._splits)

    def read(self, split: RangeSplit, output: ReaderOutput) -> RangeSplit | None:
        most = min(self._permitted, self._pace.records, output.records_wanted)
        end = min(split.position + most, split.stop)
        began = self._clock.monotonic_s()
        indexes = iter(range(split.position, end))
        try:
            records = list(self.context.apart(map(self._make, indexes)))
        except Exception as error:
            error.add_note(f"the index was {end - length_hint(indexes) - 1}")
            raise
        if len(records) != end - split.position:
            raise ProgramError(
                f"the generator function raised StopIteration at index {split.position + len(records)}"
            )
        self._pace.took(len(records), self._clock.monotonic_s() - began)
        output.collect_batch(records)
        if self._limiter is not None:
            self._limiter.used(len(records))
        return replace(split, position=end) if end < split.stop else None

    def close(self) -> None:
        if self._opened:
            self._opened = False
            self._function.close()
