"""Which files a source finds, and directories that it may not read."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.connectors.files.source import FileSource
from penstock.connectors.files.source_parts import FileEnumeratorProvider
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.environment import StreamExecutionEnvironment
from penstock.errors import ProgramError
from penstock.formats.text import StreamFormat

# The first run loads what the second needs: a user without rights may not read Python's own files either.
PROGRAM = """
import os, sys
from penstock.environment import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
for path in (sys.argv[1] + "/missing", sys.argv[1]):
    env.read_text_file(path).print()
    try:
        env.execute()
    except Exception as error:
        print(error)
    if os.getuid() == 0:
        os.setuid(65534)
"""


def test_a_filter_says_which_files_are_read(tmp_path: Path) -> None:
    for name in ("a.txt", "b.log", "deep/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n")
    enumerator = FileEnumeratorProvider.default_splittable_file_enumerator(lambda path: path.endswith(".txt"))
    builder = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(tmp_path))
    env = StreamExecutionEnvironment.get_execution_environment()
    source = builder.set_file_enumerator(enumerator).build()
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "files")
    with stream.execute_and_collect() as results:
        assert list(results) == ["a.txt", "deep/c.txt"]
    with pytest.raises(ProgramError, match="path_filter is a function of a path, not 1"):
        FileEnumeratorProvider.default_splittable_file_enumerator(1)  # type: ignore[arg-type]


def test_a_directory_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "a.txt").write_text("a\n")
    closed.chmod(0)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(closed)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    closed.chmod(0o700)
    place = re.escape(str(tmp_path.parent.parent))
    assert re.search(rf"{place}\S* may not be read by this user", done.stdout), done.stdout + done.stderr
