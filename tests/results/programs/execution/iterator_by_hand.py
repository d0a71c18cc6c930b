"""The iterator of a collect: next gives values, at the end StopIteration, and close may follow."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    values = env.from_collection([1, 2], type_info=Types.INT()).execute_and_collect()
    seen = [values.next(), next(values)]
    try:
        values.next()
    except StopIteration as end:
        seen.append(type(end).__name__)
    values.close()
    return seen
