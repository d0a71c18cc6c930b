"""Simple lambdas as expressions, so that a generated loop can do what they do without calling them.

``lambda pair: pair[0]`` costs more as a call than as a subscript. The expression is read off the function's bytecode, and is
used only if compiling it again gives the *same* bytecode, constants and names: whatever is misread here is then never run.
What is not a plain expression of the one argument and constants (calls, globals, closures, ``and`` and ``or``) stays a call.
"""

import sys
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

ARGUMENT = "\0"
"""Stands for the argument in an expression."""

MOST_INSTRUCTIONS = 40
_IGNORED = {"RESUME", "CACHE", "NOP", "RETURN_VALUE", "NOT_TAKEN"}
_CONSTANTS = (int, str, bytes, bool, type(None))


def expression_of(function: Any) -> str | None:
    """The expression that a function returns, with :data:`ARGUMENT` for its argument; None for anything but a simple lambda.

    Nothing is inlined while a debugger or a coverage tool watches, as it would not see the function run.

    >>> expression_of(lambda pair: pair[0]).replace(ARGUMENT, "v")
    '(v[0])'
    >>> expression_of(lambda x: print(x)) is None
    True
    """
    if type(function) is not FunctionType or sys.gettrace() is not None or sys.getprofile() is not None:
        return None
    code = function.__code__
    if not _is_simple(function, code):
        return None
    text = _read(code)
    if text is None:
        return None
    again = eval(f"lambda {code.co_varnames[0]}: {text.replace(ARGUMENT, code.co_varnames[0])}", {}).__code__
    return text if _fingerprint(again) == _fingerprint(code) else None


def _is_simple(function: FunctionType, code: CodeType) -> bool:
    return (
        code.co_argcount == code.co_nlocals == 1
        and not code.co_kwonlyargcount
        and not code.co_freevars
        and not code.co_cellvars
        and not function.__defaults__
        and len(code.co_code) <= 2 * MOST_INSTRUCTIONS
    )


def _fingerprint(code: CodeType) -> tuple[Any, ...]:
    # Constants by their text: 1, 1.0 and True are equal, and must not be taken for each other.
    return (code.co_code, code.co_flags & ~0x10, repr(code.co_consts), code.co_names, code.co_varnames)


def _read(code: CodeType) -> str | None:
    """The expression on the stack when the code returns."""
    from dis import get_instructions

    stack: list[str] = []
    for instruction in get_instructions(code):
        name = instruction.opname
        if name in _IGNORED:
            continue
        read = _READERS.get(name)
        if read is None or not read(stack, instruction):
            return None
    return stack[0] if len(stack) == 1 else None


def _argument(stack: list[str], instruction: Any) -> bool:
    names = instruction.argval if isinstance(instruction.argval, tuple) else (instruction.argval,)
    stack.extend(ARGUMENT for _ in names)
    return True


def _constant(stack: list[str], instruction: Any) -> bool:
    value = instruction.argval
    finite = type(value) is float and value - value == 0
    if type(value) not in _CONSTANTS and not finite:
        return False
    stack.append(repr(value) if not isinstance(value, str) or ARGUMENT not in value else "")
    return bool(stack[-1])


def _binary(stack: list[str], instruction: Any) -> bool:
    operator = instruction.argrepr
    if operator.endswith("=") or len(stack) < 2:
        return False
    right, left = stack.pop(), stack.pop()
    stack.append(f"({left}[{right}])" if operator == "[]" else f"({left} {operator} {right})")
    return True


def _subscript(stack: list[str], instruction: Any) -> bool:
    if len(stack) < 2:
        return False
    index, container = stack.pop(), stack.pop()
    stack.append(f"({container}[{index}])")
    return True


def _compare(stack: list[str], instruction: Any) -> bool:
    if len(stack) < 2:
        return False
    right, left = stack.pop(), stack.pop()
    stack.append(f"({left} {instruction.argrepr.removeprefix('bool(').removesuffix(')')} {right})")
    return True


def _contains(stack: list[str], instruction: Any) -> bool:
    if len(stack) < 2:
        return False
    container, item = stack.pop(), stack.pop()
    stack.append(f"({item} {'not in' if instruction.arg else 'in'} {container})")
    return True


def _unary(symbol: str) -> Callable[[list[str], Any], bool]:
    def read(stack: list[str], instruction: Any) -> bool:
        stack.append(f"({symbol} {stack.pop()})")
        return True

    return read


def _tuple(stack: list[str], instruction: Any) -> bool:
    count = instruction.arg
    if not count or len(stack) < count:
        return False
    parts = stack[-count:]
    del stack[-count:]
    stack.append(f"({', '.join(parts)},)")
    return True


def _attribute(stack: list[str], instruction: Any) -> bool:
    if not instruction.argrepr.isidentifier() or not stack:
        return False
    stack.append(f"({stack.pop()}.{instruction.argrepr})")
    return True


_READERS: dict[str, Callable[[list[str], Any], bool]] = {
    "LOAD_FAST": _argument,
    "LOAD_FAST_BORROW": _argument,
    "LOAD_FAST_LOAD_FAST": _argument,
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW": _argument,
    "LOAD_CONST": _constant,
    "LOAD_SMALL_INT": _constant,
    "BINARY_OP": _binary,
    "BINARY_SUBSCR": _subscript,
    "COMPARE_OP": _compare,
    "CONTAINS_OP": _contains,
    "UNARY_NEGATIVE": _unary("-"),
    "UNARY_NOT": _unary("not"),
    "UNARY_INVERT": _unary("~"),
    "BUILD_TUPLE": _tuple,
    "LOAD_ATTR": _attribute,
}
