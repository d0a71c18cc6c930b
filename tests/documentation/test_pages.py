"""Every Python block of the README, the guide and the internals runs and prints what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documentation.pages import ROOT, list_pages, parse_blocks, parse_programs

TIME_LIMIT_S = 120

# Blocks that need what a test cannot have: (page, first line of the block) and the reason.
NOT_RUN: dict[tuple[str, str], str] = {}

# Their programs need a broker, and are run with the other tests of Kafka and of RabbitMQ.
WITH_KAFKA = "docs/guide/kafka.md"
WITH_RABBITMQ = "docs/guide/rabbitmq.md"

PAGES = {str(page.relative_to(ROOT)): page for page in list_pages()}


def run_page(page: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    # In a folder of its own, where the examples' data stands as it does for someone in the root of the repository.
    (folder / "examples").symlink_to(ROOT / "examples")
    return subprocess.run(
        [sys.executable, "-m", "tests.documentation.run_page", str(page)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_S,
        check=False,
    )


@pytest.mark.parametrize("name", [name for name in PAGES if name not in (WITH_KAFKA, WITH_RABBITMQ)])
def test_the_programs_of_a_page_run_and_print_what_it_says(name: str, tmp_path: Path) -> None:
    finished = run_page(PAGES[name], tmp_path)
    assert finished.returncode == 0, f"{finished.stderr}\n{finished.stdout}"


@pytest.mark.parametrize("name", PAGES)
def test_every_python_block_of_a_page_is_run_or_has_a_reason(name: str) -> None:
    not_run = {
        (name, block.text.partition("\n")[0])
        for block in parse_blocks(PAGES[name].read_text("utf-8"))
        if re.match(r"(python|py|pycon)\b", block.tag) and block.tag != "python"
    }
    assert not_run == {place for place in NOT_RUN if place[0] == name}


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [
            *ROOT.glob("*.md"),
            *(ROOT / "docs").glob("**/*.md"),
            *(ROOT / "examples").glob("**/*.md"),
        ]
        for target in re.findall(r"\]\(([^)\s#]+)", page.read_text("utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_an_output_block_belongs_to_the_python_before_it() -> None:
    page = "```python\nprint(1)\n```\n\n```text\n1\n```\n\n```python\nx = 2\n```\nA picture:\n\n```text\n+--+\n```\n"
    assert [(program.line, program.output) for program in parse_programs(page)] == [(2, "1\n"), (10, None)]


def test_one_namespace_serves_a_page_and_a_wrong_output_is_reported_by_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n\n```python\nx = 20\n```\n\n```python\nprint(x + 1)\n```\n\n```text\n22\n```\n", "utf-8"
    )
    finished = run_page(page, tmp_path)
    assert finished.returncode == 1
    assert "page.md:8:" in finished.stderr
    assert "+21" in finished.stderr


def test_a_program_that_raises_is_reported_with_the_line_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 1\n\n1 / 0\n```\n", "utf-8")
    finished = run_page(page, tmp_path)
    assert finished.returncode == 1
    assert "line 4" in finished.stderr
    assert "ZeroDivisionError" in finished.stderr
