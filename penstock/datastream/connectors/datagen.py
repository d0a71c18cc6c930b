"""A source of generated records."""

from penstock.connectors.datagen.rate_limiting import RateLimiter, RateLimiterStrategy
from penstock.connectors.datagen.source import DataGeneratorSource, GeneratorFunction

__all__ = ["DataGeneratorSource", "GeneratorFunction", "RateLimiter", "RateLimiterStrategy"]
