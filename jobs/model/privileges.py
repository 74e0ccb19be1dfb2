"""What the jobs need of each kind of record.

It is the least that the application user must be allowed to do, and all that it should be.
`docs/least-privilege-role.md` is this list in the CRM's own terms. Reading is of the whole table: a role that
shows a part of it looks just like an organisation with less to keep. What cleaning needs in addition (audit
history, recycle bin, jobs) is not about kinds of record and stops no night: each connector states it itself,
on the same page."""

from collections.abc import Mapping

from connectors.interface.changes import OperationKind
from rules.model.kinds import ROW_KINDS
from rules.model.records import KINDS, Contact, Dependent, Donation, Dossier, Fiche, Note, Party, Record, Recording, Statistic
from rules.policy.policy import Policy
from rules.retention.relations import relation_terms

_READ: frozenset[OperationKind] = frozenset()
_DELETE = frozenset({OperationKind.DELETE})
_DELETE_AND_UPDATE = frozenset({OperationKind.DELETE, OperationKind.UPDATE})

NEEDS: Mapping[type[Record], frozenset[OperationKind]] = {
    **{kind.record: _DELETE if kind.is_file or kind.depends else _READ for kind in ROW_KINDS.values()},
    Dependent: _DELETE_AND_UPDATE,  # each table that depends on others; a row that stays loses what names somebody
    Party: _DELETE_AND_UPDATE,  # a role in what stays loses its link to what goes (RET-20)
    Recording: _DELETE_AND_UPDATE,  # one whose own term runs loses its link (RET-03)
    Contact: _DELETE_AND_UPDATE,  # one that lives on for another relation is trimmed (RET-20)
    Statistic: frozenset({OperationKind.CREATE, OperationKind.UPDATE}),
}


def needs_under(policy: Policy) -> dict[type[Record], frozenset[OperationKind]]:
    """Return what the jobs need under one schedule. Gifts, courses and agreements are deleted only if a row
    in force says so (2.3), and a gift loses its link to a donor only if a row says when being one is over
    (R-104). Dossiers and fiches are masked only if the schedule anonymises in place (ERA-03), and notes are
    written only if a quarantine notifies owners by one."""
    terms, needs = relation_terms(policy), dict(NEEDS)
    for kind in terms.units:
        needs[KINDS[kind.value]] |= _DELETE
    if terms.donor:
        needs[Donation] |= frozenset({OperationKind.UPDATE})
    if policy.anonymise.is_in_place:
        for record in (Dossier, Fiche):
            needs[record] |= frozenset({OperationKind.MASK})
    if policy.quarantine is not None and policy.quarantine.notice == "note":
        needs[Note] |= frozenset({OperationKind.CREATE})
    return needs
