"""The appender of syslog against a real rsyslogd that sorts by the program's name."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from penstock.errors import OutsideError
from penstock.logs.roles import Role, configure
from tests.missing import leave_out_for_want_of
from tests.services.debian_packages import NoPackages
from tests.services.rsyslog import Rsyslog, rsyslogd, running_rsyslog

pytestmark = pytest.mark.service

FILE = """
log4j.rootLogger=INFO, SYSLOG
log4j.appender.SYSLOG=org.apache.log4j.net.SyslogAppender
log4j.appender.SYSLOG.syslogHost=127.0.0.1:{port}
log4j.appender.SYSLOG.facility=LOCAL1
log4j.appender.SYSLOG.tag={tag}
log4j.appender.SYSLOG.layout=org.apache.log4j.PatternLayout
log4j.appender.SYSLOG.layout.ConversionPattern=%p %c %m
"""
TCP = """
rootLogger = INFO, S
appender.S.type = Syslog
appender.S.host = 127.0.0.1
appender.S.port = {port}
appender.S.protocol = TCP
appender.S.facility = LOCAL1
appender.S.appName = {tag}
appender.S.layout.pattern = %p %c %m
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Rsyslog]:
    try:
        rsyslogd()
    except NoPackages as missing:
        leave_out_for_want_of("rsyslogd", f"install Debian's package rsyslog ({missing})")
    with running_rsyslog(tmp_path, "my-job") as running:
        yield running


def _log(conf_dir: Path, text: str, *messages: str) -> None:
    (conf_dir / "log4j.properties").write_text(text)
    undo = configure(Role.TASKMANAGER, conf_dir, {})
    for message in messages:
        logging.getLogger("app").warning(message)
    undo()


def _until_it_listens(server: Rsyslog) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
            return
        except OSError:
            Event().wait(0.05)


@pytest.mark.parametrize("text", [FILE, TCP])
def test_records_of_a_program_come_into_its_own_file_and_stay_whole(
    server: Rsyslog, tmp_path: Path, text: str
) -> None:
    _until_it_listens(server)
    _log(tmp_path, text.format(port=server.port, tag="my-job"), "first\nsecond line", "last")
    _log(tmp_path, text.format(port=server.port, tag="another"), "of another")
    own = server.wait_for("own.log", "last")
    assert own.splitlines() == [
        "my-job|local1|warning|WARN app first#012second line",
        "my-job|local1|warning|WARN app last",
    ]
    assert "of another" in server.wait_for("others.log", "of another")


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    from tests.services.kafka_broker import free_ports

    (port,) = free_ports(1)
    with pytest.raises(
        OutsideError, match=rf"syslog server at 127\.0\.0\.1:{port} \(tcp\) cannot be reached"
    ):
        _log(tmp_path, TCP.format(port=port, tag="t"))
