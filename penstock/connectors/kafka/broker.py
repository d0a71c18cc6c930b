"""What the enumerator asks of Kafka: topics, partitions, offsets. All calls block, so they are made in threads."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from penstock.clock import monotonic, pause
from penstock.connectors.kafka.client_log import CLIENT_LOG
from penstock.connectors.kafka.offsets import Offsets
from penstock.connectors.kafka.partitions import KafkaTopicPartition
from penstock.errors import OutsideError
from penstock.formats.extras import require

TIMEOUT_S: Final = 30.0
ONE_ANSWER_S: Final = 5.0
"""For one answer: the broker that was asked may just have died, and the next time another is."""
AGAIN_S: Final = 0.05


def confluent() -> Any:
    """The client library."""
    return require("confluent_kafka", "kafka", "Kafka")


def confluent_admin() -> Any:
    """Its part for questions about topics, offsets and groups."""
    return require("confluent_kafka.admin", "kafka", "Kafka")


class Refused(OutsideError):
    """The broker has answered, and will not, now or later."""


class Complaints:
    """Takes down what a client says of brokers: why it cannot talk to them is told nowhere else."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, error: Any) -> None:
        if error.code() != confluent().KafkaError._ALL_BROKERS_DOWN:  # which says no reason
            self._last = error.str()

    def about(self, error: BaseException) -> str:
        """An error with the last of them."""
        said = text_of(error) or "the time is over"
        return f"{said}; the client says: {self._last}" if self._last else said


def text_of(error: Any) -> str:
    """What an error of the client says, or an exception with one in it, without codes."""
    own = error.args[0] if isinstance(error, confluent().KafkaException) else error
    return str(own.str() if isinstance(own, confluent().KafkaError) else own)


def answer_of(ask: Callable[[float], Any], servers: str, complaints: Complaints) -> Any:
    """What a question to the broker gives; one that it is not ready for is asked again for a while.

    ``ask(seconds)`` puts the question anew each time and waits so long for the answer.

    :raises Refused: where the answer is no.
    :raises OutsideError: where there is none.
    """
    deadline = monotonic() + TIMEOUT_S
    while True:
        try:
            return ask(min(max(deadline - monotonic(), AGAIN_S), ONE_ANSWER_S))
        except Exception as error:
            reason: Any = error.args[0] if error.args else None
            code = reason.code() if hasattr(reason, "code") else None
            if code is not None and code in _rights():
                raise Refused(
                    f"Kafka at {servers} refuses this user: {reason.str()}; {_rights()[code]}"
                ) from error
            comes_again = isinstance(error, TimeoutError) or code in _not_ready()
            if not comes_again or monotonic() >= deadline:
                if (
                    not comes_again and code is not None and code > 0
                ):  # what the client itself says is below zero
                    raise Refused(f"Kafka at {servers} refuses: {reason.str()}") from error
                raise OutsideError(f"Kafka at {servers} did not answer: {complaints.about(error)}") from error
        pause(AGAIN_S)


def _not_ready() -> tuple[int, ...]:
    """What brokers say for a moment of a topic or a group that is new to them, or that moves from one to another."""
    kind = confluent().KafkaError
    return (
        kind.COORDINATOR_LOAD_IN_PROGRESS,
        kind.COORDINATOR_NOT_AVAILABLE,
        kind.NOT_COORDINATOR,
        kind.LEADER_NOT_AVAILABLE,
        kind.NOT_LEADER_FOR_PARTITION,
        kind.FENCED_LEADER_EPOCH,
        kind.UNKNOWN_LEADER_EPOCH,
        kind.UNSTABLE_OFFSET_COMMIT,
        kind._TRANSPORT,
        kind._TIMED_OUT,
    )


def _rights() -> dict[int, str]:
    """What a user may lack, by what brokers say then."""
    kind = confluent().KafkaError
    return {
        kind.TOPIC_AUTHORIZATION_FAILED: "a source needs READ on the topics that it reads, a sink WRITE on those that it "
        "writes to, and READ as well where it writes exactly once",
        kind.GROUP_AUTHORIZATION_FAILED: "a source needs READ on its consumer group, a sink that writes exactly once on "
        "those that begin with 'penstock-sink-'",
    }


