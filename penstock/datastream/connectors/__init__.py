"""What reads from and writes to the outside world; the names of ``pyflink.datastream.connectors``."""

from penstock.datastream.connectors.source_and_sink import DeliveryGuarantee, Sink, Source

__all__ = ["DeliveryGuarantee", "Sink", "Source"]
