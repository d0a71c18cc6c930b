"""Logging files in every dialect, obeyed by real loggers."""

import io
import json
import logging
from collections.abc import Iterator
from logging.handlers import TimedRotatingFileHandler
from pathlib import Path

import pytest

from penstock.errors import OptionError, OutsideError
from penstock.logs.log4j import read_log4j
from penstock.logs.place import NOWHERE, Place, current
from penstock.logs.plan import FileAppender, SyslogAppender
from penstock.logs.roles import Role, configure, configure_client, find_logging_file, next_log
from penstock.logs.shipped import ShippedLogging, configure_worker

LOG4J_1 = """
# the root logger
log4j.rootLogger=INFO, file
log4j.appender.file=org.apache.log4j.FileAppender
log4j.appender.file.file=${log.file}
log4j.appender.file.append=false
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%-5p %c %x - %m%n
log4j.logger.org.apache.kafka=WARN
log4j.logger.mine=DEBUG, \\
    own
log4j.additivity.mine=false
log4j.appender.own=org.apache.log4j.RollingFileAppender
log4j.appender.own.File=${log.file}.mine
log4j.appender.own.MaxFileSize=1KB
log4j.appender.own.MaxBackupIndex=2
log4j.appender.own.layout=org.apache.log4j.SimpleLayout
"""

LOG4J_2 = """
monitorInterval = 30
rootLogger.level = ${env:NO_SUCH_LEVEL:-INFO}
rootLogger.appenderRef.file.ref = MainAppender
logger.kafka.name = org.apache.kafka
logger.kafka.level = WARN
logger.mine.name = mine
logger.mine.level = DEBUG
logger.mine.additivity = false
logger.mine.appenderRef.own.ref = Own
appender.main.name = MainAppender
appender.main.type = RollingFile
appender.main.append = true
appender.main.fileName = ${sys:log.file}
appender.main.filePattern = ${sys:log.file}.%i
appender.main.layout.type = PatternLayout
appender.main.layout.pattern = %-5p %c %x - %m%n
appender.main.policies.type = Policies
appender.main.policies.size.type = SizeBasedTriggeringPolicy
appender.main.policies.size.size = 100MB
appender.main.strategy.type = DefaultRolloverStrategy
appender.main.strategy.max = ${env:NO_SUCH_NUMBER:-10}
appender.own.name = Own
appender.own.type = RollingFile
appender.own.fileName = ${sys:log.file}.mine
appender.own.layout.pattern = %p - %m%n
appender.own.policies.size.size = 1KB
appender.own.strategy.max = 2
"""

YAML = """
formatters:
  line: {pattern: "%-5p %c %x - %m%n"}
  short: {format: "%(levelname)s - %(message)s"}
handlers:
  file: {class: logging.FileHandler, filename: "${log.file}", formatter: line}
  own:
    class: logging.handlers.RotatingFileHandler
    filename: "${log.file}.mine"
    maxBytes: 1024
    backupCount: 2
    formatter: short
root: {level: INFO, handlers: [file]}
loggers:
  org.apache.kafka: {level: WARNING}
  mine: {level: DEBUG, handlers: [own], propagate: false}
"""


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    names = ("mine", "org.apache.kafka")
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    current.place = NOWHERE
    for logger in (root, *map(logging.getLogger, names)):
        for handler in logger.handlers:
            if handler not in handlers:
                handler.close()
    root.setLevel(level)
    root.handlers = handlers
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("name", "text"), [("log4j.properties", LOG4J_1), ("log4j.properties", LOG4J_2), ("logging.yaml", YAML)]
)
def test_a_file_decides_levels_files_and_forms(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    log = tmp_path / "role.log"
    undo = configure(Role.TASKMANAGER, tmp_path, {"log.file": str(log)})
    current.place = Place("j1", "count", 2, 0)
    logging.getLogger("app").info("seen")
    logging.getLogger("app").debug("not seen")
    logging.getLogger("org.apache.kafka.clients").info("not seen")
    logging.getLogger("org.apache.kafka.clients").warning("kafka")
    for number in range(60):
        logging.getLogger("mine").debug("own %d %s", number, "x" * 40)
    undo()
    assert log.read_text().replace("WARNING", "WARN ") == (
        "INFO  app j1 count (3) - seen\nWARN  org.apache.kafka.clients j1 count (3) - kafka\n"
    )
    assert "DEBUG - own 59" in (tmp_path / "role.log.mine").read_text()
    assert (tmp_path / "role.log.mine.2").exists() and not (tmp_path / "role.log.mine.3").exists()


def test_the_yaml_file_goes_before_the_one_of_log4j(tmp_path: Path) -> None:
    for name in ("logging-cli.yaml", "log4j-cli.properties", "log4j.properties"):
        (tmp_path / name).write_text("")
    found = [find_logging_file(tmp_path, role) for role in (Role.CLI, Role.JOBMANAGER, Role.CONSOLE)]
    assert [None if path is None else path.name for path in found] == [
        "logging-cli.yaml",
        "log4j.properties",
        None,
    ]


def test_without_a_file_a_daemon_writes_to_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOT_LOG_LEVEL", "WARN")
    undo = configure(Role.JOBMANAGER, tmp_path, {"log.file": str(tmp_path / "jm.log")})
    logging.getLogger("app").info("not seen")
    logging.getLogger("app").warning("seen")
    undo()
    assert (tmp_path / "jm.log").read_text().rstrip().endswith("- seen")


def test_the_command_line_leaves_the_logging_of_the_program_alone(tmp_path: Path) -> None:
    before = list(logging.getLogger().handlers)
    configure(Role.CLI, tmp_path, {})()
    assert logging.getLogger().handlers == before


def test_the_console_is_what_standard_output_is_when_a_record_comes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log4j-console.properties").write_text(
        "rootLogger=INFO, out\nappender.out.type=Console\nappender.out.layout.type=JsonLayout\n"
    )
    undo = configure(Role.CONSOLE, tmp_path, {})
    current.place = Place("j1", "count", 0, 3)
    logging.getLogger("app").info("two\nlines")
    undo()
    entry = json.loads(capsys.readouterr().out)
    assert (entry["message"], entry["operator"], entry["subtask"], entry["attempt"]) == (
        "two\nlines",
        "count",
        0,
        3,
    )


