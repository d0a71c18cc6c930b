"""The job of the torture test, a program of its own: ``python torture_job.py '{"bootstrap": ..., ...}'``.

Numbers come out of a topic, are counted by key, and go with their count into another topic, exactly once. A line on its
standard input has it stop with a savepoint.
"""

import json
import sys
import threading
from typing import Any

from penstock.common import WatermarkStrategy
from penstock.common.serialization import SimpleStringSchema
from penstock.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from penstock.datastream.connectors.kafka import (
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from penstock.datastream.connectors.source_and_sink import DeliveryGuarantee
from penstock.datastream.state import ValueStateDescriptor

KEYS = 20
TRIES = 600


class Count(KeyedProcessFunction):
    """``key:number:count``."""

    def open(self, runtime_context: Any) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", None))

    def process_element(self, value: str, ctx: Any) -> Any:
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield f"{ctx.get_current_key()}:{value}:{count}"


def build(given: dict[str, Any]) -> StreamExecutionEnvironment:
    options = {
        "execution.checkpointing.interval": f"{given.get('interval_ms', 150)} ms",
        "execution.checkpointing.dir": given["checkpoints"],
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": "1000",
        "restart-strategy.fixed-delay.delay": "10 ms",
    }
    if given.get("from"):
        options["execution.state-recovery.path"] = given["from"]
    env = StreamExecutionEnvironment.get_execution_environment(options)
    env.set_parallelism(given["parallelism"])
    env.set_max_parallelism(64)
    schema = SimpleStringSchema()
    source = KafkaSource.builder().set_bootstrap_servers(given["bootstrap"]).set_topics(given["source"])
    source.set_value_only_deserializer(schema)
    serializer = (
        KafkaRecordSerializationSchema.builder()
        .set_topic(given["target"])
        .set_value_serialization_schema(schema)
        .build()
    )
    sink = (
        KafkaSink.builder()
        .set_bootstrap_servers(given["bootstrap"])
        .set_record_serializer(serializer)
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .set_transactional_id_prefix(given["target"])
        .set_property("transaction.timeout.ms", given.get("transaction_timeout_ms", 60_000))
    )
    numbers = env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "numbers").uid("numbers")
    counted = numbers.key_by(lambda number: int(number) % KEYS).process(Count()).uid("count")
    counted.sink_to(sink.build()).uid("sink")
    return env


def run(given: dict[str, Any]) -> None:
    """Run it until somebody wants a savepoint, or for ever."""
    job = build(given).execute_async("torture")
    stop = threading.Event()
    threading.Thread(target=lambda: stop.set() if sys.stdin.readline() else None, daemon=True).start()
    execution = job.get_job_execution_result()
    while not stop.wait(0.05):
        if execution.done():
            execution.result()
    for _ in range(TRIES):
        try:
            print("savepoint:", job.stop_with_savepoint(False, given["savepoints"]).result(), flush=True)
            break
        except Exception as error:
            print("no savepoint yet:", error, flush=True)  # the job may be starting again
            stop.clear()
            stop.wait(0.1)
    execution.result()


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
