"""What each step says to something that is no function."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    numbers = env.from_collection([1], type_info=Types.INT())
    keyed = numbers.key_by(lambda x: x)
    calls = {
        "map": lambda: numbers.map(1),
        "flat_map": lambda: numbers.flat_map(1),
        "filter": lambda: numbers.filter(1),
        "key_by": lambda: numbers.key_by(1),
        "partition_custom": lambda: numbers.partition_custom(1, lambda x: x),
        "keyed map": lambda: keyed.map(1),
        "keyed reduce": lambda: keyed.reduce(1),
        "keyed sum": lambda: keyed.sum(1.5),
        "keyed process": lambda: keyed.process(1),
        "connected process": lambda: numbers.connect(numbers).process(1),
        "connected flat_map": lambda: numbers.connect(numbers).flat_map(1),
    }
    messages = []
    for name, call in calls.items():
        try:
            call()
        except Exception as error:
            messages.append((name, type(error).__name__, str(error)))
    return messages
