"""One workload a file: a function for each contender, which prepares the run and returns what is measured.

What a contender needs is imported inside its function, as each runs in an interpreter of its own. These files import nothing
of ``penstock`` at the top for the same reason.
"""
