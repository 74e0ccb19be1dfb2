"""Sections 3.4 and 3.7: `$apply`, FetchXML, saved queries, the SQL route."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

import pytest

from tests.independent.conformance.served import EVERYTHING, Crm, Row, error, message

pytestmark = pytest.mark.row(44, 45)
COOKIE, MORE = "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie", "@Microsoft.Dynamics.CRM.morerecords"


@pytest.fixture(scope="module", autouse=True)
def world(crm: Crm) -> dict[str, str]:
    people = {
        name: crm.create("contacts", firstname=name, lastname=f"{name} (fictief)", address1_city=city, cf_birthyear=year)
        for name, city, year in (("Ann", "Gent", 1990), ("Bert", "Gent", 1995), ("Cis", None, 2000))
    }
    for who, amount in (("Ann", 10), ("Ann", 30), ("Bert", 5), (None, 1)):
        bound = {"cf_ContactId@odata.bind": f"/contacts({people[who]})"} if who else {}
        crm.create("cf_donations", cf_name=f"G-{amount}", cf_amount=amount, **bound)
    return people


def fetch(crm: Crm, table_set: str, xml: str, headers: Row | None = None) -> Row:
    answer = crm.get(f"{table_set}?fetchXml={quote(xml)}", headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_aggregates_are_named_by_alias(crm: Crm) -> None:
    """3.4: '$apply=aggregate(cf_allowance with sum as total,… average as mean,$count as n)'."""
    [row] = crm.rows(
        "contacts",
        apply=(
            "aggregate(cf_birthyear with sum as total,cf_birthyear with average as mean,cf_birthyear with min as low,"
            "cf_birthyear with max as high,$count as n)"
        ),
    )
    assert {name: row[name] for name in ("total", "mean", "low", "high", "n")} == {
        "total": 5985,
        "mean": 1995,
        "low": 1990,
        "high": 2000,
        "n": 3,
    }


def test_a_null_group_lacks_the_property(crm: Crm) -> None:
    """3.4: 'A null group simply lacks the property'."""
    rows = crm.rows("contacts", apply="groupby((address1_city),aggregate($count as n))")
    assert {(row.get("address1_city"), "address1_city" in row, row["n"]) for row in rows} == {("Gent", True, 2), (None, False, 1)}


def test_a_group_by_navigation_has_a_joined_name(crm: Crm) -> None:
    """3.4: 'groupby((cf_ContactId/fullname)) yields key contact_fullname (i.e. underscore-joined)'."""
    rows = crm.rows("cf_donations", apply="groupby((cf_ContactId/fullname),aggregate(cf_amount with sum as total))")
    told = {row.get("contact_fullname", row.get("cf_ContactId_fullname")): row["total"] for row in rows}
    assert told == {"Ann Ann (fictief)": 40, "Bert Bert (fictief)": 5, None: 1}
    assert any("contact_fullname" in row for row in rows)


def test_a_filter_comes_before_the_group(crm: Crm) -> None:
    """3.4: '$apply=filter(statecode eq 0)/groupby((statuscode))'."""
    rows = crm.rows("contacts", apply="filter(cf_birthyear gt 1990)/groupby((address1_city),aggregate($count as n))")
    assert sorted(row["n"] for row in rows) == [1, 1]
    assert [row["statuscode"] for row in crm.rows("contacts", apply="filter(statecode eq 0)/groupby((statuscode))")] == [1]


def test_ordering_by_an_alias_fails(crm: Crm) -> None:
    """3.4: 'message contains The query node SingleValueOpenPropertyAccess is not supported'."""
    answer = crm.get("contacts", apply="groupby((address1_city),aggregate($count as n))", orderby="n desc")
    assert error(answer)[0] == 400
    assert "The query node SingleValueOpenPropertyAccess is not supported" in message(answer)


@pytest.mark.parametrize(
    "text", ["aggregate(cf_birthyear with countdistinct as n)", "groupby((createdon))", "compute(cf_birthyear add 1 as x)", "aggregate("]
)
def test_other_transformations_are_refused(crm: Crm, text: str) -> None:
    """3.4: 'no countdistinct on the OData route'; 'grouping by a datetime column is not supported'."""
    assert error(crm.get("contacts", apply=text))[0] == 400


def test_more_than_50000_rows_are_not_aggregated(crm: Crm) -> None:
    """3.4: '0x8004E023 The maximum record limit is exceeded. Reduce the number of records.'"""
    for _ in range(5):
        crm.load("cf_statistic", [{"cf_name": "v"}] * 10000, "cf_statistics")
    assert crm.rows("cf_statistics", apply="aggregate($count as n)")[0]["n"] == 50000
    crm.create("cf_statistics", cf_name="druppel")
    answer = crm.get("cf_statistics", apply="aggregate($count as n)")
    assert error(answer) == (400, "0x8004E023")
    assert message(answer) == "The maximum record limit is exceeded. Reduce the number of records."
    assert crm.rows("cf_statistics", apply="filter(cf_name eq 'druppel')/aggregate($count as n)")[0]["n"] == 1


def test_fetchxml_selects_orders_and_omits_nulls(crm: Crm) -> None:
    """3.7: 'GET cf_fiches?fetchXml=<percent-encoded>'; 2.4: 'FetchXML results omit null columns'."""
    xml = (
        "<fetch><entity name='contact'><attribute name='firstname'/><attribute name='address1_city'/>"
        "<order attribute='firstname' descending='true'/></entity></fetch>"
    )
    rows = fetch(crm, "contacts", xml)["value"]
    assert [row["firstname"] for row in rows] == ["Cis", "Bert", "Ann"]
    assert ["address1_city" in row for row in rows] == [False, True, True]
    assert all(row["contactid"] and row["@odata.etag"] for row in rows)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("<condition attribute='firstname' operator='eq' value='ann'/>", "Ann"),
        ("<condition attribute='cf_birthyear' operator='ge' value='1995'/>", "Bert Cis"),
        ("<condition attribute='address1_city' operator='null'/>", "Cis"),
        ("<condition attribute='firstname' operator='like' value='%n%'/>", "Ann"),
        ("<condition attribute='firstname' operator='in'><value>Ann</value><value>Cis</value></condition>", "Ann Cis"),
        ("<condition attribute='cf_birthyear' operator='between'><value>1990</value><value>1995</value></condition>", "Ann Bert"),
        ("<condition attribute='createdon' operator='today'/>", "Ann Bert Cis"),
        ("<condition attribute='createdon' operator='olderthan-x-years' value='1'/>", ""),
        (
            "<filter type='or'><condition attribute='firstname' operator='eq' value='Ann'/>"
            "<condition attribute='cf_birthyear' operator='eq' value='2000'/></filter>",
            "Ann Cis",
        ),
        ("<condition attribute='ownerid' operator='eq-userid'/>", "Ann Bert Cis"),
    ],
)  # fmt: skip
def test_fetchxml_conditions(crm: Crm, condition: str, found: str) -> None:
    """3.7: FetchXML over HTTP."""
    xml = (
        f"<fetch><entity name='contact'><attribute name='firstname'/><order attribute='firstname'/><filter>{condition}"
        f"</filter></entity></fetch>"
    )
    assert " ".join(row["firstname"] for row in fetch(crm, "contacts", xml)["value"]) == found


def test_the_set_must_match_the_entity(crm: Crm) -> None:
    """3.7: 'the set in the URL must match the fetch entity'."""
    assert error(crm.get("cf_fiches?fetchXml=" + quote("<fetch><entity name='contact'/></fetch>")))[0] == 400


@pytest.mark.parametrize(
    "xml", ["<fetch><entity name='contact'>", "<fetch><entity name='contact'><attribute name='nothing'/></entity></fetch>", "<fetch/>"]
)
def test_broken_fetchxml_is_400(crm: Crm, xml: str) -> None:
    """8.2: 400 bad argument."""
    assert error(crm.get("contacts?fetchXml=" + quote(xml)))[0] == 400


def test_fetchxml_pages_by_a_twice_encoded_cookie(crm: Crm) -> None:
    """3.7: 'take pagingcookie, URL-decode twice, XML-escape into paging-cookie, increase page'."""
    seen: list[str] = []
    cookie, page = "", 1
    while True:
        start = f"<fetch count='1' page='{page}'" + (f" paging-cookie={quoteattr(cookie)}" if cookie else "")
        body = fetch(
            crm,
            "contacts",
            start + "><entity name='contact'><attribute name='firstname'/><order attribute='firstname'/></entity></fetch>",
            EVERYTHING,
        )
        seen += [row["firstname"] for row in body["value"]]
        if not body.get(MORE):
            break
        found = re.fullmatch(r'<cookie pagenumber="\d" pagingcookie="([^"]+)" istracking="False" />', body[COOKIE])
        assert found, body[COOKIE]
        cookie, page = unquote(unquote(found[1])), page + 1
        assert cookie.startswith("<cookie page=")
    assert seen == ["Ann", "Bert", "Cis"]


def test_paging_annotations_come_on_demand_only(crm: Crm) -> None:
    """3.7: 'Response annotations (need odata.include-annotations)'."""
    xml = "<fetch count='1'><entity name='contact'><attribute name='firstname'/></entity></fetch>"
    assert not {COOKIE, MORE} & set(fetch(crm, "contacts", xml))
    assert fetch(crm, "contacts", xml, EVERYTHING)[MORE] is True


def test_simple_paging_needs_no_cookie(crm: Crm) -> None:
    """3.7: 'Without a cookie ("simple paging")'; top excludes page."""
    xml = "<fetch count='2' page='2'><entity name='contact'><attribute name='firstname'/><order attribute='firstname'/></entity></fetch>"
    assert [row["firstname"] for row in fetch(crm, "contacts", xml)["value"]] == ["Cis"]
    both = "<fetch top='1' page='2'><entity name='contact'><attribute name='firstname'/></entity></fetch>"
    assert error(crm.get("contacts?fetchXml=" + quote(both)))[0] == 400


def test_columns_of_a_link_are_aliased(crm: Crm) -> None:
    """3.7: 'Aliased columns have . encoded: a_x002e_cf_name'."""
    xml = (
        "<fetch><entity name='cf_donation'><attribute name='cf_name'/><order attribute='cf_name'/>"
        "<link-entity name='contact' from='contactid' to='cf_contactid' alias='a'><attribute name='firstname'/>"
        "</link-entity></entity></fetch>"
    )
    rows = fetch(crm, "cf_donations", xml)["value"]
    told = {(row["cf_name"], row.get("a_x002e_firstname", row.get("a.firstname"))) for row in rows}
    assert told == {("G-10", "Ann"), ("G-30", "Ann"), ("G-5", "Bert")}


def test_an_outer_link_finds_rows_without_one(crm: Crm) -> None:
    """3.7: link-entity outer, the "not in" query."""
    xml = (
        "<fetch><entity name='contact'><attribute name='firstname'/><filter>"
        "<condition entityname='g' attribute='cf_donationid' operator='null'/></filter>"
        "<link-entity name='cf_donation' from='cf_contactid' to='contactid' link-type='outer' alias='g'/></entity></fetch>"
    )
    assert [row["firstname"] for row in fetch(crm, "contacts", xml)["value"]] == ["Cis"]


def test_a_link_on_which_the_order_rests_has_no_cookie(crm: Crm) -> None:
    """3.7: 'sorting on a link-entity column yields no cookie'."""
    xml = (
        "<fetch count='1'><entity name='cf_donation'><attribute name='cf_name'/>"
        "<link-entity name='contact' from='contactid' to='cf_contactid' alias='a'>"
        "<order attribute='firstname'/></link-entity></entity></fetch>"
    )
    body = fetch(crm, "cf_donations", xml, EVERYTHING)
    assert body[MORE] is True
    assert "pagingcookie=" not in body.get(COOKIE, "") or 'pagingcookie=""' in body[COOKIE]


def test_fetchxml_aggregates(crm: Crm) -> None:
    """3.7: '<fetch aggregate="true"> supports countcolumn distinct'."""
    xml = (
        "<fetch aggregate='true'><entity name='contact'>"
        "<attribute name='address1_city' aggregate='countcolumn' distinct='true' alias='cities'/>"
        "<attribute name='cf_birthyear' aggregate='max' alias='high'/></entity></fetch>"
    )
    [row] = fetch(crm, "contacts", xml)["value"]
    assert (row["cities"], row["high"]) == (1, 2000)
    grouped = (
        "<fetch aggregate='true'><entity name='contact'><attribute name='address1_city' groupby='true' alias='c'/>"
        "<attribute name='contactid' aggregate='count' alias='n'/></entity></fetch>"
    )
    assert {(r.get("c"), r["n"]) for r in fetch(crm, "contacts", grouped)["value"]} == {("Gent", 2), (None, 1)}


@pytest.mark.parametrize("kind", ["savedquery", "userquery"])
def test_a_predefined_query_is_carried_out(crm: Crm, kind: str) -> None:
    """3.7: 'GET cf_fiches?savedQuery={guid} or ?userQuery={guid}; results omit null columns'."""
    table_set = {"savedquery": "savedqueries", "userquery": "userqueries"}[kind]
    xml = (
        "<fetch><entity name='contact'><attribute name='firstname'/><attribute name='address1_city'/><filter>"
        "<condition attribute='address1_city' operator='null'/></filter></entity></fetch>"
    )
    answer = crm.post(
        table_set,
        {"name": "zonder stad", "returnedtypecode": "contact", "fetchxml": xml, "querytype": 0},
        {"Prefer": "return=representation"},
    )
    assert answer.status_code == 201, answer.text
    query = answer.json()[kind + "id"]
    rows = crm.rows(f"contacts?{kind[:-5]}Query={query}")
    assert [(row["firstname"], "address1_city" in row) for row in rows] == [("Cis", False)]
    listed = crm.rows(table_set, select=f"name,{kind}id,fetchxml", filter="returnedtypecode eq 'contact'")
    assert query in {row[kind + "id"] for row in listed}


def test_the_sql_route_reads(crm: Crm) -> None:
    """3.7: 'GET cf_fiches?sql=SELECT … single table or simple joins, no SELECT *'."""
    rows = crm.rows("contacts?sql=" + quote("SELECT firstname, cf_birthyear FROM contact WHERE cf_birthyear > 1990 ORDER BY firstname"))
    assert [(row["firstname"], row["cf_birthyear"]) for row in rows] == [("Bert", 1995), ("Cis", 2000)]
    for refused in ("SELECT * FROM contact", "DELETE FROM contact", "SELECT firstname FROM contact UNION SELECT name FROM account"):
        assert error(crm.get("contacts?sql=" + quote(refused)))[0] == 400


def test_an_unknown_source_is_400(crm: Crm) -> None:
    """3.7: datasource is bin or retained."""
    answer = crm.get(
        "contacts?fetchXml=" + quote("<fetch datasource='cellar'><entity name='contact'><attribute name='firstname'/></entity></fetch>")
    )
    assert error(answer)[0] == 400


def test_the_sql_route_joins(crm: Crm) -> None:
    """3.7: 'single table or simple joins'."""
    text = (
        "SELECT d.cf_name, c.firstname FROM cf_donation d INNER JOIN contact c ON d.cf_contactid = c.contactid WHERE c.firstname = 'Bert'"
    )
    [row] = crm.rows("cf_donations?sql=" + quote(text))
    assert {"G-5", "Bert"} <= {value for value in row.values() if isinstance(value, str)}


def test_a_predefined_query_works_on_a_collection(crm: Crm, world: dict[str, str]) -> None:
    """3.7: 'May also be applied to a collection navigation'."""
    xml = "<fetch><entity name='cf_donation'><attribute name='cf_name'/><order attribute='cf_name'/></entity></fetch>"
    body = {"name": "giften", "returnedtypecode": "cf_donation", "fetchxml": xml, "querytype": 0}
    query = crm.post("savedqueries", body, {"Prefer": "return=representation"}).json()["savedqueryid"]
    rows = crm.rows(f"contacts({world['Ann']})/cf_contact_donations?savedQuery={query}")
    assert [row["cf_name"] for row in rows] == ["G-10", "G-30"]


def test_sums_have_decimals(crm: Crm) -> None:
    """3.4: 'Sums look like 440000.000000000'."""
    text = crm.get("cf_donations", apply="aggregate(cf_amount with sum as total)").text
    assert re.search(r'"total":46\.0+[,}]', text), text
