"""What a cluster's options say about its API."""

from collections.abc import Mapping
from dataclasses import dataclass

from penstock.config.configuration import Configuration
from penstock.web.rest.triggers import KEPT_S

MOST_BODY_BYTES = 100 << 20
_CONTENT = "rest.server.max-content-length"
_KEPT = "rest.async.store-duration"
_SUBMIT = "web.submit.enable"
_CANCEL = "web.cancel.enable"
_RESCALE = "web.rescale.enable"
_REFRESH = "web.refresh-interval"
_CHECKPOINTS = "web.checkpoints.history"
_EXCEPTIONS = "web.exception-history-size"
_ORIGIN = "web.access-control-allow-origin"
_RESCALES = "web.adaptive-scheduler.rescale-history.size"
_UPLOADS = "web.upload.dir"
_LOG = "web.log.path"
_KEYS = (
    _CONTENT, _KEPT, _SUBMIT, _CANCEL, _RESCALE, _REFRESH, _CHECKPOINTS, _EXCEPTIONS, _ORIGIN, _UPLOADS, _LOG, _RESCALES,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RestSettings:
    """``kept_s``: how long outcomes of savepoints and the like are kept. ``origin``: whose pages may read, besides its own.
    ``uploads``: where uploaded programs lie, and ``log``: the log that is shown, unless where they are by themselves."""

    most_body_bytes: int = MOST_BODY_BYTES
    kept_s: float = KEPT_S
    may_submit: bool = True
    may_cancel: bool = True
    may_rescale: bool = True
    refresh_ms: int = 3000
    most_checkpoints: int = 10
    most_exceptions: int = 16
    origin: str | None = None
    uploads: str | None = None
    log: str | None = None
    most_rescales: int = 0

    @staticmethod
    def of(options: Mapping[str, str]) -> "RestSettings":
        """What options say.

        :raises OptionError: for a value that makes no sense.
        """
        given = Configuration.from_dict({key: options[key] for key in _KEYS if key in options})
        return RestSettings(
            given.get_integer(_CONTENT, MOST_BODY_BYTES),
            (given.get_millis(_KEPT, round(KEPT_S * 1000)) or 0) / 1000,
            given.get_boolean(_SUBMIT, True),
            given.get_boolean(_CANCEL, True),
            given.get_boolean(_RESCALE, True),
            given.get_millis(_REFRESH, 3000) or 0,
            given.get_integer(_CHECKPOINTS, 10),
            given.get_integer(_EXCEPTIONS, 16),
            options.get(_ORIGIN),
            options.get(_UPLOADS),
            options.get(_LOG),
            given.get_integer(_RESCALES, 0),
        )
