"""Logging: who wrote a record (job, operator, subtask, attempt), and the files that say what is written where.

User code logs with the standard ``logging`` module; what is here adds to it and configures it.
"""
