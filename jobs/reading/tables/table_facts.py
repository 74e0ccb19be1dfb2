"""The facts of whole tables, as `rules.law.facts` has those of a few units, and the holds on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import polars as pl

from jobs.reading.tables.few_units import few_of
from jobs.reading.tables.parts import repeated
from jobs.reading.tables.row_numbers import BASE, ROW, SOURCE
from jobs.reading.tables.whole_tables import WholeTables
from rules.holds.conditions import Condition
from rules.holds.holds import Holds
from rules.law.facts import (
    CHILDREN,
    DOSSIER_FACTS,
    FICHES,
    IN_TABLES,
    KIND,
    LEADERS,
    RECORDING_FACTS,
    UNIT_FACTS,
    Facts,
    facts_of,
    schema_of,
)
from rules.law.held_by_conditions import facts_asked, that_fit
from rules.law.hold_columns import HELD, by_several, held_rows, held_units
from rules.model.records import Unit, UnitKind

_SCHEMA: Final = schema_of({**UNIT_FACTS, **IN_TABLES})
_FICHE, _RECORDING, _ATTACHMENT = (BASE[kind] for kind in (UnitKind.FICHE, UnitKind.RECORDING, UnitKind.ATTACHMENT))
_AT_ONCE: Final = 20_000  # units made at a time
PART = 50_000  # units that the law looks at together
_ANONYMISED: Final = pl.col("anonymised_on").is_not_null().alias("is_anonymised")


def facts_of_tables(found: WholeTables) -> Iterator[tuple[Facts, pl.Expr]]:
    """Yield the facts of all units that were read, without their ids and versions, in parts, so that what the
    law puts down on its way is never there of all units at once; with the units of each part that count. What
    follows dossiers comes last, with these."""
    made = _TableFacts(found)
    leaders = made.leaders()
    follows = leaders["row"].unique()
    for part in _parts(made.rows(follows)):
        yield made.part(part, leaders.clear()), pl.lit(True)
    if leaders.height:
        rows = pl.concat([follows, leaders["leader"].unique()])
        yield made.part(_by_kind(rows), leaders), pl.col("number").is_in(follows.implode())


def _parts(rows: Iterable[tuple[UnitKind, pl.Series]]) -> Iterator[dict[UnitKind, pl.Series]]:
    """Yield rows in parts, each full but the last one, which may be empty."""
    part: dict[UnitKind, pl.Series] = {}
    room = PART
    for kind, numbers in rows:
        at = 0
        while at < len(numbers):
            part[kind] = numbers.slice(at, room)
            at, room = at + len(part[kind]), room - len(part[kind])
            if not room:
                yield part
                part, room = {}, PART
    yield part


def _by_kind(rows: pl.Series) -> dict[UnitKind, pl.Series]:
    """Return rows as numbers of their kinds."""
    rows = rows.sort()
    found = {kind: rows.filter((rows >= base) & (rows < base + _FICHE)) - base for kind, base in BASE.items()}
    return {kind: numbers for kind, numbers in found.items() if len(numbers)}


class _TableFacts:
    """Makes the facts of some units of whole tables."""

    def __init__(self, found: WholeTables) -> None:
        self._found = found
        self._flagged = found.dossiers.frame["legal_hold"].fill_null(False)
        self._flagged_fiches = self._of_flagged_dossiers()
        self._outside = {kind: list(units.values()) for kind, units in found.relation_units.items()}

    def rows(self, without: pl.Series) -> Iterator[tuple[UnitKind, pl.Series]]:
        """Yield the rows of all units by kind, in the order of lines, as numbers of theirs, but for these."""
        found, others = self._found, without.implode()
        yield UnitKind.DOSSIER, _numbers(found.dossiers.height)
        yield UnitKind.FICHE, found.fiches.frame["dossier"].is_null().arg_true().cast(ROW)
        for kind, height in (
            (UnitKind.EMAIL, found.emails.height),
            *((kind, len(self._outside[kind])) for kind in UnitKind if kind in self._outside),
            (UnitKind.RECORDING, found.recordings.height),
            (UnitKind.ATTACHMENT, found.attachments.height),
        ):
            numbers = _numbers(height)
            if not height:
                continue
            yield kind, numbers.filter(~(numbers + BASE[kind]).is_in(others)) if len(without) else numbers

    def part(self, rows: Mapping[UnitKind, pl.Series], leaders: pl.DataFrame) -> Facts:
        """Return the facts of these rows of each kind."""
        parts = [pl.DataFrame(schema=_SCHEMA), *(self._units(kind, numbers) for kind, numbers in rows.items())]
        units = pl.concat(parts, how="diagonal").with_columns(row=pl.int_range(pl.len(), dtype=ROW))
        dossiers, lone = rows.get(UnitKind.DOSSIER, _numbers(0)), rows.get(UnitKind.FICHE, _numbers(0))
        if leaders.height:
            leaders = leaders.select(_places(units["number"], leaders[name]).alias(name) for name in LEADERS)
        return Facts(units, self._fiches(dossiers, lone), self._children(dossiers, lone), leaders)

    def _units(self, kind: UnitKind, numbers: pl.Series) -> pl.DataFrame:
        found = self._found
        own: dict[str, Any] = {"number": numbers + BASE[kind], "kind": pl.lit(kind.value, KIND)}
        if kind in self._outside:
            outside = facts_of([self._outside[kind][number] for number in numbers]).units.drop("id", "etag")
            sources = [found.source(type(self._outside[kind][number].row)) for number in numbers]
            return outside.with_columns(pl.Series("source", sources, dtype=SOURCE), number=own["number"], is_anonymised=pl.lit(False))
        if kind is UnitKind.DOSSIER:
            rows = found.dossiers.columns(numbers, "source", "categories", *DOSSIER_FACTS, "anonymised_on")
            return rows.with_columns(_ANONYMISED, **own, legal_hold=self._flagged[numbers]).drop("anonymised_on")
        if kind is UnitKind.FICHE:
            rows = found.fiches.columns(numbers, "source", "anonymised_on")
            return rows.with_columns(_ANONYMISED, **own, legal_hold=pl.lit(False)).drop("anonymised_on")
        own["is_anonymised"] = pl.lit(False)
        if kind is UnitKind.EMAIL:
            return found.emails.columns(numbers, "source", "sent_on").with_columns(**own, legal_hold=pl.lit(False))
        is_flagged = pl.col("fiche").is_in(self._flagged_fiches.implode()).fill_null(False)
        if kind is UnitKind.RECORDING:
            is_flagged |= pl.col("dossier").is_in(self._flagged.arg_true().implode()).fill_null(False)
            rows = found.recordings.columns(numbers, "source", "dossier", "fiche", *RECORDING_FACTS)
            return rows.with_columns(**own, legal_hold=is_flagged).drop("dossier", "fiche")
        rows = found.attachments.columns(numbers, "source", "fiche")
        days = found.fiches.frame.select(fiche_communicated_on="communicated_on", fiche_created_on="created_on")[rows["fiche"]]
        return rows.hstack(days).with_columns(**own, legal_hold=is_flagged, has_fiche=pl.lit(True)).drop("fiche")

    def _of_flagged_dossiers(self) -> pl.Series:
        """Return the fiches of dossiers with the CRM's own flag, also those that are in others (HLD-14)."""
        held, found = self._flagged.arg_true(), self._found
        if not len(held):
            return _numbers(0)
        also = found.also.filter(pl.col("dossier").is_in(held.implode()))["fiche"]
        return pl.concat([found.fiches.frame["dossier"].is_in(held.implode()).fill_null(False).arg_true().cast(ROW), also])

    def _fiches(self, dossiers: pl.Series, lone: pl.Series) -> pl.DataFrame:
        """Return the facts of fiches: each in its dossier, a lone one in itself, a shared one in all its
        dossiers."""
        found, also = self._found, self._found.also
        first = _numbers(len(dossiers) + len(lone)).slice(len(dossiers))  # lone fiches come right behind dossiers
        in_dossiers = _among(found.fiches.frame["dossier"], dossiers).arg_true().cast(ROW)
        numbers, rows = [in_dossiers, lone], [_places(dossiers, found.fiches.frame["dossier"][in_dossiers]), first]
        if also.height and len(dossiers):
            again = also.filter(_among(also["dossier"], dossiers))
            numbers.append(again["fiche"])
            rows.append(_places(dossiers, again["dossier"]))
        columns = [name for name in FICHES if name != "row"]
        frame = found.fiches.columns(pl.concat(numbers), *columns)
        return frame.with_columns(row=pl.concat(rows)).select(*FICHES)

    def _children(self, dossiers: pl.Series, lone: pl.Series) -> pl.DataFrame:
        children, place = self._found.children, 0
        parts = [children.clear()]
        for rows in (dossiers, lone + _FICHE):
            pairs = children.filter(_among(children["row"], rows)) if len(rows) else children.clear()
            parts.append(pairs.with_columns(row=_places(rows, pairs["row"]) + place))
            place += len(rows)
        pairs = pl.concat(parts)
        return pairs.select("row").hstack(self._found.particulars.births_of(pairs["contact"])).select(*CHILDREN)

    def leaders(self) -> pl.DataFrame:
        """Return which dossiers are followed by what is marked as evidence (RET-05)."""
        return _leaders(self._found, self._flagged)


