"""Pickles a job graph for worker processes, or says which function of the program stands in the way."""

import types
from collections.abc import Iterator
from typing import Any

from penstock.data import code_pickle
from penstock.data.saved_classes import Reference
from penstock.data.saved_pickles import NotingReducers
from penstock.dataflow.job import ChainedOperator, JobGraph
from penstock.errors import NotSerializable
from penstock.operators.user_code import shorten

_DEEPEST = 4


def ship_graph(graph: JobGraph, classes: list[Reference] | None = None) -> bytes:
    """The graph as every worker process can read it, whatever module its functions were written in.

    ``classes``: where those are noted that have fields, for who reads it with another version of them.

    Raises ``NotSerializable`` that names the operator, the function and what in it cannot be pickled.
    """
    pickled = _pickle(graph, None if classes is None else NotingReducers(classes))
    if isinstance(pickled, bytes):
        return pickled
    raise _explain(graph, pickled) from pickled


def _pickle(value: object, reducers: NotingReducers | None = None) -> bytes | Exception:
    try:
        return code_pickle.dumps(value, reducers)
    except Exception as error:  # noqa: BLE001 - whatever a user's __reduce__ raises
        return error


def _explain(graph: JobGraph, error: Exception) -> NotSerializable:
    for vertex in graph.vertices:
        for operator in vertex.operators:
            reason = _pickle(operator.spec)
            if isinstance(reason, Exception):
                return _unshippable(operator, operator.spec.user_functions(), operator.spec, reason)
    for edge in graph.edges:
        reason = _pickle(edge.partitioning)
        if isinstance(reason, Exception):
            sender = graph.vertex(edge.source).operators[edge.operator_index]
            functions = tuple(_parts(edge.partitioning))
            return _unshippable(sender, tuple(f for _, f in functions), edge.partitioning, reason)
    return NotSerializable(f"the job graph cannot be sent to worker processes: {error}")


def _unshippable(
    operator: ChainedOperator, functions: tuple[Any, ...], whole: object, reason: Exception
) -> NotSerializable:
    culprit, path = whole, ""
    for function in functions:
        failure = _pickle(function)
        if isinstance(failure, Exception):
            reason, culprit = failure, function
            path = _path_to_culprit(function)
            break
    what = _name_of(culprit)
    at = f", made at {operator.origin}" if operator.origin else ""
    error = NotSerializable(
        f"{what} cannot be sent to worker processes: {_first_line(reason)}{path}; create such objects on the worker, in the "
        "open() method of a function class, or run the job with parallelism 1"
    )
    return error.at(f"in operator {operator.name!r}{at}")


def _path_to_culprit(value: object) -> str:
    """The way from a function to the innermost part of it that cannot be pickled, as far as it can be followed."""
    steps: list[str] = []
    for _ in range(_DEEPEST):
        for name, part in _parts(value):
            if part is not value and isinstance(_pickle(part), Exception):
                steps.append(f"{name} is {shorten(part, 80)} of type {type(part).__name__}")
                value = part
                break
        else:
            break
    return f" ({', and '.join(steps)})" if steps else ""


def _parts(value: object) -> Iterator[tuple[str, Any]]:
    """What pickling a value pickles with it, by the name that the user knows it under."""
    if isinstance(value, types.MethodType):
        yield "its object", value.__self__
        return
    if isinstance(value, types.FunctionType):
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            try:
                yield f"its variable {name!r}", cell.cell_contents
            except ValueError:  # not assigned yet
                continue
        for name in _global_names(value.__code__):
            if name in value.__globals__:
                yield f"the global variable {name!r}", value.__globals__[name]
        for default in value.__defaults__ or ():
            yield "a default value", default
        return
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"the item {shorten(key, 40)}", item
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield "an item", item
    else:
        yield from ((f"its attribute {name!r}", item) for name, item in _attributes(value))


def _attributes(value: object) -> Iterator[tuple[str, Any]]:
    names = list(getattr(value, "__dict__", ()))
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else slots
    for name in names:
        try:
            yield name, getattr(value, name)
        except AttributeError:  # a slot that is empty
            continue


def _global_names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _global_names(constant)


def _name_of(value: object) -> str:
    if isinstance(value, types.MethodType):
        value = value.__func__
    if isinstance(value, types.FunctionType):
        code = value.__code__
        return f"the function {value.__qualname__} ({code.co_filename}:{code.co_firstlineno})"
    return f"the {type(value).__qualname__} object {shorten(value, 80)}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
