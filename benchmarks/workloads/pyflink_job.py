"""A PyFlink job of parallelism 1 in thread mode, its faster one for Python functions, with a sink that discards."""

import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any


def environment() -> Any:
    """A new environment; to be made before all other objects of PyFlink, the first of which starts the JVM."""
    from pyflink.common import Configuration
    from pyflink.datastream import StreamExecutionEnvironment

    # Threads of the JVM look for the interpreter on the path, and not for its packages.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    os.environ["PYTHONPATH"] = sysconfig.get_path("purelib")
    configuration = Configuration()
    configuration.set_string("python.executable", sys.executable)
    configuration.set_string("python.execution-mode", "thread")
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(1)
    return env


def run(stream: Any) -> Callable[[], dict[str, Any]]:
    """Run the job of the stream, and discard what comes of it."""
    from pyflink.datastream.functions import SinkFunction
    from pyflink.java_gateway import get_gateway

    discard = get_gateway().jvm.org.apache.flink.streaming.api.functions.sink.legacy.DiscardingSink()
    stream.add_sink(SinkFunction(discard))
    return run_job(stream.get_execution_environment())


def run_job(env: Any) -> Callable[[], dict[str, Any]]:
    """Run what stands in the environment; its time is what Flink says, without the start of the JVM."""
    return lambda: {"seconds": env.execute().get_net_runtime() / 1000}


def lines(env: Any, path: str) -> Any:
    """The lines of a file."""
    from pyflink.common import WatermarkStrategy
    from pyflink.datastream.connectors.file_system import FileSource, StreamFormat

    source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), path).build()
    return env.from_source(source, WatermarkStrategy.no_watermarks(), "lines")
