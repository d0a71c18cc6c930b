"""The streams; the names of ``pyflink.datastream.data_stream``."""

from penstock.datastream.broadcast import BroadcastConnectedStream, BroadcastStream
from penstock.datastream.cached import CachedDataStream
from penstock.datastream.collected import CloseableIterator
from penstock.datastream.connected import ConnectedStreams
from penstock.datastream.iterative import ConnectedIterativeStreams, IterativeStream
from penstock.datastream.keyed import KeyedStream
from penstock.datastream.sink_handle import DataStreamSink
from penstock.datastream.stream import DataStream
from penstock.datastream.windowed import AllWindowedStream, WindowedStream

__all__ = [
    "AllWindowedStream",
    "BroadcastConnectedStream",
    "BroadcastStream",
    "CachedDataStream",
    "CloseableIterator",
    "ConnectedIterativeStreams",
    "ConnectedStreams",
    "DataStream",
    "DataStreamSink",
    "IterativeStream",
    "KeyedStream",
    "WindowedStream",
]
