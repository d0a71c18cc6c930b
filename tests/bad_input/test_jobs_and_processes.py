"""Jobs that are asked too much, left early or too late, and what cannot travel to worker processes."""

import gc
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.dataflow.submission import JobStatus
from penstock.errors import JobFailed, NotSerializable, ProgramError
from tests.bad_input.programs import check_says, environment, failure_of, rows_of


class Locked:
    """Cannot be pickled."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


def unpicklable() -> dict[str, Any]:
    return {
        "lock": threading.Lock(),
        "generator": (number for number in (1, 2)),
        "object with a lock": Locked(),
        "list with a lock": [threading.Lock()],
    }


@pytest.mark.parametrize("kind", unpicklable())
def test_a_function_that_holds_what_cannot_be_pickled_names_the_variable(kind: str) -> None:
    held = unpicklable()[kind]
    stream = environment(2).from_collection([1]).map(lambda value: (held, value)[1]).name("mine")
    with pytest.raises(NotSerializable) as raised:
        rows_of(stream)
    check_says(raised.value, "its variable 'held'", "'mine'", "open()", f"made at {__file__}:")


def test_a_socket_in_a_function_names_the_variable() -> None:
    with socket.socket() as held:
        stream = environment(2).from_collection([1]).map(lambda value: (held, value)[1])
        with pytest.raises(NotSerializable) as raised:
            rows_of(stream)
    check_says(raised.value, "its variable 'held'", "socket", f"made at {__file__}:")


def test_a_file_open_for_writing_in_a_function_names_the_variable(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as held:
        stream = environment(2).from_collection([1]).map(lambda value: (held, value)[1])
        with pytest.raises(NotSerializable) as raised:
            rows_of(stream)
    check_says(raised.value, "its variable 'held'", f"made at {__file__}:")


@pytest.mark.parametrize(
    "spread", [lambda stream: stream.key_by(lambda value: value[0]), lambda stream: stream.global_()]
)
def test_a_record_that_cannot_cross_to_another_worker_is_named(spread: Callable[[Any], Any]) -> None:
    error = failure_of(
        lambda env: spread(
            env.from_collection(range(50)).map(lambda value: (value, Locked())).name("mine")
        ).map(lambda value: value[0]),
        2,
    )
    assert isinstance(error.__cause__, NotSerializable)
    check_says(
        error, "the record (", "Locked", "cannot be sent to another worker", "'mine'", f"made at {__file__}:"
    )


@pytest.mark.parametrize("parallelism", [1, 2])
def test_results_that_are_left_early_end_the_job(parallelism: int) -> None:
    threads = threading.active_count()
    with environment(parallelism).from_sequence(1, 10**9).execute_and_collect() as results:
        next(results)
    assert threading.active_count() == threads
    with pytest.raises(StopIteration):
        next(results)


@pytest.mark.parametrize("parallelism", [1, 2])
def test_results_that_are_forgotten_end_the_job_at_once(
    parallelism: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    unraisable: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    threads = threading.active_count()
    for _ in environment(parallelism).from_sequence(1, 10**9).execute_and_collect():
        break
    assert threading.active_count() == threads
    gc.collect()
    assert unraisable == []


def test_a_client_answers_after_the_end_of_its_job(capsys: pytest.CaptureFixture[str]) -> None:
    env = environment()
    env.from_collection([1]).print()
    client = env.execute_async()
    assert client.get_job_execution_result().result(120).get_job_id() == client.get_job_id()
    client.cancel().result(120)
    assert client.get_job_status().result(120) is JobStatus.FINISHED
    assert client.get_accumulators().result(120) == {}
    assert capsys.readouterr().out == "1\n"


def test_a_job_that_fails_in_the_background_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    env = environment()
    env.from_collection([1]).map(lambda value: value // 0).name("mine").print()
    result = env.execute_async("unwatched").get_job_execution_result()
    assert isinstance(result.exception(timeout=120), JobFailed)
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert all(part in record.message for part in ("'unwatched'", "ZeroDivisionError", "'mine'"))


def test_a_client_of_a_failed_job_gives_the_failure_again_and_again() -> None:
    env = environment()
    env.from_collection([0]).map(lambda value: 1 // value).print()
    client = env.execute_async()
    for _ in range(2):
        with pytest.raises(JobFailed) as raised:
            client.get_job_execution_result().result(120)
        check_says(raised.value, "ZeroDivisionError", f"{__file__}:")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.txt"
    error = failure_of(lambda env: env.read_text_file(str(missing)))
    check_says(error, str(missing), f"made at {__file__}:")


def test_a_path_through_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a line\n")
    error = failure_of(lambda env: env.read_text_file(str(tmp_path / "file" / "inner.txt")))
    check_says(error, "inner.txt", f"made at {__file__}:")


def test_text_of_another_charset_names_the_file(tmp_path: Path) -> None:
    broken = tmp_path / "latin.txt"
    broken.write_bytes(b"good\nno utf-8: \xff\xfe\n")
    error = failure_of(lambda env: env.read_text_file(str(broken)))
    check_says(error, "latin.txt, line 2", "not of the charset utf-8", f"made at {__file__}:")


def test_a_charset_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ProgramError) as raised:
        environment().read_text_file("any.txt", "nope-8")
    check_says(raised.value, "'nope-8'", "UTF-8", f"{__file__}:")
