"""The streaming word count: every word of a text, with how often it has come so far.

Run it with ``python examples/word_count.py [FILE] [PARALLELISM]``; without arguments it reads Newton's Opticks.
"""

import re
import sys
from pathlib import Path

from penstock.datastream import StreamExecutionEnvironment

WORD = re.compile(r"[a-z]+")
OPTICKS = Path(__file__).parent / "data" / "opticks.txt"


def main(file: str, parallelism: int) -> None:
    """Print an update ``(word, count)`` for each word, and a summary."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(parallelism)
    words = env.read_text_file(file).flat_map(lambda line: WORD.findall(line.lower())).name("words")
    words.map(lambda word: (word, 1)).key_by(lambda pair: pair[0]).sum(1).name("count").print()
    result = env.execute("word count")

    metrics = result.get_metrics()
    updates = sum(
        value for name, value in metrics.items() if re.fullmatch(r"count\.\d+\.numRecordsOut", name)
    )
    seconds = result.get_net_runtime() / 1000
    print(f"{updates} updates in {seconds:.2f} s at parallelism {parallelism}", file=sys.stderr)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(arguments[0] if arguments else str(OPTICKS), int(arguments[1]) if len(arguments) > 1 else 1)
