"""Which kinds of row an organisation maps, and from which tables they come."""

from collections.abc import Collection, Mapping
from typing import Protocol

from rules.model.kinds import Kinds
from rules.model.records import Record


class MappedKinds(Protocol):
    """What the organisation maps."""

    @property
    def recording_media_types(self) -> tuple[str, ...]:
        """Patterns of the media types by which an attachment of a fiche is a recording, e.g. `audio/*`
        (RET-05)."""

    @property
    def all_kinds(self) -> Kinds:
        """The kinds of row of this organisation: those that every one has, and its dependent tables."""

    def has(self, record: type[Record]) -> bool:
        """Return whether the organisation maps this kind of record at all."""

    def table(self, record: type[Record]) -> str:
        """Return the table's logical name in the CRM, as plans and reports show it. Where rows of a kind come
        from several tables, each has a class of its own: that of a row that was read (`type(row)`), or of
        `record`. Raises ValueError: the class is that of the kind, and there are several tables."""

    def tables(self, record: type[Record]) -> tuple[str, ...]:
        """Return the logical names of all tables from which records of this class come."""

    def sources(self, record: type[Record]) -> tuple[type[Record], ...]:
        """Return the classes of the rows of a kind: one for each table from which they come, the class itself
        where that is one; none if the kind is not mapped."""

    def records(self, table: str) -> tuple[type[Record], ...]:
        """Return the classes of the records that come from a table, one for each kind that it holds."""

    def record(self, kind: str, table: str = "") -> type[Record]:
        """Return the class of the records of a kind, by its word, that come from a table; without one, that
        of all of the kind. Raises ValueError: rows of this kind do not come from this table."""

    def kinds(self, table: str, ids: Collection[str]) -> Mapping[str, str | None]:
        """Return the word for the kind of each of these rows of a table, by id: None for one that is out of
        scope; rows that are not there are left out, unless all rows of the table are of one kind. Raises
        ConnectorError: it cannot be determined."""

    def out_of_scope(self, record: type[Record], ids: Collection[str]) -> Mapping[str, bool]:
        """Return those of these ids that are of rows that are there, and that the mapping takes for no kind:
        it says of their table that only some rows are meant; with each, whether somebody has decided that
        such rows of its table stay. Raises ConnectorError: it cannot be determined."""

    def may_stay(self, table: str) -> bool:
        """Return whether somebody has decided that the rows of a table that are of no kind stay."""

    def is_derived(self, record: type[Record]) -> bool:
        """Return whether records of this class are not rows of their own: they go with their dossier or
        fiche, and are never written."""

    def is_activity(self, record: type[Record]) -> bool:
        """Return whether people may take part in rows of this class as participants."""

    def names_a_person(self, record: type[Record]) -> bool:
        """Return whether a row of this class is nothing without the person that it names, whose link cannot
        be emptied."""

    def fields(self, record: type[Record]) -> frozenset[str]:
        """Return the fields of this kind that the organisation maps; for a full record also those that only a
        subject request reads."""

    def has_value(self, record: type[Record], field: str, value: object) -> bool:
        """Return whether a field of rows of this kind can say this value: not where it is a choice without an
        option for it."""
