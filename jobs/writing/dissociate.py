"""Removes whose role it was from roles that stay: the information of a file outlives the identity of who gave
it (6.2, witnesses). A role that is nothing without the person is deleted, and so is that of a child: one that
is nobody's is a child of unknown age, for which the file would be kept longer (RET-08). With the role of a
reporter go the number, the address and the IP address from which was reported, on the same fiche."""

from collections.abc import Collection

import msgspec

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.model.run import RowWrite
from jobs.reading.few_rows import PARTY_FIELDS, rows_of
from jobs.writing.row_writes import UNNAME, write_of
from rules.model.file_roles import FileRole
from rules.model.records import Fiche, Party


def unnaming(connector: Connector, rows: Collection[RowWrite], contacts: Collection[str]) -> dict[str, RowWrite]:
    """Return the writes after which rows of dependent tables name none of these people by a lookup; those
    that name none (any more) have none."""
    found: dict[str, RowWrite] = {}
    for write in rows:
        kind = connector.all_kinds[write.kind]
        for row in rows_of(connector, kind.full, kind.naming, Among("id", [write.id])):
            if naming := [name for name in kind.naming if getattr(row, name) in contacts]:
                found[write.id] = msgspec.structs.replace(write, operation=UNNAME, target=",".join(naming))
    return found


def dissociation(connector: Connector, roles: Collection[str]) -> dict[str, list[RowWrite]]:
    """Return the writes for each role, its own row last. A role that is nobody's (any more) has none. A fiche
    is written once, with the first."""
    parties = sorted(rows_of(connector, Party, PARTY_FIELDS, Among("id", sorted(roles))), key=lambda row: row.id)
    reported = {row.fiche: row.id for row in reversed(parties) if row.role == FileRole.REPORTER and row.fiche is not None}
    fiches = {reported[row.id]: row for row in rows_of(connector, Fiche, (), Among("id", sorted(reported)))}
    found: dict[str, list[RowWrite]] = {}
    for row in parties:
        if row.contact is not None:
            fiche = fiches.get(row.id)
            before = [write_of(fiche, "drop_caller")] if fiche is not None else []
            is_deleted = connector.names_a_person(type(row)) or row.role == FileRole.CHILD
            found[row.id] = [*before, write_of(row, "delete" if is_deleted else "disown", row.contact)]
    return found
