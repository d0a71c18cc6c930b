"""Printed lines have the form of Flink's."""

import io
import sys
from typing import Any

import pytest

from penstock.connectors.discard.sink import DiscardingSink
from penstock.connectors.print.sink import PrintSink
from penstock.data.text_forms import print_form
from penstock.data.types import Types
from penstock.errors import OutsideError
from tests.connectors.sinking import ForRecord, ForWriter


def printed(sink: PrintSink, values: list[Any], context: ForWriter, capsys: Any) -> tuple[str, str]:
    writer = sink.create_writer(context)
    writer.write_batch(values, None, ForRecord())
    writer.write_batch([], None, ForRecord())
    writer.flush(True)
    writer.close()
    caught = capsys.readouterr()
    return caught.out, caught.err


@pytest.mark.parametrize(
    ("identifier", "index", "parallelism", "lines"),
    [
        (None, 0, 1, "a\n5\n"),
        (None, 2, 4, "3> a\n3> 5\n"),
        ("id", 2, 4, "id:3> a\nid:3> 5\n"),
        ("id", 0, 1, "id> a\nid> 5\n"),
    ],
)
def test_lines_start_with_identifier_and_subtask(
    identifier: str | None, index: int, parallelism: int, lines: str, capsys: Any
) -> None:
    context = ForWriter(index, parallelism)
    assert printed(PrintSink(identifier), ["a", 5], context, capsys) == (lines, "")
    assert printed(PrintSink(identifier, to_stderr=True), ["a", 5], context, capsys) == ("", lines)


def test_the_form_of_a_declared_type_is_used(capsys: Any) -> None:
    form = print_form(Types.TUPLE([Types.STRING(), Types.BOOLEAN()]))
    assert printed(PrintSink(form=form), [("a", True)], ForWriter(), capsys)[0] == "(a,true)\n"


def test_one_record_is_written_like_a_batch(capsys: Any) -> None:
    PrintSink("x").create_writer(ForWriter()).write(None, ForRecord())
    assert capsys.readouterr().out == "x> None\n"


def test_a_batch_is_one_write_and_one_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    class Recorded(io.StringIO):
        calls: list[str] = []  # noqa: RUF012

        def write(self, text: str) -> int:
            self.calls.append(text)
            return len(text)

        def flush(self) -> None:
            self.calls.append("flush")

    out = Recorded()
    monkeypatch.setattr(sys, "stdout", out)
    PrintSink().create_writer(ForWriter()).write_batch(["a", "b"], None, ForRecord())
    assert out.calls == ["a\nb\n", "flush"]


def test_an_output_that_is_gone_or_cannot_write_the_text_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = PrintSink().create_writer(ForWriter())
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutsideError, match="no standard output"):
        writer.write("a", ForRecord())
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    with pytest.raises(OutsideError, match="encoding ascii, which cannot write 'ä'"):
        writer.write("ä", ForRecord())
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    with pytest.raises(OutsideError, match="cannot print to standard output"):
        writer.write("a", ForRecord())


def test_discarding_takes_everything(capsys: Any) -> None:
    writer = DiscardingSink().create_writer(ForWriter())
    writer.write_batch([1, 2], [1, 2], ForRecord())
    writer.write(3, ForRecord())
    writer.flush(True)
    writer.close()
    assert capsys.readouterr() == ("", "")
