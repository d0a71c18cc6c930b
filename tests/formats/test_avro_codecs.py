"""Avro files with every codec: written here and by Java, damaged, and of codecs that cannot be read."""

import base64
import io
import sys
from pathlib import Path
from typing import Any

import fastavro
import pytest

from penstock.connectors.files.source import FileSource
from penstock.errors import OutsideError, PenstockError, ProgramError
from penstock.formats.avro import AvroInputFormat, AvroSchema
from penstock.formats.bad_records import BadRecord
from penstock.formats.record_writers import AvroBulkWriters
from tests.connectors.driving import read_all

CODECS = ["null", "deflate", "bzip2", "xz", "snappy", "zstandard"]
SCHEMA = AvroSchema.parse_string(
    '{"type":"record","name":"R","fields":[{"name":"n","type":"int"},{"name":"s","type":"string"}]}'
)
RECORDS = [{"n": n, "s": "cup cup cup cup cup"} for n in range(3)]

# Written by Avro 1.12.0 for Java, which compresses blocks of snappy with a checksum behind them.
BEGIN = (
    "T2JqAQQWYXZyby5zY2hlbWG8AXsidHlwZSI6InJlY29yZCIsIm5hbWUiOiJSIiwiZmllbGRzIjpbeyJuYW1lIjoibiIsInR5cGUiOiJpbnQifSx7"
    "Im5hbWUiOiJzIiwidHlwZSI6InN0cmluZyJ9XX0UYXZyby5jb2RlY"
)
BY_JAVA = {
    "snappy": "wxzbmFwcHkApR9Rov3GOTgkw540ZarmfQYyPxQAJmN1cCA6BAAAAk4VAAAEThUAoqE/g6UfUaL9xjk4JMOeNGWq5n0=",
    "zstandard": (
        "xJ6c3RhbmRhcmQA8AurhG9e9xj67/PC3BuZnAY2KLUv/QBYlQAAQAAmY3VwIAIEAwCAFpz0vXNF8AurhG9e9xj67/PC3BuZnA=="
    ),
    "deflate": "w5kZWZsYXRlAP13/RHEDGaEIsGL6myCkl0GIGNQSy4tUEDDTNgEWbAJAgD9d/0RxAxmhCLBi+psgpJd",
    "bzip2": (
        "wpiemlwMgA/AzVXmd1ptvuGAYBYj9+OBmpCWmg5MUFZJlNZuJ3poAAAAFGAVABBAAgAQgAgADEMCBvVCGnhl5yR1o0fF3JFOFCQuJ3poD8D"
        "NVeZ3Wm2+4YBgFiP344="
    ),
    "xz": (
        "wR4egB1RQ4Jbw7+m2ltMSDrK2x/BqAB/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AA+ABJdAAAKXkXxOicsQ8RiHzF/6+yQAAAAAJZ24bE4"
        "4RSRAAEuPzqR550ftvN9AQAAAAAEWVp1RQ4Jbw7+m2ltMSDrK2x/"
    ),
}


def read(path: Path, **how: Any) -> list[Any]:
    return read_all(FileSource.for_bulk_file_format(AvroInputFormat(SCHEMA, **how), path).build())


def written(path: Path, codec: str, records: list[Any] = RECORDS) -> Path:
    with path.open("wb") as out:
        writer = AvroBulkWriters.for_generic_record(SCHEMA, codec).create(out)
        writer.add_elements(records)
        writer.finish()
    return path


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_written_with_a_codec_is_read(tmp_path: Path, codec: str) -> None:
    path = written(tmp_path / "in.avro", codec)
    with path.open("rb") as file:
        assert fastavro.reader(file).codec == codec
    assert read(path) == RECORDS


@pytest.mark.parametrize("codec", BY_JAVA)
def test_what_java_has_written_with_a_codec_is_read(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "in.avro"
    path.write_bytes(base64.b64decode(BEGIN + BY_JAVA[codec]))
    assert read(path) == RECORDS


@pytest.mark.parametrize("codec", CODECS[1:])
def test_damaged_data_is_a_bad_record_whatever_the_codec(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "in.avro"
    blocks = io.BytesIO()
    writer = fastavro.write.Writer(blocks, SCHEMA.parsed, codec)
    for n in range(2):
        writer.write({"n": n, "s": "".join(chr(33 + i * i * 7 % 89) for i in range(300))})
        writer.flush()
    content = bytearray(blocks.getvalue())
    mark = content[-16:]  # which stands behind each block; then come the numbers of records and of bytes
    begin = content.rindex(mark, 0, -16) + 16 + 3
    content[begin : begin + 12] = bytes(byte ^ 0x5A for byte in content[begin : begin + 12])
    path.write_bytes(content)
    bad: list[BadRecord] = []
    assert [record["n"] for record in read(path, on_error=bad.append)] == [0]
    assert len(bad) == 1 and bad[0].line == 2
    with pytest.raises(OutsideError, match=r"in.avro cannot be read: .*; the file is damaged"):
        read(path)


@pytest.mark.parametrize("how", [{}, {"on_error": "skip"}])
@pytest.mark.parametrize(
    ("codec", "module"),
    [("snappy", "cramjam"), ("zstandard", "backports.zstd")][: 1 if sys.version_info >= (3, 14) else 2],
)
def test_a_codec_whose_library_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: Any, codec: str, module: str
) -> None:
    path = written(tmp_path / "in.avro", codec)
    monkeypatch.setitem(sys.modules, module, None)
    says = rf"{codec} of Avro.* needs {module}, which is not installed; .* 'penstock\[avro\]'"
    with pytest.raises(ProgramError, match=f"in.avro is compressed with the codec {says}"):
        read(path, **how)
    with pytest.raises(ProgramError, match=f"the codec {says}"):
        AvroBulkWriters.for_generic_record(SCHEMA, codec)


@pytest.mark.parametrize("how", [{}, {"on_error": "skip"}])
def test_an_unknown_codec_is_named(tmp_path: Path, how: Any) -> None:
    path = written(tmp_path / "in.avro", "null")
    path.write_bytes(path.read_bytes().replace(b"avro.codec\x08null", b"avro.codec\x08nuts"))
    with pytest.raises(
        PenstockError, match="it is compressed with the codec 'nuts', and those of Avro that are known"
    ) as said:
        read(path, **how)
    assert not said.value.retryable
    with pytest.raises(ProgramError, match=r"the codec of Avro is one of null, .*, not 'nuts'"):
        AvroBulkWriters.for_generic_record(SCHEMA, "nuts")
