"""Every program that was recorded from Apache Flink gives the same rows here."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import penstock.pyflink_compat
from penstock.contracts.watermarks import WatermarkGenerator, WatermarkOutput
from penstock.errors import PenstockError

sys.path.insert(0, str(Path(__file__).resolve().parent))

from comparison import find_difference
from differences import DIFFERENCES, Difference, without_places
from running import Program, Raised, list_program_files, load_program, observe, read_recorded

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "moving-from-pyflink.md"
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
    difference = DIFFERENCES.get(f"{program.family}/{program.name}")
    if difference is not None:
        assert_it_differs_as_said(program, difference, Printed(capfd))
        return
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
    """What the user raised must be told; the engine's own words are not Flink's, but it must be the engine that speaks."""
    text: str = recorded["raises"]["text"]
    if text.partition(": ")[0].endswith("Error"):
        assert text in observed.message
    else:
        assert "PenstockError" in observed.base_names


def assert_it_differs_as_said(program: Program, difference: Difference, printed: Printed) -> None:
    if difference.fails_with is not None:
        with pytest.raises(PenstockError, match=difference.fails_with):
            observe(program, program.settings, printed)
        return
    observed = observe(replace(program, raises=None), program.settings, printed)
    assert not isinstance(observed, Raised)
    for name, rows in difference.outputs.items():
        rows_here = [without_places(row) for row in observed[name]]
        found = find_difference(rows, rows_here, program.order)
        assert found is None, f"{name or 'rows'}: {found}"


def test_every_difference_is_of_a_recorded_program_and_stands_in_the_guide() -> None:
    page = GUIDE.read_text()
    for name, difference in DIFFERENCES.items():
        assert name in NAMES
        assert f"| {difference.reason} | `{name}` |" in page


def test_nothing_is_recorded_of_programs_that_are_gone_and_every_program_is_recorded() -> None:
    recorded = {
        f"{family}/{name}"
        for family in {path.parent.name for path in PATHS}
        for name, entry in read_recorded(family).items()
        if "not_recorded" not in entry
    }
    assert recorded == set(NAMES)
