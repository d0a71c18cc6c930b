"""The port through which a carrier gives workers."""
