"""Calling the user's functions: what counts as one, and errors that point at the user's line."""

import os
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from penstock.contracts.functions import Function
from penstock.errors import PenstockError, ProgramError, UserCodeError
from penstock.operators.contract import Operator, OperatorContext, Origin

PACKAGE_DIR = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
GENERATED = "<penstock generated"
SHOWN_RECORD_CHARS = 200
LONGEST_TEXT_CHARS = 2_000
MOST_PARTS = 3


def callable_of(function: Any, method: str, what: str) -> Callable[..., Any]:
    """The method of a function class, or the plain function itself.

    Raises ``ProgramError`` for anything else, and for the class where an instance was meant.
    """
    if isinstance(function, type):
        if callable(getattr(function, method, None)):
            raise ProgramError(
                f"{what} takes an object, not the class {function.__name__}; write {function.__name__}()"
            )
        return function
    bound = getattr(function, method, None)
    if callable(bound) and (isinstance(function, Function) or not callable(function)):
        return bound  # type: ignore[no-any-return]
    if callable(function):
        return function  # type: ignore[no-any-return]
    raise ProgramError(
        f"{what} takes a function or an object with a method {method!r}, not {shorten(function)} "
        f"of type {type(function).__name__}"
    )


def is_rich(function: Any) -> bool:
    """Whether a function has a life of its own (``open`` and ``close``), and so may use state."""
    return isinstance(function, Function)


def shorten(value: Any, most: int = SHOWN_RECORD_CHARS) -> str:
    """``repr`` of a value, cut in the middle when it is long; never raises."""
    try:
        text = repr(value)
    except Exception as error:
        return f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
    if len(text) <= most:
        return text
    return f"{text[: most // 2]} ... {text[-most // 4 :]} ({len(text)} characters)"


def user_error(context: OperatorContext, error: BaseException, *records: Any) -> PenstockError:
    """The error of the engine for an exception out of user code, with operator, record and the user's line.

    ``records``: the value that was being processed, if it is known. Errors of the engine itself, those of operators further
    down the chain among them, are raised on from here: ``raise user_error(..) from error`` would make them their own cause.
    """
    if isinstance(error, PenstockError):
        named = any(place.startswith("in operator ") for place in error.places)
        raise error if named else error.at(context.place)
    where = user_line(error.__traceback__)
    at = f" at {where}" if where else _advice(error)
    record = f"; the record was {shorten(records[0])}" if records else _record_in_notes(error)
    from traceback import format_exception

    text = "".join(format_exception(error))
    wrapped = UserCodeError(f"{type(error).__name__}: {text_of(error)}{at}{record}", text)
    wrapped.__cause__ = error
    return wrapped.at(context.place)


def text_of(error: BaseException) -> str:
    """What an exception says, cut in the middle when it is long, and what those of a group say; never raises."""
    try:
        text = str(error)
    except Exception as second:
        return f"(its text cannot be read: {type(second).__name__})"
    if len(text) > LONGEST_TEXT_CHARS:
        half = LONGEST_TEXT_CHARS // 2
        text = f"{text[:half]} ... {text[-half:]} ({len(text)} characters)"
    if isinstance(error, BaseExceptionGroup):
        parts = [f"{type(part).__name__}: {text_of(part)}" for part in error.exceptions[:MOST_PARTS]]
        more = ["..."] if len(error.exceptions) > MOST_PARTS else []
        text = f"{text}: {'; '.join(parts + more)}"
    return text


def _record_in_notes(error: BaseException) -> str:
    """What sinks noted about the record, as they alone know which it was."""
    notes = [note for note in getattr(error, "__notes__", ()) if note.startswith("the record was ")]
    return f"; {notes[0]}" if notes else ""


def _advice(error: BaseException) -> str:
    """For what the engine found about a result, outside of the user's code."""
    if isinstance(error, TypeError) and "not iterable" in str(error):
        return " - a function that gives several results returns an iterable of them, such as a list, or yields them"
    return ""


def user_line(trace: TracebackType | None) -> Origin | None:
    """The innermost line of a traceback that is neither penstock's nor of an installed package, else not penstock's."""
    own: Origin | None = None
    foreign: Origin | None = None
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith((PACKAGE_DIR, GENERATED)):
            foreign = Origin(file, trace.tb_lineno)
            if not _is_installed(file):
                own = foreign
        trace = trace.tb_next
    return own or foreign


def context_in(trace: TracebackType | None) -> OperatorContext | None:
    """The context of the innermost operator that a traceback goes through."""
    found = None
    while trace is not None:
        operator = trace.tb_frame.f_locals.get("self")
        if isinstance(operator, Operator):
            found = operator.context
        trace = trace.tb_next
    return found


def raised_at(function: Any, error: Exception) -> Exception:
    """The error with the line of a function's or method's definition in its traceback, where it was not called itself."""
    code = function.__code__
    again = compile("\n" * (code.co_firstlineno - 1) + "raise error", code.co_filename, "exec")
    try:
        exec(again.replace(co_name=code.co_name), {"error": error})
    except Exception as raised:
        return raised
    return error


def origin_of_caller() -> Origin | None:
    """The line of the user's program that is calling the API now."""
    frame, _ = _caller()
    return None if frame is None else Origin(frame.f_code.co_filename, frame.f_lineno)


def warn_caller(text: str) -> None:
    """A warning at the line of the user's program that is calling the API now."""
    import warnings

    _, levels = _caller()
    warnings.warn(text, stacklevel=levels)


def _caller() -> tuple[FrameType | None, int]:
    """The frame of the user's that calls the API, and how many levels above whoever calls this it is."""
    frame: FrameType | None = sys._getframe(1)
    levels = 0
    while frame is not None:
        levels += 1
        if not frame.f_code.co_filename.startswith((PACKAGE_DIR, GENERATED, "<frozen")):
            break
        frame = frame.f_back
    return frame, levels


def _is_installed(file: str) -> bool:
    return "site-packages" in file or file.startswith((sys.base_prefix, "<frozen"))
