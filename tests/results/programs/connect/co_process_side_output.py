"""A CoProcessFunction may give values to a side output."""

from pyflink.common import Types
from pyflink.datastream import CoProcessFunction, OutputTag

ORDER = "any"
WORDS = OutputTag("words", Types.STRING())


class Both(CoProcessFunction):
    def process_element1(self, value, ctx):
        yield value

    def process_element2(self, value, ctx):
        yield WORDS, value


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    words = env.from_collection(["a"], type_info=Types.STRING())
    main = numbers.connect(words).process(Both(), output_type=Types.INT())
    return [("main", main), ("words", main.get_side_output(WORDS))]
