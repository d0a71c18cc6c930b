"""Without timestamps the context's timestamp is what it is, and the watermark the least there is."""

from pyflink.datastream import ProcessFunction


class Times(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp(), ctx.timer_service().current_watermark()


def program(env):
    return env.from_collection([1, 2]).process(Times())
