"""A value yielded with a tag goes to the side output only."""

from pyflink.common import Types
from pyflink.datastream import OutputTag, ProcessFunction

ODD = OutputTag("odd", Types.STRING())


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        if value % 2:
            yield ODD, f"odd {value}"
        else:
            yield value


def program(env):
    main = env.from_collection([1, 2, 3, 4], type_info=Types.INT()).process(Split(), output_type=Types.INT())
    return [("main", main), ("odd", main.get_side_output(ODD))]
