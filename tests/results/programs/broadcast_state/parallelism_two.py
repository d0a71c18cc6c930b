"""Each of two subtasks gets every broadcast value and its part of the others."""

from pyflink.common import Types
from pyflink.datastream.functions import BroadcastProcessFunction
from pyflink.datastream.state import MapStateDescriptor

PARALLELISM = 2
ORDER = "any"
SEEN = MapStateDescriptor("seen", Types.INT(), Types.BOOLEAN())


class Collect(BroadcastProcessFunction):
    def process_element(self, value, ctx):
        yield "element", value

    def process_broadcast_element(self, value, ctx):
        yield "broadcast", value


def program(env):
    words = env.from_collection(["a", "b"], type_info=Types.STRING())
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    return words.connect(numbers.broadcast(SEEN)).process(Collect())
