"""A flat map yields one list that grows: each row shows it as it was when it was yielded."""

from pyflink.common import Types


def prefixes(word):
    letters = []
    for letter in word:
        letters.append(letter)
        yield letters


def program(env):
    return env.from_collection(["ab", "xyz"], type_info=Types.STRING()).flat_map(prefixes)
