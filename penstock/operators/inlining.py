"""Simple lambdas as expressions, so that a generated loop can do what they do without calling them.

``lambda pair: pair[0]`` costs more as a call than as a subscript. The expression is read off the function's bytecode, and is
used only if compiling it again gives the *same* bytecode, constants and names: whatever is misread here is then never run.
What is not a plain expression of the arguments and constants (calls, globals, closures, ``and`` and ``or``) stays a call.
"""

import re
import sys
from collections.abc import Callable
from types import CodeType, FunctionType, MethodType
from typing import Any

ARGUMENT, SECOND_ARGUMENT = "\0", "\1"
"""Stand for the arguments in an expression."""

MOST_INSTRUCTIONS = 40
_OF_THE_PLACE = 0x10 | 0x8000000  # a function within a function, and in a class
_NAME = re.compile("\0([^\0]+)\0")
_ITEM = re.compile(rf"\({ARGUMENT}\[(\d+)\]\)")
_IGNORED = {"RESUME", "CACHE", "NOP", "RETURN_VALUE", "NOT_TAKEN"}
_CONSTANTS = (int, str, bytes, bool, type(None))


def expression_of(function: Any, arguments: int = 1) -> str | None:
    """The expression that a function returns, with :data:`ARGUMENT` for its argument; None for anything but a simple lambda.

    It is a function of so many ``arguments``, at most two, or a method that makes no use of its object. Nothing is inlined
    while a debugger or a coverage tool watches, as it would not see the function run.

    >>> expression_of(lambda pair: pair[0]).replace(ARGUMENT, "v")
    '(v[0])'
    >>> expression_of(lambda a, b: a + b, 2).replace(ARGUMENT, "a").replace(SECOND_ARGUMENT, "b")
    '(a + b)'
    >>> expression_of(lambda x: print(x)) is None
    True
    """
    if sys.gettrace() is not None or sys.getprofile() is not None:
        return None
    placeholders = [ARGUMENT, SECOND_ARGUMENT][:arguments]
    if type(function) is MethodType:
        function = function.__func__
        placeholders.insert(0, "")
    if type(function) is not FunctionType:
        return None
    code = function.__code__
    if not _is_simple(function, code, len(placeholders)):
        return None
    text = _read(code)
    if text is None or _fingerprint(_compiled(code, _NAME.sub(r"\1", text))) != _fingerprint(code):
        return None
    by_name = dict(zip(code.co_varnames, placeholders, strict=True))
    if any(not by_name[name] for name in _NAME.findall(text)):
        return None
    return _NAME.sub(lambda name: by_name[name[1]], text)


def item_of(expression: str | None) -> int | None:
    """Which item of its argument an expression is; None for any other.

    >>> item_of(expression_of(lambda pair: pair[3])), item_of(expression_of(lambda pair: -pair[3]))
    (3, None)
    """
    item = None if expression is None else _ITEM.fullmatch(expression)
    return None if item is None else int(item[1])


def _is_simple(function: FunctionType, code: CodeType, arguments: int) -> bool:
    return (
        code.co_argcount == code.co_nlocals == arguments
        and not code.co_kwonlyargcount
        and not code.co_freevars
        and not code.co_cellvars
        and not function.__defaults__
        and len(code.co_code) <= 2 * MOST_INSTRUCTIONS
    )


def _compiled(code: CodeType, expression: str) -> CodeType:
    """A function with the same arguments that returns the expression."""
    names = ", ".join(code.co_varnames)
    if code.co_name == "<lambda>":
        return eval(f"lambda {names}: {expression}", {}).__code__  # type: ignore[no-any-return]
    made: dict[str, Any] = {}
    exec(f"def made({names}): return {expression}", {}, made)
    return made["made"].__code__  # type: ignore[no-any-return]


def _fingerprint(code: CodeType) -> tuple[Any, ...]:
    # Constants by their text: 1, 1.0 and True are equal, and must not be taken for each other.
    return (
        code.co_code,
        code.co_flags & ~_OF_THE_PLACE,
        repr(code.co_consts),
        code.co_names,
        code.co_varnames,
    )


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
    stack.extend(f"\0{name}\0" for name in names)
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
