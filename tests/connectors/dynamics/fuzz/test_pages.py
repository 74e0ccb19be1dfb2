"""Pages of rows: each row as the JSON says, or no page at all."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.dynamics.reading.any_odata import PageUnreadable, is_offset, page_of
from connectors.dynamics.reading.decoder import PageBroken, PageDecoder
from connectors.dynamics.reading.row_layout import RowLayout
from connectors.dynamics.schema.csdl import SchemaBroken, key_of
from connectors.dynamics.schema.metadata import Attribute, TableDefinition
from rules.model.records import Dossier
from tests.connectors.dynamics.fuzz.corpus import Entry, entries
from tests.connectors.dynamics.fuzz.damage import mutated

CORPUS = entries("pages")
BODIES = [entry.body for entry in CORPUS] + [entry.body for entry in entries("errors")]
MAPPING = parse_mapping(REFERENCE.read_text("utf-8"), "reference.yaml")


def _decoder() -> PageDecoder[Dossier]:
    table = MAPPING.table(Dossier)
    assert table is not None
    kinds = {"cf_categories": "MultiSelectPicklistType", "cf_legalhold": "BooleanType"}
    attributes = {name: Attribute(name, kind) for name, kind in kinds.items()}
    definition = TableDefinition("cf_dossier", "cf_dossiers", "cf_dossierid", attributes)
    return PageDecoder(RowLayout(table, definition, ("categories", "legal_hold"), MAPPING))


DECODER = _decoder()


def quiet(refusal: Exception) -> bool:
    """True, after making sure that it quotes nothing of what was read."""
    assert (str(refusal), refusal.__cause__) == ("", None)
    return True


def as_json(body: bytes) -> Any:
    """What the standard library makes of it; None where it is not JSON."""
    try:
        return json.loads(body.decode("utf-8", "replace"), strict=False)  # a column that nobody asked for is not looked at
    except (ValueError, RecursionError):
        return None


def agrees(body: bytes) -> bool:
    """Whether the page is refused, or each of its rows is the one at its place in the JSON; True if it was
    decoded."""
    try:
        page = DECODER.decode(body)
    except PageBroken as broken:
        return not quiet(broken)
    content = as_json(body)
    assert isinstance(content, dict)
    for row, said in zip(page.rows, content["value"], strict=True):
        assert row.id == said["cf_dossierid"].strip("{}").lower()
        assert row.etag == said["@odata.etag"]
        assert row.legal_hold is said["cf_legalhold"]
        assert (row.categories == ()) == (not said["cf_categories"])
        assert (row.outcome, row.is_active, row.opened_on) == (None, None, None), "nobody asked for them"
    assert page.ids == {row.id for row in page.rows}
    assert (page.next_link, page.count) == (content.get("@odata.nextLink"), content.get("@odata.count"))
    return True


@pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: entry.name)
def test_each_form_of_page_is_read_or_refused_as_it_is_meant(entry: Entry) -> None:
    assert agrees(entry.body) is (entry.words("X-Readable") == ["yes"])


@pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: entry.name)
def test_a_page_cut_at_any_byte_is_no_page(entry: Entry) -> None:
    for end in range(len(entry.body)):
        with pytest.raises(PageBroken):
            DECODER.decode(entry.body[:end])
        with pytest.raises(PageUnreadable):
            page_of(entry.body[:end], "cf_dossiers", ["cf_dossierid"])


@given(mutated(BODIES))
def test_a_damaged_page_has_the_rows_of_its_json_or_none(body: bytes) -> None:
    agrees(body)


VALUES: Any = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.just("100000022,100000030"),
)
ROWS: Any = st.fixed_dictionaries(
    {
        "@odata.etag": st.text(max_size=6),
        "cf_dossierid": st.text("abcDEF-0", max_size=8).map(lambda text: f"{{{text}}}" if "F" in text else text),
        "cf_categories": st.one_of(st.none(), st.just("100000022,100000030"), VALUES),
        "cf_legalhold": st.one_of(st.none(), st.booleans(), VALUES),
    },
    optional={
        "id": VALUES,
        "etag": VALUES,
        "categories": VALUES,
        "- name": VALUES,
        "outcome": VALUES,
        "is_active": VALUES,
        "cf_name": st.lists(VALUES, max_size=2),
    },
)


@given(st.lists(ROWS, max_size=5), st.sampled_from([None, 0, 5, "x", [1]]), st.booleans())
def test_columns_of_any_type_and_name_never_get_into_another_field(rows: list[dict[str, Any]], more: Any, ascii_only: bool) -> None:
    content = {"value": rows, "@odata.count": more, "@odata.nextLink": more}
    agrees(json.dumps(content, ensure_ascii=ascii_only).encode())


# -- pages and descriptions of services of other makers ------------------------------------------------------


def strange_page_agrees(body: bytes) -> None:
    for keys in (["cf_dossierid"], []):
        try:
            page = page_of(body, "cf_dossiers", keys)
        except PageUnreadable:
            continue
        content = as_json(body.removeprefix(b"\xef\xbb\xbf"))
        assert len(page.ids) == len(content["value"])
        if keys:
            assert page.ids == [(str(row["cf_dossierid"]),) for row in content["value"]]
        links = [name for name, value in content.items() if "nextlink" in name.lower() and value is not None]
        assert (page.next_link is None) == (not links)
        is_offset(page.next_link or "", 1, 1)


@given(mutated(BODIES))
def test_a_damaged_page_of_another_maker_has_the_rows_and_the_link_of_its_json(body: bytes) -> None:
    strange_page_agrees(body)


LINKS = st.sampled_from(["@odata.nextLink", "@nextLink", "odata.nextLink", "@odata.nextlink", "value@odata.nextLink"])


@given(st.lists(ROWS, max_size=4), st.dictionaries(LINKS, st.one_of(VALUES, st.just("?$skip=2")), max_size=2), VALUES)
def test_a_link_by_any_name_is_never_overlooked(rows: list[Any], links: dict[str, Any], count: Any) -> None:
    strange_page_agrees(json.dumps({"value": rows, "@odata.count": count} | links).encode())


SCHEMA = b"""<?xml version="1.0"?>
<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0"><edmx:DataServices>
<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="N" Alias="Self">
<EntityType Name="Thing"><Key><PropertyRef Name="Id"/></Key></EntityType><EntityType Name="Person" BaseType="Self.Thing"/>
<EntityContainer Name="C"><EntitySet Name="People" EntityType="N.Person"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""


def test_the_key_of_the_whole_description() -> None:
    assert key_of(SCHEMA, "People") == ["Id"]
    assert key_of(SCHEMA, "Others") == []


@given(mutated([SCHEMA, SCHEMA.decode().encode("utf-16"), b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"]))
def test_a_damaged_description_tells_names_or_nothing(schema: bytes) -> None:
    try:
        keys = key_of(schema, "People")
    except SchemaBroken:
        return
    assert all(isinstance(key, str) and len(key) <= len(schema) for key in keys)


@given(st.text(max_size=60), st.integers(0), st.integers(0))
def test_any_link_can_be_asked_whether_it_counts(text: str, rows: int, pages: int) -> None:
    try:
        urlsplit(text)
    except ValueError:
        return  # such a link is refused before
    is_offset(text, rows, pages)
