"""A configuration: keys and values, typed when read."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from penstock.config.option import ConfigOption
from penstock.config.value_texts import parse_list, parse_value, value_text
from penstock.errors import OptionError

# `set` is a method of the class below.
_Keys = set[str]


class Configuration:
    """Keys and values. What a key means is in :mod:`penstock.config.catalogue`; keys of your own are welcome.

    >>> configuration = Configuration().set_string("execution.checkpointing.interval", "10 s")
    >>> configuration.set_integer("parallelism.default", 4).get_string("parallelism.default", "")
    '4'
    >>> configuration.get("execution.checkpointing.interval")
    datetime.timedelta(seconds=10)
    """

    __slots__ = ("_values",)

    def __init__(self, other: "Configuration | None" = None) -> None:
        self._values: dict[str, Any] = {} if other is None else dict(other._values)

    @classmethod
    def from_dict(cls, map: Mapping[str, Any]) -> "Configuration":
        """A configuration of these keys and values."""
        configuration = cls()
        for key, value in map.items():
            configuration.set(key, value)
        return configuration

    @staticmethod
    def parse_list_value(value: str) -> list[str]:
        """Items between semicolons, or of a YAML list.

        >>> Configuration.parse_list_value("a;b") == Configuration.parse_list_value("[a, b]")
        True
        """
        return parse_list(value) if value else []

    def get(self, option: "ConfigOption[Any] | str", default: Any = None) -> Any:
        """The value of an option, of the option's kind; without a value ``default``, or else the option's default.

        A key may be given instead of an option: it is looked up among Flink's options; an unknown key gives its value as
        it was set. Older keys of the option are read too.
        """
        if isinstance(option, str):
            from penstock.config.catalogue import find_option

            known = find_option(option)
            if known is None:
                return self._values.get(option, default)
            option = known
        for key in (option.key, *option.deprecated_keys):
            if key in self._values:
                return self._parsed(key, option.kind)
        return option.default if default is None else default

    def get_millis(self, option: "ConfigOption[Any] | str", default: int | None = None) -> int | None:
        """The value of a duration in whole milliseconds.

        >>> Configuration().get_millis("pipeline.auto-watermark-interval")
        200
        """
        value = self.get(option)
        if value is None:
            return default
        if not isinstance(value, timedelta):
            value = parse_value("duration", value)
        return int(value // timedelta(milliseconds=1))

    def set(self, option: "ConfigOption[Any] | str", value: Any) -> "Configuration":
        """Set the value of an option; a value that is not of the option's kind is an error at once."""
        key = option if isinstance(option, str) else option.key
        self._put(key, value)
        if isinstance(option, ConfigOption):
            self._parsed(key, option.kind)
        return self

    def get_string(self, key: str, default_value: str | None) -> str | None:
        """The text of a value."""
        return value_text(self._values[key]) if key in self._values else default_value

    def set_string(self, key: str, value: str) -> "Configuration":
        """Set a text."""
        if not isinstance(value, str):
            raise OptionError(
                f"the value of {key} has to be a str, got {value!r}; see also set_integer, set_boolean and set"
            )
        return self._put(key, value)

    def get_integer(self, key: str, default_value: int) -> int:
        """A value as an integer of 64 bits."""
        return int(self._parsed(key, "long")) if key in self._values else default_value

    def set_integer(self, key: str, value: int) -> "Configuration":
        """Set an integer."""
        return self._put_as(key, "long", value)

    def get_boolean(self, key: str, default_value: bool) -> bool:
        """A value as true or false."""
        return bool(self._parsed(key, "boolean")) if key in self._values else default_value

    def set_boolean(self, key: str, value: bool) -> "Configuration":
        """Set true or false."""
        return self._put_as(key, "boolean", value)

    def get_float(self, key: str, default_value: float) -> float:
        """A value as a floating-point number."""
        return float(self._parsed(key, "double")) if key in self._values else default_value

    def set_float(self, key: str, value: float) -> "Configuration":
        """Set a floating-point number."""
        return self._put_as(key, "double", value)

    def get_bytearray(self, key: str, default_value: bytearray) -> bytearray:
        """A value as bytes."""
        value = self._values.get(key, default_value)
        if not isinstance(value, (bytes, bytearray)):
            raise OptionError(f"the value of {key} is not bytes but {value!r}")
        return bytearray(value)

    def set_bytearray(self, key: str, value: bytearray) -> "Configuration":
        """Set bytes."""
        return self._put(key, bytes(value))

    def key_set(self) -> _Keys:
        """All keys."""
        return set(self._values)

    def add_all_to_dict(self, target_dict: dict[str, Any]) -> None:
        """Put all keys and values, as they were set, into a dict."""
        target_dict.update(self._values)

    def add_all(self, other: "Configuration", prefix: str | None = None) -> "Configuration":
        """Take over all values of another configuration, with ``prefix`` in front of their keys."""
        self._values.update({f"{prefix or ''}{key}": value for key, value in other._values.items()})
        return self

    def contains_key(self, key: str) -> bool:
        """Whether the key has a value."""
        return key in self._values

    def contains(self, option: "ConfigOption[Any]") -> bool:
        """Whether the option has a value, under its own key or an older one."""
        return any(key in self._values for key in (option.key, *option.deprecated_keys))

    def to_dict(self) -> dict[str, str]:
        """All keys with the texts of their values.

        >>> Configuration().set_boolean("a", True).to_dict()
        {'a': 'true'}
        """
        return {key: value_text(value) for key, value in self._values.items()}

    def remove_config(self, key: str) -> bool:
        """Forget the value of a key; whether there was one."""
        if key not in self._values:
            return False
        del self._values[key]
        return True

    def _put(self, key: str, value: Any) -> "Configuration":
        if not isinstance(key, str) or not key:
            raise OptionError(f"the key of an option has to be a text, got {key!r}")
        if value is None:
            raise OptionError(f"the value of {key} must not be None; remove_config({key!r}) forgets a value")
        self._values[key] = value
        return self

    def _put_as(self, key: str, kind: str, value: Any) -> "Configuration":
        try:
            return self._put(key, parse_value(kind, value))
        except ValueError as error:
            raise OptionError(f"the value of {key} does not fit: {error}") from error

    def _parsed(self, key: str, kind: str) -> Any:
        try:
            return parse_value(kind, self._values[key])
        except ValueError as error:
            raise OptionError(f"could not parse the value {self._values[key]!r} of {key}: {error}") from error

    def __deepcopy__(self, memo: dict[int, Any]) -> "Configuration":
        return Configuration(self)

    def __copy__(self) -> "Configuration":
        return Configuration(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_configuration, (dict(self._values),))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Configuration) and self._values == other._values

    def __hash__(self) -> int:
        return hash(frozenset(self._values))

    def __str__(self) -> str:
        return f"{{{', '.join([f'{key}={value_text(value)}' for key, value in self._values.items()])}}}"

    def __repr__(self) -> str:
        return f"Configuration({self._values!r})"


def _configuration(values: dict[str, Any]) -> Configuration:
    configuration = Configuration()
    configuration._values = values
    return configuration
