"""When a task used to be scheduled."""

from penstock.config.input_dependency_constraint import InputDependencyConstraint

__all__ = ["InputDependencyConstraint"]
