"""Reads topics of Apache Kafka.

Each partition is a split: its offset is in the checkpoints, so records are neither lost nor read twice after a failure, and
it has a watermark of its own. Source: Flink's documentation, "Apache Kafka Connector", "Kafka Source".
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from penstock.chance import secret_token
from penstock.connectors.bad_messages import check_policy
from penstock.connectors.kafka.broker import KafkaBroker, confluent
from penstock.connectors.kafka.enumerator import Discovery, EnumeratorState, KafkaEnumerator, Subscription
from penstock.connectors.kafka.fetching import Fetcher
from penstock.connectors.kafka.offsets import KafkaOffsetResetStrategy, KafkaOffsetsInitializer
from penstock.connectors.kafka.partitions import KafkaTopicPartition
from penstock.connectors.kafka.properties import (
    COMMIT_ON_CHECKPOINT,
    CONNECTING,
    DISCOVERY_INTERVAL,
    check_property,
    client_configuration,
    milliseconds,
    truth,
)
from penstock.connectors.kafka.reader import KafkaReader
from penstock.connectors.kafka.records import (
    BadMessage,
    Deserializer,
    KafkaRecordDeserializationSchema,
    OnBadMessage,
)
from penstock.contracts.effects import Effect, effect_of_parts
from penstock.contracts.serialization import DeserializationSchema
from penstock.contracts.source import (
    Boundedness,
    Source,
    SourceReader,
    SourceReaderContext,
    SplitEnumerator,
    SplitEnumeratorContext,
)
from penstock.data.type_information import TypeInformation
from penstock.errors import OptionError, ProgramError

DISCOVERY_INTERVAL_MS = 300_000
_RESETS = {
    KafkaOffsetResetStrategy.EARLIEST: "earliest",
    KafkaOffsetResetStrategy.LATEST: "latest",
    KafkaOffsetResetStrategy.NONE: "error",
}


@dataclass(frozen=True, slots=True)
class KafkaSourceSettings:
    """What the builder has collected."""

    subscription: Subscription
    starting: KafkaOffsetsInitializer
    stopping: KafkaOffsetsInitializer | None
    boundedness: Boundedness
    deserializer: KafkaRecordDeserializationSchema
    on_bad_message: OnBadMessage
    rack: Callable[[], str | None] | None
    properties: dict[str, str] = field(hash=False, repr=False)
    leaves_out_others: bool = False

    def discovery(self) -> Discovery:
        """How partitions are found; a bounded source looks once and never again."""
        interval: int | None = milliseconds(self.properties, DISCOVERY_INTERVAL, DISCOVERY_INTERVAL_MS)
        if self.boundedness is Boundedness.BOUNDED or (interval is not None and interval <= 0):
            interval = None
        looks_again = self.boundedness is not Boundedness.BOUNDED
        return Discovery(
            self.subscription, self.starting, self.stopping, interval, looks_again, self.leaves_out_others
        )

    def consumer_configuration(self, client_id: str) -> dict[str, str]:
        """For the client that consumes."""
        given = client_configuration(self.properties)
        defaults = (
            CONNECTING
            | {
                "group.id": f"penstock-{client_id}",  # the client insists on one, and nothing is committed under it
                "isolation.level": "read_uncommitted",
                "enable.auto.commit": "false",
                "enable.auto.offset.store": "true",
                "fetch.wait.max.ms": "100",
            }
        )
        own = {
            "client.id": client_id,
            "auto.offset.reset": _RESETS[self.starting.reset_strategy],
            "enable.partition.eof": "true" if self.stopping is not None else "false",
        }
        if self.rack is not None and (rack := self.rack()):
            own["client.rack"] = str(rack)
        return defaults | given | own


class KafkaSource(Source):
    """Reads topics of Kafka, made by :meth:`builder`."""

    def __init__(self, settings: KafkaSourceSettings) -> None:
        self._settings = settings

    def changed(self, **settings: Any) -> "KafkaSource":
        """The same with other settings."""
        return KafkaSource(replace(self._settings, **settings))

    @property
    def properties(self) -> dict[str, str]:
        """As they were set."""
        return dict(self._settings.properties)

    @staticmethod
    def builder() -> "KafkaSourceBuilder":
        """Begin to describe a source."""
        return KafkaSourceBuilder()

    @property
    def effect(self) -> Effect:  # type: ignore[override]
        """Nothing, unless the user wrote a part of it."""
        return effect_of_parts(self._settings.deserializer)

    def get_boundedness(self) -> Boundedness:
        return self._settings.boundedness

    def get_produced_type(self) -> TypeInformation | None:
        return self._settings.deserializer.get_produced_type()

    def display_name(self) -> str:
        return "Kafka Source"

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        return self._enumerator(context, None)

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return self._enumerator(context, state)

    def _enumerator(self, context: SplitEnumeratorContext, state: EnumeratorState | None) -> KafkaEnumerator:
        configuration = client_configuration(self._settings.properties)
        configuration["client.id"] = self._client_id("enumerator")
        return KafkaEnumerator(context, self._settings.discovery(), lambda: KafkaBroker(configuration), state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        settings = self._settings
        configuration = settings.consumer_configuration(self._client_id(str(context.index_of_subtask())))
        errors = context.metric_group().counter("numRecordsInErrors")
        commits = "group.id" in settings.properties and truth(settings.properties, COMMIT_ON_CHECKPOINT, True)
        return KafkaReader(
            context,
            lambda wake_up, committed: Fetcher(configuration, wake_up, committed),
            Deserializer(settings.deserializer, settings.on_bad_message, errors),
            commits,
            settings.discovery().reads,
        )

    def _client_id(self, part: str) -> str:
        properties = self._settings.properties
        prefix = properties.get("client.id.prefix") or properties.get("group.id") or secret_token(6).hex()
        return f"{prefix}-{part}"


class KafkaSourceBuilder:
    """Describes a :class:`KafkaSource`: servers, topics and a deserializer have to be set.

    >>> from penstock.common.serialization import SimpleStringSchema
    >>> source = (
    ...     KafkaSource.builder()
    ...     .set_bootstrap_servers("localhost:9092")
    ...     .set_topics("orders")
    ...     .set_group_id("billing")
    ...     .set_starting_offsets(KafkaOffsetsInitializer.earliest())
    ...     .set_value_only_deserializer(SimpleStringSchema())
    ...     .build()
    ... )
    >>> source.get_boundedness().name
    'CONTINUOUS_UNBOUNDED'
    """

    def __init__(self) -> None:
        self._subscription: Subscription | None = None
        self._starting = KafkaOffsetsInitializer.earliest()
        self._stopping: KafkaOffsetsInitializer | None = None
        self._boundedness = Boundedness.CONTINUOUS_UNBOUNDED
        self._deserializer: KafkaRecordDeserializationSchema | None = None
        self._on_bad_message: OnBadMessage = "fail"
        self._rack: Callable[[], str | None] | None = None
        self._properties: dict[str, str] = {}

    def set_bootstrap_servers(self, bootstrap_servers: str) -> "KafkaSourceBuilder":
        """Brokers to begin with, ``host:port`` and commas between them."""
        return self.set_property("bootstrap.servers", bootstrap_servers)

    def set_group_id(self, group_id: str) -> "KafkaSourceBuilder":
        """The consumer group under which offsets are committed; assignment does not depend on it."""
        return self.set_property("group.id", group_id)

    def set_topics(self, *topics: str) -> "KafkaSourceBuilder":
        """Read all partitions of topics that are there."""
        names = tuple(topics[0]) if len(topics) == 1 and isinstance(topics[0], (list, tuple)) else topics
        if not names or not all(isinstance(name, str) and name for name in names):
            raise ProgramError(f"set_topics takes the names of topics, not {topics!r}")
        return self._subscribe(Subscription(topics=names))

    def set_topic_pattern(self, topic_pattern: str) -> "KafkaSourceBuilder":
        """Read all topics whose whole name fits a regular expression, those that come later, too."""
        try:
            re.compile(topic_pattern)
        except (re.error, TypeError) as error:
            raise ProgramError(
                f"the topic pattern {topic_pattern!r} is no regular expression: {error}"
            ) from error
        return self._subscribe(Subscription(pattern=topic_pattern))

    def set_partitions(self, partitions: Iterable[KafkaTopicPartition]) -> "KafkaSourceBuilder":
        """Read certain partitions."""
        wanted = tuple(partitions)
        if not wanted or not all(isinstance(each, KafkaTopicPartition) for each in wanted):
            raise ProgramError(f"set_partitions takes KafkaTopicPartition objects, not {partitions!r}")
        return self._subscribe(Subscription(partitions=wanted))

    def _subscribe(self, subscription: Subscription) -> "KafkaSourceBuilder":
        if self._subscription is not None:
            raise ProgramError(
                "what is read was set before; use one of set_topics, set_topic_pattern and set_partitions, once"
            )
        self._subscription = subscription
        return self

    def set_starting_offsets(
        self, starting_offsets_initializer: KafkaOffsetsInitializer
    ) -> "KafkaSourceBuilder":
        """Where to start where no checkpoint says it; the earliest record if nothing is set."""
        self._starting = _initializer(starting_offsets_initializer, "starting offsets")
        return self

    def set_unbounded(self, stopping_offsets_initializer: KafkaOffsetsInitializer) -> "KafkaSourceBuilder":
        """Stop at these offsets, but count as an unbounded source all the same."""
        self._stopping = _initializer(stopping_offsets_initializer, "stopping offsets")
        self._boundedness = Boundedness.CONTINUOUS_UNBOUNDED
        return self

    def set_bounded(self, stopping_offsets_initializer: KafkaOffsetsInitializer) -> "KafkaSourceBuilder":
        """Stop at these offsets, and be a bounded source; partitions that come later are not read."""
        self._stopping = _initializer(stopping_offsets_initializer, "stopping offsets")
        self._boundedness = Boundedness.BOUNDED
        return self

    def set_value_only_deserializer(
        self, deserialization_schema: DeserializationSchema
    ) -> "KafkaSourceBuilder":
        """How values become records."""
        return self.set_deserializer(KafkaRecordDeserializationSchema.value_only(deserialization_schema))

    def set_deserializer(self, record_deserializer: KafkaRecordDeserializationSchema) -> "KafkaSourceBuilder":
        """How whole messages become records."""
        if not isinstance(record_deserializer, KafkaRecordDeserializationSchema):
            raise ProgramError(
                f"set_deserializer takes a KafkaRecordDeserializationSchema, not {record_deserializer!r}; "
                "set_value_only_deserializer takes a DeserializationSchema"
            )
        self._deserializer = record_deserializer
        return self

    def set_bad_message_policy(self, policy: OnBadMessage) -> "KafkaSourceBuilder":
        """What becomes of a message that the deserializer cannot read: ``"fail"``, ``"skip"``, or a function of it."""
        self._on_bad_message = check_policy(policy, BadMessage, "KafkaDeadLetterTopic sends them to a topic")
        return self

    def set_client_id_prefix(self, prefix: str) -> "KafkaSourceBuilder":
        """How the clients' names begin in the broker's logs."""
        return self.set_property("client.id.prefix", prefix)

    def set_rack_id_supplier(self, rack_id_supplier: Callable[[], str | None]) -> "KafkaSourceBuilder":
        """Called in each reader: the rack that it stands in, so that it reads from a replica nearby; None or no text where it
        is not known."""
        if not callable(rack_id_supplier):
            raise ProgramError(f"the rack id is given by a function, not {rack_id_supplier!r}")
        self._rack = rack_id_supplier
        return self

    def set_property(self, key: str, value: Any) -> "KafkaSourceBuilder":
        """A property of Kafka's consumer, or of Flink's connector."""
        name, text = check_property(key, value)
        self._properties[name] = text
        return self

    def set_properties(self, props: Mapping[str, Any]) -> "KafkaSourceBuilder":
        """Several properties."""
        for key, value in props.items():
            self.set_property(key, value)
        return self

    def build(self) -> KafkaSource:
        """The source.

        :raises ProgramError: when something is missing, or contradicts itself.
        :raises OptionError: for a property that the client does not know.
        """
        if not self._properties.get("bootstrap.servers"):
            raise ProgramError("a KafkaSource needs set_bootstrap_servers('host:port')")
        if self._subscription is None:
            raise ProgramError("a KafkaSource needs set_topics, set_topic_pattern or set_partitions")
        if self._deserializer is None:
            raise ProgramError("a KafkaSource needs set_value_only_deserializer or set_deserializer")
        for rule in (self._starting, self._stopping):
            if rule is not None and rule.needs_group and "group.id" not in self._properties:
                raise ProgramError("committed offsets are those of a consumer group: call set_group_id")
        settings = KafkaSourceSettings(
            self._subscription,
            self._starting,
            self._stopping,
            self._boundedness,
            self._deserializer,
            self._on_bad_message,
            self._rack,
            dict(self._properties),
        )
        _check(replace(settings, rack=None))
        return KafkaSource(settings)


def _initializer(value: Any, what: str) -> KafkaOffsetsInitializer:
    if not isinstance(value, KafkaOffsetsInitializer):
        raise ProgramError(f"{what} are a KafkaOffsetsInitializer, not {value!r}")
    return value


def _check(settings: KafkaSourceSettings) -> None:
    """Have the client itself look at the properties: it knows them all."""
    settings.discovery()
    truth(settings.properties, COMMIT_ON_CHECKPOINT, True)
    configuration = settings.consumer_configuration("check")
    client = confluent()
    try:
        client.Consumer(configuration | {"log_level": 0}).close()
    except client.KafkaException as error:
        raise OptionError(f"Kafka's client refuses its properties: {error.args[0].str()}") from error
