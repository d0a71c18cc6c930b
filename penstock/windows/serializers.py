"""Windows as bytes: big-endian 64-bit numbers, so that earlier windows sort first as long as times are not negative."""

from abc import ABC, abstractmethod
from io import BytesIO
from struct import Struct, error
from typing import Generic, TypeVar

from penstock.errors import StateError
from penstock.windows.window import CountWindow, GlobalWindow, TimeWindow, Window

W = TypeVar("W", bound=Window)

_ONE_LONG = Struct(">q")
_TWO_LONGS = Struct(">qq")


class WindowSerializer(ABC, Generic[W]):
    """Writes windows to a stream of bytes and reads them back."""

    @abstractmethod
    def serialize(self, element: W, stream: BytesIO) -> None:
        """Write one window."""

    @abstractmethod
    def deserialize(self, stream: BytesIO) -> W:
        """Read one window; raises ``StateError`` when the stream ends within it."""

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__

    def __hash__(self) -> int:
        return hash(self.__class__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class TimeWindowSerializer(WindowSerializer[TimeWindow]):
    """Start and end.

    >>> stream = BytesIO()
    >>> TimeWindowSerializer().serialize(TimeWindow(1, 2), stream)
    >>> TimeWindowSerializer().deserialize(BytesIO(stream.getvalue()))
    TimeWindow(start=1, end=2)
    """

    def serialize(self, element: TimeWindow, stream: BytesIO) -> None:
        stream.write(_TWO_LONGS.pack(element.start, element.end))

    def deserialize(self, stream: BytesIO) -> TimeWindow:
        return TimeWindow(*_read(_TWO_LONGS, stream))


class CountWindowSerializer(WindowSerializer[CountWindow]):
    """The number of the window."""

    def serialize(self, element: CountWindow, stream: BytesIO) -> None:
        stream.write(_ONE_LONG.pack(element.id))

    def deserialize(self, stream: BytesIO) -> CountWindow:
        return CountWindow(*_read(_ONE_LONG, stream))


class GlobalWindowSerializer(WindowSerializer[GlobalWindow]):
    """One zero byte."""

    def serialize(self, element: GlobalWindow, stream: BytesIO) -> None:
        stream.write(b"\0")

    def deserialize(self, stream: BytesIO) -> GlobalWindow:
        if stream.read(1) != b"\0":
            raise StateError("a global window is written as one zero byte, but something else was found")
        return GlobalWindow.get()


def _read(layout: Struct, stream: BytesIO) -> tuple[int, ...]:
    content = stream.read(layout.size)
    try:
        return layout.unpack(content)
    except error as cause:
        raise StateError(
            f"a window is written in {layout.size} bytes, but only {len(content)} are left to read"
        ) from cause
