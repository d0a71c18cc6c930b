"""States of one function with different names do not touch each other."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ListStateDescriptor, ValueStateDescriptor


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.INT()))
        self.values = runtime_context.get_list_state(ListStateDescriptor("values", Types.STRING()))

    def process_element(self, value, ctx):
        self.count.update((self.count.value() or 0) + 1)
        self.values.add(value)
        yield ctx.get_current_key(), self.count.value(), list(self.values)
        if self.count.value() == 2:
            self.values.clear()


def program(env):
    words = env.from_collection(["a", "b", "aa", "ab", "ba", "aaa"], type_info=Types.STRING())
    return words.key_by(lambda w: w[0], key_type=Types.STRING()).process(Show())