class GroupOffsets:
    """What groups have committed. Asked by a consumer: librdkafka's client for administration crashes where the coordinator
    of a group is not known yet."""

    def __init__(self, configuration: dict[str, str]) -> None:
        self._configuration = configuration
        self._servers = configuration.get("bootstrap.servers", "")

    def committed(self, group: str, places: list[tuple[str, int]]) -> list[Any]:
        """For each partition the client's object with ``offset`` (negative for none) and ``metadata``.

        :raises OutsideError: where one of them is not told.
        """
        client = confluent()
        asked = [client.TopicPartition(topic, partition) for topic, partition in places]

        def ask(consumer: Any, seconds: float) -> list[Any]:
            found = list(consumer.committed(asked, timeout=seconds))
            for each in found:
                # A topic that is deleted meanwhile takes its offsets along.
                if each.error is not None and each.error.code() != client.KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise client.KafkaException(each.error)
            return found

        found: list[Any] = self._answer(group, ask) if asked else []
        return found

    def commit(self, group: str, topics: Iterable[str], offset: int, metadata: str) -> frozenset[str]:
        """Commit an offset of the first partition of each topic, in one request; those that are there are returned.

        :raises Refused: when the broker does not take one of another topic.
        :raises OutsideError: when it does not answer.
        """
        client = confluent()
        notes = [client.TopicPartition(topic, 0, offset, metadata) for topic in sorted(topics)]

        def ask(consumer: Any, seconds: float) -> frozenset[str]:
            try:
                answers = consumer.commit(offsets=notes, asynchronous=False)
            except client.KafkaException as failure:
                if failure.args[0].code() != client.KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise
                # Some of them are not there, and the client does not say which: the others are committed. What was
                # committed before for one that was deleted may be told for a moment longer.
                there = consumer.list_topics(timeout=seconds).topics
                found = consumer.committed(notes, timeout=seconds)
                return frozenset(
                    each.topic
                    for each in found
                    if (each.offset, each.metadata) == (offset, metadata) and each.topic in there
                )
            for each in answers:
                if each.error is not None and each.error.code() != client.KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise client.KafkaException(each.error)
            return frozenset(each.topic for each in answers if each.error is None)

        return self._answer(group, ask) if notes else frozenset()

    def _answer(self, group: str, ask: Callable[[Any, float], Any]) -> Any:
        complaints = Complaints()
        own = {"group.id": group, "enable.auto.commit": False, "error_cb": complaints}
        consumer = confluent().Consumer({**self._configuration, **own}, logger=CLIENT_LOG)

        def ask_and_listen(seconds: float) -> Any:
            try:
                return ask(consumer, seconds)
            except confluent().KafkaException as failure:
                # What keeps it from finding the group's coordinator it says as if it were a message.
                said = consumer.poll(0)
                error = None if said is None else said.error()
                if error is not None and error.code() in _rights():
                    raise confluent().KafkaException(error) from failure
                if error is not None:
                    complaints(error)
                raise

        try:
            return answer_of(ask_and_listen, self._servers, complaints)
        finally:
            consumer.close()


class Administration:
    """The client for administration, as questions. It is made anew after an answer that failed: it keeps to the leaders that
    it has once heard of."""

    def __init__(self, configuration: dict[str, str]) -> None:
        self._servers = configuration.get("bootstrap.servers", "")
        self._complaints = Complaints()
        self._configuration = {**configuration, "error_cb": self._complaints}
        self._client: Any = None

    def answer(self, question: Callable[[Any, float], Any]) -> Any:
        """What ``question(client, seconds)`` gives, asked again while brokers are not ready for it.

        :raises OutsideError: where there is no answer.
        """

        def ask(seconds: float) -> Any:
            client = self._client or confluent_admin().AdminClient(self._configuration, logger=CLIENT_LOG)
            self._client = None
            try:
                answer = question(client, seconds)
            finally:
                client.poll(0)
            self._client = client
            return answer

        return answer_of(ask, self._servers, self._complaints)


# What librdkafka has for connections and for every kind of client alike.
_GENERAL: Final = (
    "api.version.",
    "bootstrap.",
    "broker.",
    "client.",
    "connections.",
    "debug",
    "enable.metrics.push",
    "enable.random.seed",
    "enable.sasl.",
    "enable.ssl.",
    "https.",
    "log.connection.close",
    "log_level",
    "metadata.",
    "plugin.",
    "receive.message.max.bytes",
    "reconnect.",
    "retry.backoff.",
    "sasl.",
    "security.",
    "socket.",
    "ssl.",
    "topic.metadata.",
)


