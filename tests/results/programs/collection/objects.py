"""Objects of a class of the user's own go through a job."""


class Point:
    def __init__(self, x):
        self.x = x

    def __repr__(self):
        return f"Point({self.x})"


def program(env):
    return env.from_collection([Point(1), Point(2)]).map(lambda point: repr(Point(point.x + 1)))
