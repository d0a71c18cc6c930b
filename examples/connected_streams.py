"""Connected streams: two streams of different records that share state, here orders that wait for their payment.

Run it with ``python examples/connected_streams.py``. It prints::

    desk: paid 310
    lamp: paid 40
    shelf: ordered, never paid
"""

from collections.abc import Iterator
from typing import Any

from penstock.datastream import KeyedCoProcessFunction, StreamExecutionEnvironment
from penstock.datastream.state import ValueStateDescriptor

END_OF_TIME_MS = 2**62
ORDERS = [("o1", "lamp"), ("o2", "desk"), ("o3", "shelf")]
PAYMENTS = [("o2", 310), ("o1", 40)]


class Match(KeyedCoProcessFunction):
    """Whichever of the two comes first waits in the state of its order; state is shared by both methods."""

    def open(self, runtime_context: Any) -> None:
        """Handles of the state of the current order."""
        self.item = runtime_context.get_state(ValueStateDescriptor("item"))
        self.amount = runtime_context.get_state(ValueStateDescriptor("amount"))

    def process_element1(self, value: Any, ctx: Any) -> Iterator[str]:
        """An order."""
        self.item.update(value[1])
        ctx.timer_service().register_event_time_timer(END_OF_TIME_MS)
        yield from self.matched()

    def process_element2(self, value: Any, ctx: Any) -> Iterator[str]:
        """A payment."""
        self.amount.update(value[1])
        yield from self.matched()

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[str]:
        """A bounded stream ends with the highest watermark, so this is called for every order in the end."""
        if self.item.value() is not None:
            yield f"{self.item.value()}: ordered, never paid"

    def matched(self) -> Iterator[str]:
        """The line of an order when both are there; its state is no longer needed then."""
        if self.item.value() is not None and self.amount.value() is not None:
            yield f"{self.item.value()}: paid {self.amount.value()}"
            self.item.clear()
            self.amount.clear()


def main() -> None:
    """Print the orders, sorted: which stream is read first is not said."""
    env = StreamExecutionEnvironment.get_execution_environment()
    orders = env.from_collection(ORDERS).key_by(lambda order: order[0])
    payments = env.from_collection(PAYMENTS).key_by(lambda payment: payment[0])
    with orders.connect(payments).process(Match()).execute_and_collect() as lines:
        print("\n".join(sorted(lines)))


if __name__ == "__main__":
    main()
