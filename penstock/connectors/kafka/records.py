"""From Kafka's messages to records, and what becomes of a message that cannot be read."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from operator import methodcaller
from typing import Any, Protocol

from penstock.connectors.bad_messages import reason_of
from penstock.contracts.serialization import DeserializationSchema
from penstock.data.type_information import TypeInformation, shortened
from penstock.errors import OutsideError, ProgramError
from penstock.metrics.kinds import Counter

_value_of = methodcaller("value")
_timestamp_of = methodcaller("timestamp")


@dataclass(frozen=True, slots=True)
class ConsumerRecord:
    """A message with everything that Kafka knows of it. ``timestamp``: milliseconds since the epoch, None without one."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


class RecordCollector(Protocol):
    """Where a schema puts what it has made of a message."""

    def collect(self, record: Any) -> None:
        """Emit one record."""


class KafkaRecordDeserializationSchema(ABC):
    """Turns messages into records, with key, headers, topic, partition, offset and time in sight.

    Source: Flink's documentation, "Apache Kafka Connector", "Deserializer".
    """

    def open(self) -> None:  # noqa: B027
        """Called once per subtask before the first message."""

    @abstractmethod
    def deserialize(self, record: ConsumerRecord, out: RecordCollector) -> None:
        """Emit none, one or several records for a message."""

    def is_end_of_stream(self, next_element: Any) -> bool:
        """Whether the subtask ends at this record, which is not emitted any more. Nothing behind it is read, and the offset
        that is committed is the one behind it."""
        return False

    def get_produced_type(self) -> TypeInformation | None:
        """The declared type of the records; None where it is open."""
        return None

    @staticmethod
    def value_only(value_deserialization_schema: DeserializationSchema) -> "KafkaRecordDeserializationSchema":
        """Look at the values alone.

        >>> from penstock.common.serialization import SimpleStringSchema
        >>> schema = KafkaRecordDeserializationSchema.value_only(SimpleStringSchema())
        """
        return ValueOnly(value_deserialization_schema)


class ValueOnly(KafkaRecordDeserializationSchema):
    """A schema for values; the reader gives it whole batches."""

    def __init__(self, schema: DeserializationSchema) -> None:
        if not isinstance(schema, DeserializationSchema):
            raise ProgramError(f"the deserializer of values is a DeserializationSchema, not {schema!r}")
        self.schema = schema

    def open(self) -> None:
        self.schema.open()

    def deserialize(self, record: ConsumerRecord, out: RecordCollector) -> None:
        value = self.schema.deserialize(record.value)  # type: ignore[arg-type]
        if value is not None:
            out.collect(value)

    def is_end_of_stream(self, next_element: Any) -> bool:
        return self.schema.is_end_of_stream(next_element)

    def get_produced_type(self) -> TypeInformation | None:
        return self.schema.get_produced_type()


@dataclass(frozen=True, slots=True)
class BadMessage:
    """A message that a schema could not read, and why."""

    record: ConsumerRecord
    reason: str

    def place(self) -> str:
        """Topic, partition and offset."""
        record = self.record
        return f"topic {record.topic!r}, partition {record.partition}, offset {record.offset}"


OnBadMessage = str | Callable[[BadMessage], Any]


