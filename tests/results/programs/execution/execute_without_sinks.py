"""An environment without any step refuses to be executed."""

RAISES = "No operators defined in streaming topology"
SINK = "returned"


def program(env):
    env.execute("nothing")
