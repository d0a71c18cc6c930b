"""What is put into a state comes back as its declared type has it: of so many keys, none is still in the cache."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ListStateDescriptor, MapStateDescriptor, ValueStateDescriptor


class Keep(KeyedProcessFunction):
    def open(self, runtime_context):
        pair = Types.TUPLE([Types.STRING(), Types.DOUBLE()])
        self.long = runtime_context.get_state(ValueStateDescriptor("long", Types.LONG()))
        self.float = runtime_context.get_state(ValueStateDescriptor("float", Types.FLOAT()))
        self.pair = runtime_context.get_state(ValueStateDescriptor("pair", pair))
        self.list = runtime_context.get_list_state(ListStateDescriptor("list", Types.DOUBLE()))
        self.map = runtime_context.get_map_state(MapStateDescriptor("map", Types.STRING(), Types.BOOLEAN()))

    def process_element(self, value, ctx):
        if value < 1300:
            self.long.update(value % 2 == 0)
            self.float.update(value / 10)
            self.pair.update(["pair", value])
            self.list.update([value, True])
            self.map.put("even", 1 - value % 2)
        else:
            yield repr(self.long.value()), repr(self.float.value()), repr(self.pair.value())
            yield repr(list(self.list.get())), repr(self.map.get("even")), ""


def program(env):
    numbers = env.from_collection([*range(1300), *range(1300, 1303)], type_info=Types.LONG())
    return numbers.key_by(lambda x: x % 1300, key_type=Types.LONG()).process(Keep())
