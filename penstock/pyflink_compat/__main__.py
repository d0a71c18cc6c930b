"""Runs a PyFlink program on penstock: ``python -m penstock.pyflink_compat program.py [arguments]``."""

import runpy
import sys
from pathlib import Path

from penstock.pyflink_compat import install


def main() -> None:
    """Run the program named on the command line as ``__main__``, with the arguments behind it."""
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit("usage: python -m penstock.pyflink_compat program.py [arguments of the program]")
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    install()
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
