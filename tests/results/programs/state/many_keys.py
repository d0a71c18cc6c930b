"""More keys than the cache of states holds."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ValueStateDescriptor


class Count(KeyedProcessFunction):
    def open(self, runtime_context):
        self.sum = runtime_context.get_state(ValueStateDescriptor("sum", Types.LONG()))

    def process_element(self, value, ctx):
        total = (self.sum.value() or 0) + value
        self.sum.update(total)
        if value >= 5990:
            yield ctx.get_current_key(), total


def program(env):
    numbers = env.from_collection(list(range(6000)), type_info=Types.LONG())
    return numbers.key_by(lambda x: x % 1500, key_type=Types.LONG()).process(Count())
