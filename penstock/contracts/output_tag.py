"""The name of a side output."""

from typing import Any, Generic

from penstock.contracts.element_type import T
from penstock.data.type_composites import RowTypeInfo
from penstock.data.type_information import TypeInformation
from penstock.errors import ProgramError, TypeMismatch


class OutputTag(Generic[T]):
    """Names a side output and, where known, the type of its records; a list of types stands for rows of them.

    Tags are equal when their ids are.

    >>> OutputTag("late") == OutputTag("late")
    True
    """

    __slots__ = ("tag_id", "type_info")

    def __init__(self, tag_id: str, type_info: Any = None) -> None:
        if not isinstance(tag_id, str):
            raise ProgramError(f"an OutputTag is named by a str, not by {tag_id!r}")
        if not tag_id:
            raise ProgramError("OutputTag tag_id cannot be None or empty string")
        self.tag_id = tag_id
        self.type_info = RowTypeInfo(type_info) if isinstance(type_info, list) else type_info
        if self.type_info is not None and not isinstance(self.type_info, TypeInformation):
            raise TypeMismatch(
                f"OutputTag type_info must be None, list or TypeInformation, not {type_info!r}"
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OutputTag) and other.tag_id == self.tag_id

    def __hash__(self) -> int:
        return hash(self.tag_id)

    def __repr__(self) -> str:
        return f"OutputTag({self.tag_id!r})"
