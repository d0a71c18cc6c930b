"""A KeySelector class gives the key."""

from pyflink.common import Types
from pyflink.datastream.functions import KeySelector


class Parity(KeySelector):
    def get_key(self, value):
        return value % 2


def program(env):
    numbers = env.from_collection([1, 2, 3, 4, 5], type_info=Types.INT())
    return numbers.key_by(Parity(), key_type=Types.INT()).reduce(lambda x, y: x + y)
