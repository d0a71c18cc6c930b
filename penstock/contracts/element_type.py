"""The type of a stream's records, for those who check their programs' types.

A stream of unknown records is a stream of Any: its annotation needs no parameter, and functions take what they like.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    T = TypeVar("T", default=Any)
else:  # Python below 3.13 has no defaults of type variables, and a run needs none
    from typing import TypeVar

    T = TypeVar("T")
