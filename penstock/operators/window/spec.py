"""What a window operator is made of: the part that travels."""

from dataclasses import dataclass
from typing import Any

from penstock.contracts.effects import Effect
from penstock.contracts.output_tag import OutputTag
from penstock.operators.contract import Operator, OperatorContext, OperatorSpec
from penstock.operators.effects import effect_of
from penstock.operators.window.description import Aggregated, Collected, Contents, Evaluation, Reduced, Style
from penstock.windows.assigners.assigner import MergingWindowAssigner, WindowAssigner
from penstock.windows.assigners.sliding import SlidingEventTimeWindows
from penstock.windows.assigners.tumbling import TumblingEventTimeWindows
from penstock.windows.evictors import Evictor
from penstock.windows.triggers.once import EventTimeTrigger
from penstock.windows.triggers.trigger import Trigger

__all__ = ["Aggregated", "Collected", "Contents", "Evaluation", "Reduced", "Style", "WindowSpec"]

CONTENTS_AS_THEY_ARE = Evaluation()


@dataclass(frozen=True, slots=True)
class WindowSpec(OperatorSpec):
    """Records into windows, windows into results. With an evictor the contents are kept as records whatever they are."""

    assigner: WindowAssigner[Any, Any]
    trigger: Trigger[Any, Any]
    contents: Contents
    evaluation: Evaluation = CONTENTS_AS_THEY_ARE
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
    def effect(self) -> Effect:
        """Assigners, triggers and evictors look at records, and don't change them."""
        functions = (getattr(self.contents, "function", None), self.evaluation.function)
        return max(Effect.SHARES, effect_of(functions))

    @property
    def uses_keyed_state(self) -> bool:
        return True
