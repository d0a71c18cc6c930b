"""Base classes of unittest for tests of programs; the names of ``pyflink.testing.test_case_utils``."""

import functools
import re
import shutil
import tempfile
import unittest
from collections.abc import Callable
from typing import Any, ClassVar

from penstock.datastream.execution_mode import RuntimeExecutionMode
from penstock.environment import StreamExecutionEnvironment
from penstock.pyflink_compat.stand_ins import NotInPenstock

_NO_TABLES = "the Table API and SQL is not in this version of penstock; test the DataStream program with {}"
_NO_JAVA = "there is no Java here whose classes could be compared with"


class PyFlinkTestCase(unittest.TestCase):
    """A test case with a folder of its own, ``tempdir``, which is gone behind the last test."""

    tempdir: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        """Make the folder."""
        super().setUpClass()
        cls.tempdir = tempfile.mkdtemp()

    @classmethod
    def tearDownClass(cls) -> None:
        """Delete the folder."""
        shutil.rmtree(cls.tempdir, ignore_errors=True)
        super().tearDownClass()

    @classmethod
    def assert_equals(cls, actual: Any, expected: Any) -> None:
        """Both have the same elements, in any order. Lists are sorted in place, as PyFlink does.

        >>> PyFlinkTestCase.assert_equals(["b", "a"], ["a", "b"])
        """
        found, wanted = cls.to_py_list(actual), cls.to_py_list(expected)
        found.sort()
        wanted.sort()
        assert found == wanted, f"{found} was got, {wanted} was expected"

    @classmethod
    def to_py_list(cls, actual: Any) -> list[Any]:
        """The elements as a list; a list is that list itself."""
        return actual if isinstance(actual, list) else list(actual)


class PyFlinkITTestCase(PyFlinkTestCase):
    """A test case whose tests share an environment, ``env``, of parallelism 2."""

    env: ClassVar[StreamExecutionEnvironment]

    @classmethod
    def setUpClass(cls) -> None:
        """Make the environment."""
        super().setUpClass()
        cls.env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(2)


class PyFlinkStreamingTestCase(PyFlinkITTestCase):
    """Tests of jobs in STREAMING mode."""

    @classmethod
    def setUpClass(cls) -> None:
        """Set the mode."""
        super().setUpClass()
        cls.env.set_runtime_mode(RuntimeExecutionMode.STREAMING)


class PyFlinkBatchTestCase(PyFlinkITTestCase):
    """Tests of jobs in BATCH mode."""

    @classmethod
    def setUpClass(cls) -> None:
        """Set the mode."""
        super().setUpClass()
        cls.env.set_runtime_mode(RuntimeExecutionMode.BATCH)


class PyFlinkUTTestCase(PyFlinkTestCase):
    """A test case whose tests have an environment each."""

    def setUp(self) -> None:
        """Make the environment."""
        super().setUp()
        self.env = StreamExecutionEnvironment.get_execution_environment()
        self.env.set_runtime_mode(RuntimeExecutionMode.STREAMING).set_parallelism(2)

    @property
    def t_env(self) -> Any:
        """Not there.

        :raises NotInPenstock: always.
        """
        raise NotInPenstock(f"PyFlinkUTTestCase.t_env: {_NO_TABLES.format('env')}")


class PyFlinkStreamTableTestCase(PyFlinkITTestCase):
    """Tests of tables, which cannot run: their set-up raises."""

    @classmethod
    def setUpClass(cls) -> None:
        """Refuse.

        :raises NotInPenstock: always.
        """
        raise NotInPenstock(f"{cls.__name__}: {_NO_TABLES.format('PyFlinkStreamingTestCase')}")


class PyFlinkBatchTableTestCase(PyFlinkITTestCase):
    """Tests of tables, which cannot run: their set-up raises."""

    @classmethod
    def setUpClass(cls) -> None:
        """Refuse.

        :raises NotInPenstock: always.
        """
        raise NotInPenstock(f"{cls.__name__}: {_NO_TABLES.format('PyFlinkBatchTestCase')}")


