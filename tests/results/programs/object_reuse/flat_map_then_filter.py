"""A filter behind a flat map that yields one growing list sees it as it was when it was yielded."""

from pyflink.common import Types


def prefixes(word):
    letters = []
    for letter in word:
        letters.append(letter)
        yield letters


def program(env):
    words = env.from_collection(["abcd", "xyz"], type_info=Types.STRING())
    return (
        words.flat_map(prefixes)
        .filter(lambda letters: len(letters) % 2 == 0)
        .filter(lambda letters: letters[0] != "x")
    )