def test_the_appender_of_syslog_is_understood_in_both_versions() -> None:
    first = """
log4j.rootLogger=INFO, SYSLOG
log4j.appender.SYSLOG=org.apache.log4j.net.SyslogAppender
log4j.appender.SYSLOG.syslogHost=localhost:5514
log4j.appender.SYSLOG.facility=LOCAL1
log4j.appender.SYSLOG.tag=my-app
log4j.appender.SYSLOG.layout.conversionPattern=%m
"""
    second = """
rootLogger.level=INFO
rootLogger.appenderRef.s.ref=S
appender.s.name=S
appender.s.type=Syslog
appender.s.host=localhost
appender.s.port=5514
appender.s.protocol=UDP
appender.s.facility=LOCAL1
appender.s.appName=my-app
appender.s.layout.pattern=%m
"""
    for text in (first, second):
        (appender,) = read_log4j(text, {}, "x").appenders.values()
        assert isinstance(appender, SyslogAppender)
        assert (appender.host, appender.port, appender.protocol) == ("localhost", 5514, "udp")
        assert (appender.facility, appender.tag, appender.layout.pattern) == ("local1", "my-app", "%m")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("log4j.rootLogger=INFO, a", "appender 'a', which is not described"),
        ("log4j.rootLogger=NOISY", "no log level 'NOISY'"),
        (
            "log4j.rootLogger=INFO, a\nlog4j.appender.a=org.apache.log4j.net.SMTPAppender",
            "SMTPAppender, which is not",
        ),
        ("rootLogger=INFO, a\nappender.a.type=Kafka", "type 'Kafka', which is not supported"),
        ("rootLogger=INFO, a\nappender.a.type=File", "no fileName"),
        (
            "rootLogger=INFO, a\nappender.a.type=File\nappender.a.fileName=${sys:log.file}",
            r"\$\{sys:log.file\}",
        ),
        ("rootLogger=INFO, a\nappender.a.type=Console\nappender.a.layout.type=HtmlLayout", "HtmlLayout"),
        ("logger.k.level=INFO", "logger.k has no name"),
        ("rootLoger.level=INFO", "rootLoger.level is not supported"),
        (
            "rootLogger=INFO, a\nappender.a.type=Console\nappender.a.colour=red",
            "appender.a.colour is not supported",
        ),
        (
            "rootLogger=INFO, a\nappender.a.type=Console\nappender.a.filter.f.type=RegexFilter",
            "'RegexFilter'",
        ),
        (
            (
                "rootLogger=INFO, a\nappender.a.type=RollingFile\nappender.a.fileName=x\n"
                "appender.a.policies.cron.type=CronTriggeringPolicy"
            ),
            "'CronTriggeringPolicy', which is not supported",
        ),
        (
            (
                "log4j.rootLogger=INFO, a\nlog4j.appender.a=org.apache.log4j.ConsoleAppender\n"
                "log4j.appender.a.colour=red"
            ),
            "log4j.appender.a.colour is not supported",
        ),
        (
            (
                "log4j.rootLogger=INFO, a\nlog4j.appender.a=org.apache.log4j.DailyRollingFileAppender\n"
                "log4j.appender.a.file=x\nlog4j.appender.a.datePattern='.'yyyy-ww"
            ),
            "yyyy-MM-dd-HH",
        ),
    ],
)
def test_what_a_file_cannot_say_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "log4j.properties").write_text(text)
    with pytest.raises(OptionError, match=says):
        configure(Role.JOBMANAGER, tmp_path, {})


