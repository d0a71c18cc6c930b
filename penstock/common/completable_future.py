"""What takes time."""

from concurrent.futures import Future as CompletableFuture

__all__ = ["CompletableFuture"]
