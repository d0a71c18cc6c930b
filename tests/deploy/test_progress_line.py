"""The line that shows how far a long job is: on a terminal, and nowhere else."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.programs import MOST_S, ROOT

# Three and a half seconds of numbers, each the event time of its record.
LONG_JOB = """
import time
from penstock.common import WatermarkStrategy
from penstock.connectors.discard.sink import DiscardingSink
from penstock.datastream import StreamExecutionEnvironment

def slowly():
    for number in range(70):
        time.sleep(0.05)
        yield number

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism({parallelism})
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(lambda value, _: value)
numbers = env.add_source(slowly, "clock").assign_timestamps_and_watermarks(strategy)
numbers.sink_to(DiscardingSink())
env.execute()
"""


def run_on_terminal(script: Path) -> str:
    """What a program writes to its standard error when that is a terminal."""
    own, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(own, 4096):
            seen += chunk
    except OSError:  # how Linux says that nobody holds the other end any more
        pass
    finally:
        os.close(own)
    assert process.wait(MOST_S) == 0, seen
    return seen.decode()


@pytest.mark.slow
@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_long_job_shows_records_rate_and_watermark_and_wipes_the_line_at_its_end(
    parallelism: int, tmp_path: Path
) -> None:
    script = tmp_path / "long.py"
    script.write_text(LONG_JOB.format(parallelism=parallelism))
    seen = run_on_terminal(script)
    lines = [line for line in seen.split("\r\x1b[K") if line]
    assert lines, seen
    assert re.fullmatch(r"clock: \d+ records, \d+/s \| watermark \d+", lines[-1]), seen
    assert seen.endswith("\r\x1b[K")


@pytest.mark.slow
def test_nothing_is_shown_where_standard_error_is_no_terminal(tmp_path: Path) -> None:
    script = tmp_path / "long.py"
    script.write_text(LONG_JOB.format(parallelism=1))
    run = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=MOST_S,
        check=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    assert (run.stdout, run.stderr) == ("", "")