@pytest.mark.parametrize(
    "text", ["[", "[]", "handlers: {h: {class: no.such.Handler}}\nroot: {handlers: [h]}"]
)
def test_a_broken_yaml_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "logging.yaml").write_text(text)
    with pytest.raises(OptionError, match=r"logging\.yaml"):
        configure(Role.JOBMANAGER, tmp_path, {})


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutsideError, match="cannot be written"):
        configure(Role.JOBMANAGER, None, {"log.file": str(tmp_path / "file" / "jm.log")})


def test_indexes_of_logs_count_up_and_old_ones_are_kept_up_to_a_number(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        path = next_log(tmp_path, Role.TASKMANAGER)
        Path(f"{path}.out").write_text("")
        names.append(path.name)
    assert [name[name.index("taskmanager-") : name.index("taskmanager-") + 14] for name in names] == [
        "taskmanager-0-",
        "taskmanager-1-",
        "taskmanager-2-",
    ]


def test_a_log_has_as_many_old_files_as_env_log_max_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAX_LOG_FILE_NUMBER", raising=False)
    monkeypatch.setattr("penstock.logs.roles.MOST_BYTES", 10)
    log = tmp_path / "jm.log"
    undo = configure(Role.JOBMANAGER, None, {"log.file": str(log), "env.log.max": "2"})
    for number in range(6):
        logging.getLogger("app").warning("number %d", number)
    undo()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["jm.log", "jm.log.1", "jm.log.2"]


def test_filters_and_policies_are_known_by_their_types_whatever_they_are_called() -> None:
    plan = read_log4j(
        """
rootLogger = INFO, main
appender.main.type = RollingFile
appender.main.fileName = a.log
appender.main.filePattern = a.log.%d{yyyy-MM-dd-HH}
appender.main.filter.loud.type = ThresholdFilter
appender.main.filter.loud.level = ERROR
appender.main.policies.type = Policies
appender.main.policies.hourly.type = TimeBasedTriggeringPolicy
appender.main.policies.first.type = OnStartupTriggeringPolicy
appender.main.strategy.max = 3
logger.own.name = own
logger.own.appenderRef.full.ref = full
appender.full.type = RollingFile
appender.full.fileName = b.log
appender.full.policies.by_size.type = SizeBasedTriggeringPolicy
appender.full.policies.by_size.size = 1KB
""",
        {},
        "x",
    )
    assert plan.appenders == {
        "main": FileAppender(plan.appenders["main"].layout, "a.log", True, 0, 3, logging.ERROR, "H"),  # type: ignore[union-attr]
        "full": FileAppender(plan.appenders["full"].layout, "b.log", True, 1024, 7),  # type: ignore[union-attr]
    }


def test_a_file_that_is_begun_anew_each_day_is_one_of_logging(tmp_path: Path) -> None:
    (tmp_path / "log4j.properties").write_text(
        "log4j.rootLogger=INFO, a\nlog4j.appender.a=org.apache.log4j.DailyRollingFileAppender\n"
        f"log4j.appender.a.file={tmp_path}/a.log\n"
    )
    undo = configure(Role.JOBMANAGER, tmp_path, {})
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, TimedRotatingFileHandler)
    assert handler.when == "MIDNIGHT"
    undo()


def test_a_command_obeys_the_file_of_its_role(tmp_path: Path) -> None:
    configure_client(Role.CLI, tmp_path, tmp_path, {})
    assert not list(tmp_path.glob("*.log")), "without a file nothing is configured"
    (tmp_path / "log4j-cli.properties").write_text(
        "rootLogger = WARN, f\nappender.f.type = File\nappender.f.fileName = ${sys:log.file}\n"
    )
    configure_client(Role.CLI, tmp_path, tmp_path, {})
    logging.getLogger("mine").warning("seen")
    (log,) = tmp_path.glob("penstock-*-client-*.log")
    assert log.read_text() == "seen\n"


def test_a_worker_appends_to_the_log_that_its_taskmanager_rotates(tmp_path: Path) -> None:
    log = tmp_path / "tm.log"
    text = YAML.replace('filename: "${log.file}.mine"', 'filename: "${log.file}"')
    configure_worker(ShippedLogging("logging.yaml", text, {"log.file": str(log)}))
    logging.getLogger("mine").warning("first")
    log.rename(tmp_path / "tm.log.1")
    for _ in range(40):
        logging.getLogger("mine").warning("x" * 100)
    assert "first" in (tmp_path / "tm.log.1").read_text()
    assert log.stat().st_size > 2 * 1024, "followed, and not rotated by the worker"


def test_records_of_other_threads_have_the_place_of_their_thread() -> None:
    from threading import Thread

    from penstock.logs.patterns import PatternFormatter
    from penstock.logs.place import install

    install()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PatternFormatter("%m:%X{operator}"))
    logger = logging.getLogger("mine")
    logger.addHandler(handler)
    current.place = Place("j", "here", 0, 0)
    logger.warning("a")
    thread = Thread(target=logger.warning, args=("b",))
    thread.start()
    thread.join()
    assert stream.getvalue() == "a:here\nb:\n"
