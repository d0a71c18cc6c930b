"""In batch mode side outputs work as in streaming mode."""

from pyflink.common import Types
from pyflink.datastream import OutputTag, ProcessFunction

MODE = "BATCH"
ODD = OutputTag("odd", Types.INT())


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        yield (ODD, value) if value % 2 else value


def program(env):
    main = env.from_collection([1, 2, 3, 4], type_info=Types.INT()).process(Split(), output_type=Types.INT())
    return [("main", main), ("odd", main.get_side_output(ODD))]
