"""A value of a map state is yielded and then changed in place."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import MapStateDescriptor


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        descriptor = MapStateDescriptor("values", Types.STRING(), Types.PICKLED_BYTE_ARRAY())
        self.values = runtime_context.get_map_state(descriptor)

    def process_element(self, value, ctx):
        values = self.values.get("all") or []
        values.append(value)
        self.values.put("all", values)
        yield "all", values


def program(env):
    return env.from_collection([1, 2, 3], type_info=Types.INT()).key_by(lambda x: 0).process(Show())
