"""The first barrier of a process is held up no longer than any other."""

import subprocess
import sys

PROGRAM = """
import sys
from penstock.connectors.discard.sink import DiscardingSink
from penstock.contracts.functions import MapFunction
from penstock.datastream import StreamExecutionEnvironment

class Look(MapFunction):
    def map(self, value):
        return "pyarrow.parquet" in sys.modules

env = StreamExecutionEnvironment.get_execution_environment()
if sys.argv[1] == "checkpoints":
    env.enable_checkpointing(3_600_000)
numbers = env.from_collection([1]).map(Look())
with numbers.key_by(lambda value: value).reduce(lambda a, b: a).execute_and_collect() as rows:
    print(list(rows))
"""


def printed(how: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, how], check=True, capture_output=True, text=True, timeout=300
    ).stdout.strip()


def test_what_writing_state_takes_is_there_before_the_first_record_of_a_job_with_checkpoints() -> None:
    assert printed("checkpoints") == "[True]"


def test_a_job_without_checkpoints_does_not_wait_for_it() -> None:
    assert printed("none") == "[False]"
