"""The data map as it was last made: every table that the CRM leads to from a unit or a person, and what
becomes of it. A visit does not read the CRM; a button does."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get, post
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.language.map_reasons import reason_in
from crm_compliance.console.work.acts import DATA_MAP
from crm_compliance.console.work.process import Asked
from crm_compliance.reports.data_map import COUNTED, picture
from crm_compliance.store.files.data_map_file import KeptMap, kept_map
from rules.errors import UsageError
from rules.model.data_map import DataMap, Fate, MapPlace
from rules.model.roles import Act

SUBJECT: Final = "datamap"
ON_A_PAGE: Final = 100
NEW: Final = "new"
ORDER: Final = (Fate.UNACCOUNTED, Fate.STAYS, Fate.MASKED, Fate.GOES_ALONG, Fate.MAPPED, Fate.PLATFORM)


def show(visit: Visit) -> Response:
    """Show the places, the unaccounted first, a hundred on a page; with `table` the columns of one table."""
    services = visit.services
    kept = kept_map(services.settings.make_data_dir(), services.settings.crm_url or "")
    last, fate, table = services.background.of(SUBJECT), visit.query("fate"), visit.query("table")
    if fate not in ("", NEW, *(each.value for each in ORDER)):
        raise UsageError("there is no such fate", where="fate")
    values: dict[str, Any] = {"last": last, "may_make": visit.may(Act.PLAN), "kept": kept, "fate": fate, "table": table}
    if visit.is_part:
        return visit.part("datamap/making.html.j2", **values)
    if kept is None or kept.map is None:
        return visit.page("datamap/none.html.j2", **values)
    found = _wanted(kept, kept.map, fate, table, visit.query("q").strip().lower())
    page = visit.list_page(len(found), ON_A_PAGE)
    return visit.page(
        "datamap/map.html.j2",
        places=[(place, _rows(visit, place), place.name in kept.new) for place in page.of(found)],
        columns=Counter(place.table for place in kept.map.places if place.column is not None),
        counts=_counts(kept, kept.map),
        alarming=len(kept.map.alarming),
        order=[each.value for each in ORDER],
        picture=picture(kept.map) if not table else None,
        count=lambda place: _rows(visit, place),
        why=lambda place: reason_in(visit.word, place.why),
        what=lambda place: _what(visit, place),
        q=visit.query("q"),
        pages=page.pages(visit.page_at("/datamap", "fate", "table", "q")),
        **values,
    )


def make(visit: Visit) -> Response:
    """Begin to make the map again, as `datamap` does; the page looks for the end of it."""
    person = visit.person
    visit.services.begin(Asked(act=DATA_MAP, subject=SUBJECT, who=person.who, role=person.role, now=visit.now))
    return visit.see("/datamap")


def _what(visit: Visit, place: MapPlace) -> str:
    """Return what rows of a mapped table are, in words; empty for any other."""
    kinds = [each.removeprefix("tables.") for each in place.why.split(", ")] if place.fate is Fate.MAPPED else []
    return ", ".join(words for kind in kinds if (words := visit.word("row", kind)) != kind)


def _wanted(kept: KeptMap, found: DataMap, fate: str, table: str, text: str) -> Sequence[MapPlace]:
    """Return the places that are wanted: tables, or the columns of one; of what is new or nowhere accounted
    for also columns, for nothing of it may be overlooked."""
    if table:
        places = [place for place in found.places if place.table == table and place.column is not None]
    elif fate == NEW:
        places = [place for place in found.places if place.name in kept.new]
    elif fate == Fate.UNACCOUNTED:
        places = [place for place in found.places if place.fate is Fate.UNACCOUNTED]
    else:
        places = [place for place in found.tables if not fate or place.fate.value == fate]
    if text:
        places = [place for place in places if text in place.name.lower()]
    return sorted(places, key=lambda place: (not place.is_alarming, ORDER.index(place.fate), place.name))


def _counts(kept: KeptMap, found: DataMap) -> dict[str, int]:
    counts = Counter(place.fate.value for place in found.tables)
    counts[Fate.UNACCOUNTED.value] = sum(place.fate is Fate.UNACCOUNTED for place in found.places)
    return dict(counts) | {NEW: len(kept.new)}


def _rows(visit: Visit, place: MapPlace) -> str:
    """Return how many rows a place has; the CRM counts no further than some thousands."""
    if place.rows is None:
        return visit.say("not known")
    number = visit.formats.number(place.rows)
    return visit.say("%s or more") % number if place.rows >= COUNTED else number


ENDPOINTS: Final = (get("/datamap", show, Act.SEE_REPORTS), post("/datamap", make, Act.PLAN))
