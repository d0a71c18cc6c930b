"""Sessions of a web server's visitors: a visit ends when nothing has been asked for half an hour.

Run it with ``python examples/sessions.py [LOG]``; without an argument it reads ``examples/data/access.log``. It prints::

    6000 requests in 796 sessions; the longest:
    203.0.113.216: 40 pages, 773646 bytes, 91 minutes
    203.0.113.223: 25 pages, 480215 bytes, 91 minutes
    203.0.113.4: 25 pages, 473629 bytes, 106 minutes
"""

import re
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from penstock.common import Duration, Time, WatermarkStrategy
from penstock.datastream import ProcessWindowFunction, StreamExecutionEnvironment
from penstock.datastream.window import EventTimeSessionWindows

LOG = Path(__file__).parent / "data" / "access.log"
LINE = re.compile(r'(\S+) \S+ \S+ \[([^]]+)] "\S+ (\S+) [^"]*" \d{3} (\d+|-)')


class Request(NamedTuple):
    """A line of the log."""

    visitor: str
    at_ms: int
    page: str
    size_bytes: int


def parse(line: str) -> Iterator[Request]:
    """The request of a line in the Common Log Format; nothing for other lines."""
    found = LINE.match(line)
    if found:
        at = datetime.strptime(found[2], "%d/%b/%Y:%H:%M:%S %z")
        yield Request(found[1], int(at.timestamp()) * 1000, found[3], int(found[4].replace("-", "0")))


class Session(ProcessWindowFunction[Request, Any, str, Any]):
    """Pages, bytes and seconds of one visit."""

    def process(self, key: str, context: Any, elements: Iterable[Request]) -> Iterator[Any]:
        """Called when the gap after the last request of a visit has passed."""
        visit = list(elements)
        times = [request.at_ms for request in visit]
        seconds = (max(times) - min(times)) // 1000
        yield len(visit), sum(request.size_bytes for request in visit), seconds, key


def main(log: str) -> None:
    """Print the longest visits."""
    env = StreamExecutionEnvironment.get_execution_environment()
    in_order = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(5))
    sessions = (
        env.read_text_file(log)
        .flat_map(parse)
        .assign_timestamps_and_watermarks(in_order.with_timestamp_assigner(lambda request, _: request.at_ms))
        .key_by(lambda request: request.visitor)
        .window(EventTimeSessionWindows.with_gap(Time.minutes(30)))
        .process(Session())
    )
    with sessions.execute_and_collect() as results:
        visits = sorted(results, reverse=True)
    print(f"{sum(visit[0] for visit in visits)} requests in {len(visits)} sessions; the longest:")
    for pages, size_bytes, seconds, visitor in visits[:3]:
        print(f"{visitor}: {pages} pages, {size_bytes} bytes, {seconds // 60} minutes")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(LOG))
