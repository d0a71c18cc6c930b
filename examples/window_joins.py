"""Window join and co-group: records of two streams that meet in a window, in pairs or all at once.

Run it with ``python examples/window_joins.py``. It prints::

    join: ada saw shoes and paid 60
    join: ada saw socks and paid 7
    co_group: ada from 0 s: 1 clicks, 1 orders
    co_group: ada from 10 s: 1 clicks, 1 orders
    co_group: bo from 0 s: 1 clicks, 0 orders
    co_group: cy from 0 s: 0 clicks, 1 orders
"""

from collections.abc import Iterable, Iterator
from typing import Any

from penstock.common import Duration, WatermarkStrategy
from penstock.datastream import DataStream, StreamExecutionEnvironment
from penstock.datastream.window import TumblingEventTimeWindows

CLICKS = [("ada", 1_000, "shoes"), ("bo", 2_000, "hat"), ("ada", 12_000, "socks")]
ORDERS = [("ada", 4_000, 60), ("cy", 5_000, 20), ("ada", 13_000, 7)]
TEN_SECONDS = TumblingEventTimeWindows.of(Duration.of_seconds(10))
IN_ORDER = WatermarkStrategy.for_monotonous_timestamps()


def streams() -> tuple[DataStream, DataStream]:
    """Both streams, in one environment."""
    env = StreamExecutionEnvironment.get_execution_environment()
    strategy = IN_ORDER.with_timestamp_assigner(lambda row, _: row[1])
    clicks = env.from_collection(CLICKS).assign_timestamps_and_watermarks(strategy)
    orders = env.from_collection(ORDERS).assign_timestamps_and_watermarks(strategy)
    return clicks, orders


def count_both(clicks: Iterable[Any], orders: Iterable[Any]) -> Iterator[str]:
    """Called once for each person and window; one side may be empty."""
    clicks, orders = list(clicks), list(orders)
    name, at_ms, _ = (clicks + orders)[0]
    yield f"{name} from {at_ms // 10_000 * 10} s: {len(clicks)} clicks, {len(orders)} orders"


def show(name: str, stream: DataStream) -> None:
    """Print the results, sorted."""
    with stream.execute_and_collect() as lines:
        for line in sorted(lines):
            print(f"{name}: {line}")


def main() -> None:
    """Print the pairs, and the groups."""
    clicks, orders = streams()
    pairs = clicks.join(orders).where(lambda click: click[0]).equal_to(lambda order: order[0])
    show("join", pairs.window(TEN_SECONDS).apply(lambda c, o: f"{c[0]} saw {c[2]} and paid {o[2]}"))

    clicks, orders = streams()
    groups = clicks.co_group(orders).where(lambda click: click[0]).equal_to(lambda order: order[0])
    show("co_group", groups.window(TEN_SECONDS).apply(count_both))


if __name__ == "__main__":
    main()
