"""Configuration, as PyFlink 2.3 answers."""

import copy
import pickle
from datetime import timedelta

import pytest

from penstock.config import ConfigOptions, Configuration
from penstock.config.quantities import format_duration, format_memory_size, parse_memory_size
from penstock.data.time import Duration
from penstock.errors import OptionError


def texts(**pairs):
    configuration = Configuration()
    for key, value in pairs.items():
        configuration.set_string(key, value)
    return configuration


def test_texts_are_read_as_what_is_asked_for():
    configuration = texts(i="5", f="1.5", b="TRUE", big="99999999999")
    assert configuration.get_integer("i", 1) == 5
    assert configuration.get_integer("big", 1) == 99999999999
    assert configuration.get_integer("missing", 1) == 1
    assert configuration.get_float("i", 0) == 5.0
    assert configuration.get_boolean("b", False) is True
    assert configuration.get_string("i", "") == "5"
    assert configuration.get_string("missing", None) is None


@pytest.mark.parametrize(
    "read",
    [
        lambda c: c.get_integer("bad", 1),
        lambda c: c.get_integer("fraction", 1),
        lambda c: c.get_boolean("bad", False),
        lambda c: c.get_boolean("number", False),
        lambda c: c.get_float("bad", 0),
        lambda c: c.get_bytearray("bad", bytearray()),
    ],
)
def test_a_text_that_does_not_fit_is_an_error_that_names_key_and_value(read):
    with pytest.raises(OptionError, match=r"bad|fraction|number"):
        read(texts(bad="x", fraction="1.5", number="5"))


def test_values_are_written_as_flink_writes_them():
    configuration = Configuration().set_integer("i", 3).set_float("f", 3).set_boolean("b", True)
    configuration.set_bytearray("y", bytearray(b"ab")).set("d", timedelta(minutes=10)).set("l", ["a", "b"])
    assert configuration.to_dict() == {
        "i": "3",
        "f": "3.0",
        "b": "true",
        "y": "!!binary |-\n  YWI=",
        "d": "10 min",
        "l": "[a, b]",
    }
    assert configuration.get_bytearray("y", bytearray()) == bytearray(b"ab")
    assert str(texts(a="x y", b="2")) == "{a=x y, b=2}"


def test_none_and_texts_that_are_none_are_refused():
    for wrong in (lambda: Configuration().set_string("k", None), lambda: Configuration().set_string("k", 5)):
        with pytest.raises(OptionError, match="k"):
            wrong()
    with pytest.raises(OptionError, match="whole number"):
        Configuration().set_integer("k", 1.5)


def test_configurations_are_merged_copied_and_compared():
    one = texts(a="1")
    assert texts(a="1").add_all(texts(b="2"), "p.").to_dict() == {"a": "1", "p.b": "2"}
    assert texts(a="1").add_all(texts(a="2")).to_dict() == {"a": "2"}
    for twin in (
        Configuration(one),
        copy.deepcopy(one),
        pickle.loads(pickle.dumps(one)),
        Configuration.from_dict({"a": "1"}),
    ):
        assert twin == one
        assert hash(twin) == hash(one)
        twin.set_string("b", "2")
        assert not one.contains_key("b")
    assert one != Configuration().set_integer("a", 1)
    assert one != 5


def test_keys_can_be_listed_and_forgotten():
    configuration = texts(a="1", b="2")
    assert configuration.key_set() == {"a", "b"}
    assert configuration.remove_config("a")
    assert not configuration.remove_config("a")
    target = {"z": 1}
    configuration.add_all_to_dict(target)
    assert target == {"z": 1, "b": "2"}


@pytest.mark.parametrize(
    ("text", "items"), [("a;b", ["a", "b"]), ("[a, b]", ["a", "b"]), ("", []), ("- a\n- b", ["a", "b"])]
)
def test_lists_are_read_in_all_their_forms(text, items):
    assert Configuration.parse_list_value(text) == items


def test_options_of_ones_own_have_a_kind_and_a_default():
    option = ConfigOptions.key("shop.wait").duration_type().default_value(timedelta(seconds=1))
    assert Configuration().get(option) == timedelta(seconds=1)
    assert Configuration().set(option, Duration.of("2 s")).get(option) == timedelta(seconds=2)
    assert Configuration().set(option, "2 s").get_millis(option) == 2000
    with pytest.raises(OptionError, match=r"shop\.wait"):
        Configuration().set(option, "soon")
    colours = ConfigOptions.key("shop.colour").enum_type("RED", "DARK_BLUE").no_default_value()
    assert Configuration().get(colours) is None
    assert Configuration().set(colours, "dark-blue").get(colours) == "DARK_BLUE"
    pairs = ConfigOptions.key("shop.pairs").map_type().default_value({})
    assert Configuration().set(pairs, {"a": "x,y"}).to_dict() == {"shop.pairs": "{a: 'x,y'}"}
    assert texts(**{"shop.pairs": "{a: 'x,y'}"}).get(pairs) == {"a": "x,y"}
    old = ConfigOptions.key("shop.new").int_type().default_value(1).with_deprecated_keys("shop.old")
    assert texts(**{"shop.old": "7"}).get(old) == 7


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("10", 10),
        ("10 b", 10),
        ("1kb", 1024),
        ("64 mb", 64 << 20),
        ("2 GB", 2 << 30),
        ("1t", 1 << 40),
        ("3kibibytes", 3072),
    ],
)
def test_memory_sizes_are_read_as_flink_reads_them(text, size):
    assert parse_memory_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5g", "1 kib", "7 megabytes"])
def test_memory_sizes_that_flink_rejects_are_rejected(text):
    with pytest.raises(ValueError, match="is not a memory size"):
        parse_memory_size(text)


def test_quantities_are_written_as_flink_writes_them():
    assert [format_duration(ms * 10**6) for ms in (0, 1, 1500, 60000, 90000, 604800000)] == [
        "0 ms",
        "1 ms",
        "1500 ms",
        "1 min",
        "90 s",
        "7 d",
    ]
    assert [format_memory_size(size) for size in (0, 1024, 1536, 1 << 20, 1 << 30)] == [
        "0 bytes",
        "1 kb",
        "1536 bytes",
        "1 mb",
        "1 gb",
    ]
