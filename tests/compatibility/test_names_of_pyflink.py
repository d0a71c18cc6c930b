"""Every name that PyFlink has is here, or says why it is not."""

import ast
import inspect
import json
import pickle
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from penstock.pyflink_compat import absent, install
from penstock.pyflink_compat.modules import MODULES
from penstock.pyflink_compat.stand_ins import NotInPenstock

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "reference" / "pyflink-compatibility.md"
RECORDED: dict[str, dict[str, Any]] = json.loads((HERE / "pyflink_names.json").read_text())["modules"]

# Members that stand for objects of Java, and what the page lists as missing.
OF_JAVA = ("java", "_j_")
MISSING_MEMBERS = {
    "DateTypeInfo.EPOCH_ORDINAL",
    "FileSink.get_transformer",
    "KafkaSink.get_transformer",
    "KeyedStream.AccumulateType",
    "TimeTypeInfo.EPOCH_ORDINAL",
}

# What exists and always raises, though PyFlink's does not; and what always raises there, too, until it is overridden.
REFUSING_MEMBERS = {
    "CsvSchemaBuilder.set_any_property_name",
    "PyFlinkBatchTableTestCase.setUpClass",
    "PyFlinkStreamTableTestCase.setUpClass",
    "PythonAPICompletenessTestCase.get_java_class_annotations",
    "PythonAPICompletenessTestCase.get_java_class_methods",
}
REFUSING_IN_PYFLINK_TOO = {
    "AsyncFunction.timeout",
    "CachedDataStream.get_name",
    "CachedDataStream.name",
    "KeyedStream.cache",
    "PythonAPICompletenessTestCase.java_class",
    "PythonAPICompletenessTestCase.python_class",
    "Trigger.on_merge",
}


@pytest.fixture(autouse=True)
def _pyflink_is_penstock() -> None:
    install()


def names_of(module: str) -> list[str]:
    recorded = RECORDED[module]
    classes = {name.partition(".")[0] for name in recorded.get("classes", ())}
    return sorted({*classes, *recorded.get("functions", ()), *recorded.get("all", ())})


def is_absent(module: str, name: str) -> bool:
    return absent.reason_of_absence(module, name) is not None


def find(module: str, qualified_name: str) -> Any:
    found: Any = import_module(module)
    for part in qualified_name.split("."):
        found = getattr(found, part)
    return found


def present_classes() -> Iterator[tuple[str, str]]:
    for module, recorded in RECORDED.items():
        for qualified_name in recorded.get("classes", ()):
            outer = qualified_name.partition(".")[0]
            if not is_absent(module, outer) and MISSING_MEMBERS.isdisjoint((qualified_name, outer)):
                yield module, qualified_name


@pytest.mark.parametrize("module", sorted(RECORDED))
def test_every_name_of_the_module_resolves_or_is_listed_as_absent(module: str) -> None:
    for name in names_of(module):
        found = find(module, name)
        if is_absent(module, name):
            with pytest.raises(NotInPenstock, match=f"^{module}.{name} cannot be used: "):
                found()
        else:
            assert found is not None


@pytest.mark.parametrize(("module", "qualified_name"), list(present_classes()))
def test_the_class_has_the_members_that_pyflink_gives_it(module: str, qualified_name: str) -> None:
    found = find(module, qualified_name)
    members = RECORDED[module]["classes"][qualified_name]
    missing = {
        f"{qualified_name}.{member}"
        for member in members
        if not hasattr(found, member) and not any(word in member for word in OF_JAVA)
    }
    assert missing <= MISSING_MEMBERS


def test_the_members_that_always_raise_are_those_listed() -> None:
    found = {
        f"{qualified_name}.{member}"
        for module, qualified_name in present_classes()
        for member in RECORDED[module]["classes"][qualified_name]
        if always_raises(inspect.getattr_static(find(module, qualified_name), member, None))
    }
    assert found == REFUSING_MEMBERS | REFUSING_IN_PYFLINK_TOO


def always_raises(member: Any) -> bool:
    """Whether a function of a class does nothing but raise, though it is not there to be overridden."""
    function = getattr(member, "fget", None) or getattr(member, "__func__", member)
    if not inspect.isfunction(function) or getattr(function, "__isabstractmethod__", False):
        return False
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)
    returns = any(isinstance(node, ast.Return | ast.Yield) for node in ast.walk(definition))
    return isinstance(definition.body[-1], ast.Raise) and not returns


def test_what_takes_a_type_in_brackets_does_so_here() -> None:
    for module, recorded in RECORDED.items():
        for qualified_name in recorded.get("generic", ()):
            if not is_absent(module, qualified_name.partition(".")[0]):
                found = find(module, qualified_name)
                parameters = getattr(found, "__parameters__", ())
                assert parameters, f"{module}.{qualified_name}"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("pyflink.common.execution_mode", "ExecutionMode"),
        ("pyflink.datastream.checkpoint_config", "ExternalizedCheckpointCleanup"),
        ("pyflink.datastream.connectors.pulsar", "PulsarDeserializationSchema"),
        ("pyflink.datastream.connectors.pulsar", "PulsarSerializationSchema"),
        ("pyflink.datastream.connectors.pulsar", "SubscriptionType"),
        ("pyflink.datastream.state_backend", "FsStateBackend"),
        ("pyflink.datastream.state_backend", "MemoryStateBackend"),
        ("pyflink.datastream.state_backend", "RocksDBStateBackend"),
        ("pyflink.datastream.time_characteristic", "TimeCharacteristic"),
    ],
)
def test_a_name_that_pyflink_had_up_to_1_20_is_found_where_it_was(module: str, name: str) -> None:
    found = find(module, name)
    if is_absent(module, name):
        with pytest.raises(NotInPenstock, match=f"^{module}.{name} cannot be used: "):
            found()
    else:
        assert found.__name__


