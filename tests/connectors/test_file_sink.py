"""Files that a file sink writes."""

from pathlib import Path
from typing import Any

import pytest

from penstock.clock import ManualClock
from penstock.connectors.files.layout import BucketAssigner, OutputFileConfig, RollingPolicy
from penstock.connectors.files.parts import FinishedFile
from penstock.connectors.files.sink import FileSink
from penstock.contracts.serialization import Encoder
from penstock.contracts.sink import CommittingSinkWriter
from penstock.data.types import Types
from penstock.environment import StreamExecutionEnvironment
from penstock.errors import OutsideError, ProgramError
from penstock.operators.sink import SinkSpec
from penstock.testing.operator_harness import OperatorHarness
from tests.connectors.sinking import ForRecord, ForWriter


def sink_of(folder: Path, policy: RollingPolicy | None = None) -> FileSink:
    builder = FileSink.for_row_format(str(folder), Encoder.simple_string_encoder())
    builder.with_output_file_config(OutputFileConfig("out", ".txt"))
    if policy is not None:
        builder.with_rolling_policy(policy)
    return builder.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner()).build()


def writer_of(sink: FileSink, context: ForWriter) -> CommittingSinkWriter:
    writer = sink.create_writer(context)
    assert isinstance(writer, CommittingSinkWriter)
    return writer


def write(writer: CommittingSinkWriter, context: ForWriter, *values: Any) -> None:
    for value in values:
        writer.write(value, ForRecord())


def visible(folder: Path) -> list[str]:
    return sorted(path.read_text() for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")


def test_a_bounded_job_leaves_files_with_the_texts_of_the_declared_type(tmp_path: Path) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    words = env.from_collection([("a", True), ("b", False)], Types.TUPLE([Types.STRING(), Types.BOOLEAN()]))
    words.sink_to(sink_of(tmp_path))
    env.execute()
    assert visible(tmp_path) == ["(a,true)\n(b,false)\n"]
    assert [path.name[:4] + path.suffix for path in tmp_path.iterdir()] == ["out-.txt"]


def test_every_subtask_writes_files_of_its_own(tmp_path: Path) -> None:
    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(2)
    env.from_sequence(1, 10).sink_to(sink_of(tmp_path))
    env.execute()
    assert sorted("".join(visible(tmp_path)).split(), key=int) == [str(number) for number in range(1, 11)]


def test_nothing_is_visible_before_the_commit_and_a_second_commit_changes_nothing(tmp_path: Path) -> None:
    context, sink = ForWriter(), sink_of(tmp_path)
    writer = writer_of(sink, context)
    write(writer, context, "a", "b")
    writer.flush(True)
    assert visible(tmp_path) == []
    committables = writer.prepare_commit()
    for _ in range(2):
        assert sink.create_committer().commit(committables) == []
        assert visible(tmp_path) == ["a\nb\n"]
    assert writer.prepare_commit() == []


def test_a_commit_of_a_file_that_is_gone_fails(tmp_path: Path) -> None:
    gone = FinishedFile(str(tmp_path / ".gone"), str(tmp_path / "gone"))
    with pytest.raises(OutsideError, match="gone cannot be written: No such file"):
        sink_of(tmp_path).create_committer().commit([gone])


def test_a_writer_that_is_closed_without_a_commit_leaves_nothing(tmp_path: Path) -> None:
    context = ForWriter()
    writer = writer_of(sink_of(tmp_path), context)
    write(writer, context, "a")
    writer.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("policy", "wait_ms", "files"),
    [
        (RollingPolicy.default_rolling_policy(part_size=3), 0, ["a\nb\n", "c\n"]),
        (RollingPolicy.default_rolling_policy(rollover_interval=20), 10, ["a\nb\n", "c\n"]),
        (RollingPolicy.default_rolling_policy(inactivity_interval=10), 10, ["a\n", "b\n", "c\n"]),
        (RollingPolicy.on_checkpoint_rolling_policy(), 100_000, ["a\nb\nc\n"]),
    ],
)
def test_the_next_file_begins_by_size_by_age_by_silence_or_only_at_checkpoints(
    policy: RollingPolicy, wait_ms: int, files: list[str], tmp_path: Path
) -> None:
    context, sink = ForWriter(), sink_of(tmp_path, policy)
    writer = writer_of(sink, context)
    for value in "abc":
        write(writer, context, value)
        context.manual_clock.advance(wait_ms)
    writer.flush(True)
    sink.create_committer().commit(writer.prepare_commit())
    assert visible(tmp_path) == files


