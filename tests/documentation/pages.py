"""Pages of documentation taken apart into the programs in them and what those must print."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^(?P<indent> {0,3})(?P<mark>`{3,}|~{3,})(?P<tag>[^`]*)$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its tag, the text in it, the line of its first line of text, and what stands before it."""

    tag: str
    text: str
    line: int
    after_blank_lines_only: bool


@dataclass(frozen=True, slots=True)
class Program:
    """A block of Python, and what it must print; None where the page does not say."""

    text: str
    line: int
    output: str | None


def list_pages() -> list[Path]:
    folders = (ROOT / "docs" / "guide", ROOT / "docs" / "internals")
    return [ROOT / "README.md", *(page for folder in folders for page in sorted(folder.glob("**/*.md")))]


def parse_blocks(page: str) -> list[Block]:
    """The fenced blocks of a page in order; a fence that is never closed is an error."""
    blocks: list[Block] = []
    lines = page.splitlines()
    number, alone = 0, False
    while number < len(lines):
        opening = _FENCE.match(lines[number])
        if opening is None:
            alone = alone and not lines[number].strip()
            number += 1
            continue
        start = number + 1
        number = start
        while number < len(lines) and lines[number].strip() != opening["mark"]:
            number += 1
        if number == len(lines):
            raise ValueError(f"the block that opens in line {start} is never closed")
        text = "".join(line.removeprefix(opening["indent"]) + "\n" for line in lines[start:number])
        blocks.append(Block(opening["tag"].strip(), text, start + 1, alone))
        number, alone = number + 1, True
    return blocks


def parse_programs(page: str) -> list[Program]:
    """The blocks tagged `python`, in order.

    A block tagged `output` holds what the Python before it prints; so does one tagged `text` with nothing but blank lines
    in between.
    """
    programs: list[Program] = []
    before: Block | None = None
    for block in parse_blocks(page):
        if block.tag == "python":
            programs.append(Program(block.text, block.line, None))
        elif before is not None and before.tag == "python" and is_output(block):
            programs[-1] = Program(before.text, before.line, block.text)
        before = block
    return programs


def is_output(block: Block) -> bool:
    return block.tag == "output" or (block.tag == "text" and block.after_blank_lines_only)
