"""One environment runs several jobs, one after the other."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    seen = []
    for factor in (10, 100):
        with numbers.map(lambda x, f=factor: x * f, output_type=Types.INT()).execute_and_collect() as values:
            seen.extend(values)
    return seen