class Deserializer:
    """Reads messages of one subtask by a schema and a policy. Bad ones are counted in ``numRecordsInErrors``."""

    def __init__(
        self, schema: KafkaRecordDeserializationSchema, policy: OnBadMessage, errors: Counter
    ) -> None:
        self._schema = schema
        self._values = schema.schema if isinstance(schema, ValueOnly) else None
        # The inherited one would call deserialize for each as well, and not say which messages it has left out.
        self._reads_batches = self._values is not None and (
            type(self._values).deserialize_batch is not DeserializationSchema.deserialize_batch
        )
        self._policy = policy
        self._errors = errors
        self._may_end = _overrides_end(schema)
        self.ended = False

    def open(self) -> None:
        """Open the schema, and the policy where it wants to be."""
        self._schema.open()

    def close(self) -> None:
        """Close the policy where it wants to be."""
        close = getattr(self._policy, "close", None)
        if close is not None:
            close()

    def flush(self) -> None:
        """Have the policy bring what it keeps to safety; before each snapshot, and at the end."""
        flush = getattr(self._policy, "flush", None)
        if flush is not None:
            flush()

    def read(self, messages: list[Any]) -> tuple[list[Any], list[int] | None, int]:
        """Records, their times, and how many messages they came from: all, or those up to one with which the schema sees the
        end of the stream; then ``ended`` is set, and nothing behind it is looked at.

        :raises OutsideError: when the schema cannot work now and may later, as without its registry.
        """
        if self._values is None:
            return self._one_by_one(messages)
        if not self._reads_batches:
            return self._values_one_by_one(self._values, messages)
        try:
            values = self._values.deserialize_batch(list(map(_value_of, messages)))
        except Exception as error:  # noqa: BLE001  (one by one then, to know which it was)
            _raise_what_passes(error)
            values = []
        if len(values) != len(messages):
            return self._values_one_by_one(self._values, messages)
        count = self._find_end(values)
        if count is None:
            return values, _times(messages), len(messages)
        return values[:count], _times(messages[:count]), count + 1

    def _values_one_by_one(
        self, schema: DeserializationSchema, messages: list[Any]
    ) -> tuple[list[Any], list[int] | None, int]:
        records: list[Any] = []
        times: list[int] = []
        for index, message in enumerate(messages):
            try:
                value = schema.deserialize(message.value())
            except Exception as error:  # noqa: BLE001  (whatever the schema raises)
                _raise_what_passes(error)
                self._bad(consumer_record(message), error)
                continue
            if value is None:
                continue
            if self._may_end and schema.is_end_of_stream(value):
                self.ended = True
                return records, _stamped(times), index + 1
            records.append(value)
            times.append(message.timestamp()[1])
        return records, _stamped(times), len(messages)

    def _one_by_one(self, messages: list[Any]) -> tuple[list[Any], list[int] | None, int]:
        records: list[Any] = []
        times: list[int] = []
        for index, message in enumerate(messages):
            record = consumer_record(message)
            out: list[Any] = []
            try:
                self._schema.deserialize(record, _Collector(out))
            except Exception as error:  # noqa: BLE001  (whatever the schema raises)
                _raise_what_passes(error)
                self._bad(record, error)
                continue
            count = self._find_end(out)
            records += out[:count]
            times += [message.timestamp()[1]] * len(out[:count])
            if count is not None:
                return records, _stamped(times), index + 1
        return records, _stamped(times), len(messages)

    def _find_end(self, records: list[Any]) -> int | None:
        """How many records are before the end of the stream, if it is among them."""
        if self._may_end:
            for index, record in enumerate(records):
                if self._schema.is_end_of_stream(record):
                    self.ended = True
                    return index
        return None

    def _bad(self, record: ConsumerRecord, error: Exception) -> None:
        self._errors.inc()
        reason = reason_of(error)
        if record.value is None:
            kind = type(self._schema if self._values is None else self._values).__name__
            reason = (
                f"it has no value, being the deletion of its key, and {kind} does not read that: {reason}"
            )
        bad = BadMessage(record, reason)
        if callable(self._policy):
            self._policy(bad)
        elif self._policy == "fail":
            failure = OutsideError(
                f"{bad.place()}: the message {shortened(record.value)} cannot be read: {reason}; correct the schema, or "
                "choose with set_bad_message_policy what becomes of such messages"
            )
            failure.retryable = False
            raise failure from error


def _raise_what_passes(error: Exception) -> None:
    """Raise an error that is not for the message that was being read, but for what is needed to read any."""
    if isinstance(error, OutsideError) and error.retryable:
        raise error


class _Collector:
    def __init__(self, records: list[Any]) -> None:
        self.collect = records.append


def consumer_record(message: Any) -> ConsumerRecord:
    """The client's message as data."""
    kind, timestamp = message.timestamp()
    return ConsumerRecord(
        message.topic(),
        message.partition(),
        message.offset(),
        timestamp if kind else None,
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
    )


def _times(messages: list[Any]) -> list[int] | None:
    return _stamped([stamp[1] for stamp in map(_timestamp_of, messages)])


def _stamped(times: list[int]) -> list[int] | None:
    """None where the broker keeps no times: it says -1 then."""
    return None if times and times[0] < 0 and max(times) < 0 else times


def _overrides_end(schema: KafkaRecordDeserializationSchema) -> bool:
    if isinstance(schema, ValueOnly):
        return type(schema.schema).is_end_of_stream is not DeserializationSchema.is_end_of_stream
    return type(schema).is_end_of_stream is not KafkaRecordDeserializationSchema.is_end_of_stream
