"""Parameters from the command line, a file and a mapping."""

from pathlib import Path
from typing import Any

import pytest

from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.parameter_tool import NO_VALUE_KEY, ParameterTool
from penstock.errors import ProgramError


def test_arguments_are_pairs_of_keys_and_values() -> None:
    parameters = ParameterTool.from_args(["--input", "a b", "-n", "-1.5e3", "--flag", "--count", "-7"])
    assert parameters.to_map() == {"input": "a b", "n": "-1.5e3", "flag": NO_VALUE_KEY, "count": "-7"}
    assert (parameters.get_float("n"), parameters.get_int("count")) == (-1500.0, -7)
    assert parameters.get_number_of_parameters() == 4


@pytest.mark.parametrize("args", [["value"], ["--a", "b", "c"], ["--"], ["-"], ["--a", "b", ""]])
def test_a_value_without_a_key_is_refused(args: list[str]) -> None:
    with pytest.raises(ProgramError, match="Please prefix keys with -- or -"):
        ParameterTool.from_args(args)


def test_a_file_of_properties_may_have_comments_continuations_and_escapes(tmp_path: Path) -> None:
    file = tmp_path / "job.properties"
    file.write_text(
        "# a comment\n! another\n\ninput = a=b\nname:Zo\\u00eb\nwords one two\n"
        "long = first,\\\n    second\nkey\\ with\\ space=x\npath=c\\:\\\\tmp\nempty=\nalone\n"
    )
    assert ParameterTool.from_properties_file(file).to_map() == {
        "input": "a=b",
        "name": "Zoë",
        "words": "one two",
        "long": "first,second",
        "key with space": "x",
        "path": "c:\\tmp",
        "empty": "",
        "alone": "",
    }


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match=r"gone\.properties' does not exist"):
        ParameterTool.from_properties_file(tmp_path / "gone.properties")


def test_what_is_missing_has_its_default_or_is_an_error() -> None:
    parameters = ParameterTool.from_map({"limit": 5, "on": "TRUE", "off": "no"})
    assert (parameters.get("x"), parameters.get("x", "y"), parameters.get_int("x", 0)) == (None, "y", 0)
    assert (parameters.get_boolean("on"), parameters.get_boolean("off")) == (True, False)
    assert parameters.get_boolean("x", False) is False
    assert (parameters.has("limit"), parameters.has("x"), parameters.get_required("limit")) == (
        True,
        False,
        "5",
    )
    with pytest.raises(ProgramError, match="No data for required key 'x'; there are: limit, off, on"):
        parameters.get_required("x")
    with pytest.raises(ProgramError, match="required key 'x'"):
        parameters.get_int("x")
    with pytest.raises(ProgramError, match="parameter 'on' must be an integer, not 'TRUE'"):
        parameters.get_int("on")


def test_of_two_merged_the_second_wins() -> None:
    merged = ParameterTool.from_map({"a": 1, "b": 1}).merge_with(ParameterTool.from_map({"b": 2}))
    assert merged.to_map() == {"a": "1", "b": "2"}


def test_functions_can_read_the_parameters_of_a_job() -> None:
    from penstock.datastream import MapFunction

    class Times(MapFunction):
        def open(self, runtime_context: Any) -> None:
            self.factor = int(runtime_context.get_job_parameter("factor", None))

        def map(self, value: int) -> int:
            return value * self.factor

    env = StreamExecutionEnvironment.get_execution_environment()
    env.get_config().set_global_job_parameters(ParameterTool.from_args(["--factor", "3"]).to_map())
    with env.from_collection([1, 2]).map(Times()).execute_and_collect() as results:
        assert list(results) == [3, 6]
