"""A program for PyFlink, unmodified: ``import pyflink`` gives penstock.

Run it with ``penstock run --pyflink examples/pyflink_program.py``. It prints::

    (be,1)
    (not,1)
    (be,2)
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment


def main() -> None:
    """Count words, as PyFlink's users write it."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    words = env.from_collection(["be", "not", "be"], type_info=Types.STRING())
    pairs = words.map(lambda word: (word, 1), output_type=Types.TUPLE([Types.STRING(), Types.INT()]))
    pairs.key_by(lambda pair: pair[0], key_type=Types.STRING()).sum(1).print()
    env.execute("words")


if __name__ == "__main__":
    main()
