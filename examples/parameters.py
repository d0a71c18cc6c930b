"""Parameters of a program: defaults in a properties file, changed by arguments, and known to every function.

Run it with ``python examples/parameters.py``, or with arguments as ``--limit 20 --verbose``. It prints::

    limit is 10, from the file
    unit is C, from an argument
    30 C is too hot
    12 C is too hot
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from penstock.datastream import FlatMapFunction, RuntimeContext, StreamExecutionEnvironment
from penstock.datastream.parameter_tool import ParameterTool

DEFAULTS = "limit = 10\nunit = F\n"


class TooHot(FlatMapFunction):
    """Readings above a limit."""

    def open(self, runtime_context: RuntimeContext) -> None:
        """The parameters travel with the job: functions on any worker see them."""
        self.limit = int(runtime_context.get_job_parameter("limit", "0"))
        self.unit = runtime_context.get_job_parameter("unit", "")

    def flat_map(self, value: int) -> Iterator[str]:
        """Tell of those that are."""
        if value > self.limit:
            yield f"{value} {self.unit} is too hot"


def main() -> None:
    """Read the parameters, and run the job with them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "job.properties"
        file.write_text(DEFAULTS)
        defaults = ParameterTool.from_properties_file(file)
    arguments = ParameterTool.from_args(sys.argv[1:] or ["--unit", "C"])
    parameters = defaults.merge_with(arguments)
    for key in ("limit", "unit"):
        place = "an argument" if arguments.has(key) else "the file"
        print(f"{key} is {parameters.get_required(key)}, from {place}")
    env = StreamExecutionEnvironment.get_execution_environment()
    env.get_config().set_global_job_parameters(parameters.to_map())
    env.from_collection([30, 5, 12]).flat_map(TooHot()).print()
    env.execute("too hot")


if __name__ == "__main__":
    main()