class PythonAPICompletenessTestCase:
    """Compares the methods of a Python class with those of a class of Java, of which there are none here."""

    @classmethod
    def get_python_class_methods(cls, python_class: type) -> set[str]:
        """The public methods of a class under the names that they would have in Java."""
        public = (name for name in dir(python_class) if not name.startswith("_"))
        return {cls.snake_to_camel(cls.java_method_name(name)) for name in public}

    @staticmethod
    def snake_to_camel(method_name: str) -> str:
        """A name as Java writes it.

        >>> PythonAPICompletenessTestCase.snake_to_camel("flat_map")
        'flatMap'
        """
        joined = "".join(part.capitalize() or "_" for part in method_name.split("_"))
        return joined[:1].lower() + joined[1:]

    @classmethod
    def get_python_stability_decorators(cls, python_class: type) -> set[Any]:
        """The marks that say how stable a class is."""
        found: set[Any] = getattr(python_class, "__stability_decorators", set())
        return found

    @staticmethod
    def get_java_class_methods(java_class: str) -> set[str]:
        """Refuse.

        :raises NotInPenstock: always.
        """
        raise NotInPenstock(f"get_java_class_methods({java_class!r}): {_NO_JAVA}")

    @staticmethod
    def get_java_class_annotations(java_class: str) -> set[str]:
        """Refuse.

        :raises NotInPenstock: always.
        """
        raise NotInPenstock(f"get_java_class_annotations({java_class!r}): {_NO_JAVA}")

    @classmethod
    def check_methods(cls) -> None:
        """Compare the methods."""
        cls.get_java_class_methods(cls.java_class())

    @classmethod
    def check_stability_decorators(cls) -> None:
        """Compare the marks."""
        cls.get_java_class_annotations(cls.java_class())

    @classmethod
    def java_method_name(cls, python_method_name: str) -> str:
        """The name of a method in Java; to be overridden where it is another."""
        return python_method_name

    @classmethod
    def python_class(cls) -> type:
        """The class to compare; to be overridden."""
        raise TypeError(f"{cls.__name__} does not say which class it compares: override python_class")

    @classmethod
    def java_class(cls) -> str:
        """The class of Java to compare with; to be overridden."""
        raise TypeError(f"{cls.__name__} does not say which class it compares with: override java_class")

    @classmethod
    def excluded_methods(cls) -> set[str]:
        """Methods that are not compared."""
        return {"equals", "hashCode", "toString"}

    @classmethod
    def ignore_decorators(cls) -> bool:
        """Whether marks are not compared."""
        return False

    def test_completeness(self) -> None:
        """Compare methods and marks."""
        self.check_methods()
        if not self.ignore_decorators():
            self.check_stability_decorators()


_UUID = re.compile("-".join(f"[a-z0-9]{{{length}}}" for length in (8, 4, 4, 4, 12)))


def replace_uuid(input_obj: Any) -> Any:
    """A text, or a dict with all that is in it, with ``{uuid}`` in place of each UUID; None for other values.

    >>> replace_uuid({"id-01234567-89ab-cdef-0123-456789abcdef": "x"})
    {'id-{uuid}': 'x'}
    """
    if isinstance(input_obj, str):
        return _UUID.sub("{uuid}", input_obj)
    if isinstance(input_obj, dict):
        return {replace_uuid(key): replace_uuid(value) for key, value in input_obj.items()}
    return None


class Tuple2:
    """Two values, as Java's ``Tuple2``."""

    def __init__(self, f0: Any, f1: Any) -> None:
        self.f0 = f0
        self.f1 = f1
        self.field = [f0, f1]

    def getField(self, index: int) -> Any:
        """One of the values."""
        return self.field[index]


class TestEnv:
    """Keeps the files that a program registers."""

    __test__ = False

    def __init__(self) -> None:
        self.result: list[Tuple2] = []

    def registerCachedFile(self, file_path: str, key: str) -> None:
        """Keep a file under its name."""
        self.result.append(Tuple2(key, file_path))

    def getCachedFiles(self) -> list[Tuple2]:
        """The files that were registered."""
        return self.result

    def to_dict(self) -> dict[str, str]:
        """The files by their names."""
        return {item.f0: item.f1 for item in self.result}


def run_with_config(config_dict: dict[str, Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a test with options set on ``self.env``, and put back behind it what was there before."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(self: Any, *arguments: Any, **named: Any) -> Any:
            configuration = self.env.get_configuration()
            before = configuration.to_dict()
            for key, value in config_dict.items():
                configuration.set_string(key, str(value))
            try:
                return function(self, *arguments, **named)
            finally:
                for key in config_dict:
                    configuration.remove_config(key)
                    if key in before:
                        configuration.set_string(key, before[key])

        return run

    return decorate


__all__ = [
    "PyFlinkBatchTableTestCase",
    "PyFlinkBatchTestCase",
    "PyFlinkITTestCase",
    "PyFlinkStreamTableTestCase",
    "PyFlinkStreamingTestCase",
    "PyFlinkTestCase",
    "PyFlinkUTTestCase",
    "PythonAPICompletenessTestCase",
    "TestEnv",
    "Tuple2",
    "replace_uuid",
    "run_with_config",
]
