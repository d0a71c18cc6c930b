"""A cached file: named in the program, and found by functions wherever they run.

Run it with ``python examples/cached_files.py``. It prints::

    Bergen is in Norway
    Lagos is in Nigeria
    Atlantis is unknown
"""

import csv
import tempfile
from pathlib import Path

from penstock.datastream import MapFunction, RuntimeContext, StreamExecutionEnvironment


class Country(MapFunction):
    """Looks cities up in a file that is read once in each subtask."""

    def open(self, runtime_context: RuntimeContext) -> None:
        """The name says which file; the path is that of the machine that the function runs on."""
        path = runtime_context.get_distributed_cache().get_file("cities")
        with open(path, encoding="utf-8", newline="") as file:
            self.countries = {city: f"in {country}" for city, country in csv.reader(file)}

    def map(self, value: str) -> str:
        """Where a city is."""
        return f"{value} is {self.countries.get(value, 'unknown')}"


def main() -> None:
    """Print where the cities are."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "cities.csv"
        table.write_text("Bergen,Norway\nLagos,Nigeria\n", "utf-8")
        env = StreamExecutionEnvironment.get_execution_environment()
        env.register_cached_file(str(table), "cities")
        env.from_collection(["Bergen", "Lagos", "Atlantis"]).map(Country()).print()
        env.execute("countries")


if __name__ == "__main__":
    main()
