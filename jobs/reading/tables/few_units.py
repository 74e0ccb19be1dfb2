"""Units of a few rows of whole tables: those that a hold may reach, or that are in long-term retention."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import polars as pl

from jobs.reading.tables.row_numbers import BASE, ROW, Numbered, records_of
from jobs.reading.tables.whole_tables import WholeTables
from jobs.reading.units import Gathering
from rules.model.kinds import Kind as RowKind
from rules.model.records import Contact, Dependent, Fiche, Unit, UnitKind

_FICHE = BASE[UnitKind.FICHE]


def few_of(found: WholeTables, rows: Iterable[int], *, people: Collection[str] = ()) -> tuple[Gathering, dict[int, Unit]]:
    """Return the units with these numbers, put together as for a few units that were read by themselves, and
    each by its number; with the contacts of these ids."""
    of = _by_kind(rows)
    numbers = {kind: pl.Series(each, dtype=ROW) for kind, each in of.items()}
    recordings, notes = found.recordings.taken(numbers[UnitKind.RECORDING]), found.attachments.taken(numbers[UnitKind.ATTACHMENT])
    emails = found.emails.taken(numbers[UnitKind.EMAIL])
    owning = pl.concat([recordings["fiche"], notes["fiche"]]).drop_nulls()
    loose = pl.concat([owning, numbers[UnitKind.FICHE]]).unique()
    all_fiches = found.fiches.frame.with_row_index("number")
    named = pl.concat([numbers[UnitKind.DOSSIER], recordings["dossier"].drop_nulls()])
    dossiers, fiches = _files(found, all_fiches, named, loose)
    few = Gathering(found.audio)
    few.add_dossiers(_records(found, found.dossiers.taken(dossiers)))
    few.add_fiches(_fiches(found, fiches["number"]))
    places = pl.concat([dossiers, fiches.filter(pl.col("dossier").is_null())["number"] + _FICHE])
    _add_children(found, few, places, people)
    few.add_recordings(_records(found, _linked(_linked(recordings, "fiche", found.fiches), "dossier", found.dossiers)))
    audio = _linked(notes, "fiche", found.fiches).with_columns(regarding="fiche", regarding_kind=pl.lit("fiche"), is_document=pl.lit(True))
    for note in _records(found, audio):
        few.attachments[note.id] = few.unit_on_fiche(UnitKind.ATTACHMENT, note.id, note.etag, note.regarding, note=note)
    few.emails = {row.id: Unit(UnitKind.EMAIL, row.id, row.etag, email=row) for row in _records(found, emails)}
    few.retained, few.named_there, few.relation_units = found.retained, found.named_there, {}
    made, units = few.by_kind, dict[int, Unit]()
    for kind, rows_of in found.by_kind.items():
        names = rows_of.ids(numbers[kind])
        units.update((BASE[kind] + number, made[kind][name]) for number, name in zip(of[kind], names, strict=True))
    outside = {kind: list(each.values()) for kind, each in found.relation_units.items()}
    units.update((BASE[kind] + number, each[number]) for kind, each in outside.items() for number in of[kind])
    return few, units


def add_own(
    found: WholeTables, kind: RowKind, page: Iterable[Dependent], tops: Mapping[tuple[str, str], Iterable[tuple[str, str]]]
) -> list[Dependent]:
    """Add rows of a dependent table that have a term of their own, as `Gathering.add_own` does."""
    page = list(page)
    of = [top for row in page for top in tops[kind.word, row.id]]
    rows = [*found.places_of("dossier", (row for word, row in of if word == "dossier")).values()]
    rows += found.places_of("fiche", (row for word, row in of if word == "fiche")).values()
    rows += [BASE[UnitKind.RECORDING] + each for each in found.recordings.of(row for word, row in of if word == "recording").values()]
    people = {row for word, row in of if word == "contact"} | {getattr(row, name) for row in page for name in kind.people}
    few, _ = few_of(found, rows, people=people)
    unresolved = few.add_own(kind, page, tops)
    units = few.relation_units.get(UnitKind.OWN_TABLE, {})
    own = found.relation_units.setdefault(UnitKind.OWN_TABLE, {})
    own.update(units)
    place = {row: BASE[UnitKind.OWN_TABLE] + number for number, row in enumerate(own)}
    found.add_hooks({row: place[row] for row in units})
    found.take_parts([(person, None if unit is None else place[unit.id]) for person, unit in zip(few.people, few.places, strict=True)])
    return unresolved


def _by_kind(rows: Iterable[int]) -> dict[UnitKind, list[int]]:
    of: dict[UnitKind, list[int]] = {kind: [] for kind in UnitKind}
    kinds = list(UnitKind)
    for row in sorted(set(rows)):
        kind = kinds[row // _FICHE]
        of[kind].append(row - BASE[kind])
    return of


def _files(found: WholeTables, fiches: pl.DataFrame, dossiers: pl.Series, loose: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    """Return dossiers with those that share a fiche with them, and the fiches of all, as whole as they
    are."""
    also = found.also
    concerned = fiches.filter(pl.col("number").is_in(loose.implode()))
    reached = pl.concat([dossiers, concerned["dossier"].drop_nulls()])
    while True:
        shared = also.filter(pl.col("dossier").is_in(reached.implode()))["fiche"]
        of_them = fiches.filter(pl.col("dossier").is_in(reached.implode()) | pl.col("number").is_in(pl.concat([shared, loose]).implode()))
        others = also.filter(pl.col("fiche").is_in(of_them["number"].implode()))["dossier"]
        again = pl.concat([reached, of_them["dossier"].drop_nulls(), others]).unique().sort()
        if len(again) == len(reached):
            return again, of_them
        reached = again


def _fiches(found: WholeTables, numbers: pl.Series) -> list[Fiche]:
    taken = found.fiches.taken(numbers)
    rows = _records(found, _linked(taken, "dossier", found.dossiers))
    also = found.also.filter(pl.col("fiche").is_in(numbers.filter(taken["is_shared"]).implode()))
    others: dict[int, list[str]] = {}
    for fiche, dossier in zip(also["fiche"], found.dossiers.ids(also["dossier"]), strict=True):
        others.setdefault(fiche, []).append(dossier)
    for number, row in zip(numbers, rows, strict=True):
        row.also_in = tuple(others.get(number, ()))
    return rows


def _add_children(found: WholeTables, few: Gathering, places: pl.Series, people: Collection[str]) -> None:
    pairs = found.children.filter(pl.col("row").is_in(places.implode()))
    wanted = pl.concat([pairs["contact"].drop_nulls(), pl.Series(list(found.contacts.of(people).values()), dtype=ROW)]).unique()
    contacts = found.people_of(wanted)
    known: dict[int, Contact] = {}
    for number, values in zip(wanted, contacts.iter_rows(named=True), strict=True):
        known[number] = Contact(**values)
    few.contacts = {contact.id: contact for contact in known.values()}
    of = {place: few.dossiers[row] for place, row in _named(found.dossiers, places.filter(places < _FICHE), 0)}
    of |= {place: few.lone[row] for place, row in _named(found.fiches, places.filter(places >= _FICHE), _FICHE)}
    for place, child in pairs.iter_rows():
        of[place].children.append(None if child is None else known[child])


def _named(rows: Numbered, places: pl.Series, base: int) -> Iterable[tuple[int, str]]:
    return zip(places, rows.ids(places - base), strict=True) if len(places) else ()


def _linked(rows: pl.DataFrame, link: str, to: Numbered) -> pl.DataFrame:
    return rows.with_columns(to.ids(rows[link]).alias(link))


def _records(found: WholeTables, rows: pl.DataFrame) -> list[Any]:
    return records_of(found.sources, rows)