def _numbers(height: int) -> pl.Series:
    return pl.int_range(height, dtype=ROW, eager=True)


def _among(column: pl.Series, rows: pl.Series) -> pl.Series:
    """Return whether a column has one of these rows, which are in order; null where it has none at all."""
    if not len(rows):
        return repeated(False, len(column), pl.Boolean)
    if _are_together(rows):
        first, last = rows.slice(0, 1), rows.slice(len(rows) - 1)
        return (column >= first) & (column <= last)
    return column.is_in(rows.implode())


def _places(rows: pl.Series, asked: pl.Series) -> pl.Series:
    """Return the places of some among these rows, which are in order."""
    if not len(asked) or _are_together(rows):
        return asked - rows[0] if len(asked) else asked
    return rows.search_sorted(asked).cast(ROW)


def _are_together(rows: pl.Series) -> bool:
    return bool(rows[-1] - rows[0] + 1 == len(rows))


def owners_of_attachments(found: WholeTables) -> pl.DataFrame:
    """Return for each audio attachment `row` the `owner`, the dossier or lone fiche without which it cannot
    exist; where its fiche is in several dossiers it goes with none of them that another one outlasts."""
    notes = found.attachments.frame
    if not notes.height:
        return pl.DataFrame(schema={"row": ROW, "owner": ROW})
    of = found.fiches.frame.select("is_shared")[notes["fiche"]].with_columns(owner=found.units_of(notes["fiche"]))
    numbers = pl.int_range(_ATTACHMENT, _ATTACHMENT + notes.height, dtype=ROW, eager=True).alias("row")
    return of.with_columns(numbers).filter(~pl.col("is_shared")).select("row", "owner")


