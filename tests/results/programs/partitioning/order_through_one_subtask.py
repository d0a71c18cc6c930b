"""Values that go to two subtasks and back to one: each key keeps its order."""

from pyflink.common import Types

PARALLELISM = 2
ORDER = "per_key"


def program(env):
    numbers = env.from_collection(list(range(12)), type_info=Types.INT())
    keyed = numbers.map(
        lambda x: (x % 3, x), output_type=Types.TUPLE([Types.INT(), Types.INT()])
    ).set_parallelism(1)
    return keyed.key_by(lambda p: p[0], key_type=Types.INT()).reduce(lambda x, y: y)
