"""What leads to contacts before a run of their plan begins: what goes with a unit must have led there until
then (RET-17, RET-20)."""

from collections.abc import Collection

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.reading.few_rows import PARTY_FIELDS, rows_anywhere
from jobs.reading.gather import TIES
from jobs.reading.participations import naming_kinds, participations
from rules.model.records import Contact, Party


def unlinked(connector: Connector, removals: Collection[str], trims: Collection[str]) -> set[str]:
    """Return those of these contacts that are there and to which nothing leads now. To one that is to be
    removed leads a role, an activity or a row of a dependent table, another contact, or a gift, course or
    agreement; to one that is to be trimmed a role, an activity or such a row. Raises ConnectorError: it could
    not be read whole."""
    ids = {*removals, *trims}
    if not ids:
        return ids
    retaining = connector.retaining((Contact, Party, *naming_kinds(connector), *(record for record, _, _ in TIES.values())))
    left = ids - {row.contact for row in rows_anywhere(connector, Party, PARTY_FIELDS, Among("contact", sorted(ids)), retaining)}
    if not left:  # a role leads to nearly everybody
        return left
    left -= {contact for contact, places in participations(connector, left, retaining).items() if places}
    asked = left & {*removals}
    for record, _, _ in TIES.values():
        asked -= {row.contact for row in rows_anywhere(connector, record, ("contact",), Among("contact", sorted(asked)), retaining)}
    pointing = rows_anywhere(connector, Contact, ("parent",), Among("parent", sorted(asked)), retaining)
    asked -= {row.parent for row in pointing if row.id != row.parent}
    found = asked | (left - {*removals})
    return {row.id for row in rows_anywhere(connector, Contact, (), Among("id", sorted(found)), retaining)}
