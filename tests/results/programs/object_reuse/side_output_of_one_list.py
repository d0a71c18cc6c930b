"""A list goes to a side output and to the main one, and is changed in between and afterwards."""

from pyflink.common import Types
from pyflink.datastream import OutputTag, ProcessFunction

ASIDE = OutputTag("aside", Types.PICKLED_BYTE_ARRAY())


class Both(ProcessFunction):
    def process_element(self, value, ctx):
        values = [value]
        yield ASIDE, values
        values.append("more")
        yield values
        values.append("lost")


def program(env):
    main = env.from_collection([1, 2], type_info=Types.INT()).process(Both())
    return [("main", main), ("aside", main.get_side_output(ASIDE))]
