"""One element goes in and one comes out."""


def program(env):
    return env.from_collection(["only"])
