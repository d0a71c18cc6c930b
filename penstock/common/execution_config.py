"""The settings of one program."""

from penstock.config.execution_config import ExecutionConfig

__all__ = ["ExecutionConfig"]
