"""Writes to topics of Apache Kafka. Source: Flink's documentation, "Apache Kafka Connector", "Kafka Sink"."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.config.quantities import parse_duration
from penstock.connectors.kafka.broker import confluent
from penstock.connectors.kafka.preflight import INTERVAL
from penstock.connectors.kafka.producing import RecordProducer
from penstock.connectors.kafka.properties import PRODUCING, check_property, client_configuration
from penstock.connectors.kafka.serialization import KafkaRecordSerializationSchema
from penstock.connectors.kafka.writer import KafkaWriter
from penstock.contracts.delivery import DeliveryGuarantee
from penstock.contracts.effects import Effect, effect_of_parts
from penstock.contracts.sink import Committer, Sink, SinkWriter, WriterInitContext
from penstock.errors import OptionError, ProgramError

# What brokers allow at most if nothing else is configured there.
TRANSACTION_TIMEOUT_MS = 900_000


@dataclass(frozen=True, slots=True)
class KafkaSinkSettings:
    """What the builder has collected. Exactly once without a prefix it is named after the sink's operator."""

    serializer: KafkaRecordSerializationSchema
    guarantee: DeliveryGuarantee
    transactional_id_prefix: str | None
    properties: dict[str, str] = field(hash=False, repr=False)
    only_logs_failures: bool = False
    """Whether a message that is not delivered is passed over; not exactly once."""

    def producer_configuration(self) -> dict[str, str]:
        """For the client that produces. Order within a partition holds even when sends are repeated."""
        defaults = PRODUCING | {
            "enable.idempotence": "true",
            "linger.ms": "5",
            "queue.buffering.max.messages": "500000",
        }
        if self.guarantee is DeliveryGuarantee.NONE:
            del defaults["enable.idempotence"]
        if self.guarantee is DeliveryGuarantee.EXACTLY_ONCE:
            defaults["transaction.timeout.ms"] = str(TRANSACTION_TIMEOUT_MS)
        return defaults | client_configuration(self.properties)


class KafkaSink(Sink):
    """Writes to topics of Kafka, made by :meth:`builder`."""

    def __init__(self, settings: KafkaSinkSettings) -> None:
        self._settings = settings

    @staticmethod
    def builder() -> "KafkaSinkBuilder":
        """Begin to describe a sink."""
        return KafkaSinkBuilder()

    @property
    def effect(self) -> Effect:  # type: ignore[override]
        """Nothing, unless the user wrote a part of it."""
        return effect_of_parts(self._settings.serializer)

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        return self.restore_writer(context, [])

    def restore_writer(self, context: WriterInitContext, states: list[Any]) -> SinkWriter:
        settings = self._settings
        configuration = settings.producer_configuration()
        if settings.guarantee is DeliveryGuarantee.EXACTLY_ONCE:
            from penstock.connectors.kafka.exactly_once import ExactlyOnceWriter

            prefix = settings.transactional_id_prefix or f"penstock-{context.operator_id()}"
            return ExactlyOnceWriter(context, configuration, prefix, settings.serializer, states)
        flushes = settings.guarantee is not DeliveryGuarantee.NONE
        producer = RecordProducer(configuration, settings.only_logs_failures)
        return KafkaWriter(context, producer, settings.serializer, flushes)

    def create_committer_for(self, context: WriterInitContext) -> Committer | None:
        if self._settings.guarantee is not DeliveryGuarantee.EXACTLY_ONCE:
            return None
        from penstock.connectors.kafka.committing import ExactlyOnceCommitter
        from penstock.connectors.kafka.exactly_once import give_back
        from penstock.connectors.kafka.transactions import EpochCommitter

        committer = EpochCommitter(self._settings.producer_configuration(), context.job_id())
        return ExactlyOnceCommitter(committer, give_back)

    def check_job(self, settings: dict[str, str], is_bounded: bool) -> None:
        exactly_once = self._settings.guarantee is DeliveryGuarantee.EXACTLY_ONCE
        if exactly_once and not is_bounded and parse_duration(settings.get(INTERVAL, "0")) <= 0:
            raise ProgramError(
                "EXACTLY_ONCE shows what was written when a checkpoint is complete; this job takes none and has no end, so "
                "nothing would ever be seen: call enable_checkpointing, or choose DeliveryGuarantee.AT_LEAST_ONCE"
            )

    def claims(self) -> tuple[str, ...]:
        prefix = self._settings.transactional_id_prefix
        if prefix is None:
            return ()
        servers = self._settings.properties["bootstrap.servers"].split(",")
        return tuple(f"the transactional id prefix {prefix!r} at Kafka's {name.strip()}" for name in servers)

    def display_name(self) -> str:
        return "Kafka Sink"


