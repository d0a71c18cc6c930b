"""Reads a queue of RabbitMQ. Source: Flink's documentation, "RabbitMQ Connector", "RabbitMQ Source".

Messages are acknowledged, in a transaction, when the checkpoint that holds them is complete. What was not acknowledged before
a failure comes again. Where producers give each message a correlation id of its own, the ids of what waits for its
acknowledgement are in the checkpoint, and a message that comes again is left out.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from penstock.config.quantities import parse_duration
from penstock.connectors.bad_messages import check_policy, reason_of
from penstock.connectors.functions.checkpointed import ListCheckpointed
from penstock.connectors.functions.source import FunctionSource, SourceContext, SourceFunction
from penstock.connectors.rabbitmq.bad_messages import OnBadMessage, RMQBadMessage
from penstock.connectors.rabbitmq.connection import RMQConnectionConfig, check_queue, connect, pika
from penstock.contracts.checkpointing import CheckpointListener
from penstock.contracts.context import RuntimeContext
from penstock.contracts.serialization import DeserializationSchema
from penstock.contracts.source import SourceReader, SourceReaderContext
from penstock.data.type_information import TypeInformation, shortened
from penstock.errors import OutsideError, ProgramError
from penstock.metrics.kinds import Counter

POLL_S: Final = 0.05
"""For which the thread waits for a message before it looks whether something is to be acknowledged."""

_INTERVAL = "execution.checkpointing.interval"


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """What is read, and how."""

    connection: RMQConnectionConfig
    queue: str
    uses_ids: bool
    schema: DeserializationSchema
    on_bad_message: OnBadMessage = "fail"


class RMQSource(FunctionSource):
    """Reads a queue, in one subtask, which makes it: exactly once with checkpoints and ``use_correlation_id``, at least once
    with checkpoints alone, and without any promise otherwise.

    >>> from penstock.common.serialization import SimpleStringSchema
    >>> config = RMQConnectionConfig.Builder().set_uri("amqp://guest:guest@localhost:5672/%2F").build()
    >>> source = RMQSource(config, "orders", True, SimpleStringSchema())
    """

    def __init__(
        self,
        connection_config: RMQConnectionConfig,
        queue_name: str,
        use_correlation_id: bool,
        deserialization_schema: DeserializationSchema,
    ) -> None:
        check_queue(connection_config, queue_name)
        if not isinstance(deserialization_schema, DeserializationSchema):
            raise ProgramError(
                f"RMQSource takes a DeserializationSchema, such as SimpleStringSchema(), not {deserialization_schema!r}"
            )
        self._settings = QueueSettings(
            connection_config, queue_name, bool(use_correlation_id), deserialization_schema
        )
        super().__init__(Consumption(self._settings, self.setup_queue, False))

    def setup_queue(self, channel: Any) -> None:
        """Declare the queue: durable, not exclusive, not deleted by itself. Override it where the queue is another."""
        channel.queue_declare(self._settings.queue, durable=True)

    def set_bad_message_policy(self, policy: OnBadMessage) -> "RMQSource":
        """What becomes of a message that the schema cannot read: ``fail`` fails the job, which is so if nothing is set;
        ``skip`` leaves it out and counts it in ``numRecordsInErrors``; a function is given it as an ``RMQBadMessage``."""
        checked = check_policy(policy, RMQBadMessage, "RMQDeadLetterQueue puts them into a queue")
        self._settings = replace(self._settings, on_bad_message=checked)
        return self

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        acknowledges = parse_duration(context.configuration().get(_INTERVAL, "0")) > 0
        return FunctionSource(Consumption(self._settings, self.setup_queue, acknowledges)).create_reader(
            context
        )

    def get_produced_type(self) -> TypeInformation | None:
        return self._settings.schema.get_produced_type()

    def display_name(self) -> str:
        return "RabbitMQ Source"


class Consumption(SourceFunction, ListCheckpointed, CheckpointListener):
    """One run: its thread owns the connection. Its state are the ids of what was read and is not acknowledged."""

    def __init__(
        self, settings: QueueSettings, setup_queue: Callable[[Any], None], acknowledges: bool
    ) -> None:
        self._settings = settings
        self._setup_queue = setup_queue
        self._acknowledges = acknowledges
        # Only then is a message that comes again looked into: it may be the end.
        kind = type(settings.schema)
        self._may_end = kind.is_end_of_stream is not DeserializationSchema.is_end_of_stream
        self._known: set[str] = set()
        self._ids: list[str] = []
        """Read since the last snapshot."""
        self._last_tag = 0
        self._snapshots: dict[int, tuple[int, list[str]]] = {}
        """Of each checkpoint under way: the last message in it, and the ids since the one before."""
        self._acknowledged_tag = 0
        self._complete: deque[int] = deque()
        self._cancelled = False
        self._errors: Counter | None = None

    def open(self, runtime_context: RuntimeContext) -> None:
        self._errors = runtime_context.get_metrics_group().counter("numRecordsInErrors")

    def run(self, ctx: SourceContext) -> None:
        settings, client = self._settings, pika()
        connection = connect(settings.connection)
        try:
            channel = self._prepared(connection)
            settings.schema.open()
            self._consume(channel, ctx)
        except (client.exceptions.AMQPError, OSError) as error:
            if isinstance(error, OutsideError):
                raise
            raise OutsideError(
                f"RabbitMQ at {settings.connection.place}, queue {settings.queue!r}: {type(error).__name__}: {error!s:.300}"
            ) from error
        finally:
            with suppress(client.exceptions.AMQPError, OSError):
                connection.close()
            close = getattr(settings.on_bad_message, "close", None)
            if close is not None:
                close()

    def _prepared(self, connection: Any) -> Any:
        channel = connection.channel()
        self._setup_queue(channel)
        if self._settings.connection.prefetch_count:
            channel.basic_qos(prefetch_count=self._settings.connection.prefetch_count)
        if self._acknowledges:
            channel.tx_select()
        return channel

    def _consume(self, channel: Any, ctx: SourceContext) -> None:
        has_ended = False
        messages = channel.consume(
            self._settings.queue, auto_ack=not self._acknowledges, inactivity_timeout=POLL_S
        )
        try:
            for method, properties, body in messages:
                if method is not None and not has_ended:
                    has_ended = self._take(method.delivery_tag, properties, body, ctx)
                self._acknowledge(channel, ctx)
                if self._cancelled or (has_ended and self._is_acknowledged()):
                    return
            place, queue = self._settings.connection.place, self._settings.queue
            raise OutsideError(
                f"RabbitMQ at {place} gives nothing more of queue {queue!r}, as when it is deleted or its node goes away; a "
                "restart strategy has the job begin again, and declare the queue"
            )
        finally:
            self._acknowledge(channel, ctx)

    def _take(self, tag: int, properties: Any, body: bytes, ctx: SourceContext) -> bool:
        """Emit a message unless it was read before; says whether it ends the stream."""
        settings = self._settings
        with ctx.get_checkpoint_lock():
            self._last_tag = tag
            uses_ids = settings.uses_ids and self._acknowledges
            is_new = not uses_ids or self._is_new(properties.correlation_id)
            if not is_new and not self._may_end:
                return False
            record = self._read(body, properties.correlation_id, is_new)
            if record is None:
                return False
            if settings.schema.is_end_of_stream(record):
                return True
            if is_new:
                ctx.collect(record)
            return False

    def _is_new(self, identity: str | None) -> bool:
        if not identity:
            raise _final(
                f"a message of queue {self._settings.queue!r} has no correlation id, which exactly once needs: have the "
                "producer set one, or give RMQSource use_correlation_id=False"
            )
        is_new = identity not in self._known
        self._known.add(identity)
        self._ids.append(identity)
        return is_new

    def _read(self, body: bytes, identity: str | None, is_new: bool) -> Any:
        try:
            return self._settings.schema.deserialize(body)
        except Exception as error:
            if isinstance(error, OutsideError) and error.retryable:
                raise  # for what is needed to read any message
            reason = reason_of(error)
            policy, queue = self._settings.on_bad_message, self._settings.queue
            if policy == "fail":
                raise _final(
                    f"queue {queue!r}: the message {shortened(body)} cannot be read: {reason}; correct the schema, or choose "
                    "with set_bad_message_policy what becomes of such messages"
                ) from error
            if is_new:
                if self._errors is not None:
                    self._errors.inc()
                if callable(policy):
                    policy(RMQBadMessage(queue, body, identity, reason))
            return None

    def _acknowledge(self, channel: Any, ctx: SourceContext) -> None:
        """What complete checkpoints hold. Its ids are forgotten once the server has confirmed it, not before."""
        if not self._complete:
            return
        complete = max(self._complete)
        self._complete.clear()
        with ctx.get_checkpoint_lock():
            due = [self._snapshots.pop(each) for each in list(self._snapshots) if each <= complete]
        last_tag = max((tag for tag, _ in due), default=0)
        if last_tag <= self._acknowledged_tag:
            return
        channel.basic_ack(last_tag, multiple=True)
        channel.tx_commit()
        self._acknowledged_tag = last_tag
        with ctx.get_checkpoint_lock():
            for _, ids in due:
                self._known.difference_update(ids)

    def _is_acknowledged(self) -> bool:
        return not self._acknowledges or self._acknowledged_tag == self._last_tag

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        if self._acknowledges:
            self._snapshots[checkpoint_id] = (self._last_tag, self._ids)
            self._ids = []
        return sorted(self._known)

    def restore_state(self, state: list[Any]) -> None:
        self._known = set(state)

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:
        self._complete.append(checkpoint_id)

    def cancel(self) -> None:
        self._cancelled = True


def _final(message: str) -> OutsideError:
    failure = OutsideError(message)
    failure.retryable = False
    return failure