def held_in_tables(found: WholeTables, holds: Holds) -> pl.DataFrame:
    """Return the holds on units by the rows of their facts (`HELD`). Of a hold on rows only those units are
    looked at that it can reach; whom one by conditions covers is found in columns."""
    if not holds.is_any:
        return pl.DataFrame(schema=HELD)
    held = [held_units(holds, _made(found, _reached(found, holds)))]
    held += [held_rows(hold, _fitting(found, hold.kind, conditions, holds.sentinels)) for hold, conditions in holds.by_facts]
    return by_several(held)


def _made(found: WholeTables, rows: list[int]) -> Iterator[tuple[int, Unit]]:
    for at in range(0, len(rows), _AT_ONCE):
        yield from few_of(found, rows[at : at + _AT_ONCE])[1].items()


def _fitting(found: WholeTables, kind: str, conditions: Sequence[Condition], sentinels: frozenset[date]) -> pl.Series:
    """Return the units that fit a hold by conditions, and what depends on them. What stands outside the
    missions is not among them: it is looked at one by one."""
    facts = facts_asked(kind, conditions)
    if kind == UnitKind.RECORDING:
        recordings = found.recordings.frame.select(*facts, row=_from(_RECORDING))
        return that_fit(kind, conditions, recordings, recordings.clear(), sentinels)
    of_dossiers = facts if kind == UnitKind.DOSSIER else [name for name in facts if name == "categories"]
    dossiers = found.dossiers.frame.select(*of_dossiers, row=_from(0))
    of_fiches = [name for name in facts if name in FICHES]
    files = that_fit(kind, conditions, dossiers, _fiches_by_file(found, of_fiches), sentinels)
    below = _below(found, _fiches_by_file(found, []).filter(pl.col("row").is_in(files.implode()))["number"].unique(), files)
    return pl.concat([files, *(numbers + BASE[kind] for kind, numbers in below.items())])


def _from(base: int) -> pl.Expr:
    return pl.int_range(base, base + pl.len(), dtype=ROW)


def _fiches_by_file(found: WholeTables, facts: Sequence[str]) -> pl.DataFrame:
    """Return each fiche, by `number`, with some facts and its unit, `row`: one in several dossiers with each
    of them."""
    fiches = found.fiches.frame.select(*facts, "dossier", number=_from(0)).with_columns(
        row=pl.coalesce("dossier", pl.col("number") + _FICHE)
    )
    fiches = fiches.drop("dossier")
    if not found.also.height:
        return fiches
    return pl.concat([fiches, fiches[found.also["fiche"]].with_columns(found.also["dossier"].alias("row"))])


