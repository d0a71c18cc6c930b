"""The substance that flows: types, rows, batches, elements of a channel, keys and key groups."""
