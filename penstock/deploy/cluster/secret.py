"""The secret of a cluster: who knows it may join it. It lies in a file that only its owner can read."""

import hmac
import os
from contextlib import suppress
from pathlib import Path

from penstock.chance import secret_token
from penstock.errors import OutsideError, ProgramError

NAME = "cluster.secret"
SUBMISSION_HEADER = "X-Penstock-Submission"


def home_directory() -> Path:
    """The home of the cluster: ``PENSTOCK_HOME``, else ``~/.penstock``."""
    return Path(os.environ.get("PENSTOCK_HOME") or Path.home() / ".penstock").absolute()


def submission_proof(secret: bytes) -> str:
    """What shows the REST API that whoever submits a job knows the cluster's secret; the secret itself does not travel."""
    return hmac.digest(secret, b"submit a job", "sha256").hex()


def own_submission_proof() -> str | None:
    """The proof for the cluster whose home this user has; None where there is no secret."""
    path = home_directory() / "run" / NAME
    return submission_proof(_read(path)) if path.is_file() else None


def signing_key(secret: bytes, token: str | None) -> bytes:
    """What values on their way to a client are signed with: clients of a cluster with a token know that, others its secret.
    It does not travel, so nobody can pretend to be the cluster."""
    return hmac.digest(secret if token is None else token.encode(), b"values of a job", "sha256")


def own_signing_keys(token: str | None) -> tuple[bytes, ...]:
    """The keys that this user knows: that of the token, and that of the cluster whose home this user has."""
    path = home_directory() / "run" / NAME
    secrets = [_read(path)] if path.is_file() else []
    of_token = () if token is None else (signing_key(b"", token),)
    return (*of_token, *(signing_key(secret, None) for secret in secrets))


def cluster_secret(directory: Path) -> bytes:
    """The secret in a directory; the first who asks makes it.

    :raises OutsideError: where it cannot be read or written, or others could read it.
    """
    path = directory / NAME
    try:
        if not path.exists():
            _put(path, secret_token())
        return _read(path)
    except OSError as error:
        raise OutsideError(
            f"the secret of the cluster at {path} cannot be used: {error.strerror or error}"
        ) from error


def keep_secret(directory: Path, secret: bytes) -> None:
    """Write a secret that came from elsewhere, unless it is there.

    :raises OutsideError: where another is there, or it cannot be written.
    """
    path = directory / NAME
    try:
        if not path.exists():
            _put(path, secret)
        if _read(path) != secret:
            raise OutsideError(
                f"the home {directory.parent} belongs to another cluster: {path} has another secret"
            )
    except OSError as error:
        if isinstance(error, OutsideError):
            raise
        raise OutsideError(f"the secret of the cluster at {path} cannot be kept: {error}") from error


def known_secret(directory: Path, jobmanager: str) -> bytes:
    """The secret of a cluster whose JobManager is on another machine; here none is made.

    :raises ProgramError: where it was not brought here.
    """
    path = directory / NAME
    if not path.is_file():
        raise ProgramError(
            f"the JobManager is at {jobmanager}, and its secret is not here: copy run/{NAME} of its home to {path}, readable "
            "for its owner alone"
        )
    return _read(path)


def _put(path: Path, secret: bytes) -> None:
    """Make the file, whole or not at all, unless somebody else is quicker."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f"{NAME}.{secret_token(6).hex()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret.hex().encode())
        with suppress(FileExistsError):
            path.hardlink_to(partial)
    finally:
        partial.unlink()


def _read(path: Path) -> bytes:
    mode = path.stat().st_mode & 0o077
    if mode:
        raise OutsideError(f"others can read the secret of the cluster: run chmod 600 {path}")
    content = path.read_bytes().strip()
    if not content:
        raise OutsideError(
            f"the secret of the cluster at {path} is empty; delete the file, and start the cluster again"
        )
    return bytes.fromhex(content.decode())