def for_questions(configuration: dict[str, str]) -> dict[str, str]:
    """What of a configuration is for connections in general.

    >>> for_questions({"bootstrap.servers": "h:1", "client.dns.lookup": "use_all_dns_ips", "acks": "1"})
    {'bootstrap.servers': 'h:1', 'client.dns.lookup': 'use_all_dns_ips'}
    """
    return {key: value for key, value in configuration.items() if key.startswith(_GENERAL)}


class KafkaBroker:
    """Answers questions about topics and offsets; its connection goes with the object."""

    def __init__(self, configuration: dict[str, str]) -> None:
        self._servers = configuration.get("bootstrap.servers", "")
        self._group = configuration.get("group.id")
        self._isolation = configuration.get("isolation.level", "read_uncommitted")
        self._configuration = for_questions(configuration)
        self._admin = Administration(self._configuration)

    def partitions_of(self, topics: list[str]) -> list[KafkaTopicPartition]:
        """All partitions of topics that must be there.

        :raises OutsideError: naming a topic that is not there.
        """
        found = self._topics()
        missing = [topic for topic in topics if topic not in found]
        if missing:
            failure = OutsideError(
                f"the broker at {self._servers} has no topic {', '.join(map(repr, missing))}; create it first, or use "
                "set_topic_pattern for topics that come later"
            )
            raise failure
        return [partition for topic in topics for partition in found[topic]]

    def all_partitions(self) -> dict[str, list[KafkaTopicPartition]]:
        """The partitions of every topic but Kafka's own."""
        return {topic: found for topic, found in self._topics().items() if not topic.startswith("__")}

    def _topics(self) -> dict[str, list[KafkaTopicPartition]]:
        try:
            metadata = self._admin.answer(lambda client, seconds: client.list_topics(timeout=seconds))
        except OutsideError as error:
            raise OutsideError(
                f"the topics cannot be listed, no broker answers at {self._servers}; check bootstrap.servers, security "
                f"settings, the network and the broker: {error.message}"
            ) from error
        return {
            name: [KafkaTopicPartition(name, number) for number in sorted(topic.partitions)]
            for name, topic in metadata.topics.items()
            if topic.error is None
        }

    def earliest(self, partitions: list[KafkaTopicPartition]) -> Offsets:
        return self._listed(partitions, confluent_admin().OffsetSpec.earliest())

    def latest(self, partitions: list[KafkaTopicPartition]) -> Offsets:
        return self._listed(partitions, confluent_admin().OffsetSpec.latest())

    def at_timestamp(self, partitions: list[KafkaTopicPartition], timestamp_ms: int) -> Offsets:
        found = self._listed(partitions, confluent_admin().OffsetSpec.for_timestamp(timestamp_ms))
        none_later = [partition for partition, offset in found.items() if offset < 0]
        return found | self.latest(none_later)

    def _listed(self, partitions: list[KafkaTopicPartition], spec: Any) -> Offsets:
        if not partitions:
            return {}
        client = confluent()
        level = (
            client.IsolationLevel.READ_COMMITTED
            if self._isolation == "read_committed"
            else client.IsolationLevel.READ_UNCOMMITTED
        )
        asked = {client.TopicPartition(each.topic, each.partition): spec for each in partitions}

        def ask(admin: Any, seconds: float) -> Offsets:
            futures = admin.list_offsets(asked, isolation_level=level, request_timeout=seconds)
            found = {_own(place): future.result(seconds).offset for place, future in futures.items()}
            without = [str(place) for place, offset in found.items() if offset == client.OFFSET_INVALID]
            if without:  # what the client gives, instead of an error, where a leader is gone
                raise TimeoutError(f"no broker told an offset of {', '.join(without)}")
            return found

        offsets: Offsets = self._admin.answer(ask)
        return offsets

    def committed(self, partitions: list[KafkaTopicPartition]) -> Offsets:
        if self._group is None:
            return {}
        places = [(each.topic, each.partition) for each in partitions]
        answers = GroupOffsets(self._configuration).committed(self._group, places)
        return {_own(answer): answer.offset for answer in answers if answer.offset >= 0}


def _own(partition: Any) -> KafkaTopicPartition:
    return KafkaTopicPartition(partition.topic, partition.partition)
