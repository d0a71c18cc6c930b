"""How many batches a sender may send: the arithmetic alone.

The receiver grants ``window`` batches when it opens the channel, and grants as many again as it has consumed, in portions of
half a window so that not every batch costs a message. What was granted and is not consumed is therefore never more than the
window, except for what the last step of the sender put beyond it. A large batch counts as several, so that a window bounds
memory, too.
"""

BATCH_BYTES = 1 << 20


def cost_of(size_bytes: int) -> int:
    """As how many batches one of so many bytes counts.

    >>> cost_of(100), cost_of(5_000_000)
    (1, 5)
    """
    return 1 + size_bytes // BATCH_BYTES


class SenderCredit:
    """The sender's count; below one means that the sender should not step. It starts with nothing.

    >>> credit = SenderCredit()
    >>> credit.grant(2)
    >>> credit.spend(1); credit.spend(1); credit.available
    False
    """

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = 0

    @property
    def available(self) -> bool:
        return self.left > 0

    def grant(self, batches: int) -> None:
        """The receiver takes so many more."""
        self.left += batches

    def spend(self, batches: int) -> None:
        """So many go out, allowed or not: the output of one step is never held back."""
        self.left -= batches


class ReceiverCredit:
    """The receiver's count of what it has consumed and not granted again.

    >>> credit = ReceiverCredit(4)
    >>> [credit.consume(1), credit.consume(1), credit.consume(5)]
    [0, 2, 5]
    """

    __slots__ = ("_consumed", "_portion", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self._portion = max(1, window // 2)
        self._consumed = 0

    def consume(self, batches: int) -> int:
        """So many were consumed; return how many to grant now."""
        self._consumed += batches
        if self._consumed < self._portion:
            return 0
        granted, self._consumed = self._consumed, 0
        return granted
