"""The register: what is known of a row, and of which rows nothing is noted (ERA-13)."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pytest

from jobs.erasures.register import Register, reconcile, register, version_of
from jobs.model.run import Action, ActionState, Erasure, RowWrite


class Kept:
    """The erasures of a store, or the journal of them, in memory."""

    def __init__(self, entries: Sequence[Erasure] = ()) -> None:
        self.entries = list(entries)

    def append(self, entries: Sequence[Erasure], *, restoring: bool = False) -> None:
        self.entries += entries

    def add(self, entries: Iterable[Erasure]) -> int:
        new = [entry for entry in entries if entry not in self.entries]
        self.entries += new
        return len(new)

    def read(self) -> Any:
        return iter(list(self.entries))

    all = read


class Stored(NamedTuple):
    erasures: Kept


class Tables:
    def table(self, record: type) -> str:
        return record.__name__.lower()

    def tables(self, record: type) -> tuple[str, ...]:
        return (self.table(record),)


class Context:
    """As much of a job context as the register asks for."""

    def __init__(self, kept: Kept, erased: Kept) -> None:
        self.store, self.erased, self.connector = Stored(kept), erased, Tables()

    def reference(self, table: str, row: str) -> str:
        return f"ref:{table}/{row}"


def an_entry(ref: str, operation: str = "delete", reason: str = "EXPIRED") -> Erasure:
    return Erasure(ref, operation, "fiche", "run-1", "2026-11-25T11:00:00Z", reason)


@pytest.mark.parametrize("order", [1, -1])
def test_a_row_that_was_masked_and_later_deleted_is_deleted(order: int) -> None:
    found = Register([an_entry("a", "mask"), an_entry("a", "delete", "ERASURE_REQUEST")][::order]).find(["a"])
    assert found is not None
    assert (found.operation, found.reason) == ("delete", "ERASURE_REQUEST")


def test_any_living_reference_finds_a_row() -> None:
    known = Register([an_entry("old")])
    assert known.find(["new", "old"]) is not None
    assert known.find(["new"]) is None
    assert (len(known), known.tables, known.has_trims) == (1, {"fiche"}, False)


def test_what_was_written_for_good_is_noted_in_the_journal_first() -> None:
    """A link that was emptied erases nobody; a trimmed contact is noted by the version that was emptied."""
    context: Any = Context(Kept(), Kept())
    rows = (
        RowWrite("note", "n1", "1"),
        RowWrite("recording", "r1", "2", "unlink_fiche", "f1"),
        RowWrite("contact", "c1", 'W/"3"', "trim"),
        RowWrite("fiche", "f1", "4", "mask"),
    )
    action = Action("fiche", "f1", "anonymise", ActionState.REMOVED, rows=rows, reason="EXPIRED", removed_at="2026-11-25T11:00:00Z")
    entries = register(context, "run-1", [action])
    assert [(entry.ref, entry.operation) for entry in entries] == [
        ("ref:note/n1", "delete"),
        ("ref:contact/" + version_of("c1", 'W/"3"'), "trim"),
        ("ref:fiche/f1", "mask"),
    ]
    assert context.erased.entries == entries
    assert context.store.erasures.entries == []


def test_database_and_journal_give_each_other_what_they_lack() -> None:
    one, two, three = an_entry("1"), an_entry("2"), an_entry("3", "mask")
    context: Any = Context(Kept([one, two]), Kept([two, three]))
    assert reconcile(context) == (1, 1)
    assert (
        sorted(entry.ref for entry in context.store.erasures.entries)
        == sorted(entry.ref for entry in context.erased.entries)
        == ["1", "2", "3"]
    )
    assert reconcile(context) == (0, 0)
