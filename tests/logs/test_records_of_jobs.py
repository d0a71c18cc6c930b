"""What user code logs says where it came from, in the own process and in worker processes."""

import logging

import pytest

from penstock.datastream import StreamExecutionEnvironment


def test_records_of_user_code_carry_job_operator_subtask_and_attempt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def say(value: int) -> int:
        logging.getLogger("shop").warning("saw %d", value)
        return value

    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_collection([7]).key_by(lambda value: value).map(say).name("speaker").print()
    result = env.execute()
    logging.getLogger("shop").warning("after")
    inside, after = [record for record in caplog.records if record.name == "shop"]
    assert inside.job_id == str(result.get_job_id())
    assert "speaker" in inside.operator
    assert (inside.subtask, inside.attempt) == (0, 0)
    assert (after.job_id, after.operator, after.subtask) == ("", "", None)


def test_in_worker_processes_too(capfd: pytest.CaptureFixture[str]) -> None:
    def say(value: int) -> int:
        import sys

        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(message)s|%(operator)s|%(subtask)s|%(attempt)s"))
        logger = logging.getLogger("shop")
        logger.addHandler(handler)
        logger.warning("saw")
        logger.removeHandler(handler)
        return value

    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(2)
    env.from_collection([7]).rebalance().map(say).name("speaker").print()
    env.execute()
    (line,) = [line for line in capfd.readouterr().out.splitlines() if "saw" in line]
    assert "speaker" in line and line.endswith(("|0|0", "|1|0"))
