"""Fields of a row may be None."""

from pyflink.common import Row, Types


def program(env):
    kind = Types.ROW([Types.INT(), Types.STRING(), Types.DOUBLE(), Types.BOOLEAN()])
    rows = env.from_collection([Row(None, None, None, None), Row(1, "", 0.0, False)], type_info=kind)
    return rows.map(lambda row: Row(row[0], row[1], row[2], row[3]), output_type=kind)
