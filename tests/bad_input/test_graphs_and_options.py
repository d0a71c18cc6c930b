"""Programs that make no sense as a whole, options that do not exist, and programs that are merely very large."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from penstock.common import Configuration
from penstock.datastream import OutputTag, ProcessFunction, StreamExecutionEnvironment
from penstock.errors import OptionError, ProgramError
from tests.bad_input.programs import check_says, environment, failure_of, rows_of

Env = StreamExecutionEnvironment


def refusal_of(run: Callable[[], Any], kind: type[ProgramError] = ProgramError) -> ProgramError:
    with pytest.raises(kind) as raised:
        run()
    check_says(raised.value, f"{__file__}:")
    return raised.value


def test_an_empty_program_is_refused() -> None:
    check_says(refusal_of(environment().execute), "No operators defined")


def test_a_program_without_a_sink_is_told_how_to_get_one() -> None:
    env = environment()
    env.from_collection([1]).map(str).name("mine")
    check_says(refusal_of(env.execute), "no sink", "'mine'", "print()")


def test_what_has_run_is_not_run_by_a_second_execute(capsys: pytest.CaptureFixture[str]) -> None:
    env = environment()
    env.from_collection([1]).print()
    env.execute()
    check_says(refusal_of(env.execute), "No operators defined")
    assert capsys.readouterr().out == "1\n"


def test_two_operators_of_one_uid_are_named_both() -> None:
    stream = environment().from_collection([1]).map(str).name("first").uid("same")
    stream = stream.map(str).name("second").uid("same")
    check_says(refusal_of(lambda: rows_of(stream)), "'same'", "'first'", "'second'", "unique")


@pytest.mark.parametrize("method", ["union", "connect"])
def test_streams_of_two_environments_do_not_mix(method: str) -> None:
    one, other = environment().from_collection([1]), environment().from_collection([2])
    check_says(refusal_of(lambda: getattr(one, method)(other)), method, "one environment")


def test_forward_needs_equal_parallelism() -> None:
    stream = environment().from_sequence(1, 3).map(str).set_parallelism(2).forward().map(str)
    check_says(
        refusal_of(lambda: rows_of(stream)), "forward()", "parallelism 2", "parallelism 1", "rebalance()"
    )


def test_a_parallelism_above_the_maximum_is_refused() -> None:
    env = environment(4).set_max_parallelism(2)
    stream = env.from_sequence(1, 3)
    check_says(refusal_of(lambda: rows_of(stream)), "parallelism 4", "maximum parallelism 2")


def test_a_huge_parallelism_is_refused_before_anything_starts() -> None:
    stream = environment(10**9).from_sequence(1, 3)
    check_says(refusal_of(lambda: rows_of(stream)), "1000000000", "32768")


def test_a_side_output_of_a_side_output_is_refused() -> None:
    side = environment().from_collection([1]).get_side_output(OutputTag("a"))
    check_says(refusal_of(lambda: side.get_side_output(OutputTag("b"))), "side output")


class Aside(ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> None:
        ctx.output("not a tag", value)


def test_a_side_output_is_named_by_its_tag() -> None:
    error = failure_of(lambda env: env.from_collection([1]).process(Aside()).name("mine"))
    check_says(error, "an OutputTag", "'not a tag'", "'mine'", f"{__file__}:")


class WithTimer(ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> None:
        ctx.timer_service().register_event_time_timer(1)


def test_a_timer_without_a_key_is_told_what_to_call() -> None:
    error = failure_of(lambda env: env.from_collection([1]).process(WithTimer()))
    check_says(error, "call key_by before process", f"{__file__}:")


# Options ----------------------------------------------------------------------------------------------------------------


def run_with(key: str, value: str) -> Any:
    configuration = Configuration().set_string(key, value)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    with env.from_collection([1]).execute_and_collect() as results:
        return list(results)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("paralelism.default", "parallelism.default"),
        ("execution.runtime-mod", "execution.runtime-mode"),
        ("execution.checkpointing.intervall", "execution.checkpointing.interval"),
    ],
)
def test_an_option_with_a_slip_in_its_key_is_warned_of_with_the_right_key(key: str, meant: str) -> None:
    with pytest.warns(UserWarning, match=f"'{key}'; did you mean '{meant}'") as warned:
        assert run_with(key, "3") == [1]
    assert [each.filename for each in warned] == [__file__]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("parallelism.default", "three"),
        ("execution.runtime-mode", "FAST"),
        ("execution.buffer-timeout.interval", "soon"),
        ("pipeline.operator-chaining.enabled", "perhaps"),
        ("pipeline.max-parallelism", "1.5"),
    ],
)
def test_a_value_that_does_not_parse_is_named_with_its_key(key: str, value: str) -> None:
    check_says(refusal_of(lambda: run_with(key, value), OptionError), key, repr(value))


def test_an_option_that_is_not_supported_says_so() -> None:
    check_says(
        refusal_of(lambda: run_with("execution.target", "nowhere")), "nowhere", "execution.target", "local"
    )


# Very large programs ----------------------------------------------------------------------------------------------------


class AddOne(ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Iterable[Any]:
        yield value + 1


LONG: dict[str, Callable[[Any], Any]] = {
    "maps": lambda stream: stream.map(lambda value: value + 1),
    "maps and filters": lambda stream: stream.map(lambda value: value + 1).filter(lambda value: True),
    "maps and flat maps": lambda stream: stream.map(lambda value: value + 1).flat_map(lambda value: [value]),
    "process functions": lambda stream: stream.process(AddOne()),
    "tasks": lambda stream: stream.map(lambda value: value + 1).disable_chaining(),
}


@pytest.mark.parametrize("kind", LONG)
def test_five_hundred_operators_in_a_row_run(kind: str) -> None:
    stream: Any = environment().from_collection([1, 2])
    for _ in range(500):
        stream = LONG[kind](stream)
    assert rows_of(stream) == [501, 502]


def test_an_error_far_down_a_long_chain_names_its_own_step() -> None:
    def make(env: Env) -> Any:
        stream = env.from_collection([3])
        for index in range(100):
            function = (lambda value: 1 // 0) if index == 70 else (lambda value: value)
            stream = stream.map(function).name(f"step {index}")
        return stream

    check_says(failure_of(make), "'step 70'", "ZeroDivisionError", "the record was 3")


def test_two_hundred_streams_are_united() -> None:
    env = environment()
    first, *others = [env.from_collection([number]) for number in range(200)]
    assert sorted(rows_of(first.union(*others).map(lambda value: value))) == list(range(200))


class ManyTags(ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Iterable[Any]:
        for number in range(10_000):
            yield OutputTag(f"tag {number}"), number


def test_ten_thousand_side_tags_of_which_a_few_are_read() -> None:
    made = environment().from_collection([1]).process(ManyTags())
    sides = [made.get_side_output(OutputTag(f"tag {number}")) for number in range(0, 10_000, 500)]
    assert sorted(rows_of(sides[0].union(*sides[1:]))) == list(range(0, 10_000, 500))
