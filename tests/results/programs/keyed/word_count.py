"""Words are counted over lines, at parallelism two."""

from pyflink.common import Types

PARALLELISM = 2
ORDER = "per_key"


def program(env):
    lines = env.from_collection(["to be or", "not to be", "to"], type_info=Types.STRING())
    return (
        lines.flat_map(
            lambda line: [(w, 1) for w in line.split()], Types.TUPLE([Types.STRING(), Types.INT()])
        )
        .key_by(lambda p: p[0], key_type=Types.STRING())
        .reduce(lambda x, y: (x[0], x[1] + y[1]))
    )
