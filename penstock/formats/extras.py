"""Libraries that are not installed with penstock itself."""

from importlib import import_module
from typing import Any

from penstock.errors import ProgramError


def require(module: str, extra: str, purpose: str) -> Any:
    """A module of an optional library.

    >>> require("json", "none", "nothing").__name__
    'json'

    :raises ProgramError: where it is not installed, naming what to install.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ProgramError(
            f"{purpose} needs {module.partition('.')[0]}, which is not installed; "
            f"install it with: pip install 'penstock[{extra}]'"
        ) from error
