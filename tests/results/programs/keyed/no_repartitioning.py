"""A keyed stream refuses to be partitioned in another way, and to be named."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    keyed = env.from_collection([1], type_info=Types.INT()).key_by(lambda x: x)
    calls = {
        "shuffle": keyed.shuffle,
        "rebalance": keyed.rebalance,
        "rescale": keyed.rescale,
        "forward": keyed.forward,
        "broadcast": keyed.broadcast,
        "name": lambda: keyed.name("x"),
        "uid": lambda: keyed.uid("x"),
        "set_parallelism": lambda: keyed.set_parallelism(1),
    }
    messages = []
    for name, call in calls.items():
        try:
            call()
        except Exception as error:
            messages.append((name, type(error).__name__, str(error)))
    return messages
