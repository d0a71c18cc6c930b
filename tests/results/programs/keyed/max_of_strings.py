"""Max and min_by over values that are strings."""

from pyflink.common import Types


def program(env):
    words = env.from_collection(["pear", "apple", "plum"], type_info=Types.STRING()).key_by(lambda w: 0)
    return [("max", words.max()), ("min_by", words.min_by())]
