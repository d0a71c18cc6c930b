"""An iteration: a part of a stream goes back to where it began, here a number until it has come down to 1.

Run it with ``python examples/iterations.py``. It prints::

    6 takes 8 steps
    7 takes 16 steps
    27 takes 111 steps
"""

from penstock.datastream import StreamExecutionEnvironment

Walk = tuple[int, int, int]


def step(walk: Walk) -> Walk:
    """Halve an even number; treble an odd one and add one. The first item is where the walk began."""
    start, number, steps = walk
    return start, number // 2 if number % 2 == 0 else 3 * number + 1, steps + 1


def main() -> None:
    """Print how long each walk is."""
    env = StreamExecutionEnvironment.get_execution_environment()
    starts = env.from_collection([(number, number, 0) for number in (27, 6, 7)])
    # The loop ends when nothing has come back for 300 ms, once all of the input is there.
    loop = starts.iterate(300)
    walks = loop.map(step)
    loop.close_with(walks.filter(lambda walk: walk[1] != 1))
    with walks.filter(lambda walk: walk[1] == 1).execute_and_collect() as arrived:
        for start, _, steps in sorted(arrived):
            print(f"{start} takes {steps} steps")


if __name__ == "__main__":
    main()
