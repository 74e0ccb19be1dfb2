"""What a plan warns of: what the mapping does not know, what is in no unit, and what stays without an end."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.interface.connector import Connector
from jobs.model.plan import CategoryTotal
from jobs.model.sentence import Sentence
from jobs.plans.category_names import is_of_the_crm
from rules.model.data_map import DataMap
from rules.model.records import Note

if TYPE_CHECKING:
    from jobs.plans.alarms.observations import Observations
    from jobs.plans.draft import Draft


def from_lake(instant: datetime | None) -> Iterator[Sentence]:
    """Yield that the rows are those of a lake, and how new it is."""
    if instant is not None:
        yield Sentence.of("plan_from_lake", at=f"{instant:%Y-%m-%dT%H:%M:%SZ}")


def unmapped(categories: Iterable[CategoryTotal]) -> tuple[Sentence, ...]:
    """Name category values that the mapping does not know (R-161)."""
    found = [total for total in categories if is_of_the_crm(total.category)]
    return tuple(Sentence.of("category_unmapped", category=total.name, units=total.retain) for total in found)


def overlooked(retained: Mapping[str, int], unaccounted: Collection[str], known: Collection[str] | None) -> Iterator[Sentence]:
    """Yield what is easily overlooked: rows in long-term retention, and new columns that may hold personal
    data. `known` are the columns that are not new (`EarlierPlans.columns_known`)."""
    for table, rows in retained.items():
        yield Sentence.of("retained_rows", rows=rows, table=table)
    new = sorted(set(unaccounted) - set(known)) if known is not None else []
    if new:
        yield Sentence.of("new_columns", columns=", ".join(new))


def kept_for_ever(draft: Draft) -> Iterator[Sentence]:
    """Yield what stays without a line and would for ever, unless a person looks at it."""
    if draft.without_term:
        yield Sentence.of("without_term", people=draft.without_term)
    if draft.mentioned:
        yield Sentence.of("still_mentioned", people=draft.mentioned)
    if draft.fiches_in_anonymised:
        yield Sentence.of("fiches_in_anonymised", fiches=draft.fiches_in_anonymised)
    if draft.reopened_anonymised:
        yield Sentence.of("reopened_anonymised", dossiers=draft.reopened_anonymised)
    if draft.left_in_anonymised:
        yield Sentence.of("left_in_anonymised", rows=draft.left_in_anonymised)
    if draft.calls_about_nothing:
        yield Sentence.of("calls_about_nothing", calls=draft.calls_about_nothing)
    if draft.out_of_scope:
        yield Sentence.of("of_what_has_no_kind", rows=draft.out_of_scope)


def of_no_unit(draft: Draft, places: DataMap | None, observations: Observations, connector: Connector) -> Iterator[Sentence]:
    """Yield how many rows are in no unit although their table is mapped: a condition with a slip in it leaves
    out what was meant, and what a note or a dependent row belonged to may have been deleted by hand."""
    if draft.notes_about_nothing:
        yield Sentence.of("rows_about_nothing", rows=draft.notes_about_nothing, table=", ".join(connector.tables(Note)))
    looked_at = observations.tables(connector)
    for place in places.tables if places is not None else ():
        if place.loose:
            yield Sentence.of("rows_about_nothing", rows=place.loose, table=place.table)
        if place.in_anonymised:
            yield Sentence.of("rows_in_anonymised", rows=place.in_anonymised, table=place.table)
        if place.table in looked_at and place.beyond and not connector.may_stay(place.table):
            yield Sentence.of("of_no_kind", rows=place.beyond, table=place.table)
