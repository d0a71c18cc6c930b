"""In batch mode keyed state works as in streaming mode."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ListStateDescriptor

MODE = "BATCH"
ORDER = "per_key"


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        self.values = runtime_context.get_list_state(ListStateDescriptor("values", Types.INT()))

    def process_element(self, value, ctx):
        self.values.add(value[1])
        yield value[0], list(self.values)


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 2), ("a", 3), ("b", 4)], type_info=Types.TUPLE([Types.STRING(), Types.INT()])
    )
    return pairs.key_by(lambda p: p[0], key_type=Types.STRING()).process(Show())
