"""Writes the reference: ``python docs/generate_reference.py [FOLDER]``, or ``make reference``.

``FOLDER/configuration.md`` has every option, from the catalogue of ``penstock.config``, ``FOLDER/rest.md`` every operation of
the REST API, from the table that its routes are made of. ``FOLDER/api`` has a page for each
public module, from signatures and docstrings. Without a folder it is ``docs/reference``. None of these pages is kept in the
repository: they repeat what stands in the code word for word, would change with every line of it, and be out of date between
any two changes that meet. They are made where they are wanted, in a few seconds.
"""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).resolve().parent / "reference"
PACKAGES = ("penstock.common", "penstock.datastream", "penstock.table", "penstock.testing")
EFFECTS = {
    "honoured": "it does what it says",
    "accepted": "it is known, and changes nothing here",
    "refused": "any value but the default is an error, as results would be others",
}


def public_modules() -> Iterator[ModuleType]:
    """The modules of the public packages that say in ``__all__`` what is public."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            module = importlib.import_module(found.name)
            if hasattr(module, "__all__"):
                yield module


def api_page(module: ModuleType) -> str:
    """The page of a module; a class is described on each page that has its name."""
    parts = [f"# `{module.__name__}`", inspect.getdoc(module) or ""]
    for name in sorted(module.__all__):
        value = getattr(module, name)
        if inspect.isclass(value):
            parts += class_parts(name, value)
        elif inspect.isroutine(value):
            parts += [f"## `{name}{signature(value)}`", docstring(value)]
        else:
            parts += [f"## `{name}`", f"A value of type `{type(value).__name__}`."]
    return "\n\n".join(part for part in parts if part) + "\n"


def class_parts(name: str, value: type) -> list[str]:
    """A class and its public methods, those that it inherits from penstock's classes among them."""
    parts = [f"## `{name}{signature(value)}`", docstring(value)]
    for attribute in sorted(name for name in dir(value) if not name.startswith("_")):
        member = inspect.getattr_static(value, attribute)
        owner = next((each for each in value.__mro__ if attribute in vars(each)), object)
        if not owner.__module__.startswith("penstock"):
            continue
        if isinstance(member, property):
            parts += [f"### `{name}.{attribute}`", docstring(member)]
        elif isinstance(member, (staticmethod, classmethod)) or inspect.isfunction(member):
            parts += [f"### `{name}.{attribute}{signature(getattr(value, attribute))}`", docstring(member)]
    return parts


def signature(value: Any) -> str:
    """The parameters of a function or class as they are written, as far as Python knows them."""
    try:
        return str(inspect.signature(value)).replace("penstock.", "").replace("typing.", "")
    except (TypeError, ValueError):
        return ""


def docstring(value: Any) -> str:
    """The docstring with its examples as blocks of code."""
    lines: list[str] = []
    inside = False
    for line in (inspect.getdoc(getattr(value, "__func__", value)) or "").splitlines():
        if line.startswith(">>> ") and not inside:
            lines.append("```pycon")
            inside = True
        elif not line.strip() and inside:
            lines.append("```")
            inside = False
        lines.append(line)
    return "\n".join(lines + ["```"] * inside)


def configuration_page() -> str:
    """The page of options, in the order of the alphabet."""
    from penstock.config.catalogue import all_options

    options = sorted(all_options(), key=lambda option: option.key)
    lines = [
        "# Configuration options",
        "",
        "Made by `docs/generate_reference.py` from the catalogue in `penstock/config`; change it there.",
        "",
        f"There are {len(options)} options of Flink that are known. What setting one does here:",
        "",
        *(f"- *{effect}*: {meaning}." for effect, meaning in EFFECTS.items()),
        "",
        "| key | type | default | effect | meaning |",
        "|---|---|---|---|---|",
    ]
    for option in options:
        formerly = "".join(f"<br>formerly `{key}`" for key in option.deprecated_keys)
        default = "" if option.default is None else f"`{in_cell(as_written(option.kind, option.default))}`"
        meaning = in_cell(option.meaning)
        lines.append(f"| `{option.key}`{formerly} | {in_cell(option.kind)} | {default} | {option.effect} | {meaning} |")
    return "\n".join(lines) + "\n"


def as_written(kind: str, value: Any) -> str:
    """A value as a configuration file has it."""
    from penstock.config.quantities import format_memory_size
    from penstock.config.value_texts import value_text

    return format_memory_size(value) if kind == "memory" else value_text(value)


def in_cell(value: Any) -> str:
    """A text that does not end the cell of a table."""
    return str(value).replace("|", "\\|").replace("\n", " ")


def rest_page() -> str:
    """The page of the REST API: every operation with what it takes and gives."""
    from typing import cast

    from penstock.web.rest.api import Api
    from penstock.web.rest.app import operations
    from penstock.web.rest.operations import Content, Given
    from penstock.web.rest.shapes import text_of

    api = Api(cast(Any, None), cast(Any, None), {}, lambda: None, "")  # the operations are described, and none is asked
    parts = [
        "# The REST API",
        "Made by `docs/generate_reference.py` from the operations in `penstock/web/rest`; change them there. A running JobManager "
        "gives the same as OpenAPI 3.1 at `/openapi.json`.",
        "Every path is also there under `/v1`. What goes wrong is answered with a status from 400 on and "
        '`{"errors": [TEXT]}`: 400 for a request that makes no sense, 401 without token or proof, 404 for what is not there, 413 for '
        "what is too large, 503 where something outside fails. *Proof* marks what runs code: without `rest.token`, the client shows "
        "there that it knows the cluster's secret. In shapes, `?` marks a field that may be left out.",
    ]
    area = ""
    for operation in operations(api):
        if operation.area != area:
            area = operation.area
            parts.append(f"## {area}")
        lines = [f"### `{operation.method} {operation.path}`", "", operation.summary]
        if operation.needs_proof:
            lines[2] += " *Proof.*"
        lines += [f"- `?{query.name}=`: {in_cell(query.meaning)}" for query in operation.queries]
        if isinstance(operation.body, Given):
            lines.append(f"- takes `{operation.body.value}`")
        elif operation.body is not None:
            lines.append(f"- takes `{text_of(operation.body)}`")
        shape = operation.content.value if operation.content is not Content.JSON else text_of(operation.gives)
        lines.append(f"- gives {operation.status}: `{shape}`")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def write_reference(folder: Path) -> None:
    """Write all pages, and an index of those of the API."""
    api = folder / "api"
    api.mkdir(parents=True, exist_ok=True)
    (folder / "configuration.md").write_text(configuration_page(), "utf-8")
    (folder / "rest.md").write_text(rest_page(), "utf-8")
    index = ["# The API, module by module", ""]
    for module in public_modules():
        (api / f"{module.__name__}.md").write_text(api_page(module), "utf-8")
        index.append(f"- [`{module.__name__}`]({module.__name__}.md)")
    (api / "README.md").write_text("\n".join(index) + "\n", "utf-8")


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
