"""The name of a side output."""

from typing import Any

from penstock.errors import ProgramError


class OutputTag:
    """Names a side output and, where known, the type of its records. Tags are equal when their ids are.

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
        self.type_info = type_info

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OutputTag) and other.tag_id == self.tag_id

    def __hash__(self) -> int:
        return hash(self.tag_id)

    def __repr__(self) -> str:
        return f"OutputTag({self.tag_id!r})"