@pytest.mark.parametrize(
    ("policy", "waits_ms"),
    [
        (RollingPolicy.default_rolling_policy(inactivity_interval=50), [100]),
        (RollingPolicy.default_rolling_policy(rollover_interval=250), [100, 100, 100]),
    ],
)
def test_a_file_is_finished_at_its_age_or_silence_though_no_record_comes(
    policy: RollingPolicy, waits_ms: list[int], tmp_path: Path
) -> None:
    builder = FileSink.for_row_format(str(tmp_path), Encoder.simple_string_encoder())
    builder.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner()).with_rolling_policy(policy)
    context, sink = ForWriter(), builder.with_bucket_check_interval(100).build()
    writer = writer_of(sink, context)
    write(writer, context, "a")
    for number, wait_ms in enumerate(waits_ms, 1):
        assert writer.prepare_commit() == []
        context.manual_clock.advance(wait_ms)
        assert context.timers.fire(), f"check {number} of the buckets"
    (finished,) = writer.prepare_commit()
    sink.create_committer().commit([finished])
    assert visible(tmp_path) == ["a\n"]
    writer.close()
    assert context.timers.next_ms() is None


def test_policies_of_checkpoints_need_no_timer(tmp_path: Path) -> None:
    context = ForWriter()
    writer_of(sink_of(tmp_path, RollingPolicy.on_checkpoint_rolling_policy()), context)
    assert context.timers.next_ms() is None
    with pytest.raises(ProgramError, match="a bucket check interval is above 0 milliseconds, not 0"):
        FileSink.for_row_format(str(tmp_path), Encoder.simple_string_encoder()).with_bucket_check_interval(0)


def test_the_operator_of_a_sink_has_its_timers_called(tmp_path: Path) -> None:
    asked: list[int] = []

    class Asked(RollingPolicy):
        def is_due(self, size_bytes: int, opened_ms: int, written_ms: int, now_ms: int) -> bool:
            asked.append(now_ms - opened_ms)
            return False

    builder = FileSink.for_row_format(str(tmp_path), Encoder.simple_string_encoder())
    harness = OperatorHarness(
        SinkSpec(builder.with_rolling_policy(Asked()).with_bucket_check_interval(100).build())
    )
    harness.process_element("a")
    for _ in range(3):
        harness.advance_processing_time(100)
    assert asked == [100, 200, 300]
    harness.close()


def test_buckets_of_the_clock_are_directories_named_by_the_format(tmp_path: Path) -> None:
    context = ForWriter(manual_clock=ManualClock(1_700_000_000_000))
    assigner = BucketAssigner.date_time_bucket_assigner("yyyy-MM-dd--HH", "UTC")
    builder = FileSink.for_row_format(str(tmp_path), Encoder.simple_string_encoder())
    writer = writer_of(builder.with_bucket_assigner(assigner).build(), context)
    write(writer, context, "a")
    context.manual_clock.advance(3_600_000)
    write(writer, context, "b")
    writer.flush(True)
    paths = [Path(file.path).parent.name for file in writer.prepare_commit()]
    assert paths == ["2023-11-14--22", "2023-11-14--23"]


def test_what_cannot_be_a_bucket_format_or_time_zone_is_said_at_once() -> None:
    with pytest.raises(ProgramError, match="has 'EEE'; known are y, u, M, d, "):
        BucketAssigner.date_time_bucket_assigner("yyyy-EEE")
    with pytest.raises(ProgramError, match="there is no time zone 'Nowhere'"):
        BucketAssigner.date_time_bucket_assigner(timezone_id="Nowhere")
