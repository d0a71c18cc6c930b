"""The State Processor API: the state of a savepoint as data, and data as the state of a savepoint.

Source: Flink's documentation, "State Processor API". The names are Flink's, in snake_case.
"""

from penstock.state_processor.operator_identifier import OperatorIdentifier
from penstock.state_processor.reader import SavepointReader, WindowSavepointReader
from penstock.state_processor.reader_functions import (
    KeyedStateReaderContext,
    KeyedStateReaderFunction,
    WindowReaderContext,
    WindowReaderFunction,
)
from penstock.state_processor.saved_state import SavedState
from penstock.state_processor.savepoint import Savepoint

__all__ = [
    "KeyedStateReaderContext",
    "KeyedStateReaderFunction",
    "OperatorIdentifier",
    "SavedState",
    "Savepoint",
    "SavepointReader",
    "WindowReaderContext",
    "WindowReaderFunction",
    "WindowSavepointReader",
]
