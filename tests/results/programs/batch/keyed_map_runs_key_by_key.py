"""In batch mode a keyed function gets all values of one key before those of the next."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction

MODE = "BATCH"
ORDER = "per_key"


class Runs(KeyedProcessFunction):
    """Tells for each value how many changes of the key this subtask has seen."""

    def open(self, runtime_context):
        self.keys = []

    def process_element(self, value, ctx):
        if not self.keys or self.keys[-1] != value[0]:
            self.keys.append(value[0])
        yield value[0], value[1], self.keys.count(value[0])


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("b", 5), ("a", 6)],
        type_info=Types.TUPLE([Types.STRING(), Types.INT()]),
    )
    return pairs.key_by(lambda p: p[0], key_type=Types.STRING()).process(Runs())
