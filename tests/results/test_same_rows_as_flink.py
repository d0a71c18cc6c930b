"""Every program that was recorded from Apache Flink gives the same rows here."""

import sys
from pathlib import Path
from typing import Any

import penstock.pyflink_compat
import pytest

from penstock.contracts.watermarks import WatermarkGenerator, WatermarkOutput

sys.path.insert(0, str(Path(__file__).resolve().parent))

from comparison import find_difference
from running import Program, Raised, list_program_files, load_program, observe, read_recorded

PATHS = list_program_files()
NAMES = [f"{path.parent.name}/{path.stem}" for path in PATHS]


class AfterEachRecord(WatermarkGenerator):
    """Lets any generator speak after each record, so that watermarks do not depend on the clock."""

    def __init__(self, wrapped: WatermarkGenerator) -> None:
        self._wrapped = wrapped

    def on_event(self, event: Any, event_timestamp: int, output: WatermarkOutput) -> None:
        self._wrapped.on_event(event, event_timestamp, output)
        self._wrapped.on_periodic_emit(output)

    def on_periodic_emit(self, output: WatermarkOutput) -> None:
        self._wrapped.on_periodic_emit(output)


class Printed:
    """What pytest has captured of the standard output."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def take_lines(self) -> list[str]:
        """Return the lines written since the last call."""
        return self._capture.readouterr().out.splitlines()


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_the_program_gives_the_rows_that_flink_gave(
    path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    penstock.pyflink_compat.install()
    program = load_program(path)
    if program.watermarks == "per_record":
        speak_after_each_record(monkeypatch)
    recorded = read_recorded(program.family)[program.name]
    observed = observe(program, program.settings, Printed(capfd))
    if isinstance(observed, Raised):
        assert_failure_is_the_same(recorded, observed)
    else:
        assert_rows_are_the_same(program, recorded, observed)


def speak_after_each_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the generators of the strategies that users ask for by name."""
    from pyflink.common import WatermarkStrategy

    def after_each_record(factory: Any) -> Any:
        def make(*arguments: Any) -> Any:
            supplier = factory(*arguments).generator
            return WatermarkStrategy.for_generator(lambda: AfterEachRecord(supplier()))

        return make

    for name in ("for_monotonous_timestamps", "for_bounded_out_of_orderness"):
        factory = getattr(WatermarkStrategy, name)
        monkeypatch.setattr(WatermarkStrategy, name, staticmethod(after_each_record(factory)))


def assert_rows_are_the_same(program: Program, recorded: dict[str, Any], observed: dict[str, Any]) -> None:
    assert observed.keys() == recorded["outputs"].keys()
    for name, rows in recorded["outputs"].items():
        difference = find_difference(rows, observed[name], program.order)
        assert difference is None, f"{name or 'rows'}: {difference}"


def assert_failure_is_the_same(recorded: dict[str, Any], observed: Raised) -> None:
    assert recorded["raises"]["text"] in observed.message
    if recorded["raises"]["type"] != "Py4JJavaError":
        assert observed.type_name == recorded["raises"]["type"]


def test_nothing_is_recorded_of_programs_that_are_gone_and_every_program_is_recorded() -> None:
    recorded = {
        f"{family}/{name}"
        for family in {path.parent.name for path in PATHS}
        for name, entry in read_recorded(family).items()
        if "not_recorded" not in entry
    }
    assert recorded == set(NAMES)
