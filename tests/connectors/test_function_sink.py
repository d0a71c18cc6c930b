"""Functions as sinks."""

from typing import Any

import pytest

from penstock.connectors.functions.checkpointed import ListCheckpointed
from penstock.connectors.functions.sink import FunctionSink, RichSinkFunction, SinkContext, SinkFunction
from penstock.contracts.sink import StatefulSinkWriter
from penstock.errors import ProgramError
from tests.connectors.sinking import ForRecord, ForWriter


class Noting(SinkFunction):
    def __init__(self) -> None:
        self.story: list[Any] = []

    def open(self, runtime_context: Any) -> None:
        self.story.append(("open", runtime_context))

    def invoke(self, value: Any, context: SinkContext) -> None:
        self.story.append(
            (value, context.timestamp(), context.current_watermark(), context.current_processing_time())
        )

    def write_watermark(self, watermark: int) -> None:
        self.story.append(("watermark", watermark))

    def finish(self) -> None:
        self.story.append("finish")

    def close(self) -> None:
        self.story.append("close")


def test_a_plain_function_is_called_with_each_value() -> None:
    seen: list[Any] = []
    writer = FunctionSink(seen.append).create_writer(ForWriter())
    writer.write_batch([1, None], [10, 20], ForRecord())
    writer.write(3, ForRecord())
    writer.flush(True)
    writer.close()
    assert seen == [1, None, 3]


def test_a_sink_function_has_a_life_and_sees_times() -> None:
    function = Noting()
    writer = FunctionSink(function).create_writer(ForWriter())
    writer.write_batch(["a", "b"], [10, 20], ForRecord())
    writer.write_batch(["c"], None, ForRecord(watermark=8))
    writer.write_watermark(9)
    writer.flush(False)
    writer.flush(True)
    writer.close()
    assert function.story == [
        ("open", "the runtime context"),
        ("a", 10, 5, 77),
        ("b", 20, 5, 77),
        ("c", None, 8, 77),
        ("watermark", 9),
        "finish",
        "close",
    ]


def test_a_rich_function_knows_its_context_before_it_is_opened() -> None:
    class Rich(RichSinkFunction):
        def open(self, runtime_context: Any) -> None:
            assert self.get_runtime_context() is runtime_context

        def invoke(self, value: Any, context: SinkContext) -> None:
            assert self.get_runtime_context() == "the runtime context"

    FunctionSink(Rich()).create_writer(ForWriter()).write(1, ForRecord())


def test_a_function_with_state_gives_it_to_checkpoints_and_gets_it_back() -> None:
    class Buffering(Noting, ListCheckpointed):
        def snapshot_state(self, checkpoint_id: int) -> list[Any]:
            return [("at", checkpoint_id, len(self.story))]

        def restore_state(self, state: list[Any]) -> None:
            self.story.append(state)

    function = Buffering()
    writer = FunctionSink(function).create_writer(ForWriter())
    assert isinstance(writer, StatefulSinkWriter)
    states = writer.snapshot_state(3)
    assert states == [("at", 3, 1)]
    again = Buffering()
    FunctionSink(again).restore_writer(ForWriter(), states)
    assert again.story == [states, ("open", "the runtime context")]


@pytest.mark.parametrize("kind", ["plain", "class"])
def test_an_error_names_the_record(kind: str) -> None:
    class Failing(SinkFunction):
        def invoke(self, value: Any, context: SinkContext) -> None:
            1 / value

    function: Any = Failing() if kind == "class" else lambda value: 1 / value
    writer = FunctionSink(function).create_writer(ForWriter())
    with pytest.raises(ZeroDivisionError) as caught:
        writer.write_batch([2, 0, 1], None, ForRecord())
    assert caught.value.__notes__ == ["the record was 0"]


@pytest.mark.parametrize("function", [5, None, "print", Noting])
def test_other_things_than_functions_are_refused(function: Any) -> None:
    with pytest.raises(ProgramError, match="a sink takes"):
        FunctionSink(function)
