"""An aggregating state is None at first, and gives the result of its accumulator."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.functions import AggregateFunction
from pyflink.datastream.state import AggregatingStateDescriptor


class Average(AggregateFunction):
    def create_accumulator(self):
        return 0, 0

    def add(self, value, accumulator):
        return accumulator[0] + value, accumulator[1] + 1

    def get_result(self, accumulator):
        return accumulator[0] / accumulator[1]

    def merge(self, a, b):
        return a[0] + b[0], a[1] + b[1]


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        kind = Types.TUPLE([Types.LONG(), Types.LONG()])
        self.state = runtime_context.get_aggregating_state(
            AggregatingStateDescriptor("state", Average(), kind)
        )

    def process_element(self, value, ctx):
        before = self.state.get()
        self.state.add(value)
        yield before, self.state.get()
        if value == 3:
            self.state.clear()


def program(env):
    return env.from_collection([1, 2, 3, 4, 8], type_info=Types.INT()).key_by(lambda x: 0).process(Show())
