"""What the jobs ask of each kind of record: the least that the application user must be allowed to do, and all that it should be.

`docs/least-privilege-role.md` is this list in the CRM's own words. Reading is of the whole table: a role that shows a part of it looks just
like an organisation with less to keep.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.interface import OperationKind
from rules.records import (
    ActivityParty,
    Call,
    Contact,
    Donation,
    Dossier,
    Email,
    Engagement,
    Enrolment,
    Fiche,
    Note,
    Party,
    Record,
    Recording,
    Statistic,
)

_READ: frozenset[OperationKind] = frozenset()
_DELETE = frozenset({OperationKind.DELETE})
_DELETE_AND_UPDATE = frozenset({OperationKind.DELETE, OperationKind.UPDATE})

NEEDS: Mapping[type[Record], frozenset[OperationKind]] = {
    Dossier: _DELETE,
    Fiche: _DELETE,
    Note: _DELETE,
    Call: _DELETE,
    Email: _DELETE,
    Party: _DELETE_AND_UPDATE,  # a role in what stays loses its link to what goes (RET-20)
    Recording: _DELETE_AND_UPDATE,  # one whose own term runs loses its link (RET-03)
    Contact: _DELETE_AND_UPDATE,  # one that lives on for another relation is trimmed (RET-20)
    ActivityParty: _READ,
    Donation: _READ,
    Enrolment: _READ,
    Engagement: _READ,
    Statistic: frozenset({OperationKind.CREATE, OperationKind.UPDATE}),
}