class KafkaSinkBuilder:
    """Describes a :class:`KafkaSink`: servers and a record serializer have to be set.

    >>> from penstock.common.serialization import SimpleStringSchema
    >>> sink = (
    ...     KafkaSink.builder()
    ...     .set_bootstrap_servers("localhost:9092")
    ...     .set_delivery_guarantee(DeliveryGuarantee.AT_LEAST_ONCE)
    ...     .set_record_serializer(
    ...         KafkaRecordSerializationSchema.builder()
    ...         .set_topic("orders")
    ...         .set_value_serialization_schema(SimpleStringSchema())
    ...         .build()
    ...     )
    ...     .build()
    ... )
    """

    def __init__(self, needs_prefix: bool = True, only_logs_failures: bool = False) -> None:
        self._needs_prefix = needs_prefix
        self._only_logs_failures = only_logs_failures
        self._serializer: KafkaRecordSerializationSchema | None = None
        self._guarantee = DeliveryGuarantee.NONE
        self._prefix: str | None = None
        self._properties: dict[str, str] = {}

    def set_bootstrap_servers(self, bootstrap_servers: str) -> "KafkaSinkBuilder":
        """Brokers to begin with, ``host:port`` and commas between them."""
        return self.set_property("bootstrap.servers", bootstrap_servers)

    def set_delivery_guarantee(self, delivery_guarantee: DeliveryGuarantee) -> "KafkaSinkBuilder":
        """How often a record is there after a failure; ``NONE`` if nothing is set."""
        if not isinstance(delivery_guarantee, DeliveryGuarantee):
            raise ProgramError(f"a delivery guarantee is a DeliveryGuarantee, not {delivery_guarantee!r}")
        self._guarantee = delivery_guarantee
        return self

    def set_transactional_id_prefix(self, transactional_id_prefix: str) -> "KafkaSinkBuilder":
        """For EXACTLY_ONCE: a name that no other sink writing to this Kafka has, and that stays the same over restarts."""
        if (
            not isinstance(transactional_id_prefix, str)
            or not 0 < len(transactional_id_prefix.encode()) <= 1000
        ):
            raise ProgramError(
                f"a transactional id prefix is a text of 1 to 1000 bytes, not {transactional_id_prefix!r:.60}"
            )
        self._prefix = transactional_id_prefix
        return self

    def set_record_serializer(self, record_serializer: KafkaRecordSerializationSchema) -> "KafkaSinkBuilder":
        """How records become messages."""
        if not isinstance(record_serializer, KafkaRecordSerializationSchema):
            raise ProgramError(
                f"set_record_serializer takes a KafkaRecordSerializationSchema, not {record_serializer!r}; "
                "make one with KafkaRecordSerializationSchema.builder()"
            )
        self._serializer = record_serializer
        return self

    def set_property(self, key: str, value: Any) -> "KafkaSinkBuilder":
        """A property of Kafka's producer."""
        name, text = check_property(key, value)
        self._properties[name] = text
        return self

    def set_kafka_producer_config(self, props: Mapping[str, Any]) -> "KafkaSinkBuilder":
        """Several properties."""
        for key, value in props.items():
            self.set_property(key, value)
        return self

    def build(self) -> KafkaSink:
        """The sink.

        :raises ProgramError: when something is missing.
        :raises OptionError: for a property that the client does not know.
        """
        if not self._properties.get("bootstrap.servers"):
            raise ProgramError("a KafkaSink needs set_bootstrap_servers('host:port')")
        if self._serializer is None:
            raise ProgramError("a KafkaSink needs set_record_serializer")
        exactly_once = self._guarantee is DeliveryGuarantee.EXACTLY_ONCE
        if exactly_once and self._prefix is None and self._needs_prefix:
            raise ProgramError(
                "EXACTLY_ONCE needs set_transactional_id_prefix: a name that no other sink writing to this Kafka has"
            )
        prefix = self._prefix if exactly_once else None
        settings = KafkaSinkSettings(
            self._serializer, self._guarantee, prefix, dict(self._properties), self._only_logs_failures
        )
        _check(settings)
        return KafkaSink(settings)


def _check(settings: KafkaSinkSettings) -> None:
    """Have the client itself look at the properties: it knows them all."""
    client = confluent()
    try:
        client.Producer({**settings.producer_configuration(), "log_level": 0})
    except client.KafkaException as error:
        raise OptionError(f"Kafka's client refuses its properties: {error.args[0].str()}") from error
