"""ProcessFunction on a stream without keys."""

from collections.abc import Iterator
from typing import Any

import pytest

from penstock.contracts.context import ProcessContext, RuntimeContext
from penstock.contracts.functions import ProcessFunction
from penstock.contracts.output_tag import OutputTag
from penstock.contracts.state import ValueStateDescriptor
from penstock.data.elements import MIN_TIMESTAMP
from penstock.data.types import Types
from penstock.errors import ProgramError, TypeMismatch, UserCodeError
from penstock.operators.process import ProcessSpec
from tests.operators.stage import Stage

LATE = OutputTag("late")


class Life(ProcessFunction):
    def __init__(self) -> None:
        self.calls: list[str] = []

    def open(self, runtime_context: RuntimeContext) -> None:
        self.calls.append(f"open {runtime_context.get_task_name()}")

    def process_element(self, value: Any, ctx: ProcessContext) -> None:
        self.calls.append(f"process {value}")

    def close(self) -> None:
        self.calls.append("close")


@pytest.mark.parametrize(
    "function", [lambda v, ctx: [v, v], lambda v, ctx: iter((v, v)), lambda v, ctx: (v, v)]
)
def test_all_that_an_iterable_yields_is_emitted(function: Any) -> None:
    stage = Stage(ProcessSpec(function))
    stage.give([1, 2])
    assert stage.take() == [(1, None), (1, None), (2, None), (2, None)]


def test_returning_none_emits_nothing_not_even_an_empty_batch() -> None:
    stage = Stage(ProcessSpec(lambda value, ctx: None))
    stage.context.output.emit = pytest.fail
    stage.give([1, 2], [10, 20])


def test_results_have_the_timestamp_of_their_record() -> None:
    stage = Stage(ProcessSpec(lambda value, ctx: [ctx.timestamp()] * value))
    stage.give([2, 0, 1], [10, 20, 30])
    assert stage.take() == [(10, 10), (10, 10), (30, 30)]


def test_timestamps_of_one_batch_are_not_seen_by_records_of_the_next_that_have_none() -> None:
    stage = Stage(ProcessSpec(lambda value, ctx: [ctx.timestamp()]))
    stage.give([1], [10])
    stage.give([2])
    assert stage.take() == [(10, 10), (MIN_TIMESTAMP, None)]


def test_pairs_with_a_tag_go_aside_with_the_timestamp_and_other_tuples_do_not() -> None:
    stage = Stage(ProcessSpec(lambda value, ctx: [(LATE, -value), (value, "main")]), sides=("late",))
    stage.give([1, 2], [10, 20])
    assert stage.take() == [((1, "main"), 10), ((2, "main"), 20)]
    assert stage.aside["late"] == [(-1, 10), (-2, 20)]


def test_output_of_the_context_goes_aside_as_well() -> None:
    def process(value: int, ctx: ProcessContext) -> Iterator[Any]:
        ctx.output(LATE, value)
        yield LATE, value + 1
        ctx.output(LATE, value + 2)

    stage = Stage(ProcessSpec(process), sides=("late",))
    stage.give([1])
    assert sorted(stage.aside["late"]) == [(1, None), (2, None), (3, None)]
    assert stage.take() == []


def test_tags_are_found_among_results_of_any_type() -> None:
    stage = Stage(ProcessSpec(lambda value, ctx: [value, (), ("a",), None, (LATE, value)]), sides=("late",))
    stage.give([1])
    assert stage.take_values() == [1, (), ("a",), None]
    assert stage.aside["late"] == [(1, None)]


def test_a_side_output_that_nobody_reads_is_dropped() -> None:
    stage = Stage(ProcessSpec(lambda value, ctx: [(LATE, value), value]))
    stage.give([1])
    assert stage.take_values() == [1]


def test_what_is_no_tag_is_refused_by_output() -> None:
    stage = Stage(ProcessSpec(lambda value, ctx: ctx.output("late", value)))
    with pytest.raises(ProgramError, match="named by an OutputTag, not by 'late'"):
        stage.give([1])


def test_declared_types_are_checked_on_both_outputs() -> None:
    tag = OutputTag("odd", Types.INT())
    with pytest.raises(TypeMismatch, match="Tested"):
        Stage(ProcessSpec(lambda value, ctx: [value], Types.INT())).give(["x"])
    with pytest.raises(TypeMismatch, match="Tested"):
        Stage(ProcessSpec(lambda value, ctx: [(tag, value)]), sides=("odd",)).give(["x"])


def test_the_watermark_seen_is_that_of_the_operator_and_it_is_passed_on() -> None:
    stage = Stage(ProcessSpec(lambda value, ctx: [ctx.timer_service().current_watermark()]))
    stage.give([1])
    stage.watermark(7)
    stage.give([1])
    assert stage.take() == [(MIN_TIMESTAMP, None), ("watermark", 7), (7, None)]


def test_the_processing_time_is_that_of_the_clock() -> None:
    stage = Stage(ProcessSpec(lambda value, ctx: [ctx.timer_service().current_processing_time()]))
    stage.give([1])
    stage.advance(5)
    stage.give([1])
    assert stage.take_values() == [1_000, 1_005]


@pytest.mark.parametrize("domain", ["event", "processing"])
@pytest.mark.parametrize("what", ["register", "delete"])
def test_timers_are_refused_without_keys(what: str, domain: str) -> None:
    stage = Stage(
        ProcessSpec(lambda value, ctx: getattr(ctx.timer_service(), f"{what}_{domain}_time_timer")(5))
    )
    with pytest.raises(ProgramError, match="Register timers is only supported on a keyed stream"):
        stage.give([1])


def test_state_is_refused_without_keys() -> None:
    class Stateful(ProcessFunction):
        def open(self, runtime_context: RuntimeContext) -> None:
            runtime_context.get_state(ValueStateDescriptor("count"))

        def process_element(self, value: Any, ctx: ProcessContext) -> None:
            pass

    with pytest.raises(ProgramError, match="needs a keyed stream"):
        Stage(ProcessSpec(Stateful()))


def test_a_function_is_opened_before_the_first_record_and_closed_once() -> None:
    function = Life()
    stage = Stage(ProcessSpec(function))
    stage.give([1])
    stage.operator.close()
    stage.operator.close()
    assert function.calls == ["open Tested", "process 1", "close"]


def test_a_function_that_was_never_opened_is_not_closed() -> None:
    class Broken(Life):
        def open(self, runtime_context: RuntimeContext) -> None:
            raise OSError("no such model")

    function = Broken()
    with pytest.raises(UserCodeError, match="OSError: no such model"):
        Stage(ProcessSpec(function))
    assert function.calls == []


@pytest.mark.parametrize("timestamps", [None, [1, 2, 3]])
def test_an_error_names_the_record_and_the_line_wherever_a_generator_fails(
    timestamps: list[int] | None,
) -> None:
    def process(value: int, ctx: ProcessContext) -> Iterator[Any]:
        yield value
        yield 1 // value

    stage = Stage(ProcessSpec(process))
    with pytest.raises(
        UserCodeError, match=r"ZeroDivisionError.*test_process\.py:\d+; the record was 0"
    ) as caught:
        stage.give([5, 0, 6], timestamps)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_result_that_cannot_be_iterated_is_an_error_with_the_record() -> None:
    stage = Stage(ProcessSpec(lambda value, ctx: value))
    with pytest.raises(UserCodeError, match=r"'int' object is not iterable.*the record was 7"):
        stage.give([7])
