"""What becomes of the tasks after a savepoint."""

from enum import Enum


class Ending(Enum):
    """What the tasks do once they have taken part in a savepoint."""

    GO_ON = "go on"
    SUSPEND = "suspend"
    DRAIN = "drain"
