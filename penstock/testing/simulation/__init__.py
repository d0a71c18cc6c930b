"""Whole jobs in one thread, in which one number decides who acts when and what goes wrong: a failure can be seen again."""

from penstock.testing.simulation.faults import Fault, Faults, Surroundings
from penstock.testing.simulation.simulate import (
    Outcome,
    SimulationFailed,
    run_world,
    simulate,
    undisturbed,
)
from penstock.testing.simulation.trickle import Trickle
from penstock.testing.simulation.world import Program, World, current_world

__all__ = [
    "Fault",
    "Faults",
    "Outcome",
    "Program",
    "SimulationFailed",
    "Surroundings",
    "Trickle",
    "World",
    "current_world",
    "run_world",
    "simulate",
    "undisturbed",
]
