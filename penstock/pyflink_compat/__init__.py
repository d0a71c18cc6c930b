"""Makes ``import pyflink...`` resolve to penstock, so that PyFlink programs run as they are.

    import penstock.pyflink_compat
    penstock.pyflink_compat.install()

comes first in a program; ``python -m penstock.pyflink_compat program.py`` runs a program without touching it. There is no
logic here: ``modules`` says which module answers for which, ``absent`` what has no counterpart, ``finder`` hands it out.
"""

import sys
from pathlib import Path

from penstock.errors import ProgramError

# Worker processes get the import path of the program. This directory on it holds nothing but the entry to this package,
# under the name that programs import.
_ENTRY = str(Path(__file__).resolve().parent / "on_path")


def install() -> None:
    """Let penstock answer to the name ``pyflink``, here and in the worker processes of jobs. Twice is as good as once.

    >>> install()
    >>> from pyflink.datastream import StreamExecutionEnvironment
    >>> StreamExecutionEnvironment.__module__
    'penstock.environment'

    :raises ProgramError: when another ``pyflink`` has been imported already.
    """
    from penstock.pyflink_compat.finder import PyFlinkFinder

    present = sys.modules.get("pyflink")
    if present is not None and not _is_entry_or_ours(present):
        raise ProgramError(
            f"another pyflink has been imported already, from {getattr(present, '__file__', None)}; "
            "call penstock.pyflink_compat.install() before the first import of pyflink"
        )
    if not any(isinstance(finder, PyFlinkFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, PyFlinkFinder())
    if _ENTRY not in sys.path:
        sys.path.insert(0, _ENTRY)


def _is_entry_or_ours(module: object) -> bool:
    from penstock.pyflink_compat.finder import FacadeModule

    return isinstance(module, FacadeModule) or str(getattr(module, "__file__", "")).startswith(_ENTRY)
