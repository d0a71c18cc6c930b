"""A real HDFS, from Hadoop's jars on Maven Central: a NameNode and a DataNode in one process on free loopback ports.

``python -m tests.services.hdfs`` runs one until it is interrupted.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Timer

from tests.services.maven_jars import NoJars, jars_of

HADOOP = "3.4.1"
START_S = 180
USER = "penstock"


class NoHdfs(Exception):
    """None can be had on this machine; the text says why."""


@contextmanager
def running_hdfs(directory: Path) -> Iterator[str]:
    """The URL of its root by WebHDFS, for the user who owns everything there; it ends with the block.

    :raises NoHdfs: where there is no Java, no Maven, no registry, or it does not start.
    """
    try:
        jars = jars_of(
            f"hadoop-{HADOOP}",
            *(f"org.apache.hadoop:hadoop-{part}:{HADOOP}" for part in ("hdfs", "hdfs-client", "common")),
        )
    except NoJars as reason:
        raise NoHdfs(str(reason)) from reason
    for part in ("hdfs", "datanode"):
        # Where the pages of the servers would be, which are not in the jars; they want the folders.
        (directory / "webapps" / part).mkdir(parents=True)
    program = Path(__file__).with_name("MiniHdfs.java")
    command = [
        *("java", "-Xmx300m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
        *("--add-opens", "java.base/java.lang=ALL-UNNAMED"),
        *("-cp", f"{directory}:{jars / '*'}"),
    ]
    with open(directory / "errors.txt", "wb") as errors:
        process = subprocess.Popen(
            [*command, str(program), str(directory / "data")],
            env={**os.environ, "HADOOP_USER_NAME": USER},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    guard = Timer(START_S, process.kill)
    guard.start()
    try:
        assert process.stdout is not None
        assert process.stdin is not None
        words = next((line.split() for line in process.stdout if line.startswith(b"port ")), None)
        guard.cancel()
        if words is None:
            said = (directory / "errors.txt").read_text(errors="replace")[-1000:]
            raise NoHdfs(f"HDFS {HADOOP} did not start: {said}")
        yield f"webhdfs://{USER}@127.0.0.1:{int(words[1])}"
    finally:
        guard.cancel()
        process.kill()
        with process:
            pass


def main() -> None:
    """Run one in a folder of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder, running_hdfs(Path(folder)) as url:
        print(f"HDFS {HADOOP} at {url}; interrupt it to end it", file=sys.stderr, flush=True)
        with suppress(KeyboardInterrupt):
            Event().wait()


if __name__ == "__main__":
    main()
