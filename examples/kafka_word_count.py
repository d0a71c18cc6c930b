"""Lines come out of a topic of Kafka, their words are counted, and every new count goes to another topic, exactly once.

Start a broker on this machine, and run the example with its address (``localhost:9092`` if there is none)::

    docker run -d -p 9092:9092 apache/kafka:4.1.1
    python examples/kafka_word_count.py localhost:9092

Each run makes two topics of its own. It prints::

    11 counts were written, the last ones:
    and 1
    be 2
    not 1
    or 2
    question 1
    to 3
    whether 1
"""

import sys
from itertools import islice
from uuid import uuid4

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from penstock.common import Row, Types, WatermarkStrategy
from penstock.common.serialization import SerializationSchema, SimpleStringSchema
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from penstock.datastream.connectors.source_and_sink import DeliveryGuarantee
from penstock.datastream.formats.json import JsonRowDeserializationSchema, JsonRowSerializationSchema

LINES = ["to be or not to be", "or to question whether", "and"]
COUNTED = Types.ROW_NAMED(["word", "count"], [Types.STRING(), Types.LONG()])


class WordAsKey(SerializationSchema):
    """Messages of one word go to one partition, and stay in order."""

    def serialize(self, element: Row) -> bytes:
        return str(element.word).encode()


def prepare(bootstrap: str, lines: str, counts: str) -> None:
    """Make the topics, and write the lines."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    topics = [NewTopic(lines, 2, 1), NewTopic(counts, 2, 1)]
    for made in admin.create_topics(topics, request_timeout=10).values():
        made.result()
    producer = Producer({"bootstrap.servers": bootstrap})
    for line in LINES:
        producer.produce(lines, line)
    producer.flush()


def count_words(bootstrap: str, lines: str, counts: str) -> None:
    """The job. It ends with what is there now; without ``set_bounded`` it would go on with whatever comes."""
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(bootstrap)
        .set_topics(lines)
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_bounded(KafkaOffsetsInitializer.latest())
        .set_value_only_deserializer(SimpleStringSchema())
        .build()
    )
    serializer = (
        KafkaRecordSerializationSchema.builder()
        .set_topic(counts)
        .set_key_serialization_schema(WordAsKey())
        .set_value_serialization_schema(JsonRowSerializationSchema.builder().with_type_info(COUNTED).build())
        .build()
    )
    sink = (
        KafkaSink.builder()
        .set_bootstrap_servers(bootstrap)
        .set_record_serializer(serializer)
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .set_transactional_id_prefix(counts)
        .build()
    )
    env = StreamExecutionEnvironment.get_execution_environment()
    env.enable_checkpointing(1_000)
    (
        env.from_source(source, WatermarkStrategy.no_watermarks(), "lines")
        .flat_map(str.split, Types.STRING())
        .map(lambda word: (word, 1))
        .key_by(lambda pair: pair[0])
        .reduce(lambda before, one: (before[0], before[1] + one[1]))
        .map(lambda pair: Row(word=pair[0], count=pair[1]), COUNTED)
        .sink_to(sink)
    )
    env.execute("word count")


def read_counts(bootstrap: str, counts: str, expected: int) -> None:
    """Read back what was committed, until all is there: brokers show it to readers a moment after the commit.

    The last count of a word is the highest.
    """
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(bootstrap)
        .set_topics(counts)
        .set_property("isolation.level", "read_committed")
        .set_value_only_deserializer(JsonRowDeserializationSchema.builder().type_info(COUNTED).build())
        .build()
    )
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "counts")
    with stream.execute_and_collect() as results:
        rows = list(islice(results, expected))
    print(f"{len(rows)} counts were written, the last ones:")
    for word in sorted({row["word"] for row in rows}):
        print(word, max(row["count"] for row in rows if row["word"] == word))


def main() -> None:
    """Everything, one after the other."""
    bootstrap = sys.argv[1] if len(sys.argv) > 1 else "localhost:9092"
    mark = uuid4().hex[:8]
    lines, counts = f"lines-{mark}", f"counts-{mark}"
    try:
        prepare(bootstrap, lines, counts)
    except KafkaException as error:
        sys.exit(f"{bootstrap} cannot be used: {error.args[0].str()}; does a broker run there?")
    count_words(bootstrap, lines, counts)
    read_counts(bootstrap, counts, len(" ".join(LINES).split()))


if __name__ == "__main__":
    main()
