"""Reads Flink's configuration files: ``config.yaml``, whose keys are nested or flat, and the older ``flink-conf.yaml``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penstock.config.configuration import Configuration
from penstock.config.value_texts import value_text
from penstock.errors import OptionError
from penstock.logs.roles import Role, find_logging_file

FILES = ("config.yaml", "flink-conf.yaml")


def has_configuration(directory: Path) -> bool:
    """Whether a directory has a file of options."""
    return any((directory / name).is_file() for name in FILES)


def read_configuration(directory: Path) -> Configuration:
    """The options of a configuration directory; of two files, ``config.yaml`` counts, as in Flink. One that has logging files
    alone sets none.

    :raises OptionError: when there is no file of these kinds, or when it cannot be understood.
    """
    if not directory.is_dir():
        raise OptionError(f"{directory} is not a directory")
    for name, parse in zip(FILES, (parse_yaml, parse_flat), strict=True):
        path = directory / name
        if path.is_file():
            try:
                return parse(path.read_text("utf-8"), str(path))
            except (OSError, UnicodeDecodeError) as error:
                raise OptionError(f"{path} cannot be read: {error}") from error
    if any(find_logging_file(directory, role) for role in Role):
        return Configuration()
    raise OptionError(f"there is neither config.yaml nor flink-conf.yaml in {directory}, nor a logging file")


def parse_flat(text: str, name: str) -> Configuration:
    """Lines ``key: value``; what follows a ``#`` is a comment, and of two lines for one key the last counts.

    >>> parse_flat("parallelism.default: 4  # more is not needed", "flink-conf.yaml").to_dict()
    {'parallelism.default': '4'}
    """
    configuration = Configuration()
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip()
        if not said or said == "---":
            continue
        key, colon, value = said.partition(": ")
        if not colon or not key.strip() or not value.strip():
            raise OptionError(f"{name}:{number}: {said!r} is not an option; write key: value")
        configuration.set_string(key.strip(), value.strip())
    return configuration


def parse_yaml(text: str, name: str) -> Configuration:
    """YAML, where ``a: {b: c}`` means the same as ``a.b: c``. Texts stay as they are written.

    >>> parse_yaml("parallelism:\\n  default: 4\\npipeline.name: shop\\n", "config.yaml").to_dict()
    {'parallelism.default': '4', 'pipeline.name': 'shop'}
    """
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark is not None else name
        raise OptionError(f"{where}: not YAML: {getattr(error, 'problem', None) or error}") from error
    configuration = Configuration()
    if root is None:
        return configuration
    if not isinstance(root, yaml.MappingNode):
        raise OptionError(f"{name}:{_line(root)}: options are expected, written key: value")
    for node, key, value in _options(root, "", name):
        if configuration.contains_key(key):
            raise OptionError(f"{name}:{_line(node)}: {key} is set twice")
        configuration.set(key, value)
    return configuration


def _options(mapping: Any, prefix: str, name: str) -> Iterator[tuple[Any, str, str]]:
    import yaml

    for key_node, node in mapping.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise OptionError(f"{name}:{_line(key_node)}: a key has to be a text")
        key = f"{prefix}{key_node.value}"
        if isinstance(node, yaml.MappingNode):
            yield from _options(node, f"{key}.", name)
        elif isinstance(node, yaml.SequenceNode):
            yield key_node, key, value_text([_text(item, name) for item in node.value])
        elif _text(node, name):
            yield key_node, key, _text(node, name)
        else:
            raise OptionError(
                f"{name}:{_line(key_node)}: {key} has no value; write one, or leave the line out"
            )


def _text(node: Any, name: str) -> str:
    import yaml

    if not isinstance(node, yaml.ScalarNode):
        raise OptionError(f"{name}:{_line(node)}: a list holds texts and numbers only")
    return str(node.value)


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1
