"""Broadcast state: rules that come as a stream of their own, and hold for every key from then on.

Run it with ``python examples/broadcast_rules.py``. It prints::

    ann spent 120, over the limit of 100 for EUR
    ann spent 80, over the limit of 70 for EUR
"""

from collections.abc import Iterator
from typing import Any

from penstock.common import Types
from penstock.datastream import DataStream, KeyedBroadcastProcessFunction
from penstock.datastream.state import MapStateDescriptor
from penstock.testing import harness_of

LIMITS = MapStateDescriptor("limits", Types.STRING(), Types.INT())


class CheckLimits(KeyedBroadcastProcessFunction):
    """Compares payments with the limit of their currency."""

    def process_element(self, value: Any, ctx: Any) -> Iterator[str]:
        """A payment: the rules may be read here, not changed."""
        person, currency, amount = value
        limit = ctx.get_broadcast_state(LIMITS).get(currency)
        if limit is not None and amount > limit:
            yield f"{person} spent {amount}, over the limit of {limit} for {currency}"

    def process_broadcast_element(self, value: Any, ctx: Any) -> None:
        """A rule: every subtask is given it, and must do the same with it."""
        currency, limit = value
        ctx.get_broadcast_state(LIMITS).put(currency, limit)


def warnings(payments: DataStream, limits: DataStream) -> DataStream:
    """The program: payments by person, connected with limits that go everywhere."""
    return (
        payments.key_by(lambda payment: payment[0]).connect(limits.broadcast(LIMITS)).process(CheckLimits())
    )


def main() -> None:
    """Print the warnings; a harness feeds both streams, as in a job their records come in any order."""
    harness = harness_of(warnings, 2)
    harness.process_element2(("EUR", 100))
    harness.process_element1(("ann", "EUR", 120))
    harness.process_element1(("ann", "EUR", 80))
    harness.process_element1(("bob", "USD", 60))  # there is no rule for dollars
    harness.process_element2(("EUR", 70))
    harness.process_element1(("ann", "EUR", 80))
    print("\n".join(harness.extract_output_values()))
    harness.close()


if __name__ == "__main__":
    main()
