"""Records the texts of PyFlink's types of SQL: run it with a Python that has PyFlink."""

import json
from pathlib import Path

EXPRESSIONS = [
    "NULL()", "CHAR(3)", "CHAR(3, False)", "VARCHAR(7)", "STRING()", "STRING(False)", "BOOLEAN()", "BINARY(2)",
    "VARBINARY(9)", "BYTES()", "BYTES(False)", "DECIMAL(10, 2)", "DECIMAL(38, 18, False)", "TINYINT()", "SMALLINT()", "INT()",
    "INT(False)", "BIGINT()", "FLOAT()", "DOUBLE()", "DATE()", "TIME()", "TIME(3)", "TIMESTAMP()", "TIMESTAMP(3)",
    "TIMESTAMP_WITH_LOCAL_TIME_ZONE(3)", "TIMESTAMP_LTZ()", "ARRAY(DataTypes.INT())", "ARRAY(DataTypes.INT(False), False)",
    "LIST_VIEW(DataTypes.STRING())", "MAP(DataTypes.STRING(False), DataTypes.INT())",
    "MAP_VIEW(DataTypes.STRING(), DataTypes.INT())", "MULTISET(DataTypes.STRING())", "ROW()",
    "ROW([DataTypes.FIELD('a', DataTypes.INT()), DataTypes.FIELD('b', DataTypes.ARRAY(DataTypes.STRING()), 'of b')])",
    "ROW([DataTypes.FIELD('a', DataTypes.INT())], False)", "FIELD('a', DataTypes.INT())",
    "FIELD('a', DataTypes.INT(), 'of a')",
    "INTERVAL(DataTypes.YEAR())", "INTERVAL(DataTypes.MONTH())", "INTERVAL(DataTypes.YEAR(), DataTypes.MONTH())",
    "INTERVAL(DataTypes.DAY(3), DataTypes.SECOND(9))", "INTERVAL(DataTypes.SECOND(3))", "INT().not_null()",
    "INT(False).nullable()", "STRING().not_null()",
]  # fmt: skip


def main() -> None:
    """Write the text and the short text of each type."""
    from pyflink.table import DataTypes

    def texts(expression: str) -> list[str]:
        made = eval(f"DataTypes.{expression}", {"DataTypes": DataTypes})
        return [repr(made), str(made)]

    recorded = {expression: texts(expression) for expression in EXPRESSIONS}
    path = Path(__file__).resolve().parent / "pyflink_data_types.json"
    path.write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    main()
