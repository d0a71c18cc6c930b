"""Which of two subtasks gets a key, for keys of type string, int, long and tuple, and for keys of an open type."""

from pyflink.common import Types
from pyflink.datastream import MapFunction

PARALLELISM = 2
ORDER = "any"


class Subtask(MapFunction):
    def open(self, runtime_context):
        self.index = runtime_context.get_index_of_this_subtask()

    def map(self, value):
        return value, self.index


def program(env):
    numbers = env.from_collection(list(range(12)), type_info=Types.INT())
    pair = Types.TUPLE([Types.INT(), Types.STRING()])
    return [
        ("string", numbers.key_by(lambda x: f"key-{x}", key_type=Types.STRING()).map(Subtask())),
        ("int", numbers.key_by(lambda x: x, key_type=Types.INT()).map(Subtask())),
        ("long", numbers.key_by(lambda x: x << 33, key_type=Types.LONG()).map(Subtask())),
        ("tuple", numbers.key_by(lambda x: (x, "k"), key_type=pair).map(Subtask())),
        ("open", numbers.key_by(lambda x: x).map(Subtask())),
    ]
