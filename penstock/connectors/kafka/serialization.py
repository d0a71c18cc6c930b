"""From records to Kafka's messages: which topic and partition, which key, value, headers and time."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from penstock.contracts.serialization import SerializationSchema
from penstock.errors import ProgramError

Headers = tuple[tuple[str, bytes | None], ...]


class ProducerRecord(NamedTuple):
    """A message to be written. ``timestamp``: milliseconds since the epoch; None leaves it to the broker's clock."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    partition: int | None = None
    timestamp: int | None = None
    headers: Headers = ()


class KafkaSinkContext(ABC):
    """What a schema may ask of the sink."""

    @abstractmethod
    def get_parallel_instance_id(self) -> int:
        """Which writer this is, from 0."""

    @abstractmethod
    def get_number_of_parallel_instances(self) -> int:
        """How many writers there are."""

    @abstractmethod
    def get_partitions_for_topic(self, topic: str) -> list[int]:
        """The partitions of a topic; asks the broker the first time."""


class KafkaTopicSelector(ABC):
    """Chooses the topic of each record."""

    @abstractmethod
    def apply(self, data: Any) -> str:
        """The topic."""


class KafkaPartitioner(ABC):
    """Chooses the partition of each record."""

    def open(self, parallel_instance_id: int, parallel_instances: int) -> None:  # noqa: B027
        """Called once in each writer."""

    @abstractmethod
    def partition(
        self, record: Any, key: bytes | None, value: bytes | None, target_topic: str, partitions: list[int]
    ) -> int:
        """One of ``partitions``."""


class HeaderProvider(ABC):
    """Gives the headers of each record."""

    @abstractmethod
    def get_headers(self, input: Any) -> Mapping[str, bytes] | Iterable[tuple[str, bytes | None]]:
        """Names and values."""


class KafkaRecordSerializationSchema(ABC):
    """Turns records into messages; made by :meth:`builder`, or a subclass of your own.

    Source: Flink's documentation, "Apache Kafka Connector", "Serializer".
    """

    def open(self, context: KafkaSinkContext) -> None:  # noqa: B027
        """Called once per writer before the first record."""

    @abstractmethod
    def serialize(
        self, element: Any, context: KafkaSinkContext, timestamp: int | None
    ) -> ProducerRecord | None:
        """The message of a record; None leaves it out."""

    def serialize_batch(
        self, elements: list[Any], context: KafkaSinkContext, timestamps: list[int | None] | None
    ) -> list[ProducerRecord]:
        """The messages of many records."""
        times = timestamps or [None] * len(elements)
        made = (self.serialize(element, context, time) for element, time in zip(elements, times, strict=True))
        return [record for record in made if record is not None]

    @staticmethod
    def builder() -> "KafkaRecordSerializationSchemaBuilder":
        """Begin to describe a schema."""
        return KafkaRecordSerializationSchemaBuilder()


@dataclass(frozen=True, slots=True)
class _Parts:
    topic: str | None
    selector: Callable[[Any], str] | None
    key: SerializationSchema | None
    value: SerializationSchema
    partitioner: KafkaPartitioner | None
    headers: Callable[[Any], Any] | None


class _Built(KafkaRecordSerializationSchema):
    def __init__(self, parts: _Parts) -> None:
        self._parts = parts

    def open(self, context: KafkaSinkContext) -> None:
        parts = self._parts
        parts.value.open()
        if parts.key is not None:
            parts.key.open()
        if parts.partitioner is not None:
            parts.partitioner.open(
                context.get_parallel_instance_id(), context.get_number_of_parallel_instances()
            )

    def serialize(
        self, element: Any, context: KafkaSinkContext, timestamp: int | None
    ) -> ProducerRecord | None:
        (record,) = self.serialize_batch([element], context, [timestamp])
        return record

    def serialize_batch(
        self, elements: list[Any], context: KafkaSinkContext, timestamps: list[int | None] | None
    ) -> list[ProducerRecord]:
        parts = self._parts
        count = len(elements)
        nothing: list[Any] = [None] * count
        values = parts.value.serialize_batch(elements)
        keys = nothing if parts.key is None else parts.key.serialize_batch(elements)
        topics = [parts.topic] * count if parts.selector is None else _selected(parts.selector, elements)
        headers = (
            [()] * count if parts.headers is None else [_headers(parts.headers(each)) for each in elements]
        )
        partitions = nothing
        if parts.partitioner is not None:
            partitions = [
                self._partition(parts.partitioner, *place, context)
                for place in zip(elements, keys, values, topics, strict=True)
            ]
        columns = (topics, values, keys, partitions, timestamps or nothing, headers)
        return list(map(ProducerRecord, *columns))

    def _partition(
        self, partitioner: KafkaPartitioner, element: Any, key: Any, value: Any, topic: Any, context: Any
    ) -> int:
        known = context.get_partitions_for_topic(topic)
        chosen = partitioner.partition(element, key, value, topic, known)
        if chosen not in known:
            raise ProgramError(
                f"the partitioner chose {chosen!r}, and topic {topic!r} has the partitions {known[0]} to {known[-1]}"
            )
        return chosen


