"""What all sources and sinks have in common."""

from penstock.contracts.delivery import DeliveryGuarantee
from penstock.contracts.sink import Sink
from penstock.contracts.source import Source

__all__ = ["DeliveryGuarantee", "Sink", "Source"]
