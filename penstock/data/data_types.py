"""``DataTypes``: where a program gets the types of SQL that it declares."""

from collections.abc import Sequence

from penstock.data import logical_types as types
from penstock.data.interval_types import (
    DayTimeIntervalType,
    Resolution,
    YearMonthIntervalType,
    interval_of,
)

_Unit = Resolution.IntervalUnit


class DataTypes:
    """The types of SQL. ``nullable``: whether values may be None.

    >>> DataTypes.ROW([DataTypes.FIELD("id", DataTypes.BIGINT(nullable=False)), DataTypes.FIELD("name", DataTypes.STRING())])
    RowType(RowField(id, BigIntType(false), ...),RowField(name, VarCharType(2147483647, true), ...))
    """

    @staticmethod
    def NULL() -> types.NullType:
        """None, and nothing else."""
        return types.NullType()

    @staticmethod
    def CHAR(length: int, nullable: bool = True) -> types.CharType:
        """Text of ``length`` characters."""
        return types.CharType(length, nullable)

    @staticmethod
    def VARCHAR(length: int, nullable: bool = True) -> types.VarCharType:
        """Text of at most ``length`` characters."""
        return types.VarCharType(length, nullable)

    @staticmethod
    def STRING(nullable: bool = True) -> types.VarCharType:
        """Text of any length."""
        return types.VarCharType(types.MAX_LENGTH, nullable)

    @staticmethod
    def BOOLEAN(nullable: bool = True) -> types.BooleanType:
        """True or False."""
        return types.BooleanType(nullable)

    @staticmethod
    def BINARY(length: int, nullable: bool = True) -> types.BinaryType:
        """``length`` bytes."""
        return types.BinaryType(length, nullable)

    @staticmethod
    def VARBINARY(length: int, nullable: bool = True) -> types.VarBinaryType:
        """At most ``length`` bytes."""
        return types.VarBinaryType(length, nullable)

    @staticmethod
    def BYTES(nullable: bool = True) -> types.VarBinaryType:
        """Bytes of any number."""
        return types.VarBinaryType(types.MAX_LENGTH, nullable)

    @staticmethod
    def DECIMAL(precision: int, scale: int, nullable: bool = True) -> types.DecimalType:
        """Decimal numbers of ``precision`` digits, ``scale`` of them behind the point."""
        return types.DecimalType(precision, scale, nullable)

    @staticmethod
    def TINYINT(nullable: bool = True) -> types.TinyIntType:
        """Integers of 8 bits."""
        return types.TinyIntType(nullable)

    @staticmethod
    def SMALLINT(nullable: bool = True) -> types.SmallIntType:
        """Integers of 16 bits."""
        return types.SmallIntType(nullable)

    @staticmethod
    def INT(nullable: bool = True) -> types.IntType:
        """Integers of 32 bits."""
        return types.IntType(nullable)

    @staticmethod
    def BIGINT(nullable: bool = True) -> types.BigIntType:
        """Integers of 64 bits."""
        return types.BigIntType(nullable)

    @staticmethod
    def FLOAT(nullable: bool = True) -> types.FloatType:
        """Floating-point numbers of 32 bits."""
        return types.FloatType(nullable)

    @staticmethod
    def DOUBLE(nullable: bool = True) -> types.DoubleType:
        """Floating-point numbers of 64 bits."""
        return types.DoubleType(nullable)

    @staticmethod
    def DATE(nullable: bool = True) -> types.DateType:
        """Dates."""
        return types.DateType(nullable)

    @staticmethod
    def TIME(precision: int = 0, nullable: bool = True) -> types.TimeType:
        """Times of day with ``precision`` digits of the second's fraction."""
        return types.TimeType(precision, nullable)

    @staticmethod
    def TIMESTAMP(precision: int = 6, nullable: bool = True) -> types.TimestampType:
        """Dates with a time of day, without a zone."""
        return types.TimestampType(precision, nullable)

    @staticmethod
    def TIMESTAMP_WITH_LOCAL_TIME_ZONE(
        precision: int = 6, nullable: bool = True
    ) -> types.LocalZonedTimestampType:
        """Points in time, shown in the zone of the session."""
        return types.LocalZonedTimestampType(precision, nullable)

    @staticmethod
    def TIMESTAMP_LTZ(precision: int = 6, nullable: bool = True) -> types.LocalZonedTimestampType:
        """The short name of TIMESTAMP_WITH_LOCAL_TIME_ZONE."""
        return types.LocalZonedTimestampType(precision, nullable)

    @staticmethod
    def ARRAY(element_type: types.DataType, nullable: bool = True) -> types.ArrayType:
        """Lists of values of one type."""
        return types.ArrayType(element_type, nullable)

    @staticmethod
    def LIST_VIEW(element_type: types.DataType) -> types.ListViewType:
        """Lists in the accumulator of an aggregate function of tables."""
        return types.ListViewType(element_type)

    @staticmethod
    def MAP(key_type: types.DataType, value_type: types.DataType, nullable: bool = True) -> types.MapType:
        """Dicts of one type of keys and one of values."""
        return types.MapType(key_type, value_type, nullable)

    @staticmethod
    def MAP_VIEW(key_type: types.DataType, value_type: types.DataType) -> types.MapViewType:
        """Dicts in the accumulator of an aggregate function of tables."""
        return types.MapViewType(key_type, value_type)

    @staticmethod
    def MULTISET(element_type: types.DataType, nullable: bool = True) -> types.MultisetType:
        """Values of one type, each with how often it is there."""
        return types.MultisetType(element_type, nullable)

    @staticmethod
    def ROW(row_fields: Sequence[types.RowField] = (), nullable: bool = True) -> types.RowType:
        """Rows of the fields that :meth:`FIELD` makes."""
        return types.RowType(row_fields, nullable)

    @staticmethod
    def FIELD(name: str, data_type: types.DataType, description: str | None = None) -> types.RowField:
        """A field of a row."""
        return types.RowField(name, data_type, description)

    @staticmethod
    def SECOND(precision: int = DayTimeIntervalType.DEFAULT_FRACTIONAL_PRECISION) -> Resolution:
        """Seconds with ``precision`` digits of their fraction, as an end of an interval."""
        return Resolution(_Unit.SECOND, precision)

    @staticmethod
    def MINUTE() -> Resolution:
        """Minutes, as an end of an interval."""
        return Resolution(_Unit.MINUTE)

    @staticmethod
    def HOUR() -> Resolution:
        """Hours, as an end of an interval."""
        return Resolution(_Unit.HOUR)

    @staticmethod
    def DAY(precision: int = DayTimeIntervalType.DEFAULT_DAY_PRECISION) -> Resolution:
        """Days of ``precision`` digits, as an end of an interval."""
        return Resolution(_Unit.DAY, precision)

    @staticmethod
    def MONTH() -> Resolution:
        """Months, as an end of an interval."""
        return Resolution(_Unit.MONTH)

    @staticmethod
    def YEAR(precision: int = YearMonthIntervalType.DEFAULT_PRECISION) -> Resolution:
        """Years of ``precision`` digits, as an end of an interval."""
        return Resolution(_Unit.YEAR, precision)

    @staticmethod
    def INTERVAL(
        upper_resolution: Resolution, lower_resolution: Resolution | None = None
    ) -> YearMonthIntervalType | DayTimeIntervalType:
        """Lengths of time from one unit down to another.

        >>> DataTypes.INTERVAL(DataTypes.YEAR(4), DataTypes.MONTH()).precision
        4
        """
        return interval_of(upper_resolution, lower_resolution)
