"""Lines of text, and what all formats have in common that are read from a stream of bytes."""

import codecs
from dataclasses import dataclass
from typing import Any

from penstock.data.type_information import TypeInformation
from penstock.errors import ProgramError
from penstock.formats.bad_records import OnError, check_on_error
from penstock.formats.charsets import check_charset
from penstock.formats.contract import FileAccess, FileFormat, FormatReader
from penstock.formats.lines import LineReader


class StreamFormat(FileFormat):
    """A format whose files are read from their start to their end, and decompressed on the way."""

    @staticmethod
    def text_line_format(
        charset_name: str = "UTF-8", errors: str = "strict", on_error: OnError = "fail"
    ) -> "TextLineFormat":
        """Each line is a record, without its end, which is ``\\n``, ``\\r\\n`` or, as in Java, ``\\r``.

        ``errors`` says what happens to bytes that are not of the charset: ``strict`` makes the line a bad record, for
        which ``on_error`` is asked; ``replace`` puts U+FFFD there.

        >>> StreamFormat.text_line_format("ISO-8859-1").codec
        'iso8859-1'
        """
        try:
            codecs.lookup_error(errors)
        except (LookupError, TypeError):
            raise ProgramError(f"errors must be 'strict', 'replace' or 'ignore', not {errors!r}") from None
        return TextLineFormat(check_charset(charset_name), errors, check_on_error(on_error))


@dataclass(frozen=True, slots=True)
class TextLineFormat(StreamFormat):
    """Lines of a charset; ``StreamFormat.text_line_format`` makes it."""

    codec: str = "utf-8"
    errors: str = "strict"
    on_error: OnError = "fail"

    checks_types = True
    splittable = True

    def create_reader(self, access: FileAccess) -> FormatReader:
        return _Lines(access, self.codec, self.errors, self.on_error)

    def get_produced_type(self) -> TypeInformation:
        from penstock.data.types import Types

        return Types.STRING()


class _Lines(LineReader):
    def parse(self, text: str, final: bool) -> tuple[list[Any], int]:
        if "\r" in text:
            text = text.replace("\r", "\n")  # those before a newline are gone already
        return text.split("\n"), 0
