"""How values of declared basic types are shown."""

from decimal import Decimal

from pyflink.common import Types

SINK = "print"
ORDER = "any"


def program(env):
    one = env.from_collection([1], type_info=Types.INT())
    steps = [
        ("boolean", lambda x: True, Types.BOOLEAN()),
        ("double", lambda x: 1.0, Types.DOUBLE()),
        ("small", lambda x: 1e-7, Types.DOUBLE()),
        ("large", lambda x: 1e20, Types.DOUBLE()),
        ("float", lambda x: 0.1, Types.FLOAT()),
        ("infinity", lambda x: float("inf"), Types.DOUBLE()),
        ("string", lambda x: "a 'b'", Types.STRING()),
        ("decimal", lambda x: Decimal("1.10"), Types.BIG_DEC()),
    ]
    for name, function, kind in steps:
        one.map(function, output_type=kind).print(name)
