"""Types of SQL: what a column holds and whether it may be None. ``DataTypes`` makes them; texts of them are PyFlink's."""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any, ClassVar, Self, overload

from penstock.errors import ProgramError

MAX_LENGTH = 0x7FFF_FFFF
MAX_DECIMAL_DIGITS = 38
_MAX_FRACTION_DIGITS = 9


class DataType:
    """A type of SQL. Two are equal when all that is in them is.

    >>> IntType().not_null(), str(IntType()), IntType() == IntType(nullable=False)
    (IntType(false), 'INT', False)
    """

    # What stands in its text before the word that says whether it may be None.
    _shown: ClassVar[tuple[str, ...]] = ()

    def __init__(self, nullable: bool = True) -> None:
        if not isinstance(nullable, bool):
            raise ProgramError(f"{type(self).__name__}: nullable is True or False, not {nullable!r}")
        self._nullable = nullable
        self._conversion_class = ""

    def is_nullable(self) -> bool:
        """Whether values may be None."""
        return self._nullable

    def not_null(self) -> Self:
        """The same type without None."""
        return self._with(_nullable=False)

    def nullable(self) -> Self:
        """The same type with None."""
        return self._with(_nullable=True)

    def bridged_to(self, conversion_cls: str) -> Self:
        """The same type with the name of the class that its values have in Java, which changes nothing here."""
        return self._with(_conversion_class=conversion_cls)

    def _with(self, **changes: Any) -> Self:
        changed = copy(self)
        changed.__dict__.update(changes)
        return changed

    @classmethod
    def type_name(cls) -> str:
        """The name of SQL, without lengths and digits."""
        return cls.__name__.removesuffix("Type").upper()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return self.type_name()

    def __repr__(self) -> str:
        shown = [str(getattr(self, name)) for name in self._shown_parts()]
        return f"{type(self).__name__}({', '.join([*shown, str(self._nullable).lower()])})"

    def _shown_parts(self) -> tuple[str, ...]:
        return self._shown


class AtomicType(DataType):
    """What has no types inside."""


class NullType(AtomicType):
    """None, and nothing else."""

    def __init__(self) -> None:
        super().__init__(nullable=True)


class BooleanType(AtomicType):
    """True or False."""


class NumericType(AtomicType):
    """Numbers."""


class IntegralType(NumericType):
    """Whole numbers."""


class FractionalType(NumericType):
    """Numbers with a fraction."""


class TinyIntType(IntegralType):
    """Integers of 8 bits."""


class SmallIntType(IntegralType):
    """Integers of 16 bits."""


class IntType(IntegralType):
    """Integers of 32 bits."""


class BigIntType(IntegralType):
    """Integers of 64 bits."""


class FloatType(FractionalType):
    """Floating-point numbers of 32 bits."""


class DoubleType(FractionalType):
    """Floating-point numbers of 64 bits."""


