"""Both sides of a broadcast function yield lists that they go on changing."""

from pyflink.common import Types
from pyflink.datastream.functions import BroadcastProcessFunction
from pyflink.datastream.state import MapStateDescriptor

ORDER = "any"
RULES = MapStateDescriptor("rules", Types.STRING(), Types.PICKLED_BYTE_ARRAY())


class Apply(BroadcastProcessFunction):
    def process_element(self, value, ctx):
        values = [value]
        yield values
        values.append("more")
        yield values

    def process_broadcast_element(self, value, ctx):
        rules = ctx.get_broadcast_state(RULES)
        kept = rules.get("all") or []
        kept.append(1)
        rules.put("all", kept)
        yield kept


def program(env):
    one = env.from_collection([1, 2], type_info=Types.INT())
    rules = env.from_collection([1, 1, 1], type_info=Types.INT())
    return one.connect(rules.broadcast(RULES)).process(Apply())
