"""Formats of files and messages; the names of ``pyflink.datastream.formats``."""
