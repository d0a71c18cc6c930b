"""Options that are given on a command line: ``-D key=value``."""

from penstock.cli.command_lines import usage_error
from penstock.config.catalogue import did_you_mean, find_option
from penstock.config.checks import check_configuration
from penstock.config.configuration import Configuration
from penstock.errors import PenstockError


def property_of(text: str) -> Configuration:
    """One of them; without a value it is true, as in Flink. What makes no sense, or is a slip, is refused."""
    key, _, value = text.partition("=") if "=" in text else (text, "", "true")
    key = key.strip()
    if not key:
        usage_error(f"-D {text!r} has no key; write -D key=value")
    configuration = Configuration().set_string(key, value.strip())
    try:
        complaints = check_configuration(configuration)
    except PenstockError as error:
        usage_error(f"-D {text}: {error}")
    # The check knows the families of Flink's keys only; here a key that is nearly one of Flink's is a slip as well.
    if not complaints and find_option(key) is None and did_you_mean(key):
        complaints = [f"there is no option {key!r}{did_you_mean(key)}"]
    if complaints:
        usage_error(f"-D {text}: {complaints[0]}")
    return configuration
