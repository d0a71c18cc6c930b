"""Tasks that come to their end for a savepoint, whatever is quicker: the end of their input, or the trigger."""

from penstock.checkpoint.endings import Ending
from penstock.data.elements import END_OF_INPUT, Barrier, EndOfInput
from penstock.ids import SubtaskId, VertexId
from penstock.network.in_process import InProcessChannel
from penstock.runtime.task.input_gate import InputGate
from penstock.runtime.task.progress import Progress
from penstock.runtime.task.tasklet import OperatorTasklet
from tests.runtime.tasks import Writes, reading_chain

SAVEPOINT = Barrier(7, 0, savepoint=True)


class Task:
    """A task with two inputs."""

    def __init__(self) -> None:
        self.channels = [InProcessChannel(8), InProcessChannel(8)]
        gate = InputGate([(0, channel) for channel in self.channels])
        self.task = OperatorTasklet(SubtaskId(VertexId(0), 0), "reader", reading_chain(), 100, gate)
        self.writes = self.task.checkpoints = Writes()

    def ends(self, *elements: EndOfInput) -> Progress:
        for channel, element in zip(self.channels, elements, strict=True):
            channel.put(element)
        for _ in range(4):
            progress = self.task.step()
        return progress


def test_a_task_whose_input_ended_for_a_savepoint_stays_for_it_although_its_trigger_is_late() -> None:
    task = Task()
    assert task.ends(EndOfInput(savepoint_id=7), EndOfInput(savepoint_id=7)) is Progress.IDLE
    task.task.on_trigger(SAVEPOINT, Ending.DRAIN)
    assert list(task.writes.in_flight) == [7]
    assert task.task.step() is Progress.IDLE
    task.task.on_checkpoint_completed(7)
    assert task.task.step() is Progress.DONE


def test_so_does_one_with_an_input_that_had_ended_by_itself() -> None:
    assert Task().ends(END_OF_INPUT, EndOfInput(savepoint_id=7)) is Progress.IDLE


def test_a_task_whose_inputs_ended_by_themselves_ends() -> None:
    assert Task().ends(END_OF_INPUT, END_OF_INPUT) is Progress.DONE


def test_a_savepoint_and_a_trigger_that_is_quicker_are_taken_part_in_once() -> None:
    task = Task()
    task.task.on_trigger(SAVEPOINT, Ending.DRAIN)
    assert task.ends(EndOfInput(savepoint_id=7), EndOfInput(savepoint_id=7)) is Progress.IDLE
    assert list(task.writes.in_flight) == [7]
    task.task.on_checkpoint_completed(7)
    assert task.task.step() is Progress.DONE
