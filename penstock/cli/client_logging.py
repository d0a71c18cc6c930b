"""The logging of commands that talk to a cluster: by the file of their role, and only where there is one."""

from penstock.cli.cluster_settings import ClusterSettings
from penstock.cli.command_lines import usage_error
from penstock.errors import PenstockError
from penstock.logs import roles


def configure_client(role: roles.Role, settings: ClusterSettings) -> None:
    """Obey ``logging-cli.yaml`` or ``logging-session.yaml`` of the configuration directory.

    :raises click.UsageError: where the file cannot be understood.
    """
    try:
        roles.configure_client(role, settings.conf_dir, settings.log_dir, settings.options)
    except PenstockError as error:
        usage_error(str(error))
