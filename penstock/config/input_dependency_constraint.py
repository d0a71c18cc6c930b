"""When a task used to be scheduled; without influence since Flink 1.13, and kept for programs that name it."""

from enum import Enum


class InputDependencyConstraint(Enum):
    """Whether a task starts when any or all of its inputs have something to read."""

    ANY = 0
    ALL = 1
