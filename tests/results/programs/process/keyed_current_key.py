"""A keyed process function knows the key of the value."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction


class Key(KeyedProcessFunction):
    def process_element(self, value, ctx):
        yield ctx.get_current_key(), value


def program(env):
    words = env.from_collection(["a", "bb", "cc", "d"], type_info=Types.STRING())
    return [
        ("typed", words.key_by(len, key_type=Types.INT()).process(Key())),
        ("open", words.key_by(lambda w: (len(w), w)).process(Key())),
    ]
