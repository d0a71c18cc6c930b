"""How CSV is written: its columns, its separators, its header."""

from dataclasses import dataclass, replace
from typing import Any

from penstock.data.logical_conversion import a_row_type, a_type_of_values
from penstock.data.logical_types import DataType
from penstock.data.type_composites import RowTypeInfo
from penstock.data.type_information import TypeInformation
from penstock.data.types import Types
from penstock.errors import ProgramError


@dataclass(frozen=True, slots=True)
class CsvColumn:
    """A column. ``separator`` stands between the elements of an array or the fields of a row; None for other columns."""

    name: str
    kind: TypeInformation
    separator: str | None = None


@dataclass(frozen=True, slots=True)
class CsvSchema:
    """Columns and letters of CSV; ``builder`` makes it.

    >>> schema = CsvSchema.builder().add_number_column("id").add_string_column("name").build()
    >>> len(schema), schema.row_type()
    (2, RowTypeInfo(id: Long, name: String))
    """

    columns: tuple[CsvColumn, ...] = ()
    column_separator: str = ","
    quote_char: str | None = '"'
    escape_char: str | None = None
    line_separator: str = "\n"
    null_value: str | None = None
    array_separator: str = ";"
    use_header: bool = False
    strict_headers: bool = False
    skip_first_data_row: bool = False
    allow_comments: bool = False

    @staticmethod
    def builder() -> "CsvSchemaBuilder":
        """Begin a schema without columns."""
        return CsvSchemaBuilder()

    def size(self) -> int:
        """How many columns there are."""
        return len(self.columns)

    __len__ = size

    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    def row_type(self) -> RowTypeInfo:
        """The type of the rows."""
        return Types.ROW_NAMED(self.names(), [column.kind for column in self.columns])

    @staticmethod
    def of_type(row_type: Any, **letters: Any) -> "CsvSchema":
        """A schema for rows of a declared type."""
        row_info = a_row_type("the type of rows of CSV", row_type)
        columns = []
        for name, kind in zip(row_info.get_field_names(), row_info.get_field_types(), strict=True):
            is_array = hasattr(kind, "element_type") and kind != Types.PRIMITIVE_ARRAY(Types.BYTE())
            has_parts = is_array or isinstance(kind, RowTypeInfo)
            columns.append(CsvColumn(name, kind, ";" if has_parts else None))
        return CsvSchema(tuple(columns), **letters)


