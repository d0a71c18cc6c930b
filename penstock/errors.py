"""Every exception that penstock raises, as one tree.

An error says whose fault it is (``fault``), whether trying again can help (``retryable``) and where it happened: the job, the
operator and the line of the user's program that made the operator. The runtime adds the place with :func:`PenstockError.at`
on the error's way up.
"""

from enum import Enum
from typing import Self


class Fault(Enum):
    """Whose fault an error is."""

    PROGRAM = "program"
    OUTSIDE = "outside world"
    ENGINE = "engine"


class PenstockError(Exception):
    """The root of everything that penstock raises."""

    fault = Fault.ENGINE
    retryable = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.places: list[str] = []

    def at(self, place: str) -> Self:
        """Add where it happened, the innermost place first; return the error itself."""
        if place not in self.places:
            self.places.append(place)
        return self

    def __str__(self) -> str:
        return "\n  ".join([self.message, *self.places])

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, dict(self.__dict__)))


def _rebuild(kind: type[PenstockError], message: str, state: dict[str, object]) -> PenstockError:
    """Make an error again after pickling, whatever arguments its class takes."""
    error = kind.__new__(kind, message)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class ProgramError(PenstockError, ValueError):
    """What the user wrote cannot run: a wrong argument, an unknown option, a graph that makes no sense."""

    fault = Fault.PROGRAM


class TypeMismatch(ProgramError, TypeError):
    """A value is not of the type that was declared for it."""


class OptionError(ProgramError):
    """A configuration key is unknown, not supported, or its value does not fit."""


class KeyNotUsable(ProgramError, TypeError):
    """A key cannot be hashed, or not in the same way in every process."""


class NotSerializable(ProgramError):
    """A function or value that has to travel to a worker cannot be pickled."""


class UserCodeError(PenstockError):
    """User code raised; the original exception is ``__cause__`` where it could be brought along."""

    fault = Fault.PROGRAM

    def __init__(self, message: str, user_traceback: str = "") -> None:
        super().__init__(message)
        self.user_traceback = user_traceback


class OutsideError(PenstockError, OSError):
    """A file, a socket or another system did not do what it should."""

    fault = Fault.OUTSIDE
    retryable = True

    def __str__(self) -> str:
        return PenstockError.__str__(self)


class RunSuperseded(OutsideError):
    """Another run has taken this one's place outside: to start again would be to take it back. Ends the job for good."""

    retryable = False


class WorkerLost(PenstockError):
    """A worker process died or stopped answering."""

    fault = Fault.OUTSIDE
    retryable = True


class JobCancelled(PenstockError):
    """The job was cancelled before it finished."""

    fault = Fault.PROGRAM


class JobFailed(PenstockError):
    """The job came to its end in state FAILED; ``__cause__`` is the first failure."""


class StateError(PenstockError):
    """Keyed or operator state cannot be read, written or restored."""


class RestoreFailed(StateError):
    """A checkpoint cannot be read back; ``checkpoint_id`` says which."""

    def __init__(self, message: str, checkpoint_id: int = 0) -> None:
        super().__init__(message)
        self.checkpoint_id = checkpoint_id

    @classmethod
    def because(cls, checkpoint_id: int, error: StateError) -> "RestoreFailed":
        """What a reader of the checkpoint has found, as the reason why that cannot be restored."""
        made = cls(f"checkpoint {checkpoint_id} cannot be restored: {error.message}", checkpoint_id)
        made.places.extend(error.places)
        return made


class ProtocolError(PenstockError):
    """Two parts of the engine do not understand each other, or a peer failed to authenticate."""
