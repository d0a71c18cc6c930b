"""How fast counters grow."""

from collections import deque
from collections.abc import Iterable


class Rates:
    """The growth of counters per second over the last ``span_s``.

    >>> rates = Rates(span_s=10)
    >>> rates.note(0.0, [("a", 0)]); rates.note(4.0, [("a", 20)])
    >>> rates.per_second("a")
    5.0
    """

    def __init__(self, span_s: float = 60.0) -> None:
        self._span_s = span_s
        self._known: dict[str, deque[tuple[float, float]]] = {}

    def note(self, now_s: float, counts: Iterable[tuple[str, float]]) -> None:
        """What counters say now; called about once a second."""
        for name, count in counts:
            samples = self._known.setdefault(name, deque())
            if samples and now_s - samples[-1][0] < 0.5 and len(samples) > 1:
                samples.pop()
            samples.append((now_s, count))
            while len(samples) > 2 and samples[1][0] <= now_s - self._span_s:
                samples.popleft()

    def per_second(self, name: str) -> float:
        """0 for a counter that was read once."""
        samples = self._known.get(name)
        if not samples or samples[-1][0] <= samples[0][0]:
            return 0.0
        (then_s, before), (now_s, count) = samples[0], samples[-1]
        return (count - before) / (now_s - then_s)
