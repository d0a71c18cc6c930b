"""Size, names and completeness of what stands in the package."""

import ast
import re
from pathlib import PurePosixPath

from tests.architecture.source_tree import list_paths, read_files

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 60

# They say nothing about what is inside, so everything ends up there. (`common` would be among them, but it is PyFlink's.)
EMPTY_NAMES = {
    "util", "utils", "utilities", "helper", "helpers", "misc", "base", "core", "impl", "manager", "managers",
}  # fmt: skip
EMPTY_ENDINGS = re.compile(r"(Manager|Handler|Helper|Utils?|Base|Impl|Info|Data)$")
# PyFlink's own names end like this: BasicTypeInfo, RowTypeInfo, MapTypeInfo.
PYFLINK_ENDINGS = re.compile(r"TypeInfo$|FlinkKafka(Consumer|Producer)Base$|TaskManager$")


def test_no_file_is_longer_than_six_hundred_lines() -> None:
    sizes = {
        file.path: file.text.count("\n") for file in read_files("penstock", "tests", "examples", "benchmarks")
    }
    assert {path: lines for path, lines in sizes.items() if lines > MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_sixty_lines() -> None:
    offenders = {
        f"{file.path}:{node.lineno} {node.name}": lines
        for file in read_files("penstock")
        for node in ast.walk(file.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert offenders == {}


def test_no_folder_or_file_has_a_name_that_says_nothing() -> None:
    offenders = [
        path
        for path in list_paths("penstock", "tests", "benchmarks", "examples")
        if EMPTY_NAMES & {part.lstrip("_") for part in PurePosixPath(path).with_suffix("").parts}
    ]
    assert offenders == []


def test_no_class_has_a_name_that_says_nothing() -> None:
    offenders = [
        f"{file.path}:{node.lineno} {node.name}"
        for file in read_files("penstock")
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ClassDef)
        and EMPTY_ENDINGS.search(node.name)
        and not PYFLINK_ENDINGS.search(node.name)
    ]
    assert offenders == []


def test_nothing_in_the_package_is_left_unwritten() -> None:
    offenders = [
        f"{file.path}:{node.lineno}"
        for file in read_files("penstock")
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Name) and node.id == "NotImplementedError"
    ]
    assert offenders == []


def test_every_folder_of_the_package_is_a_package() -> None:
    paths = set(list_paths("penstock"))
    folders = {str(PurePosixPath(path).parent) for path in paths}
    assert sorted(folder for folder in folders if f"{folder}/__init__.py" not in paths) == []


def test_no_test_sleeps_or_is_skipped_without_naming_what_is_missing() -> None:
    forbidden = {
        "time.sleep",
        "pytest.skip",
        "pytest.xfail",
        "pytest.mark.skip",
        "pytest.mark.skipif",
        "pytest.mark.xfail",
    }
    offenders = [
        f"{file.path}:{line} {name}"
        for file in read_files("tests")
        for name, line in file.find_uses()
        if name in forbidden and (str(file.path), name) != ("tests/missing.py", "pytest.skip")
    ]
    assert offenders == []
