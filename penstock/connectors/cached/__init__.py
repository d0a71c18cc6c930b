"""Reading what a cached stream has kept."""
