"""How a program runs."""

from penstock.dataflow.logical import RuntimeExecutionMode

__all__ = ["RuntimeExecutionMode"]
