"""What a request keeps only grows until it is closed (HLD-08)."""

from datetime import UTC, datetime, timedelta

from jobs.model.request import Candidate, Preserved

AT = datetime(2026, 11, 25, tzinfo=UTC)


def found(kind: str, id: str, strength: str = "weak") -> Candidate:
    return Candidate("c", "requester", f"cf_{kind}", kind, id, strength)


def test_whatever_was_found_is_kept_and_what_was_there_at_the_receipt_stays() -> None:
    first = Preserved.of([found("contact", "b"), found("fiche", "a"), found("fiche", "a", "strong")], AT)
    assert (first.contacts, first.rows, first.at) == (("b",), (("fiche", "a"),), AT)
    later = Preserved.of([found("contact", "a"), found("dossier", "d")], AT + timedelta(days=1), before=first)
    assert (later.contacts, later.rows) == (("a", "b"), (("dossier", "d"), ("fiche", "a")))
    assert later.at == AT + timedelta(days=1)
    assert Preserved.of([], AT, before=later) == Preserved(later.contacts, later.rows, AT)


def test_nothing_found_keeps_nothing() -> None:
    assert Preserved.of([], AT) == Preserved((), (), AT)