def _selected(selector: Callable[[Any], str], elements: list[Any]) -> list[str]:
    topics = list(map(selector, elements))
    if set(map(type, topics)) != {str} or "" in topics:
        for element, topic in zip(elements, topics, strict=True):
            if not isinstance(topic, str) or not topic:
                raise ProgramError(
                    f"the topic selector gave {topic!r} for the record {element!r:.80}; it gives the name of a topic"
                )
    return topics


def _headers(given: Any) -> Headers:
    pairs = given.items() if isinstance(given, Mapping) else given or ()
    return tuple((name, value) for name, value in pairs)


class KafkaRecordSerializationSchemaBuilder:
    """Describes a schema: a topic and a schema of values have to be set.

    >>> from penstock.common.serialization import SimpleStringSchema
    >>> schema = (
    ...     KafkaRecordSerializationSchema.builder()
    ...     .set_topic("orders")
    ...     .set_value_serialization_schema(SimpleStringSchema())
    ...     .build()
    ... )
    """

    def __init__(self) -> None:
        self._topic: str | None = None
        self._selector: Callable[[Any], str] | None = None
        self._key: SerializationSchema | None = None
        self._value: SerializationSchema | None = None
        self._partitioner: KafkaPartitioner | None = None
        self._headers: Callable[[Any], Any] | None = None

    def set_topic(self, topic: str) -> "KafkaRecordSerializationSchemaBuilder":
        """One topic for all records."""
        self._check_topic_is_open()
        if not isinstance(topic, str) or not topic:
            raise ProgramError(f"a topic's name is a text, not {topic!r}")
        self._topic = topic
        return self

    def set_topic_selector(
        self, topic_selector: KafkaTopicSelector | Callable[[Any], str]
    ) -> "KafkaRecordSerializationSchemaBuilder":
        """A topic for each record."""
        self._check_topic_is_open()
        if isinstance(topic_selector, KafkaTopicSelector):
            self._selector = topic_selector.apply
        elif callable(topic_selector):
            self._selector = topic_selector
        else:
            raise ProgramError(
                f"topic_selector must be KafkaTopicSelector or a callable, not {topic_selector!r}"
            )
        return self

    def _check_topic_is_open(self) -> None:
        if self._topic is not None or self._selector is not None:
            raise ProgramError("the topic was set before; use set_topic or set_topic_selector, once")

    def set_key_serialization_schema(
        self, key_serialization_schema: SerializationSchema
    ) -> "KafkaRecordSerializationSchemaBuilder":
        """How a record gives the message's key."""
        self._key = _schema(key_serialization_schema, "set_key_serialization_schema")
        return self

    def set_value_serialization_schema(
        self, value_serialization_schema: SerializationSchema
    ) -> "KafkaRecordSerializationSchemaBuilder":
        """How a record gives the message's value."""
        self._value = _schema(value_serialization_schema, "set_value_serialization_schema")
        return self

    def set_partitioner(self, partitioner: KafkaPartitioner) -> "KafkaRecordSerializationSchemaBuilder":
        """Who chooses the partition; without one, Kafka's client does, by the key if there is one."""
        if not isinstance(partitioner, KafkaPartitioner):
            raise ProgramError(f"set_partitioner takes a KafkaPartitioner, not {partitioner!r}")
        self._partitioner = partitioner
        return self

    def set_header_provider(
        self, header_provider: HeaderProvider | Callable[[Any], Any]
    ) -> "KafkaRecordSerializationSchemaBuilder":
        """Who gives the headers."""
        if isinstance(header_provider, HeaderProvider):
            self._headers = header_provider.get_headers
        elif callable(header_provider):
            self._headers = header_provider
        else:
            raise ProgramError(
                f"set_header_provider takes a HeaderProvider or a function, not {header_provider!r}"
            )
        return self

    def build(self) -> KafkaRecordSerializationSchema:
        """The schema.

        :raises ProgramError: when the topic or the schema of values is missing.
        """
        if self._topic is None and self._selector is None:
            raise ProgramError("a record serializer needs set_topic or set_topic_selector")
        if self._value is None:
            raise ProgramError("a record serializer needs set_value_serialization_schema")
        return _Built(
            _Parts(self._topic, self._selector, self._key, self._value, self._partitioner, self._headers)
        )


def _schema(value: Any, method: str) -> SerializationSchema:
    if not isinstance(value, SerializationSchema):
        raise ProgramError(f"{method} takes a SerializationSchema, not {value!r}")
    return value
