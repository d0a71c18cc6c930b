"""Which operator of a savepoint is meant."""

import re
from dataclasses import dataclass

from penstock.errors import ProgramError
from penstock.plan.passes.uids import hash_of_uid

_HASH = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class OperatorIdentifier:
    """An operator by its uid, or by the hash that stands in the savepoint.

    >>> OperatorIdentifier.for_uid("bank").uid_hash
    '02c3b055282c19c4d855d5c6c3938f49'
    """

    uid_hash: str
    uid: str | None = None

    @staticmethod
    def for_uid(uid: str) -> "OperatorIdentifier":
        """The operator that the program calls ``uid``."""
        if not isinstance(uid, str) or not uid:
            raise ProgramError(f"the uid of an operator is text, not {uid!r}")
        return OperatorIdentifier(hash_of_uid(uid), uid)

    @staticmethod
    def for_uid_hash(uid_hash: str) -> "OperatorIdentifier":
        """The operator of this hash, for those without a uid; ``penstock savepoint inspect`` shows them."""
        if not isinstance(uid_hash, str) or not _HASH.fullmatch(uid_hash):
            raise ProgramError(f"the hash of an operator is 32 hexadecimal digits, not {uid_hash!r}")
        return OperatorIdentifier(uid_hash)

    def __str__(self) -> str:
        return self.uid_hash if self.uid is None else f"{self.uid!r} ({self.uid_hash})"


def identifier_of(operator: OperatorIdentifier | str) -> OperatorIdentifier:
    """An identifier as it is; text is a uid."""
    return operator if isinstance(operator, OperatorIdentifier) else OperatorIdentifier.for_uid(operator)
