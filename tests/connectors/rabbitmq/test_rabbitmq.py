"""RabbitMQ's source and sink against a real server."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, RLock, Thread
from typing import Any

import pytest

from penstock.common import Types
from penstock.common.serialization import DeserializationSchema, SimpleStringSchema
from penstock.connectors.rabbitmq.source import Consumption, QueueSettings
from penstock.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from penstock.datastream.connectors.rabbitmq import (
    RMQConnectionConfig,
    RMQDeadLetterQueue,
    RMQSink,
    RMQSource,
)
from penstock.datastream.state import ValueStateDescriptor
from penstock.errors import JobFailed, OutsideError, ProgramError
from tests.connectors.rabbitmq.queues import (
    PATIENCE_S,
    channel_of,
    config_of,
    new_queue,
    read,
    waiting,
    write,
)
from tests.documentation.pages import ROOT
from tests.documentation.test_pages import WITH_RABBITMQ, run_page
from tests.services.kafka_broker import free_ports
from tests.services.rabbitmq_server import RabbitServer

needs_server = [pytest.mark.service, pytest.mark.slow]


class _UpToStop(SimpleStringSchema):
    def is_end_of_stream(self, next_element: Any) -> bool:
        return bool(next_element == "stop")


def environment(interval: str | None = "100 ms", restart: str = "none") -> StreamExecutionEnvironment:
    given = {} if interval is None else {"execution.checkpointing.interval": interval}
    given["restart-strategy.type"] = restart
    return StreamExecutionEnvironment.get_execution_environment(given)


def test_the_parts_of_a_connection_can_be_asked_for() -> None:
    builder = RMQConnectionConfig.Builder().set_host("h").set_port(5672).set_virtual_host("/v")
    builder.set_user_name("u").set_password("geheim").set_automatic_recovery(True)
    builder.set_topology_recovery_enabled(False).set_network_recovery_interval(10)
    builder.set_requested_channel_max(7).set_requested_frame_max(8_192).set_requested_heartbeat(30)
    config = builder.set_connection_timeout(5_000).build()
    assert (config.get_host(), config.get_port(), config.get_virtual_host()) == ("h", 5672, "/v")
    assert (config.get_user_name(), config.get_password(), config.get_uri()) == ("u", "geheim", None)
    assert (config.is_automatic_recovery(), config.is_topology_recovery()) == (True, False)
    assert (config.get_network_recovery_interval(), config.get_connection_timeout()) == (10, 5_000)
    assert (config.get_requested_channel_max(), config.get_requested_frame_max()) == (7, 8_192)
    assert config.get_requested_heartbeat() == 30
    assert "geheim" not in repr(config)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda b: b.build(), "set_uri, or else set_host, set_port"),
        (lambda b: b.set_port("5672"), "port of RabbitMQ is a int, not '5672'"),
        (lambda b: b.set_uri("http://u:geheim@h"), "amqp://"),
        (lambda b: b.set_uri("amqp://u:geheim/x@h"), "the port in the URI of RabbitMQ is no number"),
        (lambda b: RMQSource("h", "q", True, SimpleStringSchema()), "RMQConnectionConfig"),
        (lambda b: RMQSource(b.set_uri("amqp://h").build(), "", True, SimpleStringSchema()), "queue"),
        (lambda b: RMQSource(b.set_uri("amqp://h").build(), "q", True, str), "DeserializationSchema"),
        (lambda b: RMQSink(b.set_uri("amqp://h").build(), "q", str), "SerializationSchema"),
        (
            lambda b: RMQSource(
                b.set_uri("amqp://h").build(), "q", True, SimpleStringSchema()
            ).set_bad_message_policy("drop"),
            "'fail', 'skip', or a function",
        ),
        (lambda b: RMQSource("amqp://u:geheim@h", "q", True, SimpleStringSchema()), "not by a str"),
        (lambda b: RMQSink("amqp://u:geheim@h", "q", SimpleStringSchema()), "not by a str"),
    ],
)
def test_mistakes_are_refused_where_they_are_made(change: Any, says: str) -> None:
    with pytest.raises(ProgramError, match=says) as caught:
        change(RMQConnectionConfig.Builder())
    assert "geheim" not in str(caught.value)


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    (port,) = free_ports(1)
    config = RMQConnectionConfig.Builder().set_uri(f"amqp://u:geheim@127.0.0.1:{port}/%2F").build()
    env = environment(None)
    env.add_source(RMQSource(config, "q", False, SimpleStringSchema())).print()
    with pytest.raises(JobFailed, match=rf"RabbitMQ at 127\.0\.0\.1:{port} cannot be reached") as caught:
        env.execute()
    assert "geheim" not in str(caught.value)


def test_a_source_travels() -> None:
    config = RMQConnectionConfig.Builder().set_uri("amqp://h").build()
    source = pickle.loads(pickle.dumps(RMQSource(config, "q", True, SimpleStringSchema())))
    assert source.display_name() == "RabbitMQ Source"
    assert not source.is_parallel


class TestWithAServer:
    pytestmark = needs_server

    @pytest.mark.parametrize("uses_ids", [True, False])
    @pytest.mark.parametrize("interval", [None, "100 ms"])
    def test_what_is_in_a_queue_is_read_once_and_acknowledged(
        self, rabbitmq: RabbitServer, uses_ids: bool, interval: str | None
    ) -> None:
        queue = new_queue()
        write(rabbitmq, queue, [*(f"m{n}" for n in range(500)), "stop"])
        env = environment(interval)
        env.set_parallelism(2)
        source = env.add_source(RMQSource(config_of(rabbitmq), queue, uses_ids, _UpToStop()))
        with source.map(str.upper).execute_and_collect() as rows:
            assert sorted(rows) == sorted(f"M{n}" for n in range(500))
        assert waiting(rabbitmq, queue) == 0

    def test_what_is_written_behind_the_end_is_left_in_the_queue(self, rabbitmq: RabbitServer) -> None:
        queue = new_queue()
        write(rabbitmq, queue, ["a", "stop", "b"])
        env = environment()
        with env.add_source(
            RMQSource(config_of(rabbitmq), queue, True, _UpToStop())
        ).execute_and_collect() as rows:
            assert list(rows) == ["a"]
        assert read(rabbitmq, queue, 1) == [("b", "b")]

    def test_a_prefetch_count_lets_the_server_send_no_more_than_that(self, rabbitmq: RabbitServer) -> None:
        queue = new_queue()
        write(rabbitmq, queue, [*(f"m{n}" for n in range(100)), "stop"])
        source = environment("20 ms").add_source(RMQSource(config_of(rabbitmq, 10), queue, True, _UpToStop()))
        with source.execute_and_collect() as rows:
            assert list(rows) == [f"m{n}" for n in range(100)]

    def test_messages_that_come_again_after_a_failure_are_left_out(self, rabbitmq: RabbitServer) -> None:
        queue = new_queue()
        write(rabbitmq, queue, [f"m{n}" for n in range(50)])
        with _running(rabbitmq, queue) as (before, records):
            _wait_until(lambda: len(records) == 50)
            state = before.snapshot_state(1)
        # The checkpoint is complete, and nobody could say so to the server any more.
        write(rabbitmq, queue, ["new"])
        with _running(rabbitmq, queue, state) as (after, records):
            _wait_until(lambda: records)
            assert records == ["new"]
            assert len(after.snapshot_state(2)) == 51
            after.notify_checkpoint_complete(2)
            _wait_until(lambda: not after.snapshot_state(3))
        assert waiting(rabbitmq, queue) == 0

    @pytest.mark.parametrize("interval", [None, "20 ms"])
    def test_a_queue_that_is_deleted_fails_the_job_and_is_no_end(
        self, rabbitmq: RabbitServer, interval: str | None
    ) -> None:
        queue = new_queue()
        write(rabbitmq, queue, ["a"])
        stream = environment(interval).add_source(
            RMQSource(config_of(rabbitmq), queue, True, SimpleStringSchema())
        )
        with stream.execute_and_collect() as rows:
            assert next(rows) == "a"
            with channel_of(rabbitmq, queue) as channel:
                channel.queue_delete(queue)
            with pytest.raises(JobFailed, match=f"gives nothing more of queue '{queue}'"):
                next(rows)

    def test_a_job_whose_queue_is_deleted_reads_the_one_that_it_declares_anew(
        self, rabbitmq: RabbitServer
    ) -> None:
        queue = new_queue()
        write(rabbitmq, queue, ["a"])
        env = environment("20 ms", "fixed-delay")
        env.configure({"restart-strategy.fixed-delay.delay": "10 ms"})
        stream = env.add_source(RMQSource(config_of(rabbitmq), queue, False, _UpToStop()))
        with stream.execute_and_collect() as rows:
            assert next(rows) == "a"
            with channel_of(rabbitmq, queue) as channel:
                channel.queue_delete(queue)
            write(rabbitmq, queue, ["b", "stop"])
            assert "b" in list(rows)

    def test_a_message_without_an_id_is_refused_where_ids_are_used(self, rabbitmq: RabbitServer) -> None:
        queue = new_queue()
        write(rabbitmq, queue, ["a"], ids=False)
        env = environment()
        env.add_source(RMQSource(config_of(rabbitmq), queue, True, SimpleStringSchema())).print()
        with pytest.raises(JobFailed, match=f"a message of queue '{queue}' has no correlation id"):
            env.execute()

    def test_a_message_that_cannot_be_read_is_shown(self, rabbitmq: RabbitServer) -> None:
        class Numbers(DeserializationSchema):
            def deserialize(self, message: bytes) -> int:
                return int(message)

        queue = new_queue()
        write(rabbitmq, queue, ["no number"])
        env = environment()
        env.add_source(RMQSource(config_of(rabbitmq), queue, False, Numbers())).print()
        with pytest.raises(
            JobFailed, match=f"queue '{queue}': the message b'no number' cannot be read: ValueError"
        ):
            env.execute()

    def test_messages_that_cannot_be_read_are_skipped_or_go_to_another_queue(
        self, rabbitmq: RabbitServer
    ) -> None:
        class Numbers(DeserializationSchema):
            def deserialize(self, message: bytes) -> int:
                return int(message)

            def is_end_of_stream(self, next_element: Any) -> bool:
                return bool(next_element == 0)

        def rows(policy: Any) -> list[Any]:
            queue = new_queue()
            write(rabbitmq, queue, ["1", "no number", "3", "0"])
            source = RMQSource(config_of(rabbitmq), queue, True, Numbers()).set_bad_message_policy(policy)
            with environment().add_source(source).execute_and_collect() as found:
                return list(found)

        broken = new_queue()
        assert rows("skip") == [1, 3]
        assert rows(RMQDeadLetterQueue(config_of(rabbitmq), broken)) == [1, 3]
        assert read(rabbitmq, broken, 1) == [("no number", "no number")]

    def test_a_schema_that_cannot_work_now_makes_no_message_bad(self, rabbitmq: RabbitServer) -> None:
        class Away(DeserializationSchema):
            def deserialize(self, message: bytes) -> int:
                raise OutsideError("the registry is away")

        queue = new_queue()
        write(rabbitmq, queue, ["a"])
        source = RMQSource(config_of(rabbitmq), queue, True, Away()).set_bad_message_policy("skip")
        env = environment()
        env.add_source(source).print()
        with pytest.raises(JobFailed, match="the registry is away"):
            env.execute()
        assert waiting(rabbitmq, queue) == 1

    @pytest.mark.parametrize("parallelism", [1, 2])
    def test_a_sink_writes_each_record_with_its_correlation_id(
        self, rabbitmq: RabbitServer, parallelism: int
    ) -> None:
        queue = new_queue()
        env = environment()
        env.set_parallelism(parallelism)
        rows = [f"m{n}" for n in range(1_000)]
        env.from_collection(rows).add_sink(
            RMQSink(
                config_of(rabbitmq), queue, SimpleStringSchema(), correlation_id=lambda row: f"id of {row}"
            )
        )
        env.execute()
        assert sorted(read(rabbitmq, queue, 1_000)) == sorted((row, f"id of {row}") for row in rows)

    def test_what_a_sink_has_written_survives_the_server(self, rabbitmq: RabbitServer) -> None:
        queue = new_queue()
        env = environment()
        rows = [f"m{n}" for n in range(1_000)]
        env.from_collection(rows).add_sink(RMQSink(config_of(rabbitmq), queue, SimpleStringSchema()))
        env.execute()
        rabbitmq.kill()
        rabbitmq.start()
        assert [body for body, _ in read(rabbitmq, queue, 1_000)] == rows

    def test_a_job_goes_on_writing_when_its_server_is_back(self, rabbitmq: RabbitServer) -> None:
        source, target = new_queue(), new_queue()
        write(rabbitmq, source, [f"m{n}" for n in range(300)])
        env = environment("50 ms", "fixed-delay")
        env.configure(
            {"restart-strategy.fixed-delay.attempts": "1000", "restart-strategy.fixed-delay.delay": "50 ms"}
        )
        stream = env.add_source(RMQSource(config_of(rabbitmq), source, True, _UpToStop()))
        stream.add_sink(RMQSink(config_of(rabbitmq), target, SimpleStringSchema()))
        job = env.execute_async()
        _wait_until(lambda: waiting(rabbitmq, target) >= 100)
        rabbitmq.kill()
        rabbitmq.start()
        write(rabbitmq, source, [*(f"later {n}" for n in range(100)), "stop"])
        job.get_job_execution_result().result()
        seen = {body for body, _ in read(rabbitmq, target, 400)}
        assert seen == {*(f"m{n}" for n in range(300)), *(f"later {n}" for n in range(100))}

    def test_messages_for_a_queue_that_is_gone_fail_the_job(self, rabbitmq: RabbitServer) -> None:
        queue = new_queue()

        class Elsewhere(RMQSink):
            def setup_queue(self, channel: Any) -> None:
                pass

        env = environment()
        env.from_collection(["a", "b"]).add_sink(Elsewhere(config_of(rabbitmq), queue, SimpleStringSchema()))
        with pytest.raises(
            JobFailed, match=rf"messages came back .* with NO_ROUTE: there is no queue '{queue}' any more"
        ):
            env.execute()

    def test_the_end_of_the_stream_is_known_when_it_comes_again(self, rabbitmq: RabbitServer) -> None:
        queue = new_queue()
        write(rabbitmq, queue, ["a", "stop"])
        with _running(rabbitmq, queue, schema=_UpToStop()) as (before, records):
            _wait_until(lambda: len(before.snapshot_state(1)) == 2)
            state = before.snapshot_state(2)
        # The checkpoint is complete, and nobody could say so to the server any more.
        with _running(rabbitmq, queue, state, schema=_UpToStop()) as (after, records):
            _wait_until(lambda: after._last_tag == 2)
            after.snapshot_state(3)
            after.notify_checkpoint_complete(3)
            _wait_until(lambda: after.has_returned)
            assert records == []
        assert waiting(rabbitmq, queue) == 0

    def test_the_programs_of_the_page_about_rabbitmq_print_what_it_says(
        self, rabbitmq: RabbitServer, tmp_path: Path
    ) -> None:
        page = tmp_path / "rabbitmq.md"
        text = (ROOT / WITH_RABBITMQ).read_text("utf-8")
        page.write_text(text.replace("5672", str(rabbitmq.port)), "utf-8")
        finished = run_page(page, tmp_path)
        assert finished.returncode == 0, f"{finished.stderr}\n{finished.stdout}"

    def test_a_job_whose_server_dies_goes_on_exactly_once(self, rabbitmq: RabbitServer) -> None:
        queue = new_queue()
        before, after = [f"m{n}" for n in range(300)], [f"later {n}" for n in range(100)]
        write(rabbitmq, queue, before)
        env = environment("50 ms", "fixed-delay")
        env.configure(
            {"restart-strategy.fixed-delay.attempts": "1000", "restart-strategy.fixed-delay.delay": "50 ms"}
        )
        stream = env.add_source(RMQSource(config_of(rabbitmq), queue, True, _UpToStop()))
        with stream.key_by(lambda value: value).process(_Count()).execute_and_collect() as rows:
            seen = {next(rows) for _ in range(200)}
            rabbitmq.kill()
            rabbitmq.start()
            write(rabbitmq, queue, [*after, "stop"])
            seen.update(
                rows
            )  # rows may be collected again after a failure; a count of 2 would be a message that was
        assert seen == {(value, 1) for value in before + after}
        assert waiting(rabbitmq, queue) == 0


class _Count(KeyedProcessFunction):
    """``(value, how often it came)``."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value: str, ctx: KeyedProcessFunction.Context) -> Iterator[tuple[str, int]]:
        self.count.update((self.count.value() or 0) + 1)
        yield value, self.count.value()


class _Emitting:
    """In the place of a task: keeps what is emitted."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.collect = self.records.append
        self._lock = RLock()

    def get_checkpoint_lock(self) -> Any:
        return self._lock


class _Returning(Consumption):
    """Knows when it has come to its end by itself."""

    has_returned = False

    def run(self, ctx: Any) -> None:
        super().run(ctx)
        self.has_returned = True


@contextmanager
def _running(
    server: RabbitServer,
    queue: str,
    state: list[Any] | None = None,
    schema: DeserializationSchema | None = None,
) -> Iterator[tuple["_Returning", list[Any]]]:
    settings = QueueSettings(config_of(server), queue, True, schema or SimpleStringSchema())
    consumption = _Returning(settings, lambda channel: None, True)
    if state is not None:
        consumption.restore_state(state)
    context: Any = _Emitting()
    thread = Thread(target=consumption.run, args=(context,))
    thread.start()
    try:
        yield consumption, context.records
    finally:
        consumption.cancel()
        thread.join()


def _wait_until(condition: Any) -> None:
    for _ in range(int(PATIENCE_S / 0.05)):
        if condition():
            return
        Event().wait(0.05)
    raise AssertionError("it did not come to be")
