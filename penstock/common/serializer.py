"""Values of one type as bytes in state."""

from penstock.contracts.serialization import TypeSerializer, VoidNamespaceSerializer

__all__ = ["TypeSerializer", "VoidNamespaceSerializer"]
