"""Two readers of one side output, one of which changes its records."""

from pyflink.common import Types
from pyflink.datastream import OutputTag, ProcessFunction

ASIDE = OutputTag("aside", Types.PICKLED_BYTE_ARRAY())
ORDER = "any"


class Aside(ProcessFunction):
    def process_element(self, value, ctx):
        yield ASIDE, [value]


def mark(row):
    row.append("seen")
    return row


def program(env):
    aside = env.from_collection([1, 2], type_info=Types.INT()).process(Aside()).get_side_output(ASIDE)
    return aside.map(mark).union(aside.map(lambda row: row))
