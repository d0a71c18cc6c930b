"""Pickles that hold the functions and classes of the user's program by value, each with the file that it was written in.

cloudpickle ships what another process cannot import. Since its release 3.1.2 it writes ``<dynamic-code>`` in the place of
the file's name, so that pickles of a notebook's functions are the same in every session. Here the name stays: an error on a
worker has to name the user's file and line. ``dataclasses.MISSING``, by which a dataclass knows that a field has no default,
stays itself, too. Everything that is shipped by value goes through this module.
"""

import functools
import io
import sys
from collections import ChainMap
from collections.abc import Callable, MutableMapping
from dataclasses import MISSING
from types import CodeType
from typing import Any

# What stands for things of other processes is there where its module is.
_PASSED_ON = "penstock.data.passed_on"


def dumps(value: object, reducers: MutableMapping[type, Callable[[Any], Any]] | None = None) -> bytes:
    """Pickle a value with protocol 5; what cannot be imported elsewhere is in the pickle itself. ``pickle.loads`` reads it.

    ``reducers`` take objects apart, by their class, that need no other way.

    Raises whatever cloudpickle, or the value's own ``__reduce__``, raises.

    >>> import pickle
    >>> code = compile("lambda x: x + 1", "rates.py", "eval")
    >>> increment = pickle.loads(dumps(eval(code)))
    >>> increment(1), increment.__code__.co_filename
    (2, 'rates.py')
    """
    with io.BytesIO() as buffer:
        pickler = _pickler_class(_PASSED_ON in sys.modules)(buffer, protocol=5)
        if reducers is not None:
            import pickle

            # The attribute of cloudpickle's class hides the one that pickling looks at.
            table = ChainMap(*pickler.dispatch_table.maps, reducers)
            pickle.Pickler.dispatch_table.__set__(pickler, table)  # type: ignore[attr-defined]
        pickler.dump(value)
        return buffer.getvalue()


@functools.cache
def _pickler_class(passes_on: bool) -> Any:
    """The pickler of cloudpickle with one reduction replaced; made on first use, as most jobs ship nothing. ``passes_on``:
    there may be what stands for things of other processes."""
    import cloudpickle

    reduce_code = cloudpickle.Pickler.dispatch_table[CodeType]

    def reduce_with_file(code: CodeType) -> tuple[Any, ...]:
        make, arguments = reduce_code(code)[:2]
        return _code_in_file, (make, arguments, code.co_filename)

    class CodePickler(cloudpickle.Pickler):  # type: ignore[misc]
        dispatch_table = cloudpickle.Pickler.dispatch_table.new_child(
            {CodeType: reduce_with_file, type(MISSING): lambda missing: (_missing, ())}
        )

    if not passes_on:
        return CodePickler

    from penstock.data import passed_on

    class PassingPickler(CodePickler):
        def reducer_override(self, obj: Any) -> Any:
            reduced = passed_on.reduced(obj)
            return super().reducer_override(obj) if reduced is None else reduced

    return PassingPickler


def _code_in_file(make: Callable[..., CodeType], arguments: tuple[Any, ...], file_name: str) -> CodeType:
    return make(*arguments).replace(co_filename=file_name)


def _missing() -> Any:
    """Another of its kind, as a class has that came in somebody else's pickle, becomes the one again."""
    return MISSING
