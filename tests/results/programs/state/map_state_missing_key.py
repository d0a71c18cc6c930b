"""A missing key of a map state: get, the operator, and remove."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import MapStateDescriptor


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_map_state(MapStateDescriptor("state", Types.STRING(), Types.INT()))

    def process_element(self, value, ctx):
        self.state.remove("missing")
        yield self.state.get("missing"), self.state["missing"]


def program(env):
    return env.from_collection([1], type_info=Types.INT()).key_by(lambda x: 0).process(Show())
