"""A reduce function adds into its first argument, in a window that fires at each record."""

from pyflink.common import Types
from pyflink.datastream.window import CountTrigger, GlobalWindows


def add(a, b):
    a["n"] += b["n"]
    return a


def program(env):
    rows = env.from_collection([1, 2, 3], type_info=Types.INT()).map(lambda n: {"n": n})
    return rows.key_by(lambda d: 0).window(GlobalWindows.create()).trigger(CountTrigger.of(1)).reduce(add)
