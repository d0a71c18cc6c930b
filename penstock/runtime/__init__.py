"""Runs a JobGraph; knows no API and no platform."""
