"""The operator of asynchronous I/O: order, room, time-outs, retries, errors, snapshots; answers come when the test says."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contracts.async_functions import AsyncFunction, AsyncRetryStrategy
from penstock.contracts.context import RuntimeContext
from penstock.data.elements import ACTIVE, IDLE, Watermark
from penstock.errors import ProgramError, UserCodeError
from penstock.operators.async_wait import AsyncWaitSpec
from penstock.testing import EndInput, OperatorHarness, StreamRecord, run_in_all_modes
from tests.operators.stage import Stage


class Desk:
    """Takes questions; the test answers them."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.open: dict[Any, asyncio.Future[Any]] = {}
        self.cancelled: list[Any] = []

    async def ask(self, value: Any) -> Any:
        self.asked.append(value)
        self.open[value] = asyncio.get_running_loop().create_future()
        try:
            return await self.open[value]
        except asyncio.CancelledError:
            self.cancelled.append(value)
            raise
        finally:
            del self.open[value]


class Office:
    """An operator whose function asks at a desk."""

    def __init__(self, stages: list[Stage], **fields: Any) -> None:
        self.desk = Desk()
        fields = {"function": self.desk.ask, "timeout_ms": 0, "capacity": 100, "ordered": True} | fields
        self.stage = Stage(AsyncWaitSpec(**fields))
        self._stages = stages
        stages.append(self.stage)

    def run(self) -> None:
        """Until nothing moves: what a worker does between two sleeps."""
        operator, coroutines = self.stage.operator, self.stage.context.coroutines
        while True:
            coroutines.run()
            if not operator.catch_up() and coroutines.sleep_s != 0:
                return

    def give(self, *values: Any, timestamps: list[int] | None = None) -> None:
        self.stage.give(list(values), timestamps)
        self.run()

    def answer(self, value: Any, *results: Any) -> None:
        self.desk.open[value].set_result(list(results))
        self.run()

    def fail(self, value: Any, error: Exception) -> None:
        self.desk.open[value].set_exception(error)
        self.run()

    def advance(self, ms: int) -> None:
        self.stage.advance(ms)
        self.run()

    def restart(self) -> None:
        """Go on from a snapshot; the desk stays, its open questions are cancelled."""
        coroutines = self.stage.context.coroutines
        self.stage = self.stage.restored()
        coroutines.close()
        self._stages[-1] = self.stage
        self.desk.asked.clear()
        self.run()


Opening = Callable[..., Office]


@pytest.fixture
def opened() -> Iterator[Opening]:
    stages: list[Stage] = []
    yield lambda **fields: Office(stages, **fields)
    for stage in stages:
        stage.operator.close()
        stage.context.coroutines.close()


# Order ------------------------------------------------------------------------------------------------------------------


def test_ordered_results_wait_for_those_before_them(opened: Opening) -> None:
    office = opened()
    office.give("a", "b", "c")
    office.answer("c", 3)
    office.answer("b", 2)
    assert office.stage.take() == []
    office.answer("a", 1)
    assert office.stage.take_values() == [1, 2, 3]


def test_unordered_results_leave_as_they_come(opened: Opening) -> None:
    office = opened(ordered=False)
    office.give("a", "b", "c")
    office.answer("c", 3)
    assert office.stage.take_values() == [3]
    office.answer("a", 1)
    office.answer("b", 2)
    assert office.stage.take_values() == [1, 2]


@pytest.mark.parametrize("ordered", [True, False])
def test_a_watermark_stays_between_the_records_that_it_came_between(opened: Opening, ordered: bool) -> None:
    office = opened(ordered=ordered)
    office.give("a", "b", timestamps=[1, 2])
    office.stage.watermark(2)
    office.give("c", timestamps=[3])
    office.answer("c", "C")
    office.answer("b", "B")
    assert office.stage.take() == ([] if ordered else [("B", 2)])
    office.answer("a", "A")
    first = [("A", 1), ("B", 2)] if ordered else [("A", 1)]
    assert office.stage.take() == [*first, ("watermark", 2), ("C", 3)]


@pytest.mark.parametrize("ordered", [True, False])
def test_signals_pass_at_once_when_nothing_is_in_flight(opened: Opening, ordered: bool) -> None:
    office = opened(ordered=ordered)
    office.stage.watermark(7)
    office.stage.status(IDLE)
    assert office.stage.take() == [("watermark", 7), ("status", IDLE)]


