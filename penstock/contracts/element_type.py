"""The types of records, for those who check their programs' types.

A stream of unknown records is a stream of Any: its annotation needs no parameter, and functions take what they like.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    T = TypeVar("T", default=Any)
    U = TypeVar("U", default=Any)
    K = TypeVar("K", default=Any)
    A = TypeVar("A", default=Any)
    I_contra = TypeVar("I_contra", default=Any, contravariant=True)
    I1_contra = TypeVar("I1_contra", default=Any, contravariant=True)
    I2_contra = TypeVar("I2_contra", default=Any, contravariant=True)
    O_co = TypeVar("O_co", default=Any, covariant=True)
else:  # Python below 3.13 has no defaults of type variables, and a run needs none
    from typing import TypeVar

    T = TypeVar("T")
    U = TypeVar("U")
    K = TypeVar("K")
    A = TypeVar("A")
    I_contra = TypeVar("I_contra", contravariant=True)
    I1_contra = TypeVar("I1_contra", contravariant=True)
    I2_contra = TypeVar("I2_contra", contravariant=True)
    O_co = TypeVar("O_co", covariant=True)
