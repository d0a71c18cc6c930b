"""A subtask that had come to its end in the checkpoint that the job goes on from. Source: Flink's FLIP-147."""

from penstock.checkpoint.endings import Ending
from penstock.data.elements import END_OF_INPUT, MAX_WATERMARK, Barrier, Watermark
from penstock.ids import SubtaskId
from penstock.runtime.task.chain import OperatorChain
from penstock.runtime.task.input_gate import InputGate
from penstock.runtime.task.progress import Progress
from penstock.runtime.task.tasklet import Tasklet


class FinishedTasklet(Tasklet):
    """Runs no operator: it waits for the end of its inputs, which have finished too, and tells those behind it of its own."""

    def __init__(
        self, subtask: SubtaskId, name: str, chain: OperatorChain, buffer_timeout_ms: int, gate: InputGate
    ) -> None:
        super().__init__(subtask, name, chain, buffer_timeout_ms)
        self._gate = gate

    def open(self) -> None:
        """Nothing is opened, as nothing is done."""

    def start(self) -> None:
        """Nothing has been opened."""

    def _step(self) -> Progress:
        if self._finished:
            return Progress.DONE
        while self._gate.next() is not None:
            pass
        if not self._gate.ended:
            return Progress.IDLE
        for output in self._outputs:
            output.signal(Watermark(MAX_WATERMARK))
            output.signal(END_OF_INPUT)
        self._finished = True
        return Progress.DONE

    def on_trigger(self, barrier: Barrier, ending: Ending = Ending.GO_ON) -> None:
        """It counts as finished in every checkpoint."""

    def on_checkpoint_completed(self, checkpoint_id: int) -> None:
        pass

    def on_checkpoint_aborted(self, checkpoint_id: int) -> None:
        pass

    def _work(self) -> Progress:
        return Progress.DONE
