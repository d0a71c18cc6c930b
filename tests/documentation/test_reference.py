"""The generated reference: the page of options has the whole catalogue, and the pages of the API leave nothing out."""

import re
import runpy
from pathlib import Path
from typing import Any

from penstock.config.catalogue import all_options
from penstock.config.value_texts import parse_value
from tests.documentation.pages import ROOT

GENERATOR: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "generate_reference.py"))


def test_the_page_of_options_has_every_option_of_the_catalogue_and_its_older_keys() -> None:
    page = GENERATOR["configuration_page"]()
    rows = re.findall(r"^\| `([^`]+)`(.*?) \| .* \| (honoured|accepted|refused) \| \S", page, re.MULTILINE)
    assert [(key, re.findall(r"formerly `([^`]+)`", older), effect) for key, older, effect in rows] == [
        (option.key, list(option.deprecated_keys), option.effect)
        for option in sorted(all_options(), key=lambda option: option.key)
    ]


def test_defaults_are_read_back_as_what_they_are() -> None:
    for option in all_options():
        if option.default is not None:
            text = GENERATOR["as_written"](option.kind, option.default)
            assert parse_value(option.kind, text) == option.default, option.key


def test_every_public_name_has_its_place_and_every_link_a_page(tmp_path: Path) -> None:
    GENERATOR["write_reference"](tmp_path)
    for module in GENERATOR["public_modules"]():
        headings = re.findall(
            r"^## `(\w+)", (tmp_path / "api" / f"{module.__name__}.md").read_text("utf-8"), re.MULTILINE
        )
        assert set(headings) == set(module.__all__), module.__name__
    linked = re.findall(r"\]\((\S+\.md)\)", (tmp_path / "api" / "README.md").read_text("utf-8"))
    assert {*linked, "README.md"} == {page.name for page in (tmp_path / "api").iterdir()}


def test_the_page_of_rest_has_every_operation_once() -> None:
    headings = re.findall(r"^### `(\w+ /\S*)`$", GENERATOR["rest_page"](), re.MULTILINE)
    assert len(headings) == len(set(headings)) > 60
    assert {"GET /openapi.json", "POST /jars/upload", "DELETE /cluster"} <= set(headings)


def test_examples_of_docstrings_become_blocks(tmp_path: Path) -> None:
    GENERATOR["write_reference"](tmp_path)
    for page in (tmp_path / "api").glob("*.md"):
        fences = [line for line in page.read_text("utf-8").splitlines() if line.startswith("```")]
        assert fences == ["```pycon", "```"] * (len(fences) // 2), page.name
