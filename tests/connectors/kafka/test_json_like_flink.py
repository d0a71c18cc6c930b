"""Messages of JSON with their place, as Flink 2.3 reads them with version 5.0 of its connector: the rows here are those that
its job gave for the same messages in a topic."""

import json
from typing import Any

import pytest

from penstock.connectors.kafka.records import ConsumerRecord
from penstock.datastream.connectors.kafka import JSONKeyValueDeserializationSchema, KafkaOffsetsInitializer
from tests.connectors.kafka.talking import builder, new_topic, rows_of, write
from tests.services.kafka_broker import KafkaCluster

PLACE = '"metadata":{"offset":7,"topic":"t","partition":3}'

READ = [
    (b'"k"', b'{"n": 1}', '{"key":"k","value":{"n":1},'),
    (None, b'{"n": 1}', '{"value":{"n":1},'),
    (b'{"id": 1}', None, '{"key":{"id":1},'),
    (None, None, "{"),
    (b"null", b"null", '{"key":null,"value":null,'),
    (
        b"1",
        b'[1, 2.5, "x", true, false, null, {}]',
        '{"key":1,"value":[1,2.5,"x",true,false,null,{}],',
    ),
    (
        b"1",
        b'{"big": 123456789012345678901234567890, "over": 9223372036854775808}',
        '{"key":1,"value":{"big":123456789012345678901234567890,"over":9223372036854775808},',
    ),
    (
        b"1",
        b'{"f": 0.1234567890123456789, "e": 1e3, "z": -0.0, "m": -0, "tiny": 1e-400}',
        '{"key":1,"value":{"f":0.12345678901234568,"e":1000.0,"z":-0.0,"m":0,"tiny":0.0},',
    ),
    (b"1", b"123456789012345678901234567890.5", '{"key":1,"value":1.2345678901234568E29,'),
    (b"1", b"1e400", '{"key":1,"value":Infinity,'),
    (b"1", b'{"a": 1, "a": 2}', '{"key":1,"value":{"a":2},'),
    (b"1", b'\xef\xbb\xbf{"bom": 1}', '{"key":1,"value":{"bom":1},'),
    (b"1", '{"u": "ü€😀"}'.encode(), '{"key":1,"value":{"u":"ü€😀"},'),
    (b"1", b'{"u": "\\u00fc\\ud83d\\ude00"}', '{"key":1,"value":{"u":"ü😀"},'),
    (b"1", '{"x": 1}'.encode("utf-16-le"), '{"key":1,"value":{"x":1},'),
    (b"1", '{"x": 1}'.encode("utf-16"), '{"key":1,"value":{"x":1},'),
    (b"1", '{"x": 1}'.encode("utf-32-be"), '{"key":1,"value":{"x":1},'),
    (b"1", b"true", '{"key":1,"value":true,'),
    (b"1", b'\n\t {"ws": [ ] } \r\n', '{"key":1,"value":{"ws":[]},'),
    (
        b"[1]",
        b'{"key": 1, "value": 2, "metadata": 3}',
        '{"key":[1],"value":{"key":1,"value":2,"metadata":3},',
    ),
    (b"1", b'{"empty": {}, "": 1}', '{"key":1,"value":{"empty":{},"":1},'),
    (b"1", b'{"esc": "\\/\\b\\f\\u0000"}', '{"key":1,"value":{"esc":"/\\b\\f\\u0000"},'),
]

REFUSED = [
    (b"", b'{"n": 1}'),
    (b"1", b""),
    (b"1", b" "),
    (b"k", b'{"n": 1}'),
    (b"1", b"nonsense"),
    (b"1", b'{"n": 1'),
    (b"1", b'{"i": 01}'),
    (b"1", b"{'q': 1}"),
    (b"1", b"{q: 1}"),
    (b"1", b'{"c": 1 /* c */}'),
    (b"1", b'{"t": 1,}'),
    (b"1", b'{"p": +1}'),
    (b"1", b'{"d": .5}'),
    (b"1", b'{"d": 5.}'),
    (b"1", b'{"bad": "\xff"}'),
    (b"1", b'{"ctl": "a\tb"}'),
    (b"1", b'{"x": "\\x"}'),
    (b"1", b"-"),
    (b"1", b"[" * 1100 + b"]" * 1100),
]

# Where it differs, as every schema of JSON here does: Flink passes over what stands behind a value, and reads no bare NaN.
REFUSED_HERE = [
    b'{"n": 1} trailing',
    b'{"n": 1} {"n": 2}',
    b"1 2",
    b'{"n": 1}\x00',
    b'{"n": 1},',
    b'{"n": 1}]',
]
READ_HERE = [(b'{"nan": NaN}', {"nan": float("nan")}), (b'{"inf": Infinity}', {"inf": float("inf")})]


def read(key: bytes | None, value: bytes | None) -> Any:
    found: list[Any] = []

    class Out:
        collect = found.append

    record = ConsumerRecord("t", 3, 7, None, key, value)
    JSONKeyValueDeserializationSchema(include_metadata=True).deserialize(record, Out())
    (row,) = found
    return row


@pytest.mark.parametrize(("key", "value", "row"), READ)
def test_a_message_is_read_as_flink_reads_it(key: bytes | None, value: bytes | None, row: str) -> None:
    assert repr(read(key, value)) == repr(json.loads(f"{row}{PLACE}}}"))


@pytest.mark.parametrize(("key", "value"), REFUSED)
def test_a_message_that_flink_refuses_is_refused(key: bytes, value: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read(key, value)


@pytest.mark.parametrize("value", REFUSED_HERE)
def test_what_stands_behind_a_value_is_not_passed_over(value: bytes) -> None:
    with pytest.raises(ValueError, match="Extra data"):
        read(b"1", value)


@pytest.mark.parametrize(("value", "expected"), READ_HERE)
def test_bare_numbers_that_json_has_no_form_for_are_read(value: bytes, expected: Any) -> None:
    assert repr(read(None, value)["value"]) == repr(expected)


@pytest.mark.service
def test_the_messages_of_a_topic_come_with_their_places(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    for key, value, _ in READ:
        write(kafka, topic, [value], key=key)
    source = builder(kafka, topic).set_deserializer(JSONKeyValueDeserializationSchema(include_metadata=True))
    found = rows_of(source.set_bounded(KafkaOffsetsInitializer.latest()).build())
    expected = [json.loads(f"{row}{PLACE}}}") for _, _, row in READ]
    for offset, each in enumerate(expected):
        each["metadata"] = {"offset": offset, "topic": topic, "partition": 0}
    assert repr(found) == repr(expected)
