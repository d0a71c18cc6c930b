"""Compressed files: whole, put together from several, damaged."""

import bz2
import errno
import gzip
import io
import lzma
import zlib
from collections.abc import Callable

import pyarrow
import pytest

from penstock.errors import OutsideError, ProgramError
from penstock.storage.compression import compression_of, decompressed

CONTENT = b"".join(b"line %d\n" % i for i in range(60_000))


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".GZIP": gzip.compress,
    ".deflate": zlib.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: pyarrow.compress(content, codec="zstd", asbytes=True),
    ".lz4": lambda content: pyarrow.compress(content, codec="lz4", asbytes=True),
}


def _read(name: str, content: bytes) -> bytes:
    with decompressed(io.BytesIO(content), name) as stream:
        return stream.read()


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize("content", [CONTENT, b"", b"x"])
def test_a_compressed_file_gives_its_plain_bytes(ending: str, content: bytes) -> None:
    assert _read(f"a.txt{ending}", COMPRESS[ending](content)) == content


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_files_put_together_are_read_to_the_end_of_the_last(ending: str) -> None:
    compress = COMPRESS[ending]
    assert _read(f"a{ending}", compress(CONTENT) + compress(b"more")) == CONTENT + b"more"


def test_zeros_behind_a_gzip_file_are_padding() -> None:
    assert _read("a.gz", gzip.compress(b"x") + bytes(1000)) == b"x"


@pytest.mark.parametrize("ending", COMPRESS)
def test_a_file_that_ends_too_early_is_an_error_that_names_it(ending: str) -> None:
    content = COMPRESS[ending](CONTENT)
    with pytest.raises(OutsideError, match=r"a\.\w+ cannot be decompressed") as caught:
        _read(f"a{ending}", content[: len(content) // 2])
    assert not caught.value.retryable


@pytest.mark.parametrize("ending", COMPRESS)
def test_a_file_that_is_not_compressed_is_an_error_that_names_it(ending: str) -> None:
    with pytest.raises(OutsideError, match=r"cannot be decompressed: .*damaged or misnamed"):
        _read(f"a{ending}", b"just some text that is not compressed\n" * 10)


class _Failing(io.BytesIO):
    """A file on a disk or at a store that stops answering after some bytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= 100:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(100)


@pytest.mark.parametrize("ending", COMPRESS)
def test_a_file_that_cannot_be_read_is_not_taken_for_damaged(ending: str) -> None:
    stream = decompressed(_Failing(COMPRESS[ending](CONTENT)), f"a{ending}")
    with stream, pytest.raises(OutsideError, match=r"^a\.\w+ cannot be read: Input/output error") as caught:
        stream.read()
    assert caught.value.retryable


@pytest.mark.parametrize("name", ["a.zip", "b.csv.BR", "c.tar", "d.tgz"])
def test_what_cannot_be_decompressed_is_refused_rather_than_read_as_text(name: str) -> None:
    with pytest.raises(ProgramError, match=r"not supported; decompress it, or use one of \.gz"):
        compression_of(name)
