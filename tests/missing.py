"""The one way in which a test is left out: something from outside is not there, and the summary names it."""

from typing import NoReturn

import pytest


def leave_out_for_want_of(what: str, how_to_get_it: str) -> NoReturn:
    """Leave out the test that asks. Pytest's summary shows what is missing and how to get it."""
    pytest.skip(f"{what} is not there; {how_to_get_it}")