class CsvSchemaBuilder:
    """Collects columns and letters. Types are those of ``Types`` or ``DataTypes``."""

    def __init__(self) -> None:
        self._schema = CsvSchema()

    def _with(self, **changes: Any) -> "CsvSchemaBuilder":
        self._schema = replace(self._schema, **changes)
        return self

    def _add(self, name: str, kind: Any, separator: str | None = None) -> "CsvSchemaBuilder":
        kind = a_type_of_values(f"the type of the column {name!r}", kind)
        if name in self._schema.names():
            raise ProgramError(f"there is a column {name!r} already; columns have different names")
        return self._with(columns=(*self._schema.columns, CsvColumn(name, kind, separator)))

    def add_array_column(
        self, name: str, separator: str = ";", element_type: TypeInformation | DataType | None = None
    ) -> "CsvSchemaBuilder":
        """Add a column of lists; their elements are text unless a type is given."""
        what = f"the type of the elements of the column {name!r}"
        kind = Types.STRING() if element_type is None else a_type_of_values(what, element_type)
        return self._add(name, Types.LIST(kind), separator)

    def add_boolean_column(self, name: str) -> "CsvSchemaBuilder":
        """Add a column of ``true`` and ``false``."""
        return self._add(name, Types.BOOLEAN())

    def add_number_column(
        self, name: str, number_type: TypeInformation | DataType | None = None
    ) -> "CsvSchemaBuilder":
        """Add a column of numbers, of 64-bit integers unless a type is given."""
        return self._add(name, Types.LONG() if number_type is None else number_type)

    def add_string_column(self, name: str) -> "CsvSchemaBuilder":
        """Add a column of text."""
        return self._add(name, Types.STRING())

    def add_columns_from(self, schema: CsvSchema) -> "CsvSchemaBuilder":
        """Add the columns of another schema."""
        for column in schema.columns:
            self._add(column.name, column.kind, column.separator)
        return self

    def clear_columns(self) -> "CsvSchemaBuilder":
        """Forget the columns."""
        return self._with(columns=())

    def set_allow_comments(self, allow: bool = True) -> "CsvSchemaBuilder":
        """Leave out lines that begin with ``#``."""
        return self._with(allow_comments=allow)

    def set_any_property_name(self, name: str) -> "CsvSchemaBuilder":
        """Fields beyond the columns have no place in a row, so a schema that expects them is refused.

        :raises ProgramError: always.
        """
        raise ProgramError(
            f"set_any_property_name({name!r}): rows have no place for fields beyond their columns; add a column for each"
        )

    def disable_array_element_separator(self) -> "CsvSchemaBuilder":
        """Take the fields of array columns as one element."""
        return self.set_array_element_separator("")

    def remove_array_element_separator(self, index: int) -> "CsvSchemaBuilder":
        """Take the fields of one array column as one element."""
        columns = list(self._schema.columns)
        columns[index] = replace(columns[index], separator="")
        return self._with(columns=tuple(columns))

    def set_array_element_separator(self, separator: str) -> "CsvSchemaBuilder":
        """Say what stands between elements in all array columns that there are."""
        columns = [
            column if column.separator is None else replace(column, separator=separator)
            for column in self._schema.columns
        ]
        return self._with(columns=tuple(columns), array_separator=separator)

    def set_column_separator(self, char: str) -> "CsvSchemaBuilder":
        """Say what stands between fields; a comma unless set."""
        return self._with(column_separator=_one_letter("Column separator", char))

    def disable_escape_char(self) -> "CsvSchemaBuilder":
        """Let no letter escape the next; so it is unless set."""
        return self._with(escape_char=None)

    def set_escape_char(self, char: str) -> "CsvSchemaBuilder":
        """Say which letter takes the meaning from the next."""
        return self._with(escape_char=_one_letter("Escape char", char))

    def set_line_separator(self, separator: str) -> "CsvSchemaBuilder":
        """Say what ends a line that is written; when reading it is ``\\n`` or ``\\r\\n``."""
        return self._with(line_separator=separator)

    def set_null_value(self, null_value: str) -> "CsvSchemaBuilder":
        """Say which text stands for None. Without it, fields without text are None unless they are of type text."""
        return self._with(null_value=null_value)

    def disable_quote_char(self) -> "CsvSchemaBuilder":
        """Let quotes be letters as all others."""
        return self._with(quote_char=None)

    def set_quote_char(self, char: str) -> "CsvSchemaBuilder":
        """Say what stands around fields that have separators in them; a double quote unless set."""
        return self._with(quote_char=_one_letter("Quote char", char))

    def set_skip_first_data_row(self, skip: bool = True) -> "CsvSchemaBuilder":
        """Leave out the first row, or the first behind the header."""
        return self._with(skip_first_data_row=skip)

    def set_strict_headers(self, strict: bool = True) -> "CsvSchemaBuilder":
        """Fail where the header has not the names of the columns, in their order."""
        return self._with(strict_headers=strict)

    def set_use_header(self, use: bool = True) -> "CsvSchemaBuilder":
        """Say that the first row of each file is a header."""
        return self._with(use_header=use)

    def size(self) -> int:
        """How many columns there are."""
        return self._schema.size()

    __len__ = size

    def build(self) -> CsvSchema:
        """The schema."""
        return self._schema


def _one_letter(what: str, char: str) -> str:
    if not isinstance(char, str) or len(char) != 1:
        raise ProgramError(f"{what} must be a single char, got {char!r}")
    return char
