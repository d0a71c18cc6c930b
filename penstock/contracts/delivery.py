"""What a sink promises."""

from enum import Enum


class DeliveryGuarantee(Enum):
    """How often a record reaches the outside world when a job fails in between."""

    EXACTLY_ONCE = 0
    AT_LEAST_ONCE = 1
    NONE = 2
