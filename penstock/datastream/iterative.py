"""Iterations: streams of which a part comes back to where it began."""

from typing import Any

from penstock.datastream.arguments import type_argument
from penstock.datastream.connected import ConnectedStreams
from penstock.datastream.stream import DataStream, StreamRef
from penstock.errors import ProgramError
from penstock.operators.iteration import IterationHeadSpec, IterationTailSpec
from penstock.operators.user_code import origin_of_caller, shorten


class _Loop:
    """One iteration in the program: its head, and tails as they are closed with."""

    def __init__(self, stream: DataStream, max_wait_ms: int, passes_input: bool) -> None:
        self._environment = stream._environment
        program = self._environment.program
        self._iteration = f"iteration-{len(program) + 1}"
        spec = IterationHeadSpec(self._iteration, max_wait_ms, passes_input)
        edges = tuple(ref.edge() for ref in stream._refs)
        self.head = program.add("Iteration Source", spec, edges)
        self._tails: list[int] = []

    def close_with(self, feedback: Any) -> None:
        if not isinstance(feedback, DataStream):
            raise ProgramError(
                f"close_with takes a DataStream, not {shorten(feedback)} ({origin_of_caller()})"
            )
        if feedback._environment is not self._environment:
            raise ProgramError(f"close_with takes a stream of the same environment ({origin_of_caller()})")
        program = self._environment.program
        if not program.reads(feedback._node_id, self.head):
            raise ProgramError(
                "Cannot close an iteration with a feedback DataStream that does not originate from said iteration: "
                f"{feedback._shown_name()!r} is not made of the iterative stream ({origin_of_caller()})"
            )
        edges = tuple(ref.edge() for ref in feedback._refs)
        tail = program.add("Iteration Sink", IterationTailSpec(self._iteration), edges)
        self._tails.append(tail)
        program.accompany(self.head, tail)
        self.align_parallelism()

    def align_parallelism(self) -> None:
        """Subtask i of a tail gives back to subtask i of the head."""
        head = self._environment.program.node(self.head)
        for tail in self._tails:
            self._environment.program.refine(
                tail,
                parallelism=head.parallelism,
                max_parallelism=head.max_parallelism,
                fixed_parallelism=head.fixed_parallelism,
            )


class IterativeStream(DataStream):
    """What enters a loop, and what comes back; see ``DataStream.iterate``."""

    def __init__(self, stream: DataStream, max_wait_ms: int) -> None:
        self._origin_stream = stream
        self._max_wait_ms = max_wait_ms
        self._loop = _Loop(stream, max_wait_ms, passes_input=True)
        super().__init__(stream._environment, (StreamRef(self._loop.head),), stream._type_info)

    def close_with(self, feedback_stream: DataStream) -> DataStream:
        """Have the records of a stream, which was made of this one, come back into it; returns that stream.

        May be called several times. Partition the feedback (``key_by``, ``broadcast``) as it is to arrive at the subtasks.
        """
        self._loop.close_with(feedback_stream)
        return feedback_stream

    def with_feedback_type(self, feedback_type: Any) -> "ConnectedIterativeStreams":
        """Keep what comes back apart from what enters, as it is of another type: see ``ConnectedIterativeStreams``."""
        type_info = type_argument(feedback_type, "feedback_type")
        program = self._environment.program
        if program.is_read(self._node_id):
            raise ProgramError(
                f"with_feedback_type comes before everything else that is done with the stream ({origin_of_caller()})"
            )
        program.remove(self._node_id)
        return ConnectedIterativeStreams(self._origin_stream, self._max_wait_ms, type_info)

    def _refine(self, what: str, **fields: Any) -> None:
        super()._refine(what, **fields)
        self._loop.align_parallelism()


class ConnectedIterativeStreams(ConnectedStreams):
    """A loop with two types: the first stream is what enters, the second what comes back."""

    def __init__(self, stream: DataStream, max_wait_ms: int, feedback_type: Any) -> None:
        self._loop = _Loop(stream, max_wait_ms, passes_input=False)
        feedback = DataStream(stream._environment, (StreamRef(self._loop.head),), feedback_type)
        super().__init__(stream, feedback)

    def close_with(self, feedback_stream: DataStream) -> DataStream:
        """Have the records of a stream, which was made of this one, come back as the second; returns that stream."""
        self._loop.close_with(feedback_stream)
        return feedback_stream
