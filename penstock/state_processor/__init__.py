"""The State Processor API: the state of a savepoint as data, and data as the state of a savepoint.

Source: Flink's documentation, "State Processor API". The names are Flink's, in snake_case.
"""

from penstock.state_processor.bootstrap_functions import (
    BroadcastStateBootstrapFunction,
    KeyedStateBootstrapFunction,
    StateBootstrapFunction,
)
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
from penstock.state_processor.transformations import (
    KeyedStateTransformation,
    OneInputStateTransformation,
    OperatorTransformation,
    StateBootstrapTransformation,
    WindowedStateTransformation,
)
from penstock.state_processor.writer import SavepointWriter

__all__ = [
    "BroadcastStateBootstrapFunction",
    "KeyedStateBootstrapFunction",
    "KeyedStateReaderContext",
    "KeyedStateReaderFunction",
    "KeyedStateTransformation",
    "OneInputStateTransformation",
    "OperatorIdentifier",
    "OperatorTransformation",
    "SavedState",
    "Savepoint",
    "SavepointReader",
    "SavepointWriter",
    "StateBootstrapFunction",
    "StateBootstrapTransformation",
    "WindowReaderContext",
    "WindowReaderFunction",
    "WindowSavepointReader",
    "WindowedStateTransformation",
]
