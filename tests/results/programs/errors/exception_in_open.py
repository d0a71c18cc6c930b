"""An exception in open fails the job."""

from pyflink.common import Types
from pyflink.datastream import MapFunction

RAISES = "RuntimeError: cannot open"


class Closed(MapFunction):
    def open(self, runtime_context):
        raise RuntimeError("cannot open")

    def map(self, value):
        return value


def program(env):
    return env.from_collection([1], type_info=Types.INT()).map(Closed(), output_type=Types.INT())
