"""What users may choose for messages that cannot be read, which is the same for every broker."""

from typing import Any

import pytest

from penstock.common import Types
from penstock.common.serialization import SimpleStringSchema
from penstock.connectors.bad_messages import reason_of
from penstock.datastream.connectors.kafka import KafkaSource
from penstock.datastream.connectors.rabbitmq import RMQConnectionConfig, RMQSource
from penstock.datastream.formats.json import JsonRowDeserializationSchema
from penstock.errors import OutsideError, ProgramError

CONFIG = RMQConnectionConfig.Builder().set_uri("amqp://guest:guest@h:1/%2F").build()


def sources() -> list[tuple[Any, str, str]]:
    """A source of each broker, what its functions are given, and what keeps bad messages for it."""
    return [
        (KafkaSource.builder(), "BadMessage", "KafkaDeadLetterTopic"),
        (RMQSource(CONFIG, "q", False, SimpleStringSchema()), "RMQBadMessage", "RMQDeadLetterQueue"),
    ]


@pytest.mark.parametrize("policy", ["drop", None, 3, ["fail"]])
def test_what_is_no_policy_is_refused_with_those_there_are(policy: Any) -> None:
    for source, given, keeps in sources():
        with pytest.raises(
            ProgramError, match=f"'fail', 'skip', or a function that is given each {given}, not"
        ) as e:
            source.set_bad_message_policy(policy)
        assert keeps in e.value.message


@pytest.mark.parametrize("policy", ["fail", "skip", print])
def test_policies_are_the_same_for_every_broker(policy: Any) -> None:
    for source, _, _ in sources():
        assert source.set_bad_message_policy(policy) is source


def test_the_reason_of_a_shipped_schema_is_what_it_found() -> None:
    with pytest.raises(OutsideError) as raised:
        JsonRowDeserializationSchema.builder().type_info(Types.ROW([Types.INT()])).build().deserialize(
            b'{"f0": '
        )
    assert reason_of(raised.value) == "Expecting value: line 1 column 8 (char 7)"


def test_the_reason_says_what_a_schema_has_raised_and_in_which_line() -> None:
    with pytest.raises(ValueError, match="invalid literal") as raised:
        int("x")
    reason = reason_of(raised.value)
    assert reason.startswith("ValueError: invalid literal for int() with base 10: 'x' at ")
    assert f"{__file__}:" in reason
