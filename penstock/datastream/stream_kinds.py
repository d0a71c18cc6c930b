"""Makes streams of the other kinds, for streams that must not import them: each kind knows those it comes from, not those
that come from it."""

from typing import Any

from penstock.datastream.keyed import KeyedStream
from penstock.datastream.stream import DataStream


class StreamKinds:
    """The factory that an environment gives to its streams."""

    def keyed(self, stream: DataStream, key_selector: Any, key_type: Any) -> KeyedStream:
        """A stream spread by key."""
        return KeyedStream(stream, key_selector, key_type)

    def connected(self, first: DataStream, second: Any) -> Any:
        """Two streams for functions that see both; the second may be broadcast."""
        from penstock.datastream.broadcast import BroadcastConnectedStream, BroadcastStream
        from penstock.datastream.connected import connect

        if isinstance(second, BroadcastStream):
            return BroadcastConnectedStream(first, second)
        return connect(first, second)

    def broadcast(self, stream: DataStream, descriptors: tuple[Any, ...]) -> Any:
        """A stream for broadcast state."""
        from penstock.datastream.broadcast import BroadcastStream

        return BroadcastStream(stream, descriptors)

    def cached(self, stream: DataStream, folder: str) -> Any:
        """A stream whose rows later jobs read again."""
        from penstock.datastream.cached import CachedDataStream

        return CachedDataStream(stream, folder)

    def iterative(self, stream: DataStream, max_wait_ms: int) -> Any:
        """A stream that begins a loop."""
        from penstock.datastream.iterative import IterativeStream

        return IterativeStream(stream, max_wait_ms)

    def joined(self, first: DataStream, second: Any) -> Any:
        """Two streams for a join in windows."""
        from penstock.datastream.joined import JoinedStreams

        return JoinedStreams(first, second)

    def co_grouped(self, first: DataStream, second: Any) -> Any:
        """Two streams for a co-group in windows."""
        from penstock.datastream.joined import CoGroupedStreams

        return CoGroupedStreams(first, second)

    def partition_windowed(self, stream: DataStream) -> Any:
        """A stream whose partitions are worked on as a whole."""
        from penstock.datastream.partition_windowed import PartitionWindowedStream

        return PartitionWindowedStream(stream)

    def interval_joined(self, left: KeyedStream, right: Any) -> Any:
        """Two keyed streams for a join of records that are near in time."""
        from penstock.datastream.joined import IntervalJoin

        return IntervalJoin(left, right)
