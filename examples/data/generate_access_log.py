"""Writes ``access.log``, the log of a web server that never was: ``python examples/data/generate_access_log.py``.

Visitors come, look at some pages, and leave; some come again. The same seed gives the same file.
"""

from datetime import UTC, datetime
from pathlib import Path
from random import Random

LINES = 6_000
START_S = 1_767_225_600  # 2026-01-01 00:00:00 UTC
PAGES = ("/", "/search", "/books", "/books/opticks", "/books/principia", "/cart", "/about")


def access_lines(seed: int = 7) -> list[str]:
    """The lines, in the order of their times."""
    chance = Random(seed)
    requests: list[tuple[int, str]] = []
    while len(requests) < LINES:
        # Addresses of 203.0.113.0/24 are set aside for documentation.
        visitor = f"203.0.113.{chance.randint(1, 250)}"
        second = START_S + chance.randrange(86_400)
        for _ in range(chance.randint(1, 12)):
            page, size = chance.choice(PAGES), chance.randint(300, 40_000)
            status = chance.choices((200, 304, 404, 500), (90, 6, 3, 1))[0]
            at = datetime.fromtimestamp(second, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
            requests.append((second, f'{visitor} - - [{at}] "GET {page} HTTP/1.1" {status} {size}'))
            second += chance.randint(1, 600)
    return [line for _, line in sorted(requests)[:LINES]]


if __name__ == "__main__":
    file = Path(__file__).parent / "access.log"
    file.write_text("\n".join(access_lines()) + "\n", "utf-8")
