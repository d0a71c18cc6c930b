"""A source of a sequence of numbers, both ends included."""

from pyflink.common import WatermarkStrategy
from pyflink.datastream.connectors.number_seq import NumberSequenceSource


def program(env):
    return env.from_source(NumberSequenceSource(3, 7), WatermarkStrategy.no_watermarks(), "numbers")
