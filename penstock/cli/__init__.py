"""The command ``penstock``: runs programs with options from outside, and shows their plans."""
