"""What a list state gives is yielded and then changed."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ListStateDescriptor


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        self.values = runtime_context.get_list_state(ListStateDescriptor("values", Types.INT()))

    def process_element(self, value, ctx):
        self.values.add(value)
        shown = list(self.values.get())
        yield shown
        shown.append("lost")


def program(env):
    return env.from_collection([1, 2, 3], type_info=Types.INT()).key_by(lambda x: 0).process(Show())
