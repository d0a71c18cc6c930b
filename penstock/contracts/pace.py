"""How many records are worked on at once: as many as take the time of a step."""

# Rows in a batch: from here on a batch's own cost is lost in that of its records, and it still fits the processor's cache.
BATCH_RECORDS = 4096
# Of columns; a batch of them costs more by itself, and less for each row.
MOST_RECORDS = 65_536
# For so long a task may keep the thread that it shares with others, with timers, barriers and the end of the job.
STEP_S = 0.01


class Pace:
    """``records`` grows while they are worked on quickly, and shrinks to what fits into a step; it begins with one.

    >>> pace = Pace()
    >>> pace.took(1, 0.000_01); pace.took(2, 0.000_02); pace.records
    4
    >>> pace.took(4, 0.04); pace.records
    1
    """

    __slots__ = ("_most", "records")

    def __init__(self, most: int = MOST_RECORDS) -> None:
        self._most = most
        self.records = 1

    def took(self, records: int, seconds: float) -> None:
        """So many were worked on in so long; none say nothing."""
        if not records:
            return
        if records * STEP_S < self.records * seconds:
            self.records = max(1, int(records * STEP_S / seconds))
        elif records >= self.records and self.records < self._most:
            self.records = min(self._most, 2 * self.records)
