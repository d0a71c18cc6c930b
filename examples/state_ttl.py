"""State that expires: a message is let through once in a minute, and forgotten after that.

Run it with ``python examples/state_ttl.py``. It prints::

    at 0 s: disk full
    at 10 s: nothing new
    at 70 s: disk full
"""

from collections.abc import Iterator
from typing import Any

from penstock.common import Time
from penstock.datastream import KeyedProcessFunction
from penstock.datastream.state import StateTtlConfig, ValueStateDescriptor
from penstock.testing import KeyedOneInputHarness


class OnceAMinute(KeyedProcessFunction):
    """Lets the first of equal messages through."""

    def open(self, runtime_context: Any) -> None:
        """The state of a message lives for a minute, counted from when it was written, by the clock."""
        descriptor = ValueStateDescriptor("seen")
        descriptor.enable_time_to_live(
            StateTtlConfig.new_builder(Time.minutes(1)).never_return_expired().build()
        )
        self.seen = runtime_context.get_state(descriptor)

    def process_element(self, value: str, ctx: Any) -> Iterator[str]:
        """What is remembered is not said again."""
        if self.seen.value() is None:
            self.seen.update(True)
            yield value


def main() -> None:
    """Print what is let through, at three times."""
    # The harness runs one function with real state, and a clock that stands until it is moved.
    harness = KeyedOneInputHarness(OnceAMinute(), lambda message: message)
    said = 0
    for second in (0, 10, 70):
        harness.set_processing_time(second * 1000)
        harness.process_element("disk full")
        new = harness.extract_output_values()[said:]
        said += len(new)
        print(f"at {second} s: {', '.join(new) or 'nothing new'}")


if __name__ == "__main__":
    main()
