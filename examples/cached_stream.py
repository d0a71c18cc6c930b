"""A cached stream: what one job has computed, later jobs of the same environment read.

Run it with ``python examples/cached_stream.py``. It prints::

    parsing 3 lines
    total: 42
    most: 30
"""

from penstock.datastream import StreamExecutionEnvironment

PARSED: list[str] = []  # of this process, where the job runs at parallelism 1


def parse(line: str) -> int:
    """Stands for work that is not to be done twice."""
    PARSED.append(line)
    return int(line.partition("=")[2])


def main() -> None:
    """Two jobs on one result."""
    env = StreamExecutionEnvironment.get_execution_environment()
    numbers = env.from_collection(["a=5", "b=30", "c=7"]).map(parse).cache()
    with numbers.execute_and_collect() as first:
        total = sum(first)
    with numbers.key_by(lambda number: "all").max().execute_and_collect() as second:
        most = list(second)[-1]
    print(f"parsing {len(PARSED)} lines")
    print(f"total: {total}")
    print(f"most: {most}")
    numbers.invalidate()  # the rows are deleted; env.close() does so for all cached streams


if __name__ == "__main__":
    main()
