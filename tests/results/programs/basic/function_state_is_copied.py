"""A function object is copied for the job: what it learns there is not seen where it was made."""

from pyflink.datastream import MapFunction

SINK = "returned"


class Counting(MapFunction):
    def __init__(self):
        self.count = 0

    def map(self, value):
        self.count += 1
        return self.count


def program(env):
    counting = Counting()
    with env.from_collection(["a", "b"]).map(counting).execute_and_collect() as counts:
        return [*counts, counting.count]
