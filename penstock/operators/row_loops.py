"""The generated loops of runs of map, filter and flat_map.

The loop for ``map`` -> ``filter`` -> ``map`` over values without timestamps is one comprehension::

    [
        f2(v0) for v in values          # line of step 2
        for v0 in (f0(v),)              # line of step 0
        if f1(v0)                       # line of step 1
    ]

A lambda that is a simple expression is not called: the expression stands in the place of the call (see ``inlining``).

One line a step, so that the traceback of a failing function tells which step failed.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from penstock.operators.inlining import ARGUMENT
from penstock.operators.user_code import GENERATED

StepKind = Literal["map", "filter", "flat_map"]


class Pairing(NamedTuple):
    """A last step that puts something beside a constant, as ``lambda word: (word, 1)``, of which no tuple needs be made."""

    position: int
    expression: str
    """What stands at ``position``, of the argument."""
    constant: Any
    """What stands at the other."""

    def fields(self, values: list[Any]) -> list[list[Any]]:
        """The lists of both positions, for a list of what stands at ``position``."""
        constants = [self.constant] * len(values)
        return [constants, values] if self.position else [values, constants]


def pairing_of(expression: str | None) -> Pairing | None:
    """How an inlined expression pairs; None for any other.

    >>> pairing_of(f"({ARGUMENT}, 1,)") == (0, f"({ARGUMENT})", 1)
    True
    >>> pairing_of(f"('a', ({ARGUMENT} + 1),)").fields([7, 8])
    [['a', 'a'], [7, 8]]
    >>> pairing_of(f"({ARGUMENT}, {ARGUMENT},)") is None
    True
    """
    if expression is None or not expression.endswith(",)"):
        return None
    import ast  # which few jobs need

    node = ast.parse(expression.replace(ARGUMENT, "v"), mode="eval").body
    if not isinstance(node, ast.Tuple) or len(node.elts) != 2:
        return None
    for position, (item, other) in enumerate((node.elts, node.elts[::-1])):
        try:
            constant = ast.literal_eval(other)  # -1 is an expression, too
        except ValueError:
            continue
        # Both names of the argument are one byte long, so that the places of the one are those of the other.
        source = expression.encode()[item.col_offset : item.end_col_offset].decode()
        if ARGUMENT in source:
            return Pairing(position, f"({source})", constant)
    return None


class Projection(NamedTuple):
    """A step that picks items of tuples, as ``lambda row: (row[0], 1, row[2])``; none is made of tuples that came apart."""

    items: tuple[int | None, ...]
    """Which item stands at each position, None for a constant."""
    constants: tuple[Any, ...]
    """What stands there otherwise."""

    def fields(self, fields: Sequence[list[Any]]) -> list[list[Any]] | None:
        """The lists of all positions; None where a tuple has no such item."""
        if max(item for item in self.items if item is not None) >= len(fields):
            return None
        count = len(fields[0])
        pairs = zip(self.items, self.constants, strict=True)
        return [[constant] * count if item is None else fields[item] for item, constant in pairs]


def projection_of(expression: str | None) -> Projection | None:
    """How an inlined expression projects; None for any other.

    >>> projection_of(f"(({ARGUMENT}[2]), -1,)")
    Projection(items=(2, None), constants=(None, -1))
    >>> projection_of(f"(({ARGUMENT}[2]), ({ARGUMENT}[0] + 1),)") is None
    True
    """
    if expression is None or not expression.endswith(",)"):
        return None
    import ast  # which few jobs need

    node = ast.parse(expression.replace(ARGUMENT, "v"), mode="eval").body
    if not isinstance(node, ast.Tuple):
        return None
    items: list[int | None] = []
    constants: list[Any] = []
    for part in node.elts:
        match part:
            case ast.Subscript(ast.Name(), ast.Constant(int(item))) if item >= 0 and type(item) is int:
                items.append(item)
                constants.append(None)
            case _:
                try:
                    constants.append(ast.literal_eval(part))
                except ValueError:
                    return None
                items.append(None)
    return Projection(tuple(items), tuple(constants)) if any(item is not None for item in items) else None


@lru_cache(maxsize=256)
def compile_loop(
    kinds: tuple[StepKind, ...], timed: bool, inlined: tuple[str | None, ...] = ()
) -> Callable[..., Callable[..., Any]]:
    """A function that takes the user's functions and returns the loop over ``values``, or ``(values, timestamps)``.

    With timestamps and a flat_map it is a generator over ``(values, timestamps, keep)``, which keeps the time of each result.

    ``inlined`` has the expression of a step in place of a call. Line n of the generated code belongs to step n - 1; behind
    the last step the count starts again.

    >>> compile_loop(("map", "filter"), False)(lambda x: x + 1, lambda x: x > 2)(iter([1, 2, 3]))
    [3, 4]
    """
    calls = _calls(len(kinds), inlined)
    source = _timed_source(kinds, calls) if timed else _plain_source(kinds, calls)
    code = compile(source, f"{GENERATED} {'-'.join(kinds)}>", "eval")
    return eval(code, {"fresh": _fresh})  # type: ignore[no-any-return]


@lru_cache(maxsize=256)
def compile_lists(
    kinds: tuple[StepKind, ...], inlined: tuple[str | None, ...]
) -> Callable[..., Callable[..., Any]]:
    """The loop over values and a function through which goes what a flat_map gives and is no list.

    >>> compile_lists(("map", "flat_map"), (None, None))(lambda x: x + 1, range)(iter([1, 2]), list)
    [0, 1, 0, 1, 2]
    """
    calls = _calls(len(kinds), inlined)
    source = _plain_source(kinds, calls, "values, listed")
    code = compile(source, f"{GENERATED} {'-'.join(kinds)}>", "eval")
    return eval(code)  # type: ignore[no-any-return]


@lru_cache(maxsize=256)
def compile_behind(at: int, count: int, inlined: tuple[str | None, ...]) -> Callable[..., Callable[..., Any]]:
    """The loop over what the flat_map at ``at`` gave, for the maps behind it.

    The loop begins on the line of the flat_map, where an iterable of the user's fails.

    >>> compile_behind(0, 2, (None, None))(lambda x: x + 1)([1, 2])
    [2, 3]
    """
    calls, last = _calls(count, inlined), count - 1
    names = ", ".join(f"f{i}" for i in range(at + 1, count))
    maps = "".join(f"\nfor v{i} in ({calls[i].replace(ARGUMENT, f'v{i - 1}')},)" for i in range(at + 1, last))
    result = calls[last].replace(ARGUMENT, f"v{last - 1}")
    source = f"lambda {names}: lambda items: (" + "\n" * at + "[" + "\n" * (last - at) + result
    source += "\n" * (count + at - last) + f" for v{at} in items{maps}])"
    return eval(compile(source, f"{GENERATED} behind flat_map>", "eval"))  # type: ignore[no-any-return]


def _calls(count: int, inlined: tuple[str | None, ...]) -> list[str]:
    """The call of each step, or the expression in its place."""
    calls = [f"f{i}({ARGUMENT})" for i in range(count)]
    for i, expression in enumerate(inlined[:count]):
        calls[i] = expression or calls[i]
    return calls


def _fresh() -> tuple[list[int], Callable[[int], None]]:
    kept: list[int] = []
    return kept, kept.append


def _plain_source(kinds: tuple[StepKind, ...], calls: list[str], arguments: str = "values") -> str:
    """``lambda f0, ..: lambda values: [...]`` with the clause of step i on line i + 1."""
    head, lists = _head(kinds, arguments), "listed" in arguments
    if kinds == ("map",) and calls[0].startswith("f0("):
        return head + "list(map(f0, values))"
    if kinds[-1] == "map":
        # The last call stands in front, on the line of its step; the others start one round of lines later.
        clauses, value = _clauses(kinds[:-1], calls, lists)
        last = len(kinds) - 1
        return (
            head + "[" + "\n" * last + f"{calls[last].replace(ARGUMENT, value)} for v in values\n{clauses}]"
        )
    clauses, value = _clauses(kinds, calls, lists)
    return head + f"[{value} for v in values {clauses}\n]"


def _timed_source(kinds: tuple[StepKind, ...], calls: list[str]) -> str:
    """The same over values and timestamps; a timestamp is kept for each value that comes out."""
    clauses, last = _clauses(kinds, calls)
    if "flat_map" in kinds:
        # An iterable of the user's that fails does so on the line where the generator begins: that of the flat_map.
        head, at = _head(kinds, "values, times, keep"), kinds.index("flat_map")
        lines = "\n" * at, "\n" * (len(kinds) - at)
        return (
            f"{head}({lines[0]}({last} for v, t in zip(values, times) {lines[1]}{clauses}\nif not keep(t)))"
        )
    head = _head(kinds, "values, times")
    loop = f"[{last} for v, t in zip(values, times) {clauses}\nif not keep(t)]"
    return head + f"(lambda kept, keep: ({loop}, kept))(*fresh())"


def _head(kinds: tuple[StepKind, ...], arguments: str = "values") -> str:
    return f"lambda {', '.join(f'f{i}' for i in range(len(kinds)))}: lambda {arguments}: "


def _clauses(kinds: tuple[StepKind, ...], calls: list[str], lists: bool = False) -> tuple[str, str]:
    """The ``for`` and ``if`` clauses, a line each, and the name of the value that comes out.

    With ``lists`` what a flat_map gives goes through ``listed`` where it is none.
    """
    clauses = []
    value = "v"
    for i, kind in enumerate(kinds):
        call = calls[i].replace(ARGUMENT, value)
        if kind == "filter":
            clauses.append(f"if {call}")
            continue
        if kind == "map":
            clauses.append(f"for v{i} in ({call},)")
        else:
            given = f"r{i} if type(r{i}) is list else listed(r{i})" if lists else f"r{i}"
            clauses.append(f"for r{i} in ({call},) if r{i} is not None for v{i} in ({given})")
        value = f"v{i}"
    return "\n".join(clauses), value
