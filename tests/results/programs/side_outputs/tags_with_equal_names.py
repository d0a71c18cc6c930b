"""A tag made anew with the same name is the same tag."""

from pyflink.common import Types
from pyflink.datastream import OutputTag, ProcessFunction


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        yield OutputTag("same", Types.INT()), value


def program(env):
    main = env.from_collection([1, 2], type_info=Types.INT()).process(Split(), output_type=Types.INT())
    return main.get_side_output(OutputTag("same", Types.INT()))
