"""The page for people: one file that asks the API for everything that it shows."""

from functools import cache
from pathlib import Path


@cache
def page() -> str:
    """The page as HTML."""
    return Path(__file__).with_name("page.html").read_text("utf-8")
