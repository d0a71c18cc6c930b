"""Values that a function closes over go with it to the job."""

from pyflink.common import Types


def program(env):
    table = {1: "one", 2: "two"}

    def name(value, suffix="!"):
        return table.get(value, "many") + suffix

    return env.from_collection([1, 2, 3], type_info=Types.INT()).map(name, output_type=Types.STRING())
