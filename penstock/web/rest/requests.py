"""What is read out of requests, and refused where it makes no sense."""

import asyncio
import json
import re
from typing import Any

from starlette.requests import Request

from penstock.errors import ProgramError
from penstock.web.rest import patience

_ID = re.compile("[0-9a-fA-F]{32}")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class TooLarge(ProgramError):
    """What was sent is larger than what is taken."""


class TooSlow(ProgramError):
    """What was to be sent does not come."""


class AlreadyEnded(ProgramError):
    """What is to be cancelled has come to another end."""


class Forbidden(ProgramError):
    """The cluster's options forbid what is asked."""


async def body_bytes(request: Request) -> bytes:
    """All that was sent.

    :raises TooLarge: as soon as it is more than what is taken.
    :raises TooSlow: where nothing more comes for some time.
    """
    most: int = request.app.state.most_body_bytes
    parts: list[bytes] = []
    size = 0
    stream = request.stream()
    while True:
        try:
            part = await asyncio.wait_for(anext(stream), patience.REQUEST_S)
        except StopAsyncIteration:
            break
        except TimeoutError as error:
            raise TooSlow(f"nothing more of the request came within {patience.REQUEST_S:g} s") from error
        size += len(part)
        if size > most:
            raise TooLarge(
                f"the request is larger than {most} bytes, which is rest.server.max-content-length"
            )
        parts.append(part)
    return b"".join(parts)


async def json_body(request: Request) -> dict[str, Any]:
    """The object that was sent; an empty one for nothing."""
    body = await body_bytes(request)
    try:
        made = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise ProgramError(f"the request is no JSON: {error}") from error
    if not isinstance(made, dict):
        raise ProgramError("the request has to be an object of JSON")
    return made


def text(given: dict[str, Any], *names: str) -> str | None:
    """A text under the first of the names that is there; None where there is none, or an empty one."""
    for name in names:
        value = given.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise ProgramError(f"{name} is a text, not {value!r}")
        if _CONTROL.search(value):
            raise ProgramError(f"{name} holds characters that no text of this kind has: {value!r}")
        return value or None
    return None


def flag(given: dict[str, Any], name: str) -> bool:
    """True or false; false where it is not there."""
    value = given.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise ProgramError(f"{name} is true or false, not {value!r}")
    return value


def trigger_id(given: dict[str, Any]) -> str | None:
    """The id that the client has chosen for its operation."""
    return chosen_id(given, "triggerId", "trigger-id")


def chosen_id(given: dict[str, Any], *names: str) -> str | None:
    """An id that the client has chosen; None where it leaves that to the JobManager."""
    value = text(given, *names)
    if value is not None and not _ID.fullmatch(value):
        raise ProgramError(f"{names[0]} has 32 hexadecimal digits, which {value!r} has not")
    return value


def names_in_query(request: Request, name: str) -> list[str] | None:
    """The texts of a parameter, with commas in between; None where it is not there."""
    value = request.query_params.get(name)
    return None if value is None else [each for each in value.split(",") if each]


def number_in_query(request: Request, name: str, default: int) -> int:
    """A whole number that is not below zero."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise ProgramError(f"{name} is a whole number, not {value!r}")
    return int(value)


def number_in_path(request: Request, name: str) -> int | None:
    """A whole number in the path; None where it is none."""
    value: str = request.path_params[name]
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def numbers_in_query(request: Request, name: str) -> set[int] | None:
    """Whole numbers and ranges such as ``0,2-4``; None where the parameter is not there."""
    parts = names_in_query(request, name)
    if parts is None:
        return None
    found: set[int] = set()
    for part in parts:
        first, _, last = part.partition("-")
        ends = [first, last or first]
        if not all(end.isascii() and end.isdigit() and len(end) < 6 for end in ends):
            raise ProgramError(f"{name} is numbers and ranges such as 0,2-4, not {part!r}")
        found.update(range(int(ends[0]), int(ends[1]) + 1))
    return found


def plain_name(request: Request, parameter: str = "name") -> str | None:
    """The name of a file without a folder; None where it is none."""
    name: str = request.path_params[parameter]
    bad = not name or name in (".", "..") or any(sign in name for sign in "/\\\0")
    return None if bad else name
