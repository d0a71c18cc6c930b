"""Several sources, one after the other."""

from penstock.connectors.hybrid.source import (
    HybridSource,
    HybridSourceBuilder,
    SourceFactory,
    SourceSwitchContext,
)

__all__ = ["HybridSource", "HybridSourceBuilder", "SourceFactory", "SourceSwitchContext"]
