"""How batch programs handed data over, up to Flink 1.20."""

from penstock.config.execution_mode import ExecutionMode

__all__ = ["ExecutionMode"]
