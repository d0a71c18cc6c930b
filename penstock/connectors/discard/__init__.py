"""Nowhere."""
