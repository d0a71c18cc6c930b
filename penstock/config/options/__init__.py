"""Flink's options by area, each with its kind, default and meaning."""
