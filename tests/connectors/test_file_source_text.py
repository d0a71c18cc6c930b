"""Lines of files: each exactly once, whatever the borders, and errors that name the file."""

import io
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.connectors.files import source_parts
from penstock.connectors.files.source import FileSource
from penstock.errors import OutsideError, ProgramError
from penstock.formats import lines
from penstock.formats.text import StreamFormat
from tests.connectors.driving import read_all, read_with_restore, running

CHARSETS = ["UTF-8", "UTF-16", "UTF-16LE", "UTF-32", "ISO-8859-1", "cp037", "Shift_JIS"]


def lines_in(path: Any, charset: str = "UTF-8", errors: str = "strict") -> FileSource:
    """A source of lines."""
    return FileSource.for_record_stream_format(StreamFormat.text_line_format(charset, errors), path).build()


def lines_of(content: str) -> list[str]:
    """The slow and obvious definition of the lines of a text, which is Java's and Python's."""
    lines = io.StringIO(content, newline=None).read().split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines


@pytest.mark.parametrize(
    "content",
    [
        "",
        "a",
        "a\n",
        "a\n\nb",
        "\n",
        "\n\n",
        "a\r\nb\r\n",
        "a\rb\nc\r",
        "a\r\r\nb",
        "ä\u2028ö\x0b\x85\n\x00\n",
    ],
)
def test_lines_end_with_newlines_and_carriage_returns_and_nothing_else(tmp_path: Path, content: str) -> None:
    file = tmp_path / "lines"
    file.write_bytes(content.encode())
    assert read_all(lines_in(file)) == lines_of(content)


@pytest.mark.parametrize("charset", ["UTF-8-SIG", "UTF-16", "UTF-32"])
def test_a_mark_of_byte_order_is_not_part_of_the_text(tmp_path: Path, charset: str) -> None:
    file = tmp_path / "lines"
    file.write_bytes("ä\nb\n".encode(charset))
    assert read_all(lines_in(file, charset)) == ["ä", "b"]
    file.write_bytes("".encode(charset) or b"\xef\xbb\xbf")
    assert read_all(lines_in(file, charset), 2) == []


def test_utf_16_without_a_mark_is_big_endian(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_bytes("a\nĊ\u0a00\n".encode("utf-16-be"))
    assert read_all(lines_in(file, "UTF-16")) == ["a", "Ċ\u0a00"]


@st.composite
def contents(draw: st.DrawFn) -> tuple[str, str]:
    charset = draw(st.sampled_from(CHARSETS))
    alphabet = st.sampled_from("ab\n\r") if charset == "cp037" else st.sampled_from("ab\n\r\\é")
    if charset.startswith("UTF"):
        alphabet = st.sampled_from("ab\n\n\r\u010aĊ\u0a0aé😀")
    if charset == "Shift_JIS":
        alphabet = st.sampled_from("a\n\rソ表")  # their second byte is that of a backslash
    return draw(st.text(alphabet, max_size=60)), charset


@given(contents(), st.data(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 9))
def test_every_line_comes_once_over_borders_blocks_and_restores(
    tmp_path_factory: pytest.TempPathFactory,
    content: tuple[str, str],
    data: st.DataObject,
    parallelism: int,
    later: int,
    block_units: int,
) -> None:
    text, charset = content
    file = tmp_path_factory.mktemp("text") / "lines"
    file.write_bytes(text.encode(charset))
    polls = data.draw(st.lists(st.integers(0, parallelism - 1), max_size=40))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BLOCK_BYTES", block_units * 4)
        patch.setattr(source_parts, "SMALLEST_PART_BYTES", 4)
        source = lines_in(file, charset)
        assert read_all(source) == lines_of(text)
        assert sorted(read_with_restore(source, polls, parallelism, later)) == sorted(lines_of(text))


def test_a_line_longer_than_any_block_is_one_record(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    long = "x" * (lines.BLOCK_BYTES * 5 + 1)
    file.write_text(f"a\n{long}\nb")
    assert read_all(lines_in(file)) == ["a", long, "b"]
    assert sorted(read_all(lines_in(file), 3)) == ["a", "b", long]


def test_a_directory_is_all_its_files_in_order_without_the_hidden_ones(tmp_path: Path) -> None:
    for name in ["b.txt", "a/2.txt", "a/10.txt", ".hidden", "_SUCCESS", "_tmp/x", "empty", "c d.txt"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("" if name == "empty" else f"{name}\n")
    assert read_all(lines_in(tmp_path)) == ["a/10.txt", "a/2.txt", "b.txt", "c d.txt"]
    assert read_all(lines_in(tmp_path.as_uri())) == ["a/10.txt", "a/2.txt", "b.txt", "c d.txt"]


def test_a_relative_path_means_the_directory_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").write_text("x")
    monkeypatch.chdir(tmp_path)
    source = lines_in("here")
    monkeypatch.chdir("/")
    assert read_all(source) == ["x"]


def test_a_url_is_read_through_fsspec() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/penstock-test/b", b"2\n3")
    memory.pipe("/penstock-test/a", b"1\n")
    memory.pipe("/penstock-test/_c", b"hidden\n")
    try:
        assert read_all(lines_in("memory://penstock-test")) == ["1", "2", "3"]
        assert read_all(lines_in("memory://penstock-test/b")) == ["2", "3"]
        with pytest.raises(OutsideError, match="memory://penstock-test/d"):
            read_all(lines_in("memory://penstock-test/d"))
    finally:
        memory.rm("/penstock-test", recursive=True)
    with pytest.raises(ProgramError, match="nosuch://x"):
        read_all(lines_in("nosuch://x"))


# Errors -----------------------------------------------------------------------------------------------------------------


def test_a_missing_file_fails_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match=r"there is no file or directory .*/nowhere; check"):
        read_all(lines_in(tmp_path / "nowhere"))


def test_a_link_to_nowhere_in_a_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutsideError, match="link"):
        read_all(lines_in(tmp_path))


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutsideError, match="not a regular file"):
        read_all(lines_in(tmp_path / "pipe"))


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0)
    if os.geteuid() == 0:  # everything may be read by root, so ask the check itself
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutsideError, match=r"secret may not be read"):
        read_all(lines_in(tmp_path / "secret"))


