"""Types of SQL for lengths of time: of years and months, or of days and parts of them."""

from enum import Enum, IntEnum
from typing import Any

from penstock.data.logical_types import AtomicType, within
from penstock.errors import ProgramError

_YEAR_DIGITS, _DAY_DIGITS, _FRACTION_DIGITS = 2, 2, 6


class Resolution:
    """A unit of an interval, with its number of digits; ``DataTypes.DAY(3)`` makes it."""

    class IntervalUnit(Enum):
        """The units, the smallest first."""

        SECOND = 0
        MINUTE = 1
        HOUR = 2
        DAY = 3
        MONTH = 4
        YEAR = 5

    def __init__(self, unit: "Resolution.IntervalUnit", precision: int = -1) -> None:
        self._unit = unit
        self._precision = precision

    @property
    def unit(self) -> "Resolution.IntervalUnit":
        """The unit."""
        return self._unit

    @property
    def precision(self) -> int:
        """The digits of a year or a day, or of the fraction of a second; -1 for other units."""
        return self._precision

    def __str__(self) -> str:
        return f"{self._unit}({self._precision})"


class YearMonthIntervalType(AtomicType):
    """A number of months. ``precision``: how many digits years have."""

    class YearMonthResolution(IntEnum):
        """From which unit to which."""

        YEAR = 1
        MONTH = 2
        YEAR_TO_MONTH = 3

    DEFAULT_PRECISION = _YEAR_DIGITS

    def __init__(self, resolution: int, precision: int = _YEAR_DIGITS, nullable: bool = True) -> None:
        super().__init__(nullable)
        self._resolution: YearMonthIntervalType.YearMonthResolution = _member_of(
            self.YearMonthResolution, resolution
        )
        if self._resolution is self.YearMonthResolution.MONTH:
            _check_unused(self, "years", precision, _YEAR_DIGITS)
        self._precision = within(self, "the number of digits of years", precision, 1, 4)

    @property
    def resolution(self) -> "YearMonthIntervalType.YearMonthResolution":
        """From which unit to which."""
        return self._resolution

    @property
    def precision(self) -> int:
        """How many digits years have."""
        return self._precision


class DayTimeIntervalType(AtomicType):
    """A time between two moments; the precisions are the digits of days and of a second's fraction."""

    class DayTimeResolution(IntEnum):
        """From which unit to which."""

        DAY = 1
        DAY_TO_HOUR = 2
        DAY_TO_MINUTE = 3
        DAY_TO_SECOND = 4
        HOUR = 5
        HOUR_TO_MINUTE = 6
        HOUR_TO_SECOND = 7
        MINUTE = 8
        MINUTE_TO_SECOND = 9
        SECOND = 10

    DEFAULT_DAY_PRECISION = _DAY_DIGITS
    DEFAULT_FRACTIONAL_PRECISION = _FRACTION_DIGITS

    def __init__(
        self,
        resolution: int,
        day_precision: int = _DAY_DIGITS,
        fractional_precision: int = _FRACTION_DIGITS,
        nullable: bool = True,
    ) -> None:
        super().__init__(nullable)
        self._resolution: DayTimeIntervalType.DayTimeResolution = _member_of(
            self.DayTimeResolution, resolution
        )
        if not self._resolution.name.startswith("DAY"):
            _check_unused(self, "days", day_precision, _DAY_DIGITS)
        if not self._resolution.name.endswith("SECOND"):
            _check_unused(self, "seconds", fractional_precision, _FRACTION_DIGITS)
        self._day_precision = within(self, "the number of digits of days", day_precision, 1, 6)
        self._fractional_precision = within(
            self, "the number of digits of a second's fraction", fractional_precision, 0, 9
        )

    @property
    def resolution(self) -> "DayTimeIntervalType.DayTimeResolution":
        """From which unit to which."""
        return self._resolution

    @property
    def day_precision(self) -> int:
        """How many digits days have."""
        return self._day_precision

    @property
    def fractional_precision(self) -> int:
        """How many digits the fraction of a second has."""
        return self._fractional_precision


def interval_of(
    upper: Resolution, lower: Resolution | None = None
) -> YearMonthIntervalType | DayTimeIntervalType:
    """The type of intervals from one unit down to another, or of one unit alone.

    >>> unit = Resolution.IntervalUnit
    >>> interval_of(Resolution(unit.DAY, 3), Resolution(unit.SECOND, 0)).resolution.name
    'DAY_TO_SECOND'
    """
    for given in (upper, lower):
        if given is not None and not isinstance(given, Resolution):
            raise ProgramError(
                f"an interval goes from one unit to another, as DataTypes.DAY(), not {given!r}"
            )
    ends = [upper] if lower is None else [upper, lower]
    name = "_TO_".join(each.unit.name for each in ends)
    precisions = {each.unit: each.precision for each in ends}
    unit = Resolution.IntervalUnit
    if name in YearMonthIntervalType.YearMonthResolution.__members__:
        year_digits = precisions.get(unit.YEAR, _YEAR_DIGITS)
        return YearMonthIntervalType(YearMonthIntervalType.YearMonthResolution[name], year_digits)
    if name in DayTimeIntervalType.DayTimeResolution.__members__:
        return DayTimeIntervalType(
            DayTimeIntervalType.DayTimeResolution[name],
            precisions.get(unit.DAY, _DAY_DIGITS),
            precisions.get(unit.SECOND, _FRACTION_DIGITS),
        )
    raise ProgramError(
        f"there is no interval {name.replace('_', ' ')}: it goes from years to months, or from days, hours or minutes to a "
        "smaller unit down to seconds"
    )


def _member_of(resolutions: Any, given: int) -> Any:
    try:
        return resolutions(given)
    except ValueError:
        raise ProgramError(
            f"a resolution is one of {', '.join(resolutions.__members__)}, not {given!r}"
        ) from None


def _check_unused(owner: object, unit: str, digits: int, default: int) -> None:
    if digits != default:
        raise ProgramError(
            f"{type(owner).__name__}: an interval without {unit} has no digits of them; leave {digits} out"
        )
