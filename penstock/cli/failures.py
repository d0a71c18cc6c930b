"""What goes wrong in a program, told in a few lines; the whole traceback is for those who ask."""

import traceback
from pathlib import Path
from types import TracebackType

from penstock.errors import PenstockError
from penstock.operators.user_code import user_line

_HERE = str(Path(__file__).resolve().parent)


def describe(error: BaseException, verbose: bool) -> str:
    """What happened, with which value, and at which line of the program; or the traceback without the command's frames."""
    if verbose:
        return "".join(
            traceback.format_exception(error.with_traceback(_of_program(error.__traceback__)))
        ).rstrip()
    return f"Error: {_short(error)}"


def _short(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename is not None:
        return _syntax(error)
    where = user_line(_of_program(error.__traceback__))
    if isinstance(error, PenstockError):
        text = str(error)
        return text if where is None or f"{where.file}:" in text else f"{text}\n  at {where}"
    text = "".join(traceback.format_exception_only(error)).rstrip()
    if isinstance(error, ModuleNotFoundError):
        text += _hint(error.name or "")
    return text if where is None else f"{text}\n  at {where}"


def _syntax(error: SyntaxError) -> str:
    """The line with a caret, as Python shows it, behind ``file:line`` as editors look for it."""
    lines = "".join(traceback.format_exception_only(error)).rstrip().splitlines()
    shown = [line for line in lines if line.startswith("    ")]
    kind = type(error).__name__
    return "\n".join([f"{error.filename}:{error.lineno}: {kind}: {error.msg}", *shown])


def _hint(module: str) -> str:
    root = module.partition(".")[0]
    if root == "pyflink":
        return "; with --pyflink, penstock answers to that name"
    return f"; is {root} installed in this interpreter, or its directory given with -pyfs?" if root else ""


def _of_program(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from where the program begins."""
    found = trace
    while found is not None and _is_before_program(found.tb_frame.f_code.co_filename):
        found = found.tb_next
    return found


def _is_before_program(file: str) -> bool:
    return file.startswith((_HERE, "<frozen importlib")) or "importlib" in Path(file).parts
