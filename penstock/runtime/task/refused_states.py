"""What was restored and does not fit what operators declare when they are opened: one error for all of it."""

from collections.abc import Callable, Sequence

from penstock.errors import StateError
from penstock.operators.contract import OperatorContext


class RefusedStates(StateError):
    """Restored states that cannot be had as they are declared now; ``lines`` has one for each."""

    def __init__(self, message: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.lines = lines


def open_restored(context: OperatorContext, open_operator: Callable[[], None]) -> list[RefusedStates]:
    """Open an operator that was restored, and go on where a state is refused; gives what was refused."""
    refused: list[StateError] = []
    context.refused = refused
    try:
        open_operator()
    except StateError as error:
        if error not in refused:
            refused.append(error)
    except Exception:
        if not refused:  # else it comes of a state that it did not get
            raise
    finally:
        context.refused = None
    return [_refused_by(context, error) for error in refused]


def together(errors: Sequence[RefusedStates]) -> RefusedStates:
    """One error for all of them; what several subtasks say alike is said once."""
    lines = tuple(dict.fromkeys(line for error in errors for line in error.lines))
    if len(lines) == 1:
        return errors[0]
    listed = "\n".join(f"  - {line}" for line in lines)
    return RefusedStates(f"{len(lines)} states do not fit what was saved of them:\n{listed}", lines)


def _refused_by(context: OperatorContext, error: StateError) -> RefusedStates:
    where = f", made at {context.origin}" if context.origin else ""
    made = RefusedStates(error.message, (f"operator {context.name!r}{where}: {error.message}",))
    made.__cause__ = error
    made.places.extend(error.places)
    made.at(context.place)
    return made
