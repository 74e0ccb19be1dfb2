"""The facts of whole tables, as `rules.law.facts` has those of a few units, and the holds on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from jobs.reading.few import few_of
from jobs.reading.row_numbers import BASE, ROW, SOURCE, Numbered
from jobs.reading.whole import WholeTables
from rules.holds.holds import Holds
from rules.law.facts import CHILDREN, FICHES, KIND, LEADERS, UNITS, Facts, facts_of
from rules.law.holds import HELD, held_units
from rules.model.records import Unit, UnitKind

MORE: Final = {"source": SOURCE, "is_anonymised": pl.Boolean}  # what units of whole tables have beside their facts
_SCHEMA: Final = {name: dtype for name, dtype in {**UNITS, **MORE}.items() if name not in ("id", "etag")}
_FICHE, _RECORDING, _ATTACHMENT = (BASE[kind] for kind in (UnitKind.FICHE, UnitKind.RECORDING, UnitKind.ATTACHMENT))
_AT_ONCE: Final = 20_000  # units made at a time


def facts_of_tables(found: WholeTables) -> Facts:
    """Return the facts of all units that were read, without their ids and versions, which `found` has."""
    flagged = found.dossiers.frame["legal_hold"].fill_null(False)
    fiches = found.fiches.frame
    anonymised = pl.col("anonymised_on").is_not_null()
    dossiers = _units(UnitKind.DOSSIER, found.dossiers, found.dossiers.frame, is_anonymised=anonymised, legal_hold=pl.lit(flagged))
    lone = fiches.with_row_index("number").filter(pl.col("dossier").is_null())
    files = _units(UnitKind.FICHE, found.fiches, lone, row=pl.col("place"), is_anonymised=anonymised).drop("categories")
    recordings = _units(UnitKind.RECORDING, found.recordings, found.recordings.frame, legal_hold=_flagged(found, found.recordings, flagged))
    notes = found.attachments.frame
    if notes.height:
        days = fiches.select(fiche_communicated_on="communicated_on", fiche_created_on="created_on")[notes["fiche"]]
        notes = notes.hstack(days).with_columns(has_fiche=pl.lit(True))
    audio = _units(UnitKind.ATTACHMENT, found.attachments, notes, legal_hold=_flagged(found, found.attachments, flagged))
    emails = _units(UnitKind.EMAIL, found.emails, found.emails.frame)
    parts = [pl.DataFrame(schema=_SCHEMA), dossiers, files, recordings, audio, emails]
    for kind, of_kind in found.relation_units.items():
        units = list(of_kind.values())
        outside = facts_of(units).units
        sources = pl.Series("source", [found.source(type(unit.row)) for unit in units], dtype=SOURCE)
        parts.append(outside.drop("id", "etag").with_columns(sources, row=pl.col("row") + BASE[kind], is_anonymised=pl.lit(False)))
    return Facts(pl.concat(parts, how="diagonal"), _of_fiches(found), _of_children(found), _leaders(found, flagged))


def owners_of_attachments(found: WholeTables) -> pl.DataFrame:
    """Return for each audio attachment `row` the `owner`, the dossier or lone fiche without which it cannot
    exist; where its fiche is in several dossiers it goes with none of them that another one outlasts."""
    notes = found.attachments.frame
    if not notes.height:
        return pl.DataFrame(schema={"row": ROW, "owner": ROW})
    of = found.fiches.frame.select("place", "is_shared")[notes["fiche"]]
    numbers = pl.int_range(_ATTACHMENT, _ATTACHMENT + notes.height, dtype=ROW, eager=True).alias("row")
    return of.with_columns(numbers).filter(~pl.col("is_shared")).select("row", owner="place")


def held_in_tables(found: WholeTables, holds: Holds) -> pl.DataFrame:
    """Return the holds on units by the rows of their facts (`rules.law.holds.HELD`). Of a hold on rows only
    those units are looked at that it can reach; of one by conditions all."""
    if not holds.is_any:
        return pl.DataFrame(schema=HELD)
    return held_units(holds, _made(found, _every(found) if holds.asks_for_facts else _reached(found, holds)))


def _made(found: WholeTables, rows: list[int]) -> Iterator[tuple[int, Unit]]:
    for at in range(0, len(rows), _AT_ONCE):
        yield from few_of(found, rows[at : at + _AT_ONCE])[1].items()


def _every(found: WholeTables) -> list[int]:
    fiches = found.fiches.frame
    rows = list(range(found.dossiers.height)) + fiches.filter(pl.col("dossier").is_null())["place"].to_list()
    kinds = {UnitKind.RECORDING: found.recordings, UnitKind.ATTACHMENT: found.attachments, UnitKind.EMAIL: found.emails}
    for kind, of in kinds.items():
        rows += range(BASE[kind], BASE[kind] + of.height)
    return rows + found.unit_numbers()["outside"].to_list()


def _reached(found: WholeTables, holds: Holds) -> list[int]:
    """Return the units that holds on rows may reach: a hold on a dossier, on a fiche in it or on a child in
    it reaches what hangs on it too (HLD-04). What stands outside the missions is few, and always looked
    at."""
    ids: dict[str, set[str]] = {}
    for kind, row in holds.rows:
        ids.setdefault(kind, set()).add(row)
    people = list(found.contacts.of(ids.get(UnitKind.CONTACT.value, ())).values())
    files = found.children.filter(pl.col("contact").is_in(people))["row"].to_list()
    fiches = list(found.fiches.of(ids.get("fiche", ())).values())
    dossiers = [row for row in files if row < _FICHE] + list(found.dossiers.of(ids.get("dossier", ())).values())
    places = found.fiches.frame[pl.Series(fiches, dtype=ROW)]["place"].to_list() if fiches else []
    dossiers += [row for row in places if row < _FICHE] + found.also.filter(pl.col("fiche").is_in(fiches))["dossier"].to_list()
    lone = [row for row in (*files, *places) if row >= _FICHE]
    # What hangs on a fiche that is held, or on one of a dossier that is.
    hanging = found.fiches.frame.with_row_index("number").filter(pl.col("place").is_in([*dossiers, *lone]) | pl.col("number").is_in(fiches))
    of = [*hanging["number"], *found.also.filter(pl.col("dossier").is_in(dossiers))["fiche"]]
    rows = [*dossiers, *lone]
    for kind, there in ((UnitKind.RECORDING, found.recordings), (UnitKind.ATTACHMENT, found.attachments)):
        numbers = there.frame.select(pl.col("fiche").is_in(of).fill_null(False).arg_true()).to_series().to_list()
        rows += [BASE[kind] + number for number in (*numbers, *there.of(ids.get(kind.value, ())).values())]
    rows += [BASE[UnitKind.EMAIL] + number for number in found.emails.of(ids.get("email", ())).values()]
    return rows + found.unit_numbers()["outside"].to_list()


def _units(kind: UnitKind, rows: Numbered, frame: pl.DataFrame, **more: pl.Expr) -> pl.DataFrame:
    first = BASE[kind]
    given = {
        "row": pl.int_range(first, first + pl.len(), dtype=ROW),
        "kind": pl.lit(kind.value, KIND),
        "legal_hold": pl.lit(False),
        "is_anonymised": pl.lit(False),
        **more,
    }
    made = frame.with_columns(**given)
    return made.select(name for name in _SCHEMA if name in made.columns)


def _flagged(found: WholeTables, rows: Numbered, flagged: pl.Series) -> pl.Expr:
    """Return whether the CRM's own flag is on a dossier that each of these belongs to (HLD-14)."""
    held = flagged.arg_true()
    if not len(held) or not rows.height:
        return pl.lit(False)
    also = found.also.filter(pl.col("dossier").is_in(held.implode()))["fiche"]
    fiches = found.fiches.frame.with_row_index("number").filter(
        pl.col("dossier").is_in(held.implode()) | pl.col("number").is_in(also.implode())
    )
    return pl.col("fiche").is_in(fiches["number"].implode()).fill_null(False)


