"""An exception after values were given: whether those come out is not promised, but the job fails."""

from pyflink.common import Types
from pyflink.datastream import ProcessFunction

RAISES = "ValueError: after"


class Fails(ProcessFunction):
    def process_element(self, value, ctx):
        yield value
        raise ValueError("after")


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).process(Fails(), output_type=Types.INT())
