"""``penstock history-server``: shows jobs that have ended, from the archives that JobManagers have written."""

import logging
import sys
import threading
from typing import TYPE_CHECKING

from penstock.cli.carrying_out import FAILED
from penstock.cli.cluster_settings import ClusterSettings
from penstock.deploy.cluster.addresses import address_of, is_loopback
from penstock.errors import OptionError, PenstockError

if TYPE_CHECKING:
    from penstock.web.history.server import History

_log = logging.getLogger("penstock")
ARCHIVES = "historyserver.archive.fs.dir"


def serve_history(settings: ClusterSettings) -> int:
    """Serve until a signal ends the process."""
    import uvicorn

    from penstock.web.history.server import History, HistorySettings, application

    options = settings.options
    try:
        host = address_of(options.get("historyserver.web.address", "localhost"))
        port = options.get("historyserver.web.port", "8082")
        if not port.isdigit():
            raise OptionError(f"historyserver.web.port is a number, not {port!r}")
        if options.get("historyserver.web.ssl.enabled", "false").lower() == "true":
            raise OptionError(
                "historyserver.web.ssl.enabled is not supported: put a proxy with TLS in front of it"
            )
        if not is_loopback(host) and not options.get("rest.token"):
            raise OptionError(
                f"the history server would listen on {host}, where others can read it: set rest.token"
            )
        chosen = HistorySettings(
            _directories(options),
            settings.seconds("historyserver.archive.fs.refresh-interval", 10.0),
            _retained(options.get("historyserver.archive.retained-jobs", "-1")),
            options.get("rest.token"),
        )
        history = History(chosen)
        history.refresh()
    except PenstockError as error:
        print(f"the history server cannot start: {error}", file=sys.stderr)
        return FAILED
    threading.Thread(target=_keep_fresh, args=(history, chosen.refresh_s), daemon=True).start()
    _log.info("the history server listens on %s:%s", host, port)
    uvicorn.run(
        application(history, chosen.token), host=host, port=int(port), log_level="warning", lifespan="off"
    )
    return 0


def _keep_fresh(history: "History", interval_s: float) -> None:
    never = threading.Event()
    while not never.wait(interval_s):
        history.refresh()


def _directories(options: dict[str, str]) -> tuple[str, ...]:
    from penstock.storage.reading import absolute_path

    text = options.get(ARCHIVES) or options.get("jobmanager.archive.fs.dir") or ""
    found = tuple(absolute_path(part.strip()) for part in text.split(",") if part.strip())
    if not found:
        raise OptionError(
            f"{ARCHIVES} names no directory of archives; JobManagers write to jobmanager.archive.fs.dir"
        )
    return found


def _retained(text: str) -> int | None:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number == -1:
        return None
    if number < 1:
        raise OptionError(f"historyserver.archive.retained-jobs is -1 for all, or at least 1, not {text!r}")
    return number
