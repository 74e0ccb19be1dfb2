"""Reading a table: every row once, as records, or an error; never a short answer."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from connectors.interface.errors import Forbidden, ReadIncomplete
from connectors.interface.rows import Among
from rules.model.records import ActivityParty, Contact, Donation, Dossier, Fiche, Note, Party, Record, Recording, Statistic
from tests.connectors.dynamics.fake_crm import ROOT, TOKEN, FakeCrm, Reply, edit, row_id

LOOKUP_TABLE = "Microsoft.Dynamics.CRM.lookuplogicalname"


def read(crm: FakeCrm, record: type[Record], *fields: str, **options: Any) -> list[Any]:
    among = options.pop("among", None)
    with crm.connector(**options) as connector:
        return [row for page in connector.read(record, fields, among=among) for row in page]


def dossiers(crm: FakeCrm, count: int) -> None:
    crm.rows["cf_dossiers"] = [{"cf_dossierid": row_id(n), "cf_legalhold": False, "statecode": 0} for n in range(count)]


def test_a_dossier_is_read_in_our_words(crm: FakeCrm) -> None:
    crm.rows["cf_dossiers"] = [
        {
            "cf_dossierid": row_id(1),
            "cf_categories": "100000030,100000099",
            "cf_outcome": 100000002,
            "cf_openedon": "2026-04-30T22:15:00Z",
            "cf_closedon": None,
            "cf_reviewedon": "2026-05-01",
            "statecode": 1,
            "cf_legalhold": True,
        }
    ]
    fields = ("categories", "outcome", "opened_on", "closed_on", "reviewed_on", "is_active", "legal_hold")
    (dossier,) = read(crm, Dossier, *fields)
    assert isinstance(dossier, Dossier)
    assert dossier.categories == ("runaway", "100000099"), "an option that is not mapped stands as its number (R-161)"
    assert (dossier.outcome, dossier.opened_on, dossier.closed_on) == ("returned", date(2026, 5, 1), None)
    assert (dossier.reviewed_on, dossier.is_active, dossier.legal_hold) == (date(2026, 5, 1), False, True)
    assert (dossier.id, dossier.etag, dossier.public_alert) == (row_id(1), 'W/"1"', None)


def test_an_unknown_outcome_counts_as_empty(crm: FakeCrm) -> None:
    crm.rows["cf_dossiers"] = [{"cf_dossierid": row_id(1), "cf_outcome": 42}]
    assert read(crm, Dossier, "outcome")[0].outcome is None


def test_only_the_needed_columns_are_asked_for_with_the_same_preferences_on_each_page(crm: FakeCrm) -> None:
    dossiers(crm, 5)
    rows = read(crm, Dossier, "legal_hold", page_size=2)
    assert len(rows) == 5
    pages = [request for request in crm.requests if "cf_dossiers?" in str(request.url)]
    assert len(pages) == 3
    assert {page.headers["Prefer"] for page in pages} == {"odata.maxpagesize=2"}
    assert "$select=cf_dossierid,cf_legalhold" in str(pages[0].url)
    assert "$count=true" in str(pages[0].url)
    assert str(pages[1].url) == f"{ROOT}cf_dossiers?$select=cf_dossierid,cf_legalhold&$skiptoken=2", "a link is followed verbatim"
    assert all(page.headers["Authorization"] == f"Bearer {TOKEN}" for page in pages)


def test_reading_is_counted(crm: FakeCrm) -> None:
    dossiers(crm, 5)
    with crm.connector(page_size=2) as connector:
        rows = [row for page in connector.read(Dossier, ["legal_hold"]) for row in page]
        assert (len(rows), connector.stats.rows, connector.stats.pages) == (5, 5, 3)
        assert connector.stats.requests == len(crm.requests)
        assert connector.stats.retries == connector.stats.throttled == 0


def test_the_target_of_a_polymorphic_lookup_is_named_in_our_words(crm: FakeCrm) -> None:
    crm.rows["annotations"] = [
        {"annotationid": row_id(1), "_objectid_value": row_id(7), f"_objectid_value@{LOOKUP_TABLE}": "cf_fiche", "isdocument": True},
        {"annotationid": row_id(2), "_objectid_value": row_id(8), f"_objectid_value@{LOOKUP_TABLE}": "account", "isdocument": False},
        {"annotationid": row_id(3), "_objectid_value": None, "isdocument": False},
    ]
    rows = read(crm, Note, "regarding", "regarding_kind", "is_document")
    assert [(note.regarding, note.regarding_kind) for note in rows] == [(row_id(7), "fiche"), (row_id(8), None), (None, None)]
    assert 'odata.include-annotations="' in crm.requests[-1].headers["Prefer"]


def test_a_polymorphic_lookup_without_its_target_is_unreadable(crm: FakeCrm) -> None:
    crm.rows["annotations"] = [{"annotationid": row_id(1), "_objectid_value": row_id(7), "isdocument": True}]
    with pytest.raises(ReadIncomplete):
        read(crm, Note, "regarding", "regarding_kind")


def test_the_parent_of_a_contact_keeps_the_name_of_a_table_that_is_not_mapped(crm: FakeCrm) -> None:
    crm.rows["contacts"] = [
        {"contactid": row_id(1), "_parentcustomerid_value": row_id(7), f"_parentcustomerid_value@{LOOKUP_TABLE}": "account"},
        {"contactid": row_id(2), "_parentcustomerid_value": row_id(1), f"_parentcustomerid_value@{LOOKUP_TABLE}": "contact"},
    ]
    assert [row.parent_kind for row in read(crm, Contact, "parent", "parent_kind")] == ["account", "contact"]


def test_ids_are_lower_case_without_braces(crm: FakeCrm) -> None:
    crm.rows["cf_parties"] = [
        {"cf_partyid": row_id(10).upper(), "_cf_contactid_value": "{" + row_id(11).upper() + "}", "cf_role": 100000005}
    ]
    (party,) = read(crm, Party, "contact", "role")
    assert (party.id, party.contact, party.role) == (row_id(10), row_id(11), "suspect")


def test_a_kind_that_is_not_mapped_yields_nothing_and_asks_nothing(crm: FakeCrm) -> None:
    text = crm.connector().mapping
    assert text.of("donation")
    mapping = re.sub(r"\n  donation:\n.*?(?=\n  enrolment:)", "", _reference(), flags=re.DOTALL)
    with crm.connector(mapping_text=mapping) as connector:
        assert not connector.has(Donation)
        assert list(connector.read(Donation, ["contact"])) == []
        assert connector.totals([Donation]) == {}
    assert crm.requests == []


def test_a_field_without_column_stays_none(crm: FakeCrm) -> None:
    crm.rows["annotations"] = [{"annotationid": row_id(1), "isdocument": True}]
    (note,) = read(crm, Note, "evidence", "is_document")
    assert (note.evidence, note.is_document) == (None, True)


def test_an_unknown_field_is_a_mistake_of_ours(crm: FakeCrm) -> None:
    with pytest.raises(ValueError, match="has no field"):
        read(crm, Dossier, "closed")


def test_among_ids_are_looked_up_in_as_many_requests_as_needed(crm: FakeCrm) -> None:
    crm.rows["cf_fiches"] = [{"cf_ficheid": row_id(n), "_cf_dossierid_value": row_id(n % 500, 1)} for n in range(1000)]
    wanted = [row_id(n, 1) for n in range(450)]
    rows = read(crm, Fiche, "dossier", among=Among("dossier", [*wanted, wanted[0].upper()]))
    assert len(rows) == 900
    asked = [str(request.url) for request in crm.requests if "cf_fiches?" in str(request.url)]
    assert len(asked) == 3
    assert all(len(url) < 16_000 for url in asked)


def test_among_nothing_reads_nothing(crm: FakeCrm) -> None:
    assert read(crm, Fiche, "dossier", among=Among("dossier", [])) == []
    assert crm.requests == []


def test_among_an_id_that_is_no_guid_never_reaches_the_crm(crm: FakeCrm) -> None:
    with pytest.raises(ValueError, match="GUID"):
        read(crm, Fiche, "dossier", among=Among("id", ["x or true"]))
    assert "cf_fiches" not in crm.paths()


def test_among_the_id_itself(crm: FakeCrm) -> None:
    dossiers(crm, 3)
    assert [row.id for row in read(crm, Dossier, "legal_hold", among=Among("id", [row_id(1)]))] == [row_id(1)]


def short(content: dict[str, Any]) -> None:
    content["value"].pop()


def doubled(content: dict[str, Any]) -> None:
    content["value"][0] = content["value"][1]


def without_column(content: dict[str, Any]) -> None:
    del content["value"][0]["cf_legalhold"]


def wrong_type(content: dict[str, Any]) -> None:
    content["value"][0]["cf_legalhold"] = "geheim"


def circle(content: dict[str, Any]) -> None:
    content["@odata.nextLink"] = f"{ROOT}cf_dossiers?$select=cf_dossierid,cf_legalhold&$skiptoken=2"


def version(etag: str) -> Callable[[dict[str, Any]], None]:
    """`*` matches whatever is there: written back in If-Match, it would take away a row that nobody has
    looked at."""

    def change(content: dict[str, Any]) -> None:
        content["value"][0]["@odata.etag"] = etag

    return change


ETAGS = ["*", "", "5", 'W/"1', 'W/"1"\r\nX: y', 'W/"1", W/"2"', 'W/"1"\n']


def truncated(reply: Reply) -> Reply:
    return reply[0], reply[1], reply[2][: len(reply[2]) // 2]


PAGE_FAULTS: list[Callable[[Reply], Reply]] = [edit(short), edit(doubled), edit(without_column), edit(wrong_type), truncated]
PAGE_FAULTS += [edit(version(etag)) for etag in ETAGS]


@pytest.mark.parametrize("fault", PAGE_FAULTS)
def test_a_wrong_page_is_asked_for_once_more(crm: FakeCrm, fault: Callable[[Reply], Reply]) -> None:
    dossiers(crm, 5)
    crm.fault_once("cf_dossiers", fault)
    assert sorted(row.id for row in read(crm, Dossier, "legal_hold", page_size=2)) == [row_id(n) for n in range(5)]


@pytest.mark.parametrize("fault", PAGE_FAULTS)
def test_a_page_that_stays_wrong_fails_the_read_and_tells_no_payload(crm: FakeCrm, fault: Callable[[Reply], Reply]) -> None:
    dossiers(crm, 5)
    crm.fault_times("cf_dossiers", fault, 99)
    with pytest.raises(ReadIncomplete) as caught:
        read(crm, Dossier, "legal_hold", page_size=2)
    assert "geheim" not in str(caught.value)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("cf_legalhold", "geheim"),
        ("cf_openedon", "2026-04-30T22:15:00 geheim"),
        ("cf_reviewedon", "2026-04-30T22:15:00Z"),  # a column of days, by the CRM's own definition
        ("cf_outcome", "100000002"),
    ],
)
@pytest.mark.parametrize("whole", [False, True])
def test_the_column_is_named_whose_values_are_not_what_the_crm_says(crm: FakeCrm, column: str, value: str, whole: bool) -> None:
    """Of a table with thousands of columns, somebody who looks for the mistake needs to know which."""
    dossiers(crm, 3)
    crm.rows["cf_dossiers"][1][column] = value
    fields = ("categories", "outcome", "opened_on", "reviewed_on", "legal_hold")
    with crm.connector() as connector, pytest.raises(ReadIncomplete, match=f"{column} lacks, or is of another type than") as caught:
        list(connector.columns(Dossier, fields) if whole else connector.read(Dossier, fields))
    assert "geheim" not in str(caught.value)
    assert str(caught.value.hint).startswith("Publish the table's customisations")


def test_rows_and_definitions_behind_a_gateway_that_writes_a_byte_order_mark_are_read(crm: FakeCrm) -> None:
    dossiers(crm, 3)
    crm.fault_times("", lambda reply: (reply[0], reply[1], b"\xef\xbb\xbf" + str(reply[2]).encode()), 99)
    assert len(read(crm, Dossier, "legal_hold")) == 3


@pytest.mark.parametrize("rows", [7, 5_010])
def test_a_crm_may_give_shorter_pages_than_were_asked_for(crm: FakeCrm, rows: int) -> None:
    """The size is a limit; one short page is asked for twice, the others are as long as pages are there."""
    dossiers(crm, rows)
    crm.most = 3 if rows == 7 else 1_000
    assert len({row.id for row in read(crm, Dossier, "legal_hold")}) == rows
    pages = crm.paths().count("cf_dossiers")
    assert pages == -(-rows // crm.most) + 1 + (rows > 5_000), "the last one again where the count does not reach that far"


def test_a_lost_row_on_the_only_page_is_seen_by_the_count(crm: FakeCrm) -> None:
    dossiers(crm, 5)
    crm.fault_once("cf_dossiers", edit(short))
    assert len(read(crm, Dossier, "legal_hold")) == 5, "the whole read is done once more"


def test_a_count_that_keeps_differing_fails_the_read(crm: FakeCrm) -> None:
    dossiers(crm, 5)
    crm.count = 6
    with pytest.raises(ReadIncomplete, match="counts 6 rows and gave 5"):
        read(crm, Dossier, "legal_hold")


def test_nothing_is_handed_out_before_the_count_agrees(crm: FakeCrm) -> None:
    dossiers(crm, 5)
    crm.count = 6
    with crm.connector(page_size=2) as connector:
        pages = connector.read(Dossier, ["legal_hold"])
        with pytest.raises(ReadIncomplete):
            next(pages)


def test_the_last_page_of_a_table_beyond_counting_is_asked_for_twice(crm: FakeCrm) -> None:
    dossiers(crm, 5003)

    def lose(content: dict[str, Any]) -> None:
        if "@odata.nextLink" not in content:
            content["value"].pop()

    with crm.connector(page_size=2500) as connector:
        assert connector.check() == []
        asked = connector.stats.requests
        assert sum(map(len, connector.read(Dossier, ["legal_hold"]))) == 5003
        assert (connector.stats.pages, connector.stats.rows) == (3, 5003)
        assert connector.stats.requests - asked == 4
    left = [3]

    def lose_on_the_third(content: dict[str, Any]) -> None:
        left[0] -= 1
        if left[0] == 0:
            lose(content)

    crm.fault_times("cf_dossiers", edit(lose_on_the_third), 99)
    assert sorted(row.id for row in read(crm, Dossier, "legal_hold", page_size=2500)) == [row_id(n) for n in range(5003)]


def test_rows_added_behind_the_last_page_while_reading_are_read_too(crm: FakeCrm) -> None:
    dossiers(crm, 5000)

    def grow(reply: Reply) -> Reply:
        if "@odata.nextLink" not in json.loads(reply[2]) and len(crm.rows["cf_dossiers"]) == 5000:
            crm.rows["cf_dossiers"].append({"cf_dossierid": row_id(6000), "cf_legalhold": False})
        return reply

    crm.fault_times("cf_dossiers", grow, 99)
    assert len(read(crm, Dossier, "legal_hold", page_size=2500)) == 5001


def test_a_count_at_its_limit_means_at_least_that_many(crm: FakeCrm) -> None:
    dossiers(crm, 5003)
    assert len(read(crm, Dossier, "legal_hold")) == 5003
    crm.rows["cf_dossiers"] = crm.rows["cf_dossiers"][:10]
    crm.count = 5000
    with pytest.raises(ReadIncomplete, match="at least 5000"):
        read(crm, Dossier, "legal_hold")


def test_an_answer_without_a_count_is_refused(crm: FakeCrm) -> None:
    dossiers(crm, 2)
    crm.fault_times("cf_dossiers", edit(lambda content: content.pop("@odata.count")), 9)
    with pytest.raises(ReadIncomplete, match="count"):
        read(crm, Dossier, "legal_hold")


def test_rows_of_the_page_before_are_not_taken_twice(crm: FakeCrm) -> None:
    dossiers(crm, 5)

    def again(content: dict[str, Any]) -> None:
        if "skiptoken=4" in content.get("@odata.nextLink", ""):
            content["value"][0]["cf_dossierid"] = row_id(0)

    crm.fault_times("cf_dossiers", edit(again), 99)
    with pytest.raises(ReadIncomplete, match="page before"):
        read(crm, Dossier, "legal_hold", page_size=2)


def test_a_row_that_comes_again_later_does_not_make_up_for_one_that_is_lost(crm: FakeCrm) -> None:
    """Pages one and three share a row, and the number of all rows is right."""
    dossiers(crm, 6)

    def again(content: dict[str, Any]) -> None:
        if "@odata.nextLink" not in content:
            content["value"][1]["cf_dossierid"] = row_id(0)

    crm.fault_times("cf_dossiers", edit(again), 1)
    assert sorted(row.id for row in read(crm, Dossier, "legal_hold", page_size=2)) == [row_id(n) for n in range(6)]
    crm.fault_times("cf_dossiers", edit(again), 99)
    with pytest.raises(ReadIncomplete, match="a row came on two pages"):
        read(crm, Dossier, "legal_hold", page_size=2)


@pytest.mark.parametrize("rows", [0, 2])
def test_pages_that_lead_on_for_ever_end_the_read(crm: FakeCrm, rows: int) -> None:
    """With ever new links, and no row behind them or more rows than there are."""
    dossiers(crm, 6)
    links = itertools.count(100)

    def on(content: dict[str, Any]) -> None:
        number = next(links)
        content["@odata.nextLink"] = f"{ROOT}cf_dossiers?$select=cf_dossierid,cf_legalhold&$skiptoken={number}"
        if number > 101:
            blank = {"cf_legalhold": False, "@odata.etag": 'W/"1"'}
            content["value"] = [blank | {"cf_dossierid": row_id(2 * number + at)} for at in range(rows)]

    crm.fault_times("cf_dossiers", edit(on), 1_000)
    with pytest.raises(ReadIncomplete, match="gave more" if rows else "on and on"):
        read(crm, Dossier, "legal_hold", page_size=2)


def test_links_in_a_circle_end_the_read(crm: FakeCrm) -> None:
    dossiers(crm, 6)

    def back(content: dict[str, Any]) -> None:
        if "skiptoken=4" in content.get("@odata.nextLink", ""):
            circle(content)

    crm.fault_times("cf_dossiers", edit(back), 99)
    with pytest.raises(ReadIncomplete, match="circle"):
        read(crm, Dossier, "legal_hold", page_size=2)


@pytest.mark.parametrize(
    "link", ["https://elsewhere.example/steal", "http://127.0.0.1:8765/api/data/v9.2/../../x", "//elsewhere/api", "ftp://x/y"]
)
def test_a_link_to_another_place_is_never_followed(crm: FakeCrm, link: str) -> None:
    dossiers(crm, 5)

    def elsewhere(content: dict[str, Any]) -> None:
        content["@odata.nextLink"] = link

    crm.fault_times("cf_dossiers", edit(elsewhere), 99)
    with pytest.raises(ReadIncomplete):
        read(crm, Dossier, "legal_hold", page_size=5)
    assert all(str(request.url).startswith(ROOT) for request in crm.requests)


@pytest.mark.parametrize("link", ["", " "])
def test_an_empty_link_is_told_as_one(crm: FakeCrm, link: str) -> None:
    """The root would be read otherwise, and what it lists taken for rows without columns."""
    dossiers(crm, 5)
    crm.fault_times("cf_dossiers", edit(lambda content: content.update({"@odata.nextLink": link})), 99)
    with pytest.raises(ReadIncomplete, match="empty"):
        read(crm, Dossier, "legal_hold", page_size=5)
    assert all(str(request.url) != ROOT for request in crm.requests)


def test_a_link_with_another_name_of_the_same_host_is_put_back_on_ours(crm: FakeCrm) -> None:
    dossiers(crm, 5)

    def renamed(content: dict[str, Any]) -> None:
        if "@odata.nextLink" in content:
            content["@odata.nextLink"] = content["@odata.nextLink"].replace("http://127.0.0.1:8765", "https://org.api.crm4.dynamics.com")

    crm.fault_times("cf_dossiers", edit(renamed), 99)
    assert len(read(crm, Dossier, "legal_hold", page_size=2)) == 5
    assert all(str(request.url).startswith(ROOT) for request in crm.requests)


def test_a_refused_read_names_the_privilege_and_nothing_else(crm: FakeCrm) -> None:
    message = "Principal user Lotte Peeters (Id=1), is missing prvReadcf_dossier privilege (Id=2) on OTC=10023"
    reply: Reply = (403, {"x-ms-service-request-id": "abc-1"}, json.dumps({"error": {"code": "0x80040220", "message": message}}))
    crm.fault_times("cf_dossiers", lambda _: reply, 9)
    with pytest.raises(Forbidden) as caught:
        read(crm, Dossier, "legal_hold")
    assert "prvReadcf_dossier" in str(caught.value)
    assert "Peeters" not in str(caught.value) + str(caught.value.hint)
    assert (caught.value.service_code, caught.value.request_id, caught.value.status) == ("0x80040220", "abc-1", 403)


def test_every_kind_can_be_read_with_all_its_fields(crm: FakeCrm) -> None:
    for kind, name in ((Recording, "cf_recording"), (Statistic, "cf_statistic"), (ActivityParty, "activityparty"), (Contact, "contact")):
        table = crm.definition["tables"][name]
        key = next(column for column, about in table["columns"].items() if about.get("key"))
        crm.rows[table["set"]] = [{key: row_id(1)}]
        (row,) = read(crm, kind, *kind.__struct_fields__)
        assert row.id == row_id(1)
        assert all(getattr(row, name) in (None, ()) for name in kind.__struct_fields__ if name not in ("id", "etag"))


def test_one_set_is_paged_to_its_end_for_its_ids(crm: FakeCrm) -> None:
    dossiers(crm, 5)
    with crm.connector(page_size=2) as connector:
        reading = connector.read_set("cf_dossiers")
    assert (reading.set, reading.rows, reading.pages, reading.requests, reading.retries) == ("cf_dossiers", 5, 3, 3, 0)
    assert len(reading.ids_sha256) == 64


def test_the_crm_says_who_we_are(crm: FakeCrm) -> None:
    with crm.connector() as connector:
        assert connector.whoami() == "9e8f0000-0000-4000-8000-000000000001"


def _reference() -> str:
    from connectors.dynamics.mapping.mapping import REFERENCE

    return REFERENCE.read_text("utf-8")
