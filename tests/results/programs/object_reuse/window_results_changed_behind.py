"""A map changes the records that a window function passed on, in a window that fires at each record."""

from pyflink.common import Types
from pyflink.datastream.functions import WindowFunction
from pyflink.datastream.window import CountTrigger, GlobalWindows


class PassOn(WindowFunction):
    def apply(self, key, window, inputs):
        return list(inputs)


def mark(row):
    row.append("seen")
    return row


def program(env):
    rows = env.from_collection([1, 2, 3], type_info=Types.INT()).map(lambda n: [n])
    windows = rows.key_by(lambda d: 0).window(GlobalWindows.create()).trigger(CountTrigger.of(1))
    return windows.apply(PassOn()).disable_chaining().map(mark)
