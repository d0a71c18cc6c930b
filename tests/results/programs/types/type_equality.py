"""Which types are equal to each other."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    return [
        Types.INT() == Types.INT(),
        Types.INT() == Types.LONG(),
        Types.ROW([Types.INT()]) == Types.ROW([Types.INT()]),
        Types.ROW([Types.INT()]) == Types.ROW_NAMED(["a"], [Types.INT()]),
        Types.ROW([Types.INT()]) == Types.ROW_NAMED(["f0"], [Types.INT()]),
        Types.TUPLE([Types.INT()]) == Types.ROW([Types.INT()]),
        Types.LIST(Types.INT()) == Types.LIST(Types.INT()),
        Types.MAP(Types.INT(), Types.INT()) == Types.MAP(Types.INT(), Types.LONG()),
    ]
