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
