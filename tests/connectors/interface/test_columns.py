"""A frame says of a row what its record says, whatever the row holds."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest

from connectors.interface.columns import SEPARATOR, column_types, frame_of, frame_of_values, held_by, values_of
from rules.model.personal_records import FullCall, FullNote
from rules.model.records import Contact, Dossier, Fiche, Record


def back(record: type[Record], fields: list[str], rows: list[Any]) -> list[list[Any]]:
    """What the rows hold once they have been a frame, field by field."""
    frame = frame_of(record, fields, rows)
    assert dict(frame.schema) == column_types(record, fields)
    return [values_of(record, frame[name]) for name in frame.columns]


def test_id_and_version_come_first_and_then_the_fields_in_the_order_given() -> None:
    frame = frame_of(Dossier, ["outcome", "is_active"], [Dossier(id="a", etag="1", outcome="located", is_active=False), Dossier(id="b")])
    assert frame.rows() == [("a", "1", "located", False), ("b", "", None, None)]


@pytest.mark.parametrize("days", [[date(1, 1, 1), None, date(9999, 12, 31)], [date(1969, 12, 31), date(1970, 1, 1), date(1970, 1, 2)], []])
def test_a_day_is_the_same_day_however_far_off(days: list[date | None]) -> None:
    rows = [Dossier(id=str(number), opened_on=day) for number, day in enumerate(days)]
    assert back(Dossier, ["opened_on"], rows)[2] == days


def test_an_instant_is_the_same_to_the_microsecond_in_whatever_zone_it_was_written() -> None:
    at = datetime(1901, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC)
    elsewhere = datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    instants = [at, None, elsewhere, at.replace(tzinfo=None)]
    rows = [FullCall(id=str(number), ended_at=each) for number, each in enumerate(instants)]
    assert back(FullCall, ["ended_at"], rows)[2] == [at, None, elsewhere, at]


def test_several_keys_stay_several_and_none_is_no_empty_key() -> None:
    several = [("a", "b"), (), ("one, two",)]
    rows = [Fiche(id=str(number), categories=keys) for number, keys in enumerate(several)]
    frame = frame_of(Fiche, ["categories"], rows)
    assert frame["categories"].to_list() == [f"a{SEPARATOR}b", "", "one, two"]
    assert values_of(Fiche, frame["categories"]) == several
    assert values_of(Contact, frame["categories"]) == frame["categories"].to_list()  # no field of a contact


def test_a_column_that_is_one_already_takes_the_type_and_name_of_its_field() -> None:
    given: dict[str, Any] = {"id": ["a"], "etag": [""], "birth_year": pl.Series("x", [2012], dtype=pl.Int16)}
    frame = frame_of_values(Contact, ["birth_year"], given.__getitem__)
    assert (frame.columns, frame["birth_year"].dtype, frame["birth_year"].to_list()) == (["id", "etag", "birth_year"], pl.Int64(), [2012])


@pytest.mark.parametrize(("name", "held"), [("categories", tuple), ("communicated_on", date), ("dossier", str), ("id", str)])
def test_what_a_field_holds_is_told_without_its_none(name: str, held: type) -> None:
    assert held_by(Fiche, name) is held


@pytest.mark.parametrize(
    ("record", "field", "told"), [(Fiche, "nothing", "Fiche has no field nothing"), (FullNote, "body", "FullNote.body is content")]
)
def test_what_is_no_column_is_refused_by_its_name(record: type[Record], field: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        column_types(record, [field])
