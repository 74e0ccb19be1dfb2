"""A page as a frame and as records: the same values, whatever the CRM sends, or no page for either."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.mapping.mapping import REFERENCE, Choice, Mapping, Table
from connectors.dynamics.reading.columns import column_of, take_off
from connectors.dynamics.reading.decoder import PageBroken, PageDecoder
from connectors.dynamics.reading.page_types import LOOKUP_TABLE
from connectors.dynamics.reading.row_layout import RowLayout
from connectors.dynamics.schema.metadata import Attribute, TableDefinition
from connectors.interface.columns import column_types
from connectors.interface.errors import ReadIncomplete
from connectors.interface.id_numbers import as_texts
from rules.dates.calendar import Calendar
from rules.model.personal_records import FullFiche
from rules.model.records import Contact, Dossier, Note, Record
from tests.connectors.dynamics.columns_as_read import cells
from tests.connectors.dynamics.fake_crm import FakeCrm, Reply
from tests.connectors.dynamics.reading.test_reader import PAGE_FAULTS, dossiers

MAPPING = parse_mapping(REFERENCE.read_text("utf-8"), "reference.yaml")
BEHAVIOURS = ("user_local", "date_only", "time_zone_independent")
TEXTS: Any = st.one_of(st.text(max_size=8), st.sampled_from(["", "\x1f", "\u0130", "{", "a\x00b"]))
GUIDS = st.uuids().map(str)
GUID, OTHER = "0b5a7d1c-0000-4000-8000-000000000001", "0b5a7d1c-0000-4000-8000-000000000002"
IDS: Any = st.one_of(GUIDS, GUIDS.map(str.upper), GUIDS.map(lambda row: f"{{{row}}}"))
INSTANTS = st.one_of(
    st.datetimes().map(lambda at: at.isoformat(timespec="seconds") + "Z"),
    st.datetimes().map(lambda at: at.isoformat() + "+05:45"),
    st.sampled_from(
        ["2026-03-29T00:59:59Z", "2026-10-24T22:00:00Z", "9999-12-31T23:59:59Z", "1753-01-01T00:00:00Z", "2026-01-01T00:00:00"]
    ),
)
DAYS = st.dates().map(str)
OPTIONS: Any = st.one_of(st.none(), st.sampled_from([100000000, 100000030, 42, 1, 0]))
SEVERAL: Any = st.one_of(st.none(), st.sampled_from(["", "100000030", "100000030,100000099,100000030"]))
WHOLE: Any = st.one_of(st.none(), st.integers(-(1 << 63), (1 << 63) - 1))
TABLES: Any = st.sampled_from(["contact", "account", "cf_fiche", "systemuser", ""])
ODD: Any = st.sampled_from(
    ["x", "*", None, True, 1.5, 1 << 63, [], "2026", "2026-02-29", "0000-01-01", "2026-1-1", "2026-06-30T23:59:60Z", "2026-01-01T24:00:00Z"]
)
# Dates that are written otherwise than the service does, or are none, or lie at an end of the calendar.
ODD_INSTANTS = (
    "2026-01-01T10:00:60Z",
    "2026-01-01T23:59:59.9999999Z",
    "2026-01-01T10:00:00.5Z",
    "2026-01-01T10:00:00+00:00",
    "2026-01-01T23:30:00-02:00",
    "2026-01-01 10:00:00Z",
    "2026-01-01t10:00:00z",
    "2026-01-01T10:00:00",
    "2026-01-01T10:00Z",
    "2026-01-01T10:0 :00Z",
    "2026-01- 1T10:00:00Z",
    " 026-01-01T10:00:00Z",
    "+2026-1-01T10:00:00Z",
    "02026-1-01T10:00:00Z",
    "2026-1-001T10:00:00Z",
    "2026-01-01T10:00:00Z ",
    "2026-01-01T24:00:00Z",
    "2026-02-29T10:00:00Z",
    "2026-13-01T10:00:00Z",
    "2026-00-01T10:00:00Z",
    "2026-01-01T10:60:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T23:59:59Z",
    "9999-12-31T23:59:59Z",
    "1969-12-31T23:30:00Z",
    "1899-12-31T23:50:00Z",
    "2026-03-29T00:59:59Z",
    "2026-10-24T22:00:00Z",
    "2026-01-01T10:00:0\u0660Z",
    "",
    "Z",
    "2026-01-01",
    "2026-01-01T10:00:00Z\n",
    "\ud800",
)
ODD_DAYS = (
    "2026-02-29",
    "2026-13-01",
    "2026-1-001",
    "2026-1-1",
    " 026-01-01",
    "2026-01- 1",
    "+2026-1-01",
    "20260101",
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "1969-12-31",
    "2026-01-01T00:00:00Z",
    "",
    "2026-01-0\u0661",
    "2026-01-01\n",
    "\udc00",
)


def _instant(behaviour: str) -> Any:
    return st.one_of(st.none(), DAYS if behaviour == "date_only" else INSTANTS)


def _decoder(record: type[Record], fields: tuple[str, ...], **columns: Attribute) -> tuple[PageDecoder[Any], PageDecoder[Any]]:
    """One that makes records, and one that makes frames of whole tables."""
    (table,) = MAPPING.tables_of(record)
    lookups = {column.name for column in table.columns.values() if column.is_lookup}
    own = {name: _kind(name, "LookupType" if name in lookups else "StringType") for name in table.used} | columns
    definition = TableDefinition(table.name, table.name, f"{table.name}id", own)
    of_records, of_frames = (RowLayout(table, definition, fields, MAPPING, record, whole=whole) for whole in (False, True))
    return PageDecoder(of_records), PageDecoder(of_frames)


def _dates(names: dict[str, str]) -> dict[str, Attribute]:
    return {name: Attribute(name, "DateTimeType", behaviour=behaviour) for name, behaviour in names.items()}


def _kind(name: str, kind: str) -> Attribute:
    return Attribute(name, kind)


DOSSIER = _dates(dict(zip(("cf_openedon", "cf_closedon", "cf_reopenedon"), BEHAVIOURS, strict=True)))
FICHE = _dates({"cf_communicatedon": "user_local", "createdon": "time_zone_independent", "cf_anonymisedon": "date_only"})
PAGES: dict[type[Record], tuple[tuple[PageDecoder[Any], PageDecoder[Any]], tuple[str, ...], dict[str, Any]]] = {
    Dossier: (
        _decoder(
            Dossier,
            dossier := ("categories", "closed_on", "is_active", "legal_hold", "opened_on", "outcome", "reopened_on"),
            cf_categories=_kind("cf_categories", "MultiSelectPicklistType"),
            **DOSSIER,
        ),
        dossier,
        {
            **{name: _instant(each.behaviour) for name, each in DOSSIER.items()},
            "cf_categories": SEVERAL,
            "statecode": OPTIONS,
            "cf_outcome": OPTIONS,
            "cf_legalhold": st.one_of(st.none(), st.booleans()),
        },
    ),
    FullFiche: (
        _decoder(
            FullFiche,
            fiche := ("anonymised_on", "categories", "communicated_at", "communicated_on", "created_on", "dossier", "number", "summary"),
            **FICHE,
        ),
        fiche,
        {
            **{name: _instant(each.behaviour) for name, each in FICHE.items()},
            "_cf_dossierid_value": st.one_of(st.none(), IDS),
            "cf_categories": OPTIONS,
            "cf_name": st.one_of(st.none(), TEXTS),
            "cf_summary": st.one_of(st.none(), TEXTS),
        },
    ),
    Contact: (
        _decoder(
            Contact,
            contact := ("birth_year", "newsletter", "parent", "parent_kind", "stated_on"),
            **_dates({"cf_statedageon": "date_only"}),
        ),
        contact,
        {
            "cf_birthyear": WHOLE,
            "cf_newsletter": st.booleans(),
            "cf_statedageon": _instant("date_only"),
            "_parentcustomerid_value": st.one_of(st.none(), IDS),
            f"_parentcustomerid_value@{LOOKUP_TABLE}": TABLES,
        },
    ),
    Note: (
        _decoder(Note, note := ("media_type", "regarding", "regarding_kind")),
        note,
        {"mimetype": TEXTS, "_objectid_value": IDS, f"_objectid_value@{LOOKUP_TABLE}": TABLES},
    ),
}


@st.composite
def pages(draw: st.DrawFn) -> tuple[type[Record], bytes]:
    """A kind, and a page of it as a CRM sends it; one value of every other page is of another sort."""
    record = draw(st.sampled_from(list(PAGES)))
    (decoder, _), _, columns = PAGES[record]
    etags = st.one_of(st.integers(0).map(lambda number: f'W/"{number}"'), st.sampled_from(['"a"', 'W/""']))
    rows: list[dict[str, Any]] = draw(
        st.lists(st.fixed_dictionaries({decoder.select[0]: IDS, "@odata.etag": etags, **columns}), max_size=6)
    )
    is_odd = draw(st.booleans())
    if rows and is_odd:
        draw(st.sampled_from(rows))[draw(st.sampled_from([*columns, "@odata.etag"]))] = draw(ODD)
    return record, json.dumps({"value": rows}, ensure_ascii=draw(st.booleans())).encode()


def framed(decoder: PageDecoder[Any], body: bytes, fields: Sequence[str]) -> pl.DataFrame:
    return as_texts(decoder.framed(decoder.frame(decoder.decode(body))).values.frame(fields))


@given(pages())
def test_a_frame_has_the_values_of_the_records(given_page: tuple[type[Record], bytes]) -> None:
    """And is refused where they are."""
    record, body = given_page
    (decoder, whole), fields, _ = PAGES[record]
    try:
        rows = decoder.decode(body).rows
    except PageBroken:
        with pytest.raises(PageBroken):
            framed(whole, body, fields)
        return
    frame = framed(whole, body, fields)
    assert dict(frame.schema) == column_types(record, fields)
    assert frame.rows() == [cells(row, fields) for row in rows]


def _dates_of(record: type[Record]) -> dict[str, tuple[str, ...]]:
    """The columns of dates of a page, each with the odd ones of its sort."""
    attributes = {
        **DOSSIER,
        **FICHE,
        "cf_statedageon": Attribute("cf_statedageon", "DateTimeType", behaviour="date_only"),
    }
    found = {name: attributes[name].behaviour for name in PAGES[record][2] if name in attributes}
    return {name: ODD_DAYS if behaviour == "date_only" else ODD_INSTANTS for name, behaviour in found.items()}


@pytest.mark.parametrize(("record", "column", "odd"), [(each, *pair) for each in PAGES for pair in _dates_of(each).items()])
def test_an_odd_date_is_read_or_refused_as_records_do(record: type[Record], column: str, odd: tuple[str, ...]) -> None:
    (decoder, whole), fields, columns = PAGES[record]
    usual = "2024-06-30" if odd is ODD_DAYS else "2024-06-30T21:59:59Z"
    for text in odd:
        rows = [dict.fromkeys(columns) | {decoder.select[0]: row, "@odata.etag": 'W/"1"'} for row in (GUID, OTHER, GUID[:-1] + "3")]
        rows[0][column], rows[1][column] = usual, text
        if record is Contact:
            rows = [row | {"cf_newsletter": False} for row in rows]
        body = json.dumps({"value": rows}).encode()
        try:
            expected = [cells(row, fields) for row in decoder.decode(body).rows]
        except PageBroken:
            with pytest.raises(PageBroken):
                whole.decode(body)
            continue
        assert framed(whole, body, fields).rows() == expected, text


@given(st.data())
def test_some_rows_of_a_page_are_those_rows(data: st.DataObject) -> None:
    record, body = data.draw(pages())
    whole = PAGES[record][0][1]
    try:
        page = whole.decode(body)
    except PageBroken:
        return
    gone = data.draw(st.sets(st.sampled_from(sorted(page.ids)))) if page.ids else set()
    left = page.without(gone)
    expected = as_texts(whole.frame(page)).filter(~pl.col("id").is_in(sorted(gone)))
    assert (left is None) == expected.is_empty()
    assert left is None or as_texts(whole.frame(left)).equals(expected)


def test_pages_of_these_kinds_are_read() -> None:
    for record, ((_, decoder), fields, columns) in PAGES.items():
        row = dict.fromkeys(columns) | {decoder.select[0]: GUID, "@odata.etag": 'W/"1"'}
        frame = framed(decoder, json.dumps({"value": [row]}).encode(), fields)
        assert (frame.height, dict(frame.schema)) == (1, column_types(record, fields))


class Elsewhere:
    """Of which kind rows are now; the first read of a lookup is older than that."""

    shared = frozenset({"cf_dossier"})

    def __init__(self) -> None:
        self.kinds: dict[str, str | None] = {GUID: "dossier", OTHER: "dossier"}
        self.noted: list[str] = []

    def kinds_of(self, _: str, ids: set[str]) -> dict[str, str | None]:
        return {row: self.kinds[row] for row in ids}

    def note_elsewhere(self, row: str, table: str, kind: str | None) -> None:
        self.noted.append(row)


def test_what_other_rows_say_is_asked_each_time_and_is_no_part_of_what_is_kept() -> None:
    (table,) = MAPPING.tables_of(Note)
    lookup = Attribute("objectid", "LookupType", targets=frozenset({"cf_dossier", "incident"}))
    scopes: Any = Elsewhere()
    fields = ("regarding", "regarding_kind")
    definition = TableDefinition(table.name, table.name, "annotationid", {"objectid": lookup})
    decoder: PageDecoder[Any] = PageDecoder(RowLayout(table, definition, fields, MAPPING, scopes=scopes, whole=True))
    rows = [{"annotationid": row, "@odata.etag": 'W/"1"', "_objectid_value": row} for row in (GUID, OTHER)]
    page = decoder.decode(json.dumps({"value": [row | {f"_objectid_value@{LOOKUP_TABLE}": "cf_dossier"} for row in rows]}).encode())
    kept = decoder.frame(page)
    assert dict(as_texts(kept).schema) == decoder.kept_types
    assert decoder.framed(kept).values.frame(fields)["regarding_kind"].to_list() == ["dossier", "dossier"]
    scopes.kinds[OTHER] = None
    assert decoder.framed(kept).values.frame(fields)["regarding_kind"].to_list() == ["dossier", None]
    without_table = decoder.frame(decoder.decode(json.dumps({"value": rows}).encode()))
    with pytest.raises(PageBroken):
        decoder.framed(without_table)


def test_frames_mean_something_else_where_anything_that_made_them_is_another() -> None:
    (table,) = MAPPING.tables_of(Dossier)
    attributes = {name: _kind(name, "StringType") for name in table.used}
    definition = TableDefinition(table.name, table.name, "id", attributes)
    dated = definition.attributes | _dates({"cf_openedon": "user_local"})
    column = table.columns["outcome"]
    other_keys = replace(table, columns=table.columns | {"outcome": replace(column, choice=Choice({1: "grounded"}, {}))})
    zone = replace(MAPPING, calendar=Calendar(zone=ZoneInfo("Europe/London")))
    asked: list[tuple[Table, TableDefinition, tuple[str, ...], Mapping]] = [
        (table, definition, ("outcome",), MAPPING),
        (table, definition, ("outcome", "legal_hold"), MAPPING),
        (table, replace(definition, attributes=dated), ("outcome", "opened_on"), MAPPING),
        (other_keys, definition, ("outcome",), MAPPING),
        (table, definition, ("outcome",), zone),
    ]
    meanings = [PageDecoder(RowLayout(*each, whole=True)).meaning for each in asked]
    assert len(set(meanings)) == len(asked)
    assert PageDecoder(RowLayout(*asked[0], whole=True)).meaning == meanings[0]


@pytest.mark.parametrize("given_id", ["", "{}", "x", GUID[:-1], GUID + "0"])
@pytest.mark.parametrize(
    ("record", "column"), [(Dossier, "cf_dossierid"), (FullFiche, "_cf_dossierid_value"), (Contact, "_parentcustomerid_value")]
)
def test_what_is_no_id_breaks_the_page_before_anybody_asks_for_the_row(record: type[Record], column: str, given_id: str) -> None:
    (decoder, whole), _, columns = PAGES[record]
    row = dict.fromkeys(columns) | {decoder.select[0]: GUID, "@odata.etag": 'W/"1"', column: given_id}
    other = row | {decoder.select[0]: OTHER, column: OTHER if column == decoder.select[0] else None}
    evened = other | {column: (given_id + GUID + OTHER)[len(given_id) : 2 * len(GUID)]}  # together they are as long as two ids
    for each in (decoder, whole):
        for rows in ([row], [row, other], [row, evened]):
            with pytest.raises(PageBroken):
                each.decode(json.dumps({"value": rows}).encode())


@pytest.mark.parametrize("fault", PAGE_FAULTS)
def test_a_page_that_stays_wrong_fails_the_columns_too(crm: FakeCrm, fault: Callable[[Reply], Reply]) -> None:
    dossiers(crm, 5)
    crm.fault_times("cf_dossiers", fault, 99)
    with crm.connector(page_size=2) as connector, pytest.raises(ReadIncomplete) as caught:
        list(connector.columns(Dossier, ("legal_hold",)))
    assert "geheim" not in str(caught.value)


def test_a_field_that_no_record_has_is_a_mistake_of_ours(crm: FakeCrm) -> None:
    dossiers(crm, 1)
    with crm.connector() as connector, pytest.raises(ValueError, match="no field"):
        list(connector.columns(Dossier, ("legal_hold", "nothing")))


@pytest.mark.parametrize("name", ["notes", "from", "class"])
def test_a_column_may_be_called_like_a_word_of_python(name: str) -> None:
    assert take_off(name)([SimpleNamespace(**{name: number}) for number in range(2)]) == [0, 1]


def test_what_is_no_name_is_no_column() -> None:
    with pytest.raises(ValueError, match="id or x"):
        take_off("id or x")


@pytest.mark.parametrize("kind", [pl.String(), pl.Boolean(), pl.Int64(), pl.Float64()], ids=str)
@pytest.mark.parametrize("values", [[], [None], [None, None], [None, False], [False, None], [None, True]], ids=repr)
def test_a_column_has_the_values_that_came_however_many_are_empty(values: list[Any], kind: pl.DataType) -> None:
    given = [
        value if value is None else {pl.String(): str, pl.Int64(): int, pl.Float64(): float}.get(kind, bool)(value) for value in values
    ]
    found = column_of("field", given, kind)
    assert (found.name, found.dtype, found.to_list()) == ("field", kind, given)