def test_the_version_is_that_of_the_pyflink_whose_names_are_here() -> None:
    import pyflink  # type: ignore[import-untyped]
    from pyflink.version import __version__  # type: ignore[import-untyped]

    recorded = json.loads((HERE / "pyflink_names.json").read_text())["pyflink"]
    assert __version__ == pyflink.__version__ == recorded


def test_nothing_that_is_listed_as_absent_has_come_to_be_there() -> None:
    for module, names in absent.NAMES.items():
        targets = [import_module(target) for target in MODULES[module]]
        for name in names:
            assert not any(hasattr(target, name) for target in targets), f"{module}.{name}"


def test_a_name_that_cannot_work_raises_when_it_is_used_and_not_before() -> None:
    from pyflink.java_gateway import get_gateway  # type: ignore[import-not-found]

    assert not isinstance(object(), get_gateway)
    assert repr(get_gateway) == "<pyflink.java_gateway.get_gateway, which is not in penstock>"
    assert pickle.loads(pickle.dumps(get_gateway)) is get_gateway
    for use in (lambda: get_gateway(1), lambda: get_gateway.jvm, lambda: type("Mine", (get_gateway,), {})):
        with pytest.raises(
            NotInPenstock, match="there is no Java here; what programs reach through the gateway"
        ):
            use()


def test_modules_without_a_counterpart_fail_when_they_are_imported() -> None:
    for module, reason in absent.MODULES.items():
        with pytest.raises(NotInPenstock, match=f"^{module} cannot be imported: {re.escape(reason)}"):
            import_module(module)


def test_of_the_tables_of_pyflink_the_types_are_there_and_the_rest_says_that_it_is_not() -> None:
    from pyflink.table import DataTypes, StreamTableEnvironment  # type: ignore[import-untyped]
    from pyflink.table.types import RowType  # type: ignore[import-untyped]

    assert isinstance(DataTypes.ROW([DataTypes.FIELD("a", DataTypes.INT())]), RowType)
    with pytest.raises(NotInPenstock, match=r"StreamTableEnvironment cannot be used: .*but for DataTypes"):
        StreamTableEnvironment.create(None)
    with pytest.raises(ImportError, match="cannot import name 'Nonsense'"):
        exec("from pyflink.table import Nonsense", {})


def test_a_star_import_of_a_module_of_names_that_cannot_work_gives_them() -> None:
    names: dict[str, Any] = {}
    exec("from pyflink.datastream.connectors.jdbc import *", names)
    assert {"JdbcSink", "JdbcConnectionOptions", "JdbcExecutionOptions"} <= names.keys()


def test_no_member_that_is_listed_as_missing_has_come_to_be_there() -> None:
    for module, recorded in RECORDED.items():
        for qualified_name, members in recorded.get("classes", {}).items():
            missing = {member for member in members if f"{qualified_name}.{member}" in MISSING_MEMBERS}
            if missing and not is_absent(module, qualified_name.partition(".")[0]):
                assert not any(hasattr(find(module, qualified_name), member) for member in missing)


def test_no_module_is_both_there_and_absent() -> None:
    for module in MODULES:
        assert module not in absent.MODULES


def test_every_module_that_answers_exists() -> None:
    for targets in MODULES.values():
        for target in targets:
            import_module(target)


def test_what_is_absent_stands_on_the_page_with_its_reason() -> None:
    page = PAGE.read_text()
    for module, reason in absent.MODULES.items():
        assert f"| `{module}` | {reason} |" in page
    for module, names in absent.NAMES.items():
        for name, reason in names.items():
            rows = [line for line in page.splitlines() if line.startswith(f"| `{module}` |")]
            assert any(f"`{name}`" in row and row.endswith(f"| {reason} |") for row in rows), (
                f"{module}.{name}"
            )
    for member in MISSING_MEMBERS | REFUSING_MEMBERS:
        assert f"`{member}`" in page


def test_a_star_import_gives_the_names_of_the_package() -> None:
    names: dict[str, Any] = {}
    exec("from pyflink.datastream import *", names)
    assert {"DataStream", "StreamExecutionEnvironment", "CheckpointConfig"} <= names.keys()


def test_a_name_that_pyflink_does_not_have_is_an_ordinary_import_error() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Nonsense'"):
        exec("from pyflink.datastream import Nonsense", {})
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'pyflink\.nonsense'"):
        import_module("pyflink.nonsense")
    assert not hasattr(import_module("pyflink.datastream"), "nonsense")


def test_modules_are_attributes_of_their_packages_though_nothing_imported_them() -> None:
    program = """
import sys
import penstock.pyflink_compat
penstock.pyflink_compat.install()
import pyflink.common, pyflink.datastream
import penstock.common
import penstock.datastream
assert pyflink.datastream.window.TumblingEventTimeWindows is penstock.datastream.window.TumblingEventTimeWindows
assert penstock.common.typeinfo.Types is penstock.common.Types
for package in (pyflink.datastream, penstock.datastream, penstock.common):
    assert not hasattr(package, "nothing_of_this_name")
from penstock.pyflink_compat.modules import MODULES
for name in MODULES:
    package, _, module = name.rpartition(".")
    if package in ("pyflink.common", "pyflink.datastream"):
        assert getattr(sys.modules[package], module).__name__ == name, name
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