def _below(found: WholeTables, fiches: pl.Series, dossiers: pl.Series) -> dict[UnitKind, pl.Series]:
    """Return what depends on these fiches, and recordings of these dossiers, by kind, as numbers of these."""
    of_fiches = pl.col("fiche").is_in(fiches.implode()).fill_null(False)
    is_below = {
        UnitKind.RECORDING: of_fiches | pl.col("dossier").is_in(dossiers.implode()).fill_null(False),
        UnitKind.ATTACHMENT: of_fiches,
    }
    kinds = {UnitKind.RECORDING: found.recordings, UnitKind.ATTACHMENT: found.attachments}
    return {kind: rows.frame.select(is_below[kind].arg_true().cast(ROW)).to_series() for kind, rows in kinds.items()}


def _reached(found: WholeTables, holds: Holds) -> list[int]:
    """Return the units that holds on rows may reach: a hold on a dossier, on a fiche in it or on a child in
    it reaches what depends on it too (HLD-04). What stands outside the missions is few, and always looked
    at."""
    ids: dict[str, set[str]] = {}
    for kind, row in holds.rows:
        ids.setdefault(kind, set()).add(row)
    people = list(found.contacts.of(ids.get(UnitKind.CONTACT.value, ())).values())
    files = found.children.filter(pl.col("contact").is_in(people))["row"].to_list()
    fiches = list(found.fiches.of(ids.get("fiche", ())).values())
    dossiers = [row for row in files if row < _FICHE] + list(found.dossiers.of(ids.get("dossier", ())).values())
    places = found.units_of(pl.Series(fiches, dtype=ROW)).to_list()
    dossiers += [row for row in places if row < _FICHE] + found.also.filter(pl.col("fiche").is_in(fiches))["dossier"].to_list()
    lone = [row for row in (*files, *places) if row >= _FICHE]
    # What depends on a fiche that is held, or on one of a dossier that is.
    reached = found.fiches.frame.with_row_index("number").filter(
        pl.coalesce("dossier", pl.col("number") + _FICHE).is_in([*dossiers, *lone]) | pl.col("number").is_in(fiches)
    )
    of = [*reached["number"], *found.also.filter(pl.col("dossier").is_in(dossiers))["fiche"]]
    rows = [*dossiers, *lone]
    for kind, numbers in _below(found, pl.Series(of, dtype=ROW), pl.Series(dossiers, dtype=ROW)).items():
        there = found.recordings if kind is UnitKind.RECORDING else found.attachments
        rows += [BASE[kind] + number for number in (*numbers, *there.of(ids.get(kind.value, ())).values())]
    rows += [BASE[UnitKind.EMAIL] + number for number in found.emails.of(ids.get("email", ())).values()]
    return rows + found.unit_numbers()["outside"].to_list()


def _leaders(found: WholeTables, flagged: pl.Series) -> pl.DataFrame:
    """Return which dossiers are followed by what is marked as evidence (RET-05): of one in several dossiers
    the last with the CRM's own flag first."""
    fiches = found.fiches.frame
    parts = [pl.DataFrame(schema=LEADERS)]
    for base, rows in ((_RECORDING, found.recordings), (_ATTACHMENT, found.attachments)):
        marked = rows.frame.with_row_index("row", base).filter(pl.col("evidence").fill_null(False))
        if not marked.height:
            continue
        of = marked.filter(pl.col("fiche").is_not_null()).select("row", "fiche")
        of = of.hstack(fiches.select("dossier", "is_shared")[of["fiche"]]).filter(pl.col("dossier").is_not_null())
        led = [of.select("row", leader="dossier")]
        if of["is_shared"].any():
            others = of.filter("is_shared").join(found.also.rename({"dossier": "other"}), on="fiche", maintain_order="left_right")
            led.append(others.select("row", leader="other"))
        if "dossier" in marked.columns:  # a recording of a dossier itself
            led.append(marked.filter(pl.col("dossier").is_not_null()).select("row", leader="dossier"))
        every = pl.concat([each.cast(ROW) for each in led]).unique(maintain_order=True)
        parts.append(
            every.with_columns(is_flagged=flagged[every["leader"]])
            .with_columns(place=pl.int_range(pl.len()).over("row"))
            .sort("row", "is_flagged", "place", descending=[False, True, True])
            .select("row", "leader")
        )
    return pl.concat(parts)
