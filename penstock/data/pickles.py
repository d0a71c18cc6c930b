"""State as bytes: pickle protocol 5, and cloudpickle for classes that only the main program knows."""

import pickle
from typing import Any

from penstock.data import code_pickle
from penstock.data.program_classes import dump_with_names, load_with_program_classes
from penstock.errors import StateError


def dump(value: Any) -> bytes:
    """Pickle a value; raises what pickle raises when it cannot be.

    A class of an importable module is written by its name. Only where that fails, as with classes of a main program in a
    worker process, the class is written along with the value.
    """
    try:
        return pickle.dumps(value, 5)
    except Exception as error:  # noqa: BLE001  (whatever a class raises while it is pickled)
        try:
            return code_pickle.dumps(value)
        except Exception:  # noqa: BLE001  (the first error says more)
            raise error from None


def dump_for_this_program(value: Any) -> bytes:
    """The same for what this program alone will read: its classes are written by name in every process, and cheaply."""
    try:
        return pickle.dumps(value, 5)
    except Exception:  # noqa: BLE001  (whatever a class raises while it is pickled)
        try:
            return dump_with_names(value)
        except Exception:  # noqa: BLE001  (as above)
            return dump(value)


def load(data: bytes, what: str) -> Any:
    """Read a pickle again; raises ``StateError`` saying ``what`` it was.

    Where it has classes of a main program, those that the program has now are taken.
    """
    try:
        return load_with_program_classes(data)
    except Exception as error:
        raise cannot_be_read(what, error) from error


def cannot_be_read(what: str, error: Exception) -> StateError:
    """What is to be raised when a pickle cannot be read."""
    return StateError(
        f"{what} cannot be read: {type(error).__name__}: {error}. Its classes must be importable where it is restored, "
        "under the names they had; classes of the main program must be there again, or move to a module of their own"
    )
