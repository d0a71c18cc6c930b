"""The package as parsed files, for the tests that look at the code instead of running it."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One Python file: its path from the root of the repository, and its text."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return _parse(self)

    def find_uses(self) -> Iterator[tuple[str, int]]:
        """Every dotted name that the file takes from an import, as written in full, with its line.

        `from time import monotonic as now; now()` gives `time.monotonic`; so does `import time; time.monotonic()`.
        What is imported for annotations alone is left out.
        """
        bound: dict[str, str] = {}
        for node in _walk_what_runs(self.tree):
            match node:
                case ast.Import(names=names):
                    for name in names:
                        bound[name.asname or name.name.partition(".")[0]] = (
                            name.name if name.asname else name.name.partition(".")[0]
                        )
                        yield name.name, node.lineno
                case ast.ImportFrom(module=str(module), names=names):
                    for name in names:
                        bound[name.asname or name.name] = f"{module}.{name.name}"
                        yield f"{module}.{name.name}", node.lineno
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and (dotted := _dotted(node)) is not None:
                first, _, rest = dotted.partition(".")
                if first in bound:
                    yield f"{bound[first]}.{rest}", node.lineno


def _walk_what_runs(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node, except those below `if TYPE_CHECKING`."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"), orelse=rest):
                waiting.extend(rest)
            case _:
                waiting.extend(ast.iter_child_nodes(node))


def _dotted(node: ast.expr) -> str | None:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            left = _dotted(value)
            return None if left is None else f"{left}.{attr}"
    return None


@cache
def _parse(file: SourceFile) -> ast.Module:
    return ast.parse(file.text, file.path)


@cache
def read_files(*folders: str) -> tuple[SourceFile, ...]:
    """The Python files below `folders` that git knows, or all of them where there is no repository (a source archive)."""
    return tuple(SourceFile(path, (ROOT / path).read_text("utf-8")) for path in list_paths(*folders))


@cache
def list_paths(*folders: str) -> tuple[str, ...]:
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "--", *folders], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.splitlines()
    else:
        listed = [str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*")]
    return tuple(sorted(path for path in listed if path.endswith(".py") and (ROOT / path).is_file()))
