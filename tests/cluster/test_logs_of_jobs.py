"""Records of user code on a cluster: into the TaskManager's log, or as the job's own configuration directory says."""

from pathlib import Path

from tests.cluster.conftest import Cluster

PROGRAM = """
import logging
import sys

from penstock.datastream import StreamExecutionEnvironment

log = logging.getLogger("shop.till")
name = sys.argv[1]


def ring(number):
    log.debug("%s debug %d", name, number)
    log.info("%s info %d", name, number)
    log.warning("%s warning %d", name, number)
    return number


env = StreamExecutionEnvironment.get_execution_environment()
env.from_collection([1, 2]).map(ring).print()
env.execute(name)
"""

TASK = "Source: Collection Source -> Map -> Sink: Print to Std. Out (1/1)"

LOUD = """
log4j.rootLogger=INFO, file
log4j.logger.shop=DEBUG
log4j.appender.file=org.apache.log4j.RollingFileAppender
log4j.appender.file.File=${log.file}
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=LOUD %p %c{1} %X{operator} %m%n
"""

QUIET = """
formatters:
  line: {pattern: "QUIET %p %m%n"}
handlers:
  file: {class: logging.FileHandler, filename: "${log.file}", formatter: line}
root: {level: WARNING, handlers: [file]}
"""


def conf_dir(folder: Path, name: str, text: str) -> Path:
    folder.mkdir()
    (folder / "config.yaml").write_text("parallelism.default: 1\n")
    (folder / name).write_text(text)
    return folder


def test_two_jobs_on_one_cluster_have_levels_of_their_own(running_cluster: Cluster, tmp_path: Path) -> None:
    program = tmp_path / "shop.py"
    program.write_text(PROGRAM)
    loud = conf_dir(tmp_path / "loud", "log4j.properties", LOUD)
    quiet = conf_dir(tmp_path / "quiet", "logging.yaml", QUIET)
    there = ("-m", running_cluster.address)
    running_cluster.penstock("run", *there, "--conf-dir", str(loud), str(program), "first")
    running_cluster.penstock("run", *there, "--conf-dir", str(quiet), str(program), "second")
    running_cluster.penstock("run", *there, str(program), "third")
    (log,) = (running_cluster.home / "log").glob("*taskmanager*.log")
    lines = log.read_text().splitlines()
    names = {"debug": "DEBUG", "info": "INFO", "warning": "WARN"}
    assert [line for line in lines if " first " in line] == [
        f"LOUD {names[level]} till {TASK} first {level} {number}"
        for number in (1, 2)
        for level in ("debug", "info", "warning")
    ]
    assert [line for line in lines if " second " in line] == [
        "QUIET WARN second warning 1",
        "QUIET WARN second warning 2",
    ]
    # Without a file of its own, a job has the cluster's: records from INFO on, with time and logger.
    third = [line.split() for line in lines if " third " in line]
    assert [(words[2], words[3]) for words in third] == [("INFO", "shop.till"), ("WARN", "shop.till")] * 2
