"""``${log.file}``, ``${sys:log.file}`` and ``${env:NAME:-default}`` in logging files."""

import os
import re
from collections.abc import Mapping

from penstock.errors import OptionError

_VARIABLE = re.compile(r"\$\{(?:(sys|env|main|ctx):)?([^}:]+)(?::-([^}]*))?\}")


def substitute(text: str, variables: Mapping[str, str], where: str) -> str:
    """A text with its variables filled in; ``where`` names the file for errors.

    >>> substitute("${sys:log.file} ${env:NO_SUCH_NAME:-10}", {"log.file": "a.log"}, "x")
    'a.log 10'

    :raises OptionError: for a variable without a value and without a default.
    """

    def fill(found: "re.Match[str]") -> str:
        kind, name, default = found.groups()
        value = os.environ.get(name) if kind == "env" else variables.get(name)
        if value is None:
            value = default
        if value is None:
            known = ", ".join(sorted(variables)) or "none"
            raise OptionError(f"{where}: nothing is known of {found.group(0)}; known names are: {known}")
        return value

    for _ in range(5):  # a default may hold a variable
        if not _VARIABLE.search(text):
            break
        text = _VARIABLE.sub(fill, text)
    return text