def test_a_file_that_vanishes_before_it_is_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_text("x\n")
    with running(lines_in(file)) as run:
        file.unlink()
        with pytest.raises(OutsideError, match=r"there is no file or directory .*/lines"):
            run.run()


@pytest.mark.parametrize("size", [0, 1, 2, 5, 9])
def test_a_file_that_shrinks_is_an_error_and_not_an_early_end(tmp_path: Path, size: int) -> None:
    file = tmp_path / "lines"
    file.write_text("1\n2\n3\n4\n5\n")
    with running(lines_in(file)) as run:
        os.truncate(file, size)
        with pytest.raises(
            OutsideError, match=f"had 10 bytes when the job started, but ends after {size} now"
        ):
            run.run()


def test_what_is_appended_later_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_text("1\n2\n")
    with running(lines_in(file)) as run:
        with file.open("a") as more:
            more.write("3\n")
        assert run.run() == ["1", "2"]


def test_bytes_that_are_not_of_the_charset_are_named_with_line_and_byte(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_bytes(b"ok\r\nok\n\xc3\xa4\xff!\nok\n")
    with pytest.raises(
        OutsideError, match=r"lines, line 3: byte 9: ff is not of the charset utf-8"
    ) as caught:
        read_all(lines_in(file))
    assert not caught.value.retryable
    assert read_all(lines_in(file, errors="replace")) == ["ok", "ok", "ä\ufffd!", "ok"]
    assert read_all(lines_in(file, "ISO-8859-1")) == ["ok", "ok", "Ã¤ÿ!", "ok"]


@pytest.mark.parametrize("charset", ["nonsense", "hex", "rot13", "idna", 5, ""])
def test_what_is_not_a_charset_is_refused(charset: object) -> None:
    with pytest.raises(ProgramError, match="there is no charset"):
        lines_in("x", charset)


@pytest.mark.parametrize("path", ["", None, b"bytes", 5])
def test_what_is_not_a_path_is_refused(path: object) -> None:
    with pytest.raises(ProgramError, match="a path is text"):
        lines_in(path)


def test_an_unknown_way_to_treat_errors_is_refused() -> None:
    with pytest.raises(ProgramError, match="'strict', 'replace' or 'ignore'"):
        lines_in("x", errors="hope")
