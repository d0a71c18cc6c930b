"""What was restored and does not fit what operators declare when they are opened: one error for all of it."""

from collections.abc import Callable, Mapping, Sequence

from penstock.errors import RestoreFailed, StateError
from penstock.operators.contract import OperatorContext


class RefusedStates(StateError):
    """Restored states that cannot be had as they are declared now.

    ``lines`` has one for each, by what is the same in all subtasks that say it: they may name different keys.
    """

    def __init__(self, message: str, lines: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.lines = dict(lines or {})


def open_restored(context: OperatorContext, open_operator: Callable[[], None]) -> list[RefusedStates]:
    """Open an operator that was restored, and go on where a state is refused; gives what was refused."""
    refused: dict[str, StateError] = {}
    context.refused = refused
    try:
        open_operator()
    except RestoreFailed:
        raise
    except StateError as error:
        if error not in refused.values():
            refused[error.message] = error
    except Exception:
        if not refused:  # else it comes of a state that it did not get
            raise
    finally:
        context.refused = None
    return [_refused_by(context, state, error) for state, error in refused.items()]


def together(errors: Sequence[RefusedStates]) -> RefusedStates:
    """One error for all of them; what several subtasks say alike is said once."""
    lines: dict[str, str] = {}
    for error in errors:
        for what, line in error.lines.items():
            lines.setdefault(what, line)
    if len(lines) == 1:
        return errors[0]
    listed = "\n".join(f"  - {line}" for line in lines.values())
    return RefusedStates(f"{len(lines)} states do not fit what was saved of them:\n{listed}", lines)


def _refused_by(context: OperatorContext, state: str, error: StateError) -> RefusedStates:
    where = f"operator {context.name!r}{f', made at {context.origin}' if context.origin else ''}"
    made = RefusedStates(error.message, {f"{where}: {state}": f"{where}: {error.message}"})
    made.__cause__ = error
    made.places.extend(error.places)
    made.at(context.place)
    return made
