"""In batch mode a keyed function of two inputs gets, for each key, which input first."""

from pyflink.common import Types
from pyflink.datastream import KeyedCoProcessFunction

MODE = "BATCH"
ORDER = "any"


class Show(KeyedCoProcessFunction):
    def process_element1(self, value, ctx):
        yield ctx.get_current_key(), 1, value

    def process_element2(self, value, ctx):
        yield ctx.get_current_key(), 2, value


def program(env):
    left = env.from_collection(["a", "b", "a"], type_info=Types.STRING())
    right = env.from_collection(["b", "a"], type_info=Types.STRING())
    keyed = left.connect(right).key_by(lambda w: w, lambda w: w, key_type=Types.STRING())
    return keyed.process(Show())