def test_idleness_waits_for_the_records_before_it(opened: Opening) -> None:
    office = opened(ordered=False)
    office.give("a")
    office.stage.status(IDLE)
    assert office.stage.take() == []
    office.answer("a", 1)
    assert office.stage.take() == [(1, None), ("status", IDLE)]


@given(
    ordered=st.booleans(),
    capacity=st.integers(1, 4),
    script=st.lists(st.sampled_from(["record", "watermark", "answer"]), max_size=30),
    choices=st.lists(st.integers(0, 10), min_size=40, max_size=40),
)
def test_whatever_the_answers_order_no_record_is_lost_or_crosses_a_watermark(
    ordered: bool, capacity: int, script: list[str], choices: list[int]
) -> None:
    stages: list[Stage] = []
    office = Office(stages, ordered=ordered, capacity=capacity)
    sent: list[Any] = []
    pick = iter(choices)

    def answer() -> None:
        if office.desk.open:
            value = sorted(office.desk.open)[next(pick) % len(office.desk.open)]
            office.answer(value, value)

    for number, step in enumerate(script):
        if step == "record":
            sent.append(number)
            office.give(number, timestamps=[number])
        elif step == "watermark":
            sent.append(("watermark", number))
            office.stage.watermark(number)
        else:
            answer()
        assert len(office.desk.open) <= capacity
    while office.stage.operator.in_flight:
        value = min(office.desk.open)
        office.answer(value, value)
    came = [value if kind != "watermark" else (kind, value) for kind, value in _turned(office.stage.take())]
    assert came == sent if ordered else _between_watermarks(came) == _between_watermarks(sent)
    office.stage.operator.close()
    office.stage.context.coroutines.close()


