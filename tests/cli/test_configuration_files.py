"""Configuration directories: both of Flink's files, and what is wrong with a file is told by line."""

from pathlib import Path

import pytest

from penstock.cli.configuration_files import parse_flat, parse_yaml, read_configuration
from penstock.errors import OptionError


def test_nested_and_flat_keys_of_yaml_mean_the_same() -> None:
    nested = "execution:\n  checkpointing:\n    interval: 10 s\nparallelism:\n  default: 2\n"
    flat = "execution.checkpointing.interval: 10 s\nparallelism.default: 2\n"
    half = "execution.checkpointing:\n  interval: '10 s'\nparallelism: {default: 2}\n"
    expected = {"execution.checkpointing.interval": "10 s", "parallelism.default": "2"}
    assert [parse_yaml(text, "config.yaml").to_dict() for text in (nested, flat, half)] == [expected] * 3


def test_values_of_yaml_stay_as_they_are_written() -> None:
    text = "a: yes\nb: 1e3\nc: 0010\nd: 12:30:00\ne: 'x # y'\nf: true # z\n"
    assert parse_yaml(text, "config.yaml").to_dict() == {
        "a": "yes", "b": "1e3", "c": "0010", "d": "12:30:00", "e": "x # y", "f": "true",
    }  # fmt: skip


def test_a_list_of_yaml_becomes_the_value_of_a_list_option() -> None:
    key = "pipeline.jars"
    for text in (f"{key}:\n  - a.jar\n  - 'b;c.jar'\n", f"{key}: [a.jar, 'b;c.jar']\n"):
        assert parse_yaml(text, "config.yaml").get(key) == ["a.jar", "b;c.jar"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: 1\nb: [1\n", "c.yaml:3: not YAML"),
        ("a: 1\na: 2\n", "c.yaml:2: a is set twice"),
        ("a.b: 1\na:\n  b: 2\n", "c.yaml:3: a.b is set twice"),
        ("- a\n", "c.yaml:1: options are expected"),
        ("a: 1\nb:\n", "c.yaml:2: b has no value"),
        ("a: [[1]]\n", "c.yaml:1: a list holds texts"),
    ],
)
def test_what_is_wrong_in_yaml_is_told_by_line(text: str, complaint: str) -> None:
    with pytest.raises(OptionError, match=complaint):
        parse_yaml(text, "c.yaml")


def test_an_empty_file_sets_nothing() -> None:
    assert parse_yaml("# nothing\n", "config.yaml").to_dict() == {}
    assert parse_flat("# nothing\n\n", "flink-conf.yaml").to_dict() == {}


def test_the_older_file_has_a_value_and_perhaps_a_comment_on_each_line() -> None:
    text = "# head\nparallelism.default: 2 # two\nstate.savepoints.dir: file:///a:b\nparallelism.default: 3\n"
    assert parse_flat(text, "flink-conf.yaml").to_dict() == {
        "parallelism.default": "3",
        "state.savepoints.dir": "file:///a:b",
    }


def test_a_line_of_the_older_file_that_is_no_option_is_told() -> None:
    with pytest.raises(OptionError, match=r"f\.yaml:2: 'b=2' is not an option"):
        parse_flat("a: 1\nb=2\n", "f.yaml")


def test_of_two_files_the_newer_form_counts_and_without_any_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"neither config\.yaml nor flink-conf\.yaml"):
        read_configuration(tmp_path)
    (tmp_path / "log4j-cli.properties").write_text("")
    assert read_configuration(tmp_path).to_dict() == {}, "one for logging"
    (tmp_path / "flink-conf.yaml").write_text("a: old\n")
    assert read_configuration(tmp_path).to_dict() == {"a": "old"}
    (tmp_path / "config.yaml").write_text("a: new\n")
    assert read_configuration(tmp_path).to_dict() == {"a": "new"}
    with pytest.raises(OptionError, match="is not a directory"):
        read_configuration(tmp_path / "config.yaml")
