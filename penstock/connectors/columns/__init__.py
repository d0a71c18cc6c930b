"""Columns: Arrow data of the program, and CSV files read as columns."""
