"""Which rows that are back have to be named, and which go along with another one (ERA-13)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from connectors.interface.changes import OperationKind
from connectors.interface.remains import BinnedOrRetained, Reach
from jobs.erasures.register import Register, version_of
from jobs.model.privileges import NEEDS
from jobs.model.run import Erasure
from jobs.restores.rows_back import returned_rows
from rules.model.kinds import LINKS, Kinds
from rules.model.records import KINDS, Contact, Dossier, Fiche, Note, Party, Record, Recording


class Crm:
    """A CRM of a few rows; every row may be read by its kind."""

    all_kinds = Kinds()

    def __init__(self, rows: list[Record], retained: list[Record]) -> None:
        self.rows, self.retained = rows, retained
        self.read_kinds: list[str] = []

    def has(self, record: type[Record]) -> bool:
        return True

    def table(self, record: type[Record]) -> str:
        return record.__name__.lower()

    def tables(self, record: type[Record]) -> tuple[str, ...]:
        return (self.table(record),)

    def retaining(self, records: tuple[type[Record], ...]) -> frozenset[type[Record]]:
        return frozenset(records if self.retained else ())

    def binned_or_retained(self, residual: object, record: type[Record], fields: object, among: object) -> BinnedOrRetained:
        return BinnedOrRetained(Reach.READ, tuple(row for row in self.retained if isinstance(row, record)))

    def read(self, record: type[Record], fields: Any) -> Iterator[list[Record]]:
        self.read_kinds.append(self.table(record))
        yield [row for row in self.rows if type(row) is record]


class Context:
    def __init__(self, rows: list[Record], retained: list[Record]) -> None:
        self.connector = Crm(rows, retained)

    def progress(self, stage: str, done: int, total: int | None = None) -> None: ...

    def references(self, table: str, row: str) -> tuple[str, ...]:
        return (f"new:{table}/{row}", f"{table}/{row}")


def erased(rows: list[Record], **operations: str) -> Register:
    """The register of these rows, deleted unless `operations` says otherwise by id."""
    return Register(
        Erasure(f"{type(row).__name__.lower()}/{row.id}", operations.get(row.id, "delete"), type(row).__name__.lower(), "r", "t", "EXPIRED")
        for row in rows
    )


def back(rows: list[Record], register: Register, retained: list[Record] | None = None) -> list[tuple[str, str, str]]:
    context: Any = Context(rows, retained or [])
    return [(each.kind, each.id, each.operation) for each in returned_rows(context, register)]


D, F, C, R = Dossier(id="d"), Fiche(id="f", dossier="d"), Contact(id="c", etag="7"), Recording(id="r", fiche="f")


class Chat(Fiche):
    """A fiche of another table."""


def test_every_kind_of_row_that_a_job_deletes_is_looked_for() -> None:
    """A kind that is left out would come back for good."""
    deleted = {kind for kind, record in KINDS.items() if OperationKind.DELETE in NEEDS.get(record, ())}
    assert deleted <= LINKS.keys()


def test_what_depends_on_a_row_is_erased_with_it() -> None:
    """A recording keeps a line of its own: its term may differ from its fiche's."""
    dependent = [
        Note(id="n1", regarding="d", regarding_kind="dossier"),
        Note(id="n2", regarding="f", regarding_kind="fiche"),
        Note(id="n3", regarding="r", regarding_kind="recording"),
        Note(id="n4", regarding="c", regarding_kind="contact"),
        Party(id="p1", dossier="d"),
        Party(id="p2", dossier="d", fiche="f"),
    ]
    rows = [D, F, C, R, *dependent]
    assert back(rows, erased(rows)) == [("dossier", "d", "delete"), ("recording", "r", "delete"), ("contact", "c", "delete")]


@pytest.mark.parametrize(
    "row",
    [
        Fiche(id="x", dossier="other"),
        Fiche(id="x"),
        Note(id="x", regarding="other", regarding_kind="dossier"),
        Note(id="x", regarding="d", regarding_kind="contact"),
        Note(id="x"),
        Party(id="x"),
        Party(id="x", dossier="other"),
        Party(id="x", dossier="d", fiche="other"),
        Party(id="x", dossier="other", fiche="f"),
    ],
)
def test_a_row_that_depends_on_what_stays_as_well_is_named(row: Record) -> None:
    rows: list[Record] = [D, F, row]
    assert (type(row).__name__.lower(), "x", "delete") in back(rows, erased(rows))


def test_a_row_that_was_never_erased_is_left_alone() -> None:
    assert back([D, Fiche(id="y", dossier="d")], erased([D])) == [("dossier", "d", "delete")]
    assert back([D, F], Register()) == []


def test_what_lies_in_long_term_retention_is_looked_for_by_its_own_table() -> None:
    chat, fiche = Chat(id="y"), Fiche(id="x")
    register = Register(Erasure(key, "delete", "fiche", "r", "t", "EXPIRED") for key in ("fiche/x", "chat/y"))
    for there in ([chat, fiche], [fiche, chat]):
        assert back([], register, list(there)) == [("fiche", "x", "delete"), ("fiche", "y", "delete")]


def test_what_is_live_is_not_judged_by_what_lies_in_long_term_retention() -> None:
    masked = Dossier(id="m", anonymised_on=date(2026, 11, 1))
    assert back([masked], erased([masked], m="mask"), [Dossier(id="m")]) == []
    context: Any = Context([Dossier(id="d", etag="2")], [Dossier(id="d", etag="1")])
    assert [each.etag for each in returned_rows(context, erased([D]))] == ["2"]


def test_a_masked_row_is_back_where_its_mark_is_missing() -> None:
    still = Dossier(id="m", anonymised_on=date(2026, 11, 1))
    assert back([still], erased([still], m="mask")) == []
    assert back([Dossier(id="m")], erased([still], m="mask")) == [("dossier", "m", "mask")]
    assert back([still], erased([still])) == [("dossier", "m", "delete")]


def test_a_trimmed_contact_is_back_in_the_version_that_was_emptied() -> None:
    trims = Register([Erasure(f"contact/{version_of('c', '7')}", "trim", "contact", "r", "t", "EXPIRED")])
    assert back([C], trims) == [("contact", "c", "trim")]
    assert back([Contact(id="c", etag="8")], trims) == []


def test_what_depends_on_a_trimmed_contact_stays() -> None:
    note = Note(id="n", regarding="c", regarding_kind="contact")
    entries = [
        Erasure(f"contact/{version_of('c', '7')}", "trim", "contact", "r", "t", "EXPIRED"),
        Erasure("note/n", "delete", "note", "r", "t", "EXPIRED"),
    ]
    assert back([C, note], Register(entries)) == [("note", "n", "delete"), ("contact", "c", "trim")]


def test_tables_of_which_nothing_was_erased_are_not_read() -> None:
    context: Any = Context([D, F, C], [])
    returned_rows(context, erased([F]))
    assert context.connector.read_kinds == ["fiche"]