class DecimalType(FractionalType):
    """Decimal numbers of ``precision`` digits, ``scale`` of them behind the point."""

    _shown = ("precision", "scale")

    def __init__(self, precision: int = 10, scale: int = 0, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.precision = within(self, "the precision", precision, 1, MAX_DECIMAL_DIGITS)
        self.scale = within(self, "the scale", scale, 0, precision)


class _OfLength(AtomicType):
    _shown = ("length",)

    def __init__(self, length: int = 1, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.length = within(self, "the length", length, 1, MAX_LENGTH)


class CharType(_OfLength):
    """Text of ``length`` characters."""


class VarCharType(_OfLength):
    """Text of at most ``length`` characters."""


class BinaryType(_OfLength):
    """``length`` bytes."""


class VarBinaryType(_OfLength):
    """At most ``length`` bytes."""


class DateType(AtomicType):
    """Dates."""


class _OfPrecision(AtomicType):
    _shown = ("precision",)

    def __init__(self, precision: int = 6, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.precision = within(self, "the precision", precision, 0, _MAX_FRACTION_DIGITS)


class TimeType(_OfPrecision):
    """Times of day with ``precision`` digits of the second's fraction."""

    def __init__(self, precision: int = 0, nullable: bool = True) -> None:
        super().__init__(precision, nullable)


class TimestampType(_OfPrecision):
    """Dates with a time of day, without a zone."""


class LocalZonedTimestampType(_OfPrecision):
    """Points in time, shown in the zone of the session."""


class ZonedTimestampType(_OfPrecision):
    """Points in time with a zone of their own."""


class _OfElements(DataType):
    _shown = ("element_type",)

    def __init__(self, element_type: DataType, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.element_type = a_data_type(self, "the element type", element_type)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.element_type!r}, {str(self._nullable).lower()})"


class ArrayType(_OfElements):
    """Lists of values of one type."""


class MultisetType(_OfElements):
    """Values of one type, each with how often it is there."""


class MapType(DataType):
    """Dicts of one type of keys and one of values."""

    def __init__(self, key_type: DataType, value_type: DataType, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.key_type = a_data_type(self, "the key type", key_type)
        self.value_type = a_data_type(self, "the value type", value_type)

    def __repr__(self) -> str:
        return f"MapType({self.key_type!r}, {self.value_type!r}, {str(self._nullable).lower()})"


class ListViewType(DataType):
    """Lists in the accumulator of an aggregate function of tables."""

    def __init__(self, element_type: DataType) -> None:
        super().__init__(nullable=False)
        self._element_type = a_data_type(self, "the element type", element_type)

    def __repr__(self) -> str:
        return f"ListViewType({self._element_type!r})"


class MapViewType(DataType):
    """Dicts in the accumulator of an aggregate function of tables."""

    def __init__(self, key_type: DataType, value_type: DataType) -> None:
        super().__init__(nullable=False)
        self._key_type = a_data_type(self, "the key type", key_type)
        self._value_type = a_data_type(self, "the value type", value_type)

    def __repr__(self) -> str:
        return f"MapViewType({self._key_type!r}, {self._value_type!r})"


class RowField:
    """A field of a row: name, type, and a description for people.

    >>> RowField("id", IntType()), str(RowField("id", IntType()))
    (RowField(id, IntType(true), ...), 'RowField(id, INT)')
    """

    def __init__(self, name: str, data_type: DataType, description: str | None = None) -> None:
        for what, text in (("the name", name), ("the description", description or "")):
            if not isinstance(text, str):
                raise ProgramError(f"RowField: {what} of a field is a text, not {text!r}")
        self.name = name
        self.data_type = a_data_type(self, f"the type of the field {name!r}", data_type)
        self.description = "..." if description is None else description

    def __eq__(self, other: object) -> bool:
        return type(other) is RowField and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return f"RowField({self.name}, {self.data_type})"

    def __repr__(self) -> str:
        return f"RowField({self.name}, {self.data_type!r}, {self.description})"


class RowType(DataType):
    """Rows of named fields. A field is found by name or position.

    >>> row_type = RowType().add("id", IntType()).add(RowField("name", VarCharType(20)))
    >>> row_type.field_names(), row_type["id"].data_type, len(row_type)
    (['id', 'name'], IntType(true), 2)
    """

    def __init__(self, fields: Sequence[RowField] | None = None, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.fields: list[RowField] = []
        for field in fields or ():
            self.add(field)

    @property
    def names(self) -> list[str]:
        """The names of the fields."""
        return [field.name for field in self.fields]

    def add(self, field: RowField | str, data_type: DataType | None = None) -> Self:
        """Add a field: one that was made before, or a name and its type."""
        if isinstance(field, str) and data_type is not None:
            field = RowField(field, data_type)
        if not isinstance(field, RowField):
            raise ProgramError(
                f"a row has fields of DataTypes.FIELD(name, type), or a name and a type, not {field!r}"
            )
        if field.name in self.names:
            raise ProgramError(f"there is a field {field.name!r} already; fields have different names")
        self.fields.append(field)
        return self

    def field_names(self) -> list[str]:
        """The names of the fields."""
        return self.names

    def field_types(self) -> list[DataType]:
        """The types of the fields."""
        return [field.data_type for field in self.fields]

    def __iter__(self) -> Iterator[RowField]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    @overload
    def __getitem__(self, key: str | int) -> RowField: ...
    @overload
    def __getitem__(self, key: slice) -> "RowType": ...
    def __getitem__(self, key: str | int | slice) -> "RowField | RowType":
        if isinstance(key, slice):
            return RowType(self.fields[key])
        if isinstance(key, int):
            return self.fields[key]
        for field in self.fields:
            if field.name == key:
                return field
        raise KeyError(f"there is no field {key!r}; there are {', '.join(self.names)}")

    def _with(self, **changes: Any) -> Self:
        return super()._with(fields=list(self.fields), **changes)

    def __repr__(self) -> str:
        return f"RowType({','.join(map(repr, self.fields))})"


def within(owner: object, what: str, number: int, least: int, most: int) -> int:
    """The number, refused where it is not between two others."""
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
        raise ProgramError(
            f"{type(owner).__name__}: {what} is a whole number from {least} to {most}, not {number!r}"
        )
    return number


def a_data_type(owner: object, what: str, given: Any) -> DataType:
    """A type of SQL, refused where it is something else."""
    if not isinstance(given, DataType):
        raise ProgramError(
            f"{type(owner).__name__}: {what} is one of DataTypes, as DataTypes.INT(), not {given!r}"
        )
    return given
