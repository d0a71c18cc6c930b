"""Whether transactions can last from one checkpoint to the next; looked at by each writer before it takes over or writes
anything. What a restored checkpoint holds is committed before there are writers: there the broker itself refuses a time-out
that it does not allow.
"""

from typing import Any, Final

from penstock.config.quantities import NANOS_PER_MS, parse_duration
from penstock.connectors.kafka.broker import Administration, confluent_admin, for_questions
from penstock.errors import OutsideError, ProgramError

INTERVAL: Final = "execution.checkpointing.interval"
_PAUSE: Final = "execution.checkpointing.min-pause"


def check_time_out(configuration: dict[str, str], settings: dict[str, str]) -> None:
    """Compare the time-out of transactions with the job's settings and with what the broker allows.

    :raises ProgramError: where they do not fit.
    """
    wanted = int(configuration["transaction.timeout.ms"])
    key, apart_ms = max(
        ((key, _milliseconds(settings, key)) for key in (INTERVAL, _PAUSE)), key=lambda pair: pair[1]
    )
    if wanted <= apart_ms:
        raise ProgramError(
            f"checkpoints come every {apart_ms} ms at most ({key}) and transaction.timeout.ms is {wanted}: the broker would "
            "end each transaction before its commit; have checkpoints more often, or "
            "set_property('transaction.timeout.ms', ...) to more than that, up to the broker's transaction.max.timeout.ms"
        )
    longest = _longest_transaction_ms(configuration)
    if longest is not None and wanted > longest:
        raise ProgramError(
            f"transaction.timeout.ms is {wanted}, and the broker allows {longest} at most "
            "(its transaction.max.timeout.ms); set_property('transaction.timeout.ms', ...) to that, or raise it there"
        )


def _milliseconds(settings: dict[str, str], key: str) -> int:
    return parse_duration(settings.get(key, "0")) // NANOS_PER_MS


def _longest_transaction_ms(configuration: dict[str, str]) -> int | None:
    """The longest time-out for transactions that the broker allows; None where it does not say."""
    client = confluent_admin()

    def ask(admin: Any, seconds: float) -> Any:
        brokers = admin.list_topics(timeout=seconds).brokers
        resource = client.ConfigResource(client.ResourceType.BROKER, str(next(iter(brokers))))
        return admin.describe_configs([resource], request_timeout=seconds)[resource].result(seconds)

    try:
        entries = Administration(for_questions(configuration)).answer(ask)
    except OutsideError:  # not allowed to ask; the broker itself refuses later
        return None
    entry = entries.get("transaction.max.timeout.ms")
    return None if entry is None or entry.value is None else int(entry.value)
