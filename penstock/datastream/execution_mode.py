"""How a program runs."""

from penstock.dataflow.logical import ExecutionMode as RuntimeExecutionMode

__all__ = ["RuntimeExecutionMode"]
