"""Which orders were paid, how fast, and which were not: an interval join of two streams, with what found no partner.

Run it with ``python examples/interval_join.py``. It prints::

    o1 (lamp) was paid 40 after 7 s
    o2 (desk) was paid 310 after 39 s
    o3 (shelf) was paid 75 after 20 s
    o4 (chair) was not paid by 93 s
    o5 (clock) was paid 25 after 1 s
"""

from collections.abc import Iterator
from typing import Any

from penstock.common import Duration, WatermarkStrategy
from penstock.datastream import DataStream, StreamExecutionEnvironment

# Order, item, and when it came, in seconds; order, amount, and when it was paid. Both lists are a little out of order.
ORDERS = [("o1", "lamp", 5), ("o2", "desk", 9), ("o4", "chair", 33), ("o3", "shelf", 30), ("o5", "clock", 95)]
PAYMENTS = [("o1", 40, 12), ("o3", 75, 50), ("o2", 310, 48), ("o4", 55, 170), ("o5", 25, 96)]


def event_time(rows: DataStream) -> DataStream:
    """Rows with their times, of which none is more than 30 seconds behind another."""
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(30))
    return rows.assign_timestamps_and_watermarks(
        strategy.with_timestamp_assigner(lambda row, timestamp: row[2] * 1000)
    )


def report(order: Any, payment: Any, ctx: Any) -> Iterator[str]:
    """A line for each order; ``payment`` is None when none came in time."""
    name = f"{order[0]} ({order[1]})"
    if payment is None:
        yield f"{name} was not paid by {ctx.get_timestamp() // 1000} s"
    else:
        seconds = (ctx.get_right_timestamp() - ctx.get_left_timestamp()) // 1000
        yield f"{name} was paid {payment[1]} after {seconds} s"


def main() -> None:
    """Print the lines, sorted by order."""
    env = StreamExecutionEnvironment.get_execution_environment()
    orders = event_time(env.from_collection(ORDERS)).key_by(lambda order: order[0])
    payments = event_time(env.from_collection(PAYMENTS)).key_by(lambda payment: payment[0])
    lines = (
        orders.interval_join(payments)
        .between(Duration.of_seconds(0), Duration.of_minutes(1))
        .left_outer()
        .process(report)
    )
    with lines.execute_and_collect() as results:
        print("\n".join(sorted(results)))


if __name__ == "__main__":
    main()
