"""How many records are worked on at once: as many as take the time of a step."""

# Rows in a batch: from here on a batch's own cost is lost in that of its records, and it still fits the processor's cache.
BATCH_RECORDS = 4096
# Of columns; a batch of them costs more by itself, and less for each row.
MOST_RECORDS = 65_536
# For so long a task may keep the thread that it shares with others, with timers, barriers and the end of the job.
STEP_S = 0.01
# Where one record takes longer than that, two together are tried once in so many times.
_TRIED_AFTER = 32


class Pace:
    """``records`` grows while they are worked on quickly, and shrinks to what fits into a step; it begins with one.

    What a batch costs by itself, as a request to another system does, is not for its records to pay: where that is much of a
    step, a batch may take twice as long as one without records.

    >>> pace = Pace()
    >>> pace.took(1, 0.000_01); pace.took(2, 0.000_02); pace.records
    4
    >>> pace.took(4, 0.02); pace.records
    2
    """

    __slots__ = ("_by_itself_s", "_last", "_most", "_until_tried", "records")

    def __init__(self, most: int = MOST_RECORDS) -> None:
        self._most = most
        self._last = (0, 0.0)
        self._by_itself_s = 0.0
        self._until_tried = 0
        self.records = 1

    def took(self, records: int, seconds: float) -> None:
        """So many were worked on in so long; none say nothing."""
        if not records:
            return
        self._compare(records, seconds)
        own_s = min(self._by_itself_s, seconds)
        longest_s = max(STEP_S, 2 * own_s)
        if seconds > longest_s:
            fits = int(records * (longest_s - own_s) / (seconds - own_s))
            self.records = max(1, min(self.records, fits))
            if self.records == 1:
                self._try_two()
        elif records >= self.records and self.records < self._most:
            self.records = min(self._most, 2 * self.records)

    def _compare(self, records: int, seconds: float) -> None:
        """What a batch costs by itself, by the last one of another size."""
        (before, before_s), self._last = self._last, (records, seconds)
        if before and max(before, records) >= 1.5 * min(before, records):
            each_s = max(0.0, (seconds - before_s) / (records - before))
            self._by_itself_s = min(max(0.0, seconds - each_s * records), before_s, seconds)

    def _try_two(self) -> None:
        if self._until_tried == 0:
            self._until_tried = _TRIED_AFTER
            self.records = 2
        self._until_tried -= 1
