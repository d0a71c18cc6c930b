"""Scripted sources, collecting sinks, and jobs whose time is moved by hand."""

import pickle
from pathlib import Path
from typing import Any

import pytest

from penstock.contracts.source import InputStatus
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.elements import MIN_TIMESTAMP
from penstock.dataflow.submission import JobStatus
from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import JobCancelled, JobFailed, ProgramError
from penstock.testing import (
    CollectingSink,
    EmitWatermark,
    Fail,
    Idle,
    ManualClock,
    ManualJob,
    Pause,
    ScriptedSource,
    StreamRecord,
    collect,
)
from penstock.testing.scripted_source import ScriptPosition

NONE = WatermarkStrategy.no_watermarks()


def environment() -> StreamExecutionEnvironment:
    return StreamExecutionEnvironment.get_execution_environment()


def scripted(*script: Any, **settings: Any) -> tuple[ManualJob, list[Any]]:
    env = environment()
    sink = CollectingSink()
    env.from_source(ScriptedSource(script, **settings), NONE, "script").sink_to(sink)
    job = ManualJob(env)
    job.run_until_idle()
    return job, sink.records if job.is_done else _live(sink)


def _live(sink: CollectingSink) -> list[Any]:
    assert sink._here is not None
    return sink._here


class Reader:
    """A reader of a scripted source, and what it put out."""

    records_wanted = 100

    def __init__(self, source: ScriptedSource, position: int = 0) -> None:
        self.time = ManualClock()
        self.seen: list[Any] = []
        self.reader = source.create_reader(self)  # type: ignore[arg-type]
        self.reader.add_splits([ScriptPosition(position)])
        self.reader.notify_no_more_splits()

    def clock(self) -> ManualClock:
        return self.time

    def collect_batch(self, records: list[Any], timestamps: list[int] | None = None) -> None:
        self.seen.append((records, timestamps))

    def emit_watermark(self, watermark: int) -> None:
        self.seen.append(watermark)

    def mark_idle(self) -> None:
        self.seen.append("idle")

    def poll(self) -> InputStatus:
        return self.reader.poll_next(self)  # type: ignore[arg-type]


def test_a_script_is_done_item_by_item_and_records_in_between_go_together() -> None:
    reader = Reader(ScriptedSource(["a", StreamRecord("b", 5), EmitWatermark(5), Idle(), "c"]))
    while reader.poll() is not InputStatus.END_OF_INPUT:
        pass
    assert reader.seen == [(["a", "b"], [MIN_TIMESTAMP, 5]), 5, "idle", (["c"], None)]


def test_a_script_goes_on_from_every_position_at_which_it_was_saved() -> None:
    source = ScriptedSource(["a", EmitWatermark(1), "b", Pause(10), "c", "d"], records_per_batch=1)
    reader = Reader(source)
    while (status := reader.poll()) is not InputStatus.END_OF_INPUT:
        saved = pickle.loads(pickle.dumps(reader.reader.snapshot_state(1)))
        before = list(reader.seen)
        other = Reader(source, saved[0].position)
        while other.poll() is not InputStatus.END_OF_INPUT:
            other.time.advance(10)
        assert before + other.seen == [(["a"], None), 1, (["b"], None), (["c"], None), (["d"], None)]
        if status is InputStatus.NOTHING_AVAILABLE:
            assert reader.reader.wait_ms() == 10
            reader.time.advance(10)


def test_a_script_that_has_become_shorter_is_refused() -> None:
    with pytest.raises(ProgramError, match="go on at item 3 of a script of 1 items"):
        Reader(ScriptedSource(["a"]), 3).poll()


def test_an_empty_script_ends_at_once() -> None:
    job, rows = scripted()
    assert (rows, job.status) == ([], JobStatus.FINISHED)


def test_time_passes_only_when_the_test_says_so() -> None:
    job, rows = scripted("a", Pause(100), "b", Pause(100), "c")
    assert rows == ["a"]
    job.advance(99)
    assert rows == ["a"]
    job.advance(1)
    assert rows == ["a", "b"]
    job.advance(1_000)
    assert rows == ["a", "b", "c"]
    assert job.result().get_net_runtime() >= 0


def test_an_unbounded_script_waits_at_its_end_until_the_job_is_cancelled() -> None:
    job, rows = scripted("a", bounded=False)
    assert (rows, job.status) == (["a"], JobStatus.RUNNING)
    with pytest.raises(ProgramError, match="the job is RUNNING"):
        job.result()
    job.cancel()
    assert job.status is JobStatus.CANCELED
    with pytest.raises(JobCancelled):
        job.result()


def test_leaving_a_job_cancels_it() -> None:
    job, _ = scripted(Pause(10))
    with job:
        pass
    assert job.status is JobStatus.CANCELED


def test_a_failing_script_fails_the_job() -> None:
    job, rows = scripted("a", Fail(ValueError("as planned")), "b")
    assert rows == ["a"]
    with pytest.raises(JobFailed, match="as planned"):
        job.result()


def test_a_failure_that_is_to_come_once_leaves_a_mark(tmp_path: Path) -> None:
    fail = Fail(ValueError("only now"), once=tmp_path / "failed")
    failing, _ = scripted("a", fail, "b")
    assert failing.status is JobStatus.FAILED
    assert scripted("a", fail, "b")[1] == ["a", "b"]


def test_watermarks_of_a_script_and_periodic_ones_of_a_strategy_fire_what_waits_for_them() -> None:
    env = environment()
    sink = CollectingSink()
    strategy = WatermarkStrategy.for_monotonous_timestamps()
    script = [StreamRecord(("a", 1), 1), Pause(1_000), StreamRecord(("a", 2), 50), Pause(1_000)]
    stream = env.from_source(ScriptedSource(script, bounded=False), strategy, "script")
    from penstock.common import Time
    from penstock.windows import TumblingEventTimeWindows

    windows = stream.key_by(lambda v: v[0]).window(TumblingEventTimeWindows.of(Time.milliseconds(10)))
    windows.reduce(lambda a, b: (a[0], a[1] + b[1])).sink_to(sink)
    with ManualJob(env) as job:
        job.advance(900)
        assert sink.records == []
        job.advance(100)
        job.advance(200)
        assert sink.records == [("a", 1)]


def test_a_job_by_hand_is_of_parallelism_one() -> None:
    env = environment()
    env.set_parallelism(2)
    env.from_sequence(1, 4).sink_to(CollectingSink())
    with pytest.raises(ProgramError, match="runs at parallelism 1, and the program has 2"):
        ManualJob(env)


@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_collecting_sink_gathers_the_records_of_every_subtask(parallelism: int) -> None:
    env = environment()
    env.set_parallelism(parallelism)
    sink = CollectingSink()
    env.from_sequence(1, 1_000).map(lambda x: x * 2).sink_to(sink)
    env.execute()
    assert sorted(sink.records) == list(range(2, 2_001, 2))
    sink.clear()
    assert sink.records == []


def test_the_folder_of_a_collecting_sink_goes_with_it() -> None:
    sink = CollectingSink()
    folder = Path(sink._path)
    assert folder.is_dir()
    copy = pickle.loads(pickle.dumps(sink))
    del copy
    assert folder.is_dir()
    assert sink._folder is not None
    sink._folder.cleanup()
    assert not folder.exists()


def test_collect_brings_the_rows_of_a_stream() -> None:
    assert collect(environment().from_collection([3, 1, 2]).map(str)) == ["3", "1", "2"]
