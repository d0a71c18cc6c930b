"""Whether a function looks at one of its arguments, so that what it never sees need not be prepared for each call."""

from types import CodeType, FunctionType, MethodType
from typing import Any

_SEES_EVERYTHING = {"locals", "vars", "dir", "eval", "exec", "_getframe", "currentframe", "stack"}


def leaves_unread(function: Any, position: int) -> bool:
    """Whether the bytecode of a plain function or method never mentions the argument at ``position`` (without ``self``).

    False where that cannot be told: other callables, arguments that inner functions see, and functions that look at their
    own frame.

    >>> leaves_unread(lambda left, right, ctx: left + right, 2), leaves_unread(lambda left, right, ctx: ctx, 2)
    (True, False)
    """
    if isinstance(function, MethodType):
        function, position = function.__func__, position + 1
    if type(function) is not FunctionType:
        return False
    code: CodeType = function.__code__
    if position >= code.co_argcount or not _SEES_EVERYTHING.isdisjoint(code.co_names):
        return False
    name = code.co_varnames[position]
    return name not in code.co_cellvars and not _mentions(code, name)


def _mentions(code: CodeType, name: str) -> bool:
    from dis import get_instructions

    return any(
        name == instruction.argval or (isinstance(instruction.argval, tuple) and name in instruction.argval)
        for instruction in get_instructions(code)
        if "FAST" in instruction.opname or "DEREF" in instruction.opname
    )
