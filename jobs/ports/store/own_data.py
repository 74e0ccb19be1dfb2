"""The expiry of what the store itself keeps."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from jobs.model.run import Run


class PastTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What of the store has expired (ACC-07).

    `reckoned` are runs as they are once the lines of their plans are removed; `journals` the runs whose
    journals are removed, `heads` the plans whose heads are to name no row any more, each with the SHA-256 of
    its head as it is, `nameless` those among them that are to name nobody either, `holds` the holds, by id,
    `certificates` the runs whose certificates are removed, and `policies` the digests of the versions of the
    schedule. `contacts` is the table of people: the last action stays for a person whose removal has not
    happened, and for a unit that is half done."""

    lines_before: datetime
    reckoned: tuple[Run, ...] = ()
    journals: tuple[str, ...] = ()
    heads: dict[str, str] = {}
    nameless: frozenset[str] = frozenset()
    holds: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    contacts: str = ""


class Expired(msgspec.Struct, frozen=True):
    """How much has expired. It counts plans whose lines were removed, runs whose journals were removed and
    the units in them, holds, plans that name no row or nobody any more, certificates, versions of the
    schedule."""

    plans: int = 0
    journals: int = 0
    units: int = 0
    holds: int = 0
    heads: int = 0
    certificates: int = 0
    policies: int = 0


class OwnData(Protocol):
    """What the store itself keeps."""

    def expire(self, past: PastTerms, now: datetime) -> Expired:
        """Remove what has expired (ACC-04, ACC-07), with a ledger entry that records it in counts, and names
        the holds."""