def _of_fiches(found: WholeTables) -> pl.DataFrame:
    """Return the facts of fiches: each in its dossier, a lone one in itself, a shared one in all its
    dossiers."""
    frame = found.fiches.frame.with_columns(row="place").select(*FICHES)
    if not found.also.height:
        return frame
    again = found.also.select(row="dossier").hstack(frame[found.also["fiche"]].drop("row"))
    return pl.concat([frame, again.select(*FICHES)])


def _of_children(found: WholeTables) -> pl.DataFrame:
    children, contacts = found.children, found.contacts.frame
    if not contacts.height:
        return children.select("row", *(pl.lit(None, dtype).alias(name) for name, dtype in CHILDREN.items() if name != "row"))
    facts = [contacts[name].gather(children["contact"]) for name in CHILDREN if name != "row"]
    return children.select("row").with_columns(facts)


def _leaders(found: WholeTables, flagged: pl.Series) -> pl.DataFrame:
    """Return which dossiers are followed by what is marked as evidence (RET-05): of one in several dossiers
    the last with the CRM's own flag first."""
    fiches = found.fiches.frame
    parts = [pl.DataFrame(schema=LEADERS)]
    for base, rows in ((_RECORDING, found.recordings), (_ATTACHMENT, found.attachments)):
        marked = rows.frame.select("fiche", "evidence").with_row_index("row", base)
        marked = marked.filter(pl.col("evidence").fill_null(False) & pl.col("fiche").is_not_null())
        if not marked.height:
            continue
        of = marked.select("row", "fiche").hstack(fiches.select("dossier", "is_shared")[marked["fiche"]])
        of = of.filter(pl.col("dossier").is_not_null())
        parts.append(of.select("row", leader="dossier").cast(ROW))
        if not of["is_shared"].any():
            continue
        others = of.filter("is_shared").join(found.also.rename({"dossier": "other"}), on="fiche", maintain_order="left_right")
        parts[-1] = (
            pl.concat([of.select("row", leader="dossier"), others.select("row", leader="other")])
            .with_columns(is_flagged=flagged.gather(pl.concat([of["dossier"], others["other"]])))
            .with_columns(place=pl.int_range(pl.len()).over("row"))
            .sort("row", "is_flagged", "place", descending=[False, True, True])
            .select("row", "leader")
            .cast(ROW)
        )
    return pl.concat(parts)
