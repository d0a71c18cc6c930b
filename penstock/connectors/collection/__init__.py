"""Values that the program itself brings along."""
