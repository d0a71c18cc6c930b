"""What user code and the engine promise each other."""
