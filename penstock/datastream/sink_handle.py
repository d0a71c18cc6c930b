"""What adding a sink returns."""

from penstock.datastream.operator_settings import OperatorSettings


class DataStreamSink(OperatorSettings):
    """The end of a stream; its operator can still be named and set."""
