"""What a window operator is made of: the part that travels."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from penstock.contracts.output_tag import OutputTag
from penstock.operators.contract import Operator, OperatorContext, OperatorSpec
from penstock.windows.assigners.assigner import MergingWindowAssigner, WindowAssigner
from penstock.windows.assigners.sliding import SlidingEventTimeWindows
from penstock.windows.assigners.tumbling import TumblingEventTimeWindows
from penstock.windows.evictors import Evictor
from penstock.windows.triggers.once import EventTimeTrigger
from penstock.windows.triggers.trigger import Trigger


@dataclass(frozen=True, slots=True)
class Reduced:
    """A window holds one value per key: its records, combined by a reduce function."""

    function: Any
    value_type: Any = None


@dataclass(frozen=True, slots=True)
class Aggregated:
    """A window holds one accumulator per key of an ``AggregateFunction``."""

    function: Any
    accumulator_type: Any = None


@dataclass(frozen=True, slots=True)
class Collected:
    """A window holds all its records per key, in the order of their arrival."""

    element_type: Any = None


Contents = Reduced | Aggregated | Collected


class Style(Enum):
    """How a window that fires is evaluated."""

    PASS = "its contents are the result"
    APPLY = "WindowFunction"
    PROCESS = "ProcessWindowFunction"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The window function; without ``keyed`` it is called without the key."""

    style: Style = Style.PASS
    function: Any = None
    keyed: bool = True


@dataclass(frozen=True, slots=True)
class WindowSpec(OperatorSpec):
    """Records into windows, windows into results. With an evictor the contents are kept as records whatever they are."""

    assigner: WindowAssigner[Any, Any]
    trigger: Trigger[Any, Any]
    contents: Contents
    evaluation: Evaluation = Evaluation()
    allowed_lateness_ms: int = 0
    late_tag: OutputTag | None = None
    evictor: Evictor[Any, Any] | None = None
    output_type: Any = None

    def build(self, context: OperatorContext) -> Operator:
        if self.fits_panes:
            from penstock.operators.window.panes import PaneWindows

            return PaneWindows(self, context)
        if isinstance(self.assigner, MergingWindowAssigner):
            from penstock.operators.window.merging import MergingWindows

            return MergingWindows(self, context)
        from penstock.operators.window.general import GeneralWindows

        return GeneralWindows(self, context)

    @property
    def fits_panes(self) -> bool:
        """Whether all keys of a window fire and end together, so that nothing has to be kept per key but the contents."""
        return (
            type(self.assigner) in (TumblingEventTimeWindows, SlidingEventTimeWindows)
            and type(self.trigger) is EventTimeTrigger
            and self.evictor is None
        )

    def user_functions(self) -> tuple[Any, ...]:
        own = getattr(self.contents, "function", None)
        functions = (self.assigner, self.trigger, self.evictor, own, self.evaluation.function)
        return tuple(function for function in functions if function is not None)

    @property
    def uses_keyed_state(self) -> bool:
        return True
