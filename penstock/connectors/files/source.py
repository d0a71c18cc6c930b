"""PyFlink's way to a source of files, over the source of lines."""

from dataclasses import dataclass
from typing import Any

from penstock.connectors.text.source import TextFileSource
from penstock.errors import ProgramError


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """How a file becomes records; here: lines of a charset."""

    charset_name: str

    @staticmethod
    def text_line_format(charset_name: str = "UTF-8") -> "StreamFormat":
        """Each line a record."""
        return StreamFormat(charset_name)


class FileSourceBuilder:
    """Collects the settings of a source of files."""

    def __init__(self, stream_format: StreamFormat, paths: tuple[str, ...]) -> None:
        if not isinstance(stream_format, StreamFormat):
            raise ProgramError(
                f"a StreamFormat is expected, not {stream_format!r}; StreamFormat.text_line_format() reads lines"
            )
        if len(paths) != 1:
            raise ProgramError(
                f"{len(paths)} paths are given; a source reads one file or one directory, and union joins several"
            )
        self._format = stream_format
        self._path = paths[0]

    def process_static_file_set(self) -> "FileSourceBuilder":
        """Read what is there when the job starts, and end; the only way there is."""
        return self

    def monitor_continuously(self, discovery_interval: Any) -> "FileSourceBuilder":
        """Waiting for new files is not in this version.

        :raises ProgramError: always, as the job would end where the program expects it to go on.
        """
        raise ProgramError(
            f"monitor_continuously({discovery_interval!r}): this version does not wait for new files; use "
            "process_static_file_set, or a SourceFunction that looks for them"
        )

    def build(self) -> TextFileSource:
        """The source."""
        return TextFileSource(self._path, self._format.charset_name)


class FileSource(TextFileSource):
    """Begins sources of files."""

    @staticmethod
    def for_record_stream_format(stream_format: StreamFormat, *paths: str) -> FileSourceBuilder:
        """Begin a source of the records of files."""
        return FileSourceBuilder(stream_format, paths)
