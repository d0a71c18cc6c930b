"""Writing to files, in buckets, made visible as a whole."""
