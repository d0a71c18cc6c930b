"""Lines of text from a TCP connection."""
