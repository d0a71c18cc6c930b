"""A window function changes the records that it gets, in a window that fires at each record."""

from pyflink.common import Types
from pyflink.datastream.functions import ProcessWindowFunction
from pyflink.datastream.window import CountTrigger, GlobalWindows


class Mark(ProcessWindowFunction):
    def process(self, key, context, elements):
        for element in elements:
            element.append("seen")
            yield element


def program(env):
    rows = env.from_collection([1, 2, 3], type_info=Types.INT()).map(lambda n: [n])
    return rows.key_by(lambda d: 0).window(GlobalWindows.create()).trigger(CountTrigger.of(1)).process(Mark())
