"""The basics: map, filter, flat_map, key_by and reduce, on a few sentences.

Run it with ``python examples/basics.py``. It prints::

    a: 2 words, and
    n: 1 words, not
    o: 3 words, only
    t: 5 words, thing
    w: 1 words, what
"""

from penstock.datastream import StreamExecutionEnvironment

SENTENCES = ["to be or not to be", "or only to", "a thing and the what"]


def main() -> None:
    """Count the words by their first letter, with the longest of each."""
    # An environment collects the program; nothing runs before a result is asked for.
    env = StreamExecutionEnvironment.get_execution_environment()
    words = (
        env.from_collection(SENTENCES)
        .flat_map(lambda sentence: sentence.split())  # any number of records for each one
        .filter(lambda word: not word.startswith("b"))  # only those for which it is true
        .map(lambda word: (word[0], 1, word))  # exactly one for each
    )
    # Records with one key come together; reduce keeps one value for each key and emits it at every update.
    longest = words.key_by(lambda word: word[0]).reduce(
        lambda a, b: (a[0], a[1] + b[1], max(a[2], b[2], key=len))
    )
    # The last update of each key is its final value.
    with longest.execute_and_collect() as updates:
        final = {letter: (count, word) for letter, count, word in updates}
    for letter, (count, word) in sorted(final.items()):
        print(f"{letter}: {count} words, {word}")


if __name__ == "__main__":
    main()
