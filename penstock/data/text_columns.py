"""Many texts as one column of Arrow's, which is handed on as it is."""

from collections.abc import Iterator, Sequence
from typing import Any


class TextColumn(Sequence[str]):
    """Texts, of which each is made when it is asked for.

    >>> column = texts_of(["a", "b", "c"])
    >>> column[1], list(column[1:]), len(column)
    ('b', ['b', 'c'], 3)
    """

    __slots__ = ("column",)

    def __init__(self, column: Any) -> None:
        """``column``: an Arrow array of large strings without nulls."""
        self.column = column

    def __len__(self) -> int:
        return len(self.column)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return self.column.to_pylist()[row]
        return self.column[row].as_py()

    def __iter__(self) -> Iterator[str]:
        return iter(self.column.to_pylist())


def texts_of(values: Sequence[Any]) -> TextColumn | None:
    """The values as such a column; None where one of them is no text, or has half a character.

    >>> texts_of(["a", 1]) is None, texts_of(["\\ud800"]) is None
    (True, True)
    """
    if set(map(type, values)) != {str}:
        return None
    import pyarrow as pa

    try:
        return TextColumn(pa.array(values, pa.large_string()))
    except UnicodeEncodeError:
        return None
