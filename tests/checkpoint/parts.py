"""Parts of snapshots that are as long as a test wants them."""

from collections.abc import Iterator

from penstock.contracts.snapshot_parts import OpenPart, SnapshotPart

BLOCK = 1 << 18


class Part(SnapshotPart):
    """So many equal bytes, made when they are asked for; or those that are stored."""

    def __init__(self, size_bytes: int, byte: bytes = b"a") -> None:
        self._size_bytes = size_bytes
        self._byte = byte
        self._open: OpenPart | None = None
        self.walks = 0

    @classmethod
    def of_content(cls, content: bytes) -> "Part":
        return cls(len(content), content[:1])

    @classmethod
    def of_stored(cls, open_part: OpenPart) -> "Part":
        made = cls(0)
        made._open = open_part
        return made

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def content(self) -> Iterator[bytes]:
        self.walks += 1
        if self._open is not None:
            with self._open() as stream:
                while piece := stream.read(BLOCK):
                    yield piece
        for begin in range(0, self._size_bytes, BLOCK):
            yield self._byte * min(BLOCK, self._size_bytes - begin)

    def whole(self) -> bytes:
        return b"".join(self.content())