def _turned(emitted: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    return [(value, stamp) if value == "watermark" else (stamp, value) for value, stamp in emitted]


def _between_watermarks(elements: list[Any]) -> list[Any]:
    parts: list[Any] = [[]]
    for element in elements:
        if type(element) is tuple:
            parts += [element, []]
        else:
            parts[-1] = sorted([*parts[-1], element])
    return parts


# What comes out ---------------------------------------------------------------------------------------------------------


def test_each_result_has_the_timestamp_of_its_record(opened: Opening) -> None:
    office = opened()
    office.give("a", "b", "c", timestamps=[10, 20, 30])
    office.answer("a")
    office.answer("b", 1, 2)
    office.answer("c", 3)
    assert office.stage.take() == [(1, 20), (2, 20), (3, 30)]


@pytest.mark.parametrize("results", [None, 5])
def test_something_that_is_no_list_of_results_is_an_error_with_the_record(
    opened: Opening, results: Any
) -> None:
    office = opened()
    office.give("a")
    office.desk.open["a"].set_result(results)
    with pytest.raises(
        UserCodeError, match=rf"must give a list of results.*gave {results}; the record was 'a'"
    ):
        office.run()


def test_any_iterable_will_do_for_results(opened: Opening) -> None:
    office = opened()
    office.give("a")
    office.desk.open["a"].set_result(iter((1, 2)))
    office.run()
    assert office.stage.take_values() == [1, 2]


# Room -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordered", [True, False])
def test_no_more_calls_are_under_way_than_there_is_capacity(opened: Opening, ordered: bool) -> None:
    office = opened(capacity=2, ordered=ordered)
    assert office.stage.operator.accepts_input
    office.give("a", "b", "c", "d")
    assert office.desk.asked == ["a", "b"]
    assert not office.stage.operator.accepts_input
    office.answer("a", 1)
    assert office.desk.asked == ["a", "b", "c"]
    office.answer("b", 2)
    office.answer("c", 3)
    assert office.stage.operator.accepts_input
    office.answer("d", 4)
    assert not office.stage.operator.in_flight
    assert office.stage.take_values() == [1, 2, 3, 4]


def test_a_result_that_waits_for_its_turn_still_takes_room(opened: Opening) -> None:
    office = opened(capacity=2)
    office.give("a", "b", "c")
    office.answer("b", 2)
    assert office.desk.asked == ["a", "b"]
    office.answer("a", 1)
    assert office.desk.asked == ["a", "b", "c"]


# Too late ---------------------------------------------------------------------------------------------------------------


class Patient(AsyncFunction):
    """Has something to say when nobody answers."""

    desk: Desk

    async def async_invoke(self, value: Any) -> Any:
        return await self.desk.ask(value)

    def timeout(self, value: Any) -> list[Any]:
        return [f"no answer to {value}"]


def test_a_call_that_takes_too_long_is_cancelled_and_fails_the_job(opened: Opening) -> None:
    office = opened(timeout_ms=100)
    office.give("a")
    office.advance(99)
    with pytest.raises(UserCodeError, match="TimeoutError: Async function call has timed out for input: a"):
        office.advance(1)
    office.stage.context.coroutines.run()
    assert office.desk.cancelled == ["a"]


def test_the_function_may_give_results_for_what_came_too_late(opened: Opening) -> None:
    function = Patient()
    office = opened(function=function, timeout_ms=100)
    function.desk = office.desk
    office.give("a")
    office.advance(50)
    office.give("b")
    office.advance(50)
    assert office.stage.take_values() == ["no answer to a"]
    assert office.desk.cancelled == ["a"]
    office.advance(49)
    office.answer("b", "B")
    office.advance(1_000)
    assert office.stage.take_values() == ["B"]


def test_an_answer_that_came_in_time_counts_although_it_is_looked_at_too_late(opened: Opening) -> None:
    office = opened(timeout_ms=100)
    office.give("a")
    office.desk.open["a"].set_result(["A"])
    office.stage.context.coroutines.run()
    office.advance(100)
    assert office.stage.take_values() == ["A"]


def test_the_time_of_a_record_begins_when_it_is_its_turn(opened: Opening) -> None:
    function = Patient()
    office = opened(function=function, timeout_ms=100, capacity=1)
    function.desk = office.desk
    office.give("a", "b")
    office.advance(100)
    office.advance(99)
    assert office.stage.take_values() == ["no answer to a"]
    office.advance(1)
    assert office.stage.take_values() == ["no answer to b"]


def test_without_a_timeout_nothing_is_ever_too_late(opened: Opening) -> None:
    office = opened(timeout_ms=0)
    office.give("a")
    office.advance(10**9)
    office.answer("a", 1)
    assert office.stage.take_values() == [1]


# Again ------------------------------------------------------------------------------------------------------------------


def test_an_exception_is_tried_again_after_the_backoff_and_a_bounded_number_of_times(opened: Opening) -> None:
    again = AsyncRetryStrategy.fixed_delay(2, 10, None, lambda error: isinstance(error, OSError))
    office = opened(timeout_ms=1_000, retries=again)
    office.give("a")
    for _ in range(2):
        office.fail("a", OSError("busy"))
        office.advance(9)
        assert not office.desk.open
        office.advance(1)
    assert office.desk.asked == ["a"] * 3
    with pytest.raises(UserCodeError, match=r"OSError: busy.*the record was 'a'"):
        office.fail("a", OSError("busy"))


def test_only_what_the_predicate_says_is_tried_again(opened: Opening) -> None:
    again = AsyncRetryStrategy.fixed_delay(2, 10, None, lambda error: isinstance(error, OSError))
    office = opened(timeout_ms=1_000, retries=again)
    office.give("a")
    with pytest.raises(UserCodeError, match="KeyError"):
        office.fail("a", KeyError("x"))


def test_results_are_tried_again_and_the_last_ones_are_taken_as_they_are(opened: Opening) -> None:
    again = AsyncRetryStrategy.exponential_backoff(2, 10, 15, 2.0, lambda results: not results, None)
    office = opened(timeout_ms=1_000, retries=again, ordered=False)
    office.give("a", "b")
    office.answer("a")
    office.answer("b", "B")
    office.advance(10)
    office.answer("a")
    office.advance(14)
    assert not office.desk.open
    office.advance(1)
    office.answer("a")
    assert office.stage.take_values() == ["B"]
    assert not office.stage.operator.in_flight


def test_all_attempts_together_have_one_timeout(opened: Opening) -> None:
    function = Patient()
    again = AsyncRetryStrategy.fixed_delay(100, 40, None, lambda error: True)
    office = opened(function=function, timeout_ms=100, retries=again)
    function.desk = office.desk
    office.give("a")
    for _ in range(2):
        office.fail("a", OSError())
        office.advance(40)
    office.fail("a", OSError())
    office.advance(20)
    assert office.stage.take_values() == ["no answer to a"]
    office.advance(1_000)
    assert office.desk.asked == ["a"] * 3


def test_an_error_in_a_predicate_is_the_users(opened: Opening) -> None:
    again = AsyncRetryStrategy.fixed_delay(1, 1, lambda results: results[0] > 0, None)
    office = opened(timeout_ms=1_000, retries=again)
    office.give("a")
    with pytest.raises(UserCodeError, match=r"IndexError.*test_async_wait\.py:\d+; the record was 'a'"):
        office.answer("a")


# Errors and the life of the function --------------------------------------------------------------------------------------


def test_an_error_names_the_record_and_the_line_of_the_coroutine(opened: Opening) -> None:
    async def divide(value: int) -> list[float]:
        return [1 / value]

    office = opened(function=divide)
    with pytest.raises(
        UserCodeError, match=r"ZeroDivisionError.*test_async_wait\.py:\d+; the record was 0"
    ) as caught:
        office.give(4, 0, 5)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert "in operator 'Tested'" in str(caught.value)


def test_a_coroutine_that_cancels_itself_fails_the_job(opened: Opening) -> None:
    async def give_up(value: int) -> list[Any]:
        raise asyncio.CancelledError

    office = opened(function=give_up)
    with pytest.raises(UserCodeError, match="CancelledError"):
        office.give(1)


class Client(AsyncFunction):
    """Opened and closed in the event loop."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    async def open(self, runtime_context: RuntimeContext) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        self.calls.append(("open", runtime_context.get_index_of_this_subtask()))

    async def async_invoke(self, value: Any) -> list[Any]:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.calls.append(("cleaned up", value))
        return []

    async def close(self) -> None:  # type: ignore[override]
        self.calls.append("close")


def test_open_and_close_may_be_coroutines_and_calls_are_cancelled_between_them() -> None:
    function = Client()
    stages: list[Stage] = []
    office = Office(stages, function=function)
    office.give(1)
    office.stage.operator.close()
    assert function.calls == [("open", 0), ("cleaned up", 1), "close"]
    office.stage.context.coroutines.close()


def test_close_takes_back_every_retry(opened: Opening) -> None:
    again = AsyncRetryStrategy.fixed_delay(1, 10, None, lambda error: True)
    office = opened(timeout_ms=1_000, retries=again)
    office.give("a")
    office.fail("a", OSError())
    office.stage.operator.close()
    office.advance(10)
    assert office.desk.asked == ["a"]


# In the harness for users -------------------------------------------------------------------------------------------------


def test_in_the_harness_results_come_out_as_time_passes() -> None:
    async def sleepy(value: int) -> list[int]:
        await asyncio.sleep(value)
        return [value]

    with OperatorHarness(AsyncWaitSpec(sleepy, 60_000, 10, ordered=False)) as harness:
        harness.process_elements([3, 1, 0])
        assert harness.extract_output_values() == [0]
        harness.advance_processing_time(1_000)
        assert harness.extract_output_values() == [0, 1]
        harness = harness.restored()
        with pytest.raises(ProgramError, match="still in flight"):
            harness.end_input()
    with harness:
        harness.advance_processing_time(3_000)
        assert harness.extract_output_values() == [3]


@pytest.mark.parametrize("ordered", [True, False])
def test_calls_that_end_at_once_give_the_same_in_all_modes(ordered: bool) -> None:
    async def double(value: int) -> list[int]:
        await asyncio.sleep(0)
        return [value, value]

    spec = AsyncWaitSpec(double, 0, 10, ordered=ordered)
    script = [
        StreamRecord(1, 10),
        StreamRecord(2, 20),
        Watermark(20),
        IDLE,
        ACTIVE,
        StreamRecord(3, 30),
        EndInput(),
    ]
    records = [StreamRecord(1, 10), StreamRecord(1, 10), StreamRecord(2, 20), StreamRecord(2, 20)]
    run_in_all_modes(
        spec, script, [*records, Watermark(20), IDLE, ACTIVE, StreamRecord(3, 30), StreamRecord(3, 30)]
    )


# Snapshots --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordered", [True, False])
def test_after_a_restore_everything_that_has_not_left_is_asked_again(opened: Opening, ordered: bool) -> None:
    office = opened(capacity=3, ordered=ordered)
    office.give("a", "b", "c", "d", timestamps=[1, 2, 3, 4])
    office.stage.watermark(4)
    office.answer("a", "A")
    assert office.stage.take() == [("A", 1)]
    office.restart()
    assert office.desk.asked == ["b", "c", "d"]
    for value in "bcd":
        office.answer(value, value.upper())
    assert office.stage.take() == [("B", 2), ("C", 3), ("D", 4)]
    office.restart()
    assert office.desk.asked == []


def test_a_restored_record_without_a_timestamp_still_has_none(opened: Opening) -> None:
    office = opened()
    office.give("a")
    office.restart()
    office.answer("a", 1)
    assert office.stage.take() == [(1, None)]
