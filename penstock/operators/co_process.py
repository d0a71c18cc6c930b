"""CoProcessFunction and KeyedCoProcessFunction: one function over two streams, which are ports 0 and 1."""

from dataclasses import dataclass
from typing import Any, ClassVar

from penstock.operators.contract import Operator, OperatorContext, SharingSpec
from penstock.operators.keyed_process import KeyedProcess
from penstock.operators.process import Process
from penstock.operators.process_records import functions_in

METHODS = ("process_element1", "process_element2")


@dataclass(frozen=True, slots=True)
class CoProcessSpec(SharingSpec):
    """Two streams without keys. ``function`` is a function class, or a tuple of two plain functions."""

    ports: ClassVar[int] = 2

    function: Any
    output_type: Any = None

    def build(self, context: OperatorContext) -> Operator:
        return Process(context, self.function, self.output_type, METHODS)

    def user_functions(self) -> tuple[Any, ...]:
        return functions_in(self.function)


@dataclass(frozen=True, slots=True)
class KeyedCoProcessSpec(SharingSpec):
    """Two streams with keys of one type: both see the same state and the same timers of a key."""

    ports: ClassVar[int] = 2

    function: Any
    output_type: Any = None

    def build(self, context: OperatorContext) -> Operator:
        return KeyedProcess(context, self.function, self.output_type, METHODS)

    def user_functions(self) -> tuple[Any, ...]:
        return functions_in(self.function)

    @property
    def uses_keyed_state(self) -> bool:
        return True
