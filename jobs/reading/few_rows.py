"""Which columns of each kind of row are read for a plan, and a few rows read at once."""

from collections.abc import Collection
from operator import attrgetter
from typing import TypeVar

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.reading.long_term import retained_rows_of, without_live
from rules.model.kinds import Kind as RowKind
from rules.model.records import Record

DOSSIER_FIELDS = (
    "categories", "outcome", "opened_on", "closed_on", "reopened_on", "proceedings_ended_on", "reviewed_on", "is_active", "public_alert",
    "legal_hold", "anonymised_on",
)  # fmt: skip
FICHE_FIELDS = ("dossier", "categories", "communicated_on", "created_on", "transmitted_on", "anonymised_on")
PARTY_FIELDS = ("contact", "dossier", "fiche", "role")
CONTACT_FIELDS = (
    "birth_on", "birth_year", "birth_month", "stated_age", "stated_on", "national_number", "parent", "parent_kind", "newsletter",
    "anonymised_on",
)  # fmt: skip
RECORDING_FIELDS = ("dossier", "fiche", "started_on", "ended_on", "taken_over", "evidence", "storage_uri")
NOTE_FIELDS = ("regarding", "regarding_kind", "is_document", "media_type", "evidence")
ACTIVITY_FIELDS = ("regarding", "regarding_kind")
EMAIL_FIELDS = (*ACTIVITY_FIELDS, "sent_on", "created_on")
ACTIVITY_PARTY_FIELDS = ("activity", "party", "party_kind")

R = TypeVar("R", bound=Record)
_ID = attrgetter("id")


def own_fields(kind: RowKind) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*kind.links, *kind.people, kind.counted_from)))


def rows_of(connector: Connector, record: type[R], fields: tuple[str, ...], among: Among) -> list[R]:
    """Return all rows of a small read at once."""
    return [row for page in connector.read(record, fields, among=among) for row in page]


def rows_anywhere(
    connector: Connector, record: type[R], fields: tuple[str, ...], among: Among, retaining: Collection[type[Record]]
) -> list[R]:
    """Return all rows of a small read, with those in long-term retention if `retaining` has their kind."""
    rows = rows_of(connector, record, fields, among)
    return [*rows, *without_live(retained_rows_of(connector, record, fields, among), set(map(_ID, rows)))] if record in retaining else rows
