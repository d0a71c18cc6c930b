"""A string, an empty one and one with letters outside of ASCII."""

from pyflink.common import Types


def program(env):
    return env.from_collection(["", "a\nb", "żółw 🐢"], type_info=Types.STRING())
