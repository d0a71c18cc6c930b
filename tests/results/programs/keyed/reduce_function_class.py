"""A ReduceFunction is opened; the first value of a key passes without a call of reduce."""

from pyflink.common import Types
from pyflink.datastream import ReduceFunction


class Join(ReduceFunction):
    def open(self, runtime_context):
        self.mark = "+"

    def reduce(self, value1, value2):
        return value1 + self.mark + value2


def program(env):
    words = env.from_collection(["a", "bb", "c", "dd", "e"], type_info=Types.STRING())
    return words.key_by(len, key_type=Types.INT()).reduce(Join())
