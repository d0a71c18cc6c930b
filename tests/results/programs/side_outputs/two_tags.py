"""Values with two tags go to two side outputs."""

from pyflink.common import Types
from pyflink.datastream import OutputTag, ProcessFunction

SMALL = OutputTag("small", Types.INT())
LARGE = OutputTag("large", Types.TUPLE([Types.STRING(), Types.INT()]))


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        if value < 3:
            yield SMALL, value
        if value > 1:
            yield LARGE, ("large", value)
        yield value


def program(env):
    main = env.from_collection([1, 2, 3], type_info=Types.INT()).process(Split(), output_type=Types.INT())
    return [("main", main), ("small", main.get_side_output(SMALL)), ("large", main.get_side_output(LARGE))]
