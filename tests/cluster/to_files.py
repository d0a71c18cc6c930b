"""A program for clusters: numbers with their counts, exactly once in files; ``to_files.py COUNT RATE DIRECTORY``."""

import sys

from penstock.common import Encoder, WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy
from penstock.datastream.connectors.file_system import FileSink, RollingPolicy
from tests.cluster.counting import Count


def main(count: int, rate: float, directory: str) -> None:
    """Build the program and run it."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.enable_checkpointing(100)
    source = DataGeneratorSource(lambda index: index, count, RateLimiterStrategy.per_second(rate))
    numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers").uid("numbers")
    rolling = RollingPolicy.on_checkpoint_rolling_policy()
    encoder = Encoder.simple_string_encoder()
    sink = FileSink.for_row_format(directory, encoder).with_rolling_policy(rolling).build()
    numbers.key_by(lambda number: number % 3).process(Count()).uid("count").sink_to(sink).uid("files")
    env.execute("to files")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
