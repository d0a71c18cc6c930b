"""Harnesses for functions: say the function, or write the operator down as in a program."""

from collections.abc import Callable
from typing import Any

from penstock.contracts.functions import (
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    FilterFunction,
    FlatMapFunction,
    Function,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    MapFunction,
    ProcessFunction,
    ReduceFunction,
)
from penstock.contracts.partitioning import Hash
from penstock.dataflow.logical import LogicalNode
from penstock.environment import StreamExecutionEnvironment
from penstock.errors import ProgramError
from penstock.operators.contract import OperatorSpec
from penstock.testing.operator_harness import HarnessSettings, OperatorHarness

_METHODS: tuple[tuple[type[Function], str], ...] = (
    (MapFunction, "map"),
    (FlatMapFunction, "flat_map"),
    (FilterFunction, "filter"),
    (ReduceFunction, "reduce"),
    (ProcessFunction, "process"),
    (KeyedProcessFunction, "process"),
    (CoMapFunction, "map"),
    (CoFlatMapFunction, "flat_map"),
    (CoProcessFunction, "process"),
    (KeyedCoProcessFunction, "process"),
)


def operator_of(write: Callable[..., Any], inputs: int = 1) -> tuple[OperatorSpec, tuple[Any, ...]]:
    """The operator that a piece of program makes of ``inputs`` streams, and the key selectors of its inputs.

    >>> spec, keys = operator_of(lambda numbers: numbers.key_by(lambda n: n % 2).reduce(max))
    >>> type(spec).__name__, len(keys)
    ('KeyedReduceSpec', 1)
    """
    node, keys = _written(write, inputs)
    return node.spec, keys


def _written(write: Callable[..., Any], inputs: int) -> tuple[LogicalNode, tuple[Any, ...]]:
    environment = StreamExecutionEnvironment.get_execution_environment()
    streams = [environment.from_collection([]) for _ in range(inputs)]
    write(*streams)
    nodes: list[LogicalNode] = list(environment.get_stream_graph().nodes[inputs:])
    if len(nodes) != 1:
        made = ", ".join(node.name for node in nodes) or "none"
        raise ProgramError(f"a harness is for one operator, and the program makes {len(nodes)}: {made}")
    edges = sorted(nodes[0].inputs, key=lambda edge: edge.port)
    keys = tuple(edge.partitioning.key if isinstance(edge.partitioning, Hash) else None for edge in edges)
    return nodes[0], keys if nodes[0].spec.uses_keyed_state else ()


def harness_of(
    write: Callable[..., Any], inputs: int = 1, settings: HarnessSettings | None = None
) -> OperatorHarness:
    """A harness for the operator that a piece of program makes; whatever the API can write can be tested.

    >>> harness = harness_of(lambda words: words.key_by(lambda w: w[0]).min_by(1))
    >>> harness.process_elements([("a", 2), ("b", 5), ("a", 1)])
    >>> harness.extract_output_values()
    [('a', 2), ('b', 5), ('a', 1)]
    """
    node, keys = _written(write, inputs)
    return OperatorHarness(node.spec, keys, settings or HarnessSettings(name=node.name))


class OneInputHarness(OperatorHarness):
    """A function class on a stream without keys.

    >>> from penstock.datastream import MapFunction
    >>> class Double(MapFunction):
    ...     def map(self, value):
    ...         return 2 * value
    >>> with OneInputHarness(Double()) as harness:
    ...     harness.process_element(21, timestamp=5)
    ...     harness.extract_output_stream_records()
    [StreamRecord(value=42, timestamp=5, port=0)]
    """

    def __init__(self, function: Function, settings: HarnessSettings | None = None) -> None:
        node, _ = _written(lambda stream: _call(stream, function), 1)
        super().__init__(node.spec, (), settings or HarnessSettings(name=node.name))


class KeyedOneInputHarness(OperatorHarness):
    """A function class on a keyed stream.

    >>> from penstock.datastream import ReduceFunction
    >>> class Longest(ReduceFunction):
    ...     def reduce(self, value1, value2):
    ...         return max(value1, value2, key=len)
    >>> with KeyedOneInputHarness(Longest(), lambda word: word[0]) as harness:
    ...     harness.process_elements(["at", "by", "all"])
    ...     harness.extract_output_values()
    ['at', 'by', 'all']
    """

    def __init__(
        self, function: Function, key_selector: Any, settings: HarnessSettings | None = None
    ) -> None:
        node, keys = _written(lambda stream: _call(stream.key_by(key_selector), function), 1)
        super().__init__(node.spec, keys, settings or HarnessSettings(name=node.name))


class TwoInputHarness(OperatorHarness):
    """A function class on two connected streams without keys; ``process_element1`` and ``process_element2`` feed it."""

    def __init__(self, function: Function, settings: HarnessSettings | None = None) -> None:
        node, _ = _written(lambda first, second: _call(first.connect(second), function), 2)
        super().__init__(node.spec, (), settings or HarnessSettings(name=node.name))


class KeyedTwoInputHarness(OperatorHarness):
    """A function class on two connected keyed streams."""

    def __init__(
        self,
        function: Function,
        key_selector1: Any,
        key_selector2: Any,
        settings: HarnessSettings | None = None,
    ) -> None:
        node, keys = _written(
            lambda first, second: _call(
                first.key_by(key_selector1).connect(second.key_by(key_selector2)), function
            ),
            2,
        )
        super().__init__(node.spec, keys, settings or HarnessSettings(name=node.name))


def _call(stream: Any, function: Function) -> Any:
    for kind, method in _METHODS:
        if isinstance(function, kind):
            return getattr(stream, method)(function)
    raise ProgramError(
        f"no operator is known for a {type(function).__name__}; write it down with harness_of(lambda stream: ...)"
    )
