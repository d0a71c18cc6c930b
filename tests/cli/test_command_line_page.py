"""The page about the command line: every command on it prints what the page says."""

import re
import subprocess
import sys
from pathlib import Path

from tests.cli.commands import ROOT, TIME_LIMIT_S, Folder
from tests.documentation.pages import parse_blocks

PAGE = ROOT / "docs" / "guide" / "command-line.md"
BLOCKS = parse_blocks(PAGE.read_text("utf-8"))


def read_commands() -> list[tuple[str, str]]:
    """Each command behind a `$` with what stands below it."""
    found = []
    for block in BLOCKS:
        if block.tag == "console":
            for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append((command, output))
    return found


def lay_out(folder: Folder) -> None:
    """The files of the page, which begin with their name as a comment, and the command `penstock`."""
    for block in BLOCKS:
        name = re.match(r"# (\S+\.(?:py|yaml))\n", block.text)
        if name is not None:
            folder.write(name[1], block.text)
    folder.write("bin/penstock", f'#!/bin/sh\nexec "{sys.executable}" -m penstock "$@"\n')
    (folder.path / "bin" / "penstock").chmod(0o755)


def run(folder: Folder, command: str) -> str:
    """What a shell shows for a command; the ids of jobs, which are random, as the page writes them."""
    variables = folder.environment()
    variables["PATH"] = f"{folder.path / 'bin'}:{variables['PATH']}"
    finished = subprocess.run(
        ["sh", "-c", f"{command} 2>&1"],
        cwd=folder.path,
        env=variables,
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_S,
        check=False,
    )
    return re.sub(r"\([0-9a-f]{32}\)", "(...)", finished.stdout)


def test_every_command_prints_what_the_page_says(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    lay_out(folder)
    said = read_commands()
    assert len(said) > 5
    assert [(command, run(folder, command)) for command, _ in said] == said
