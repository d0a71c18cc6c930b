"""One pass, one file, one pure function."""
