"""Errors on their way from a worker to the user: what pickle drops is packed beside it.

Pickle keeps neither ``__cause__`` nor the traceback of an exception, and many exceptions cannot be unpickled although they
could be pickled. Each error of a chain of causes is therefore packed by itself, and one that cannot travel as an object
travels as its text.
"""

import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from penstock.errors import PenstockError, UserCodeError

Dump = Callable[[object], bytes]

_LONGEST_CHAIN = 20


@dataclass(frozen=True, slots=True)
class PackedLink:
    """One error without its cause; ``pickled`` is None where it cannot travel as an object."""

    pickled: bytes | None
    kind: type[PenstockError] | None
    text: str
    places: tuple[str, ...]
    trace: str


@dataclass(frozen=True, slots=True)
class PackedError:
    """A chain of errors, the outermost first, and where it comes from."""

    sender: str
    links: tuple[PackedLink, ...]


def pack(error: BaseException, sender: str, dump: Dump) -> PackedError:
    """Take an error apart; ``dump`` pickles an object for the other side or raises."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and len(chain) < _LONGEST_CHAIN and not any(link is seen for seen in chain):
        chain.append(link)
        link = link.__cause__
    return PackedError(sender, tuple(_pack_link(link, dump) for link in chain))


def unpack(packed: PackedError) -> PenstockError:
    """The error again, with its causes; those that are not penstock's carry the worker's traceback as a note."""
    errors = [_unpack_link(link, packed.sender) for link in packed.links]
    for error, cause in pairwise(errors):
        error.__cause__ = cause
    first = errors[0]
    if isinstance(first, PenstockError):
        return first
    wrapped = UserCodeError(f"{type(first).__name__}: {first}")
    wrapped.__cause__ = first
    return wrapped


def _pack_link(error: BaseException, dump: Dump) -> PackedLink:
    places: tuple[str, ...] = ()
    kind = None
    if isinstance(error, PenstockError):
        places = tuple(error.places)
        # A subclass of the user's may be what cannot travel, so its nearest ancestor of penstock's stands for it.
        kind = next(c for c in type(error).__mro__ if c.__module__ == PenstockError.__module__)
        text = error.message
    else:
        text = f"{type(error).__qualname__}: {_text_of(error)}"
    return PackedLink(_pickled(error, dump), kind, text, places, _trace_of(error))


def _pickled(error: BaseException, dump: Dump) -> bytes | None:
    try:
        pickled = dump(error)
        # Whether it can be read is only seen by reading it: an exception whose __init__ takes other arguments than
        # it gave to Exception is pickled without complaint.
        again = pickle.loads(pickled)
    except Exception:  # noqa: BLE001 - user classes may raise anything here
        return None
    return pickled if type(again) is type(error) else None


def _unpack_link(link: PackedLink, sender: str) -> BaseException:
    error: BaseException | None = None
    if link.pickled is not None:
        try:
            error = pickle.loads(link.pickled)
        except Exception:  # noqa: BLE001 - a module that only the worker has; the text is there
            error = None
    if error is None:
        error = _from_text(link)
    if link.kind is None and link.trace:
        error.add_note(f"raised in {sender}:\n{link.trace}")
    return error


def _from_text(link: PackedLink) -> PenstockError:
    if link.kind is None:
        return UserCodeError(link.text, link.trace)
    error = link.kind(link.text)
    error.places.extend(link.places)
    return error


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001 - the user's __str__
        return f"(its text cannot be read: {type(second).__name__})"


def _trace_of(error: BaseException) -> str:
    if error.__traceback__ is None:
        return ""
    try:
        return "".join(traceback.format_exception(error, chain=False)).rstrip("\n")
    except Exception:  # noqa: BLE001 - the user's __str__ again
        return "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
