"""Tools to test programs and functions with: harnesses, scripted sources, collecting sinks, and jobs whose time you move."""

from penstock.data.elements import ACTIVE, IDLE, Watermark
from penstock.testing.all_modes import ModeOptions, run_in_all_modes
from penstock.testing.collecting import CollectingSink, collect
from penstock.testing.harnesses import (
    KeyedOneInputHarness,
    KeyedTwoInputHarness,
    OneInputHarness,
    TwoInputHarness,
    harness_of,
    operator_of,
)
from penstock.testing.manual_clock import ManualClock
from penstock.testing.manual_job import ManualJob
from penstock.testing.operator_harness import (
    HarnessSettings,
    OperatorContractBroken,
    OperatorHarness,
    Outcome,
)
from penstock.testing.records import AdvanceTime, EndInput, StreamRecord
from penstock.testing.scripted_source import EmitWatermark, Fail, Idle, Pause, ScriptedSource

__all__ = [
    "ACTIVE",
    "IDLE",
    "AdvanceTime",
    "CollectingSink",
    "EmitWatermark",
    "EndInput",
    "Fail",
    "HarnessSettings",
    "Idle",
    "KeyedOneInputHarness",
    "KeyedTwoInputHarness",
    "ManualClock",
    "ManualJob",
    "ModeOptions",
    "OneInputHarness",
    "OperatorContractBroken",
    "OperatorHarness",
    "Outcome",
    "Pause",
    "ScriptedSource",
    "StreamRecord",
    "TwoInputHarness",
    "Watermark",
    "collect",
    "harness_of",
    "operator_of",
    "run_in_all_modes",
]
