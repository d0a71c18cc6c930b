"""A list state: add, add_all, update, iteration and clear."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ListStateDescriptor


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_list_state(ListStateDescriptor("state", Types.INT()))

    def process_element(self, value, ctx):
        yield "at first", list(self.state.get())
        self.state.add(value)
        self.state.add_all([7, 8])
        yield "added", list(self.state.get()), list(self.state)
        self.state.update([value * 2])
        yield "updated", list(self.state)
        self.state.update([])
        yield "emptied", list(self.state)
        self.state.add(5)
        self.state.clear()
        yield "cleared", list(self.state)
        self.state.add(value)


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).key_by(lambda x: 0).process(Show())
