"""The elements of a collection are one list; a map that changes one of them leaves the others."""


def mark(row):
    row.append("seen")
    return row


def program(env):
    row = [1]
    return env.from_collection([row, row, row]).map(mark)
