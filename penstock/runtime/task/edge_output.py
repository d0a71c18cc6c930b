"""The way out of a task over one edge: keys, partitioner, a channel per receiver, small batches gathered into large ones."""

from penstock.data.batch import Batch, ColumnBatch, RowBatch, concat_rows
from penstock.data.elements import Element, Watermark
from penstock.errors import PenstockError
from penstock.network.channel import OutputChannel
from penstock.network.partitioners import CustomPartitioner, Partitioner
from penstock.operators.contract import OperatorContext
from penstock.operators.user_code import user_error
from penstock.runtime.task.keying import KeyExtractor
from penstock.runtime.task.scatter import Scatter

GATHER_RECORDS = 2048


class EdgeOutput:
    """Sends batches to the channels that the partitioner says.

    With several channels the parts of a batch are gathered per channel until they are worth sending; ``flush`` sends them
    anyway: the task calls it before every signal, when it runs out of input, and when the buffer timeout has passed.
    ``scatter`` deals out the records of a keyed edge faster, where their keys allow it.
    """

    def __init__(
        self,
        context: OperatorContext,
        channels: list[OutputChannel],
        partitioner: Partitioner,
        keys: KeyExtractor | None,
        buffer_timeout_ms: int,
        scatter: Scatter | None = None,
    ) -> None:
        self._context = context
        self.channels = channels
        self._partitioner = partitioner
        self._keys = keys
        self._gathers = len(channels) > 1 and buffer_timeout_ms != 0
        self._parts: list[list[RowBatch]] = [[] for _ in channels]
        self._counts = [0] * len(channels)
        self._scatter = scatter if self._gathers else None
        self.has_pending = False
        if len(channels) == 1 and not isinstance(partitioner, CustomPartitioner):
            self._only = channels[0]
            self.emit = self._emit_only  # type: ignore[method-assign]

    @property
    def available(self) -> bool:
        """Whether every channel has room."""
        return all(channel.available for channel in self.channels)

    @property
    def sent_bytes(self) -> int:
        """What has left the process."""
        return sum(channel.sent_bytes for channel in self.channels)

    def emit(self, batch: Batch) -> None:
        """Send a batch."""
        if self._scatter is not None and type(batch) is RowBatch and batch.timestamps is None:
            dealt = self._deal_out(self._scatter, batch)
            if dealt < len(batch) and not self._scatter.takes(batch.values[dealt]):
                self._deal_whole(self._scatter)
                dealt += self._deal_out(self._scatter, batch.slice(dealt, len(batch)))
            if dealt == len(batch):
                return
            batch = batch.slice(dealt, len(batch))  # its first record fails, and is explained
        if self._keys is not None:
            batch = self._keys.keyed(batch)
        try:
            parts = self._partitioner.partition(batch)
        except Exception as error:
            raise user_error(self._context, error) from error
        for index, part in enumerate(parts):
            if part is not None:
                self._send(index, part)

    def _deal_out(self, scatter: Scatter, batch: RowBatch) -> int:
        dealt = scatter.add(batch)
        self.has_pending = True
        for index, count in enumerate(self._counts):
            if count + scatter.waiting(index) >= GATHER_RECORDS:
                self._flush_channel(index)
        return dealt

    def _deal_whole(self, scatter: Scatter) -> None:
        for index in range(len(self.channels)):
            self._collect_dealt(index)
        scatter.deal_whole()

    def _emit_only(self, batch: Batch) -> None:
        if self._keys is not None:
            batch = self._keys.keyed(batch)
        self._put(self._only, batch)

    def _put(self, channel: OutputChannel, batch: Batch) -> None:
        try:
            channel.put(batch)
        except PenstockError as error:  # a record that cannot be pickled
            raise error.at(self._context.place) from error.__cause__

    def _send(self, index: int, part: Batch) -> None:
        if isinstance(part, ColumnBatch) or not self._gathers:
            self._put(self.channels[index], part)
            return
        self._collect_dealt(index)
        self._parts[index].append(part)
        self._counts[index] += len(part)
        self.has_pending = True
        if self._counts[index] >= GATHER_RECORDS:
            self._flush_channel(index)

    def _collect_dealt(self, index: int) -> None:
        """Put what was dealt out to a channel behind what was gathered before, with its keys."""
        if self._scatter is not None and self._scatter.waiting(index):
            assert self._keys is not None
            dealt = self._scatter.take(index)
            self._parts[index].append(self._keys.keyed_again(dealt))
            self._counts[index] += len(dealt)

    def _flush_channel(self, index: int) -> None:
        self._collect_dealt(index)
        parts = self._parts[index]
        if parts:
            self._parts[index] = []
            self._counts[index] = 0
            self._put(self.channels[index], concat_rows(parts))

    def flush(self) -> None:
        """Send what was gathered."""
        if self.has_pending:
            self.has_pending = False
            for index in range(len(self.channels)):
                self._flush_channel(index)

    def signal(self, element: Element) -> None:
        """Send a signal to every channel, behind everything emitted so far."""
        self.flush()
        for channel in self.channels:
            channel.put(element)

    def watermark(self, timestamp: int) -> None:
        """Send a watermark to every channel."""
        self.signal(Watermark(timestamp))

    def close(self) -> None:
        """Release the key selector."""
        if self._keys is not None:
            self._keys.close()
