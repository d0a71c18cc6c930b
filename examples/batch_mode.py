"""Batch mode: the same program gives final results only, when its input has an end.

Run it with ``python examples/batch_mode.py``. It prints::

    STREAMING: [('a', 1), ('b', 5), ('a', 3), ('b', 11)]
    BATCH: [('a', 3), ('b', 11)]
"""

from penstock.datastream import RuntimeExecutionMode, StreamExecutionEnvironment

PAIRS = [("a", 1), ("b", 5), ("a", 2), ("b", 6)]


def sums(mode: RuntimeExecutionMode) -> list[tuple[str, int]]:
    """The results of one program in a mode."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_runtime_mode(mode)
    with env.from_collection(PAIRS).key_by(lambda pair: pair[0]).sum(1).execute_and_collect() as results:
        return list(results)


def main() -> None:
    """Print both: updates as they come, and one result for each key."""
    print("STREAMING:", sums(RuntimeExecutionMode.STREAMING))
    # Records are sorted by key first, so that the state of one key at a time is enough.
    print("BATCH:", sorted(sums(RuntimeExecutionMode.BATCH)))


if __name__ == "__main__":
    main()
