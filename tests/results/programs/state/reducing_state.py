"""A reducing state is None at first, then the first value, then what the function makes of them."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ReducingStateDescriptor


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_reducing_state(
            ReducingStateDescriptor("state", lambda a, b: a * 10 + b, Types.LONG())
        )

    def process_element(self, value, ctx):
        before = self.state.get()
        self.state.add(value)
        yield before, self.state.get()
        if value == 3:
            self.state.clear()


def program(env):
    return env.from_collection([1, 2, 3, 4, 5], type_info=Types.INT()).key_by(lambda x: 0).process(Show())
