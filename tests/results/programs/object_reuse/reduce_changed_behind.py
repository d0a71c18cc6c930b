"""A function behind a reduce changes what it gets; the sums go on from what the reduce gave."""

from pyflink.common import Types


def double(pair):
    pair[1] *= 10
    return pair


def program(env):
    pairs = env.from_collection([1, 2, 3], type_info=Types.INT()).map(lambda n: [0, n])
    return (
        pairs.key_by(lambda pair: pair[0])
        .reduce(lambda a, b: [a[0], a[1] + b[1]])
        .disable_chaining()
        .map(double)
    )
