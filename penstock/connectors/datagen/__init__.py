"""Records made by a function of their index."""
