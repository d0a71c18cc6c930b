"""Input files, made once with fixed seeds and kept in a directory of the system's temporary files."""

import os
import random
import string
import tempfile
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

WORDS_A_LINE = 12
DISTINCT_WORDS = 83_000
EVENTS_PER_SECOND = 10_000
LATEST_MS = 1_000


def cache_directory() -> Path:
    """Where the files are; ``BENCH_CACHE`` names another place."""
    named = os.environ.get("BENCH_CACHE")
    return Path(named or Path(tempfile.gettempdir()) / f"penstock-benchmarks-{os.getuid()}")


def text_file(words: int) -> str:
    """English-like text: word lengths and a Zipf distribution as in a book."""
    return _made(f"text-{words}.txt", lambda: _text_lines(words))


def events_file(rows: int, keys: int) -> str:
    """``key,ts,value`` lines without a header: keys ``k0`` and so on, times in milliseconds that are up to 1 s late."""
    return _made(f"events-{rows}-{keys}.csv", lambda: _event_lines(rows, keys))


def compressed_file(path: str) -> str:
    """The same file in gzip's form."""
    target = Path(f"{path}.gz")
    if not target.exists():
        import gzip
        import shutil

        unfinished = target.with_suffix(f".{os.getpid()}")
        with open(path, "rb") as plain, gzip.open(unfinished, "wb") as compressed:
            shutil.copyfileobj(plain, compressed, 1 << 20)
        unfinished.replace(target)
    return str(target)


def parquet_file(path: str) -> str:
    """The rows of a file of events in Parquet's form."""
    target = Path(f"{path}.parquet")
    if not target.exists():
        from pyarrow import csv, parquet

        unfinished = target.with_suffix(f".{os.getpid()}")
        names = csv.ReadOptions(column_names=["key", "ts", "value"])
        parquet.write_table(csv.read_csv(path, names), unfinished, row_group_size=250_000)
        unfinished.replace(target)
    return str(target)


def _made(name: str, lines: Callable[[], Iterator[str]]) -> str:
    path = cache_directory() / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(lines())
        unfinished.replace(path)  # a run that was interrupted leaves no half file under the name
    return str(path)


def _text_lines(words: int) -> Iterator[str]:
    chance = random.Random(1704)
    vocabulary = [
        "".join(chance.choices(string.ascii_lowercase, k=_length(chance))) for _ in range(DISTINCT_WORDS)
    ]
    weights = list(accumulate(1 / (rank + 2.7) for rank in range(DISTINCT_WORDS)))
    for start in range(0, words, WORDS_A_LINE):
        count = min(WORDS_A_LINE, words - start)
        yield " ".join(chance.choices(vocabulary, cum_weights=weights, k=count)) + "\n"


def _length(chance: random.Random) -> int:
    return max(1, round(chance.gauss(6, 2.5)))


def _event_lines(rows: int, keys: int) -> Iterator[str]:
    chance = random.Random(1705)
    random_below = chance.random
    for row in range(rows):
        at_ms = row * 1000 // EVENTS_PER_SECOND + LATEST_MS - int(random_below() * LATEST_MS)
        yield f"k{int(random_below() * keys)},{at_ms},{int(random_below() * 1000)}\n"
