"""A sequence of numbers read by two subtasks has each number once."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream.connectors.number_seq import NumberSequenceSource

PARALLELISM = 2
ORDER = "any"


def program(env):
    numbers = env.from_source(NumberSequenceSource(1, 9), WatermarkStrategy.no_watermarks(), "numbers")
    return numbers.map(lambda x: x * 2, output_type=Types.LONG())
