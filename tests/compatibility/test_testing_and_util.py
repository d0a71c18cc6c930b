"""Test suites and marks that were written for PyFlink work here."""

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import ProgramError
from penstock.pyflink_compat import install
from penstock.pyflink_compat.stability import Deprecated, Experimental, PublicEvolving

SUITE = """
import os
import unittest

from pyflink.common import Types
from pyflink.common.constants import MAX_LONG_VALUE, MIN_LONG_VALUE
from pyflink.testing.test_case_utils import (
    PyFlinkBatchTestCase, PyFlinkStreamTableTestCase, PyFlinkStreamingTestCase, PyFlinkUTTestCase,
    replace_uuid, run_with_config,
)


class Streaming(PyFlinkStreamingTestCase):
    def test_rows(self):
        assert os.path.isdir(self.tempdir)
        assert self.env.get_parallelism() == 2
        stream = self.env.from_collection(["b", "a"], Types.STRING()).map(str.upper, Types.STRING())
        with stream.execute_and_collect() as rows:
            self.assert_equals(list(rows), ["A", "B"])

    def test_rows_that_are_others(self):
        with self.assertRaises(AssertionError):
            self.assert_equals([1, 2], [1])

    @run_with_config({"parallelism.default": "3", "pipeline.name": "mine"})
    def test_options(self):
        assert self.env.get_parallelism() == 3

    def test_options_are_put_back(self):
        assert self.env.get_parallelism() == 2
        assert not self.env.get_configuration().contains_key("pipeline.name")


class Batch(PyFlinkBatchTestCase):
    def test_sum(self):
        stream = self.env.from_collection([("a", 1), ("a", 2), ("b", MAX_LONG_VALUE)])
        with stream.key_by(lambda row: row[0]).sum(1).execute_and_collect() as rows:
            self.assertEqual(sorted(rows), [("a", 3), ("b", -(MIN_LONG_VALUE + 1))])


class Unit(PyFlinkUTTestCase):
    def test_no_tables(self):
        assert self.env.get_parallelism() == 2
        with self.assertRaisesRegex(ImportError, "PyFlinkUTTestCase.t_env: the Table API"):
            self.t_env


class Tables(PyFlinkStreamTableTestCase):
    def test_never_run(self):
        raise AssertionError


if __name__ == "__main__":
    unittest.main()
"""


def test_a_test_suite_of_users_runs_and_what_needs_tables_says_so(tmp_path: Path) -> None:
    (tmp_path / "suite.py").write_text(SUITE)
    done = subprocess.run(
        [sys.executable, "-m", "penstock.pyflink_compat", "suite.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Ran 6 tests" in done.stderr
    assert "FAILED (errors=1)" in done.stderr
    assert "NotInPenstock: Tables: the Table API and SQL is not in this version" in done.stderr


def test_a_mark_adds_a_note_to_the_documentation_of_a_class_and_its_functions() -> None:
    class Marked:
        """A class."""

        def method(self) -> None:
            """A method."""

        @property
        def value(self) -> int:
            return 1

        def _hidden(self) -> None:
            """Not marked."""

    PublicEvolving()(Experimental()(Marked))
    assert Marked.__doc__ is not None and Marked.__doc__.startswith("A class.\n\n.. warning:: This *class*")
    assert ".. note:: This *class* is **evolving**" in Marked.__doc__
    assert "**evolving**" in (Marked.method.__doc__ or "")
    assert "**evolving**" in (type.__getattribute__(Marked, "value").__doc__ or "")
    assert Marked._hidden.__doc__ == "Not marked."
    assert getattr(Marked, "__stability_decorators") == {Experimental, PublicEvolving}


def test_marking_something_as_deprecated_warns() -> None:
    def old() -> None: ...

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Deprecated("1.2", "Use new.")(old)
        Deprecated("1.2")(old)
    messages = [str(warning.message) for warning in caught]
    assert messages[0].endswith("old has been deprecated since version 1.2. Use new.")
    assert messages[1].endswith("since version 1.2.")


def test_a_program_that_catches_exceptions_of_java_catches_failures() -> None:
    install()
    names: dict[str, Any] = {}
    exec("from pyflink.util.exceptions import JavaException, TableException, capture_java_exception", names)
    assert issubclass(names["TableException"], names["JavaException"])
    with pytest.raises(names["JavaException"], match="wrong"):
        raise ProgramError("wrong")
