"""A join of two keyed streams by state, complete when the timer at the end fires."""

from pyflink.common import Types
from pyflink.datastream import KeyedCoProcessFunction
from pyflink.datastream.state import ListStateDescriptor

ORDER = "any"


class Join(KeyedCoProcessFunction):
    def open(self, runtime_context):
        self.left = runtime_context.get_list_state(ListStateDescriptor("left", Types.STRING()))
        self.right = runtime_context.get_list_state(ListStateDescriptor("right", Types.STRING()))

    def process_element1(self, value, ctx):
        self.left.add(value[1])
        ctx.timer_service().register_event_time_timer(1000)

    def process_element2(self, value, ctx):
        self.right.add(value[1])
        ctx.timer_service().register_event_time_timer(1000)

    def on_timer(self, timestamp, ctx):
        for left in self.left.get():
            for right in self.right.get():
                yield ctx.get_current_key(), left, right


def program(env):
    kind = Types.TUPLE([Types.INT(), Types.STRING()])
    left = env.from_collection([(1, "a"), (2, "b"), (1, "c")], type_info=kind)
    right = env.from_collection([(1, "x"), (3, "y"), (1, "z")], type_info=kind)
    connected = left.connect(right).key_by(lambda v: v[0], lambda v: v[0], key_type=Types.INT())
    return connected.process(Join(), output_type=Types.TUPLE([Types.INT(), Types.STRING(), Types.STRING()]))
