"""Sections 3.4 and 3.7: `$apply`, FetchXML, saved queries, the SQL route."""

import re
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

import pytest

from tests.web_api import ANNOTATED, Row, WebApi, error_of, message_of

pytestmark = pytest.mark.row(44, 45)
COOKIE, MORE = "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie", "@Microsoft.Dynamics.CRM.morerecords"


@pytest.fixture(scope="module", autouse=True)
def world(crm: WebApi) -> dict[str, str]:
    people = {
        name: crm.create("contacts", firstname=name, lastname=f"{name} (fictief)", address1_city=city, cf_birthyear=year)
        for name, city, year in (("Ann", "Gent", 1990), ("Bert", "Gent", 1995), ("Cis", None, 2000))
    }
    for who, amount in (("Ann", 10), ("Ann", 30), ("Bert", 5), (None, 1), (None, None)):
        bound = {"cf_ContactId@odata.bind": f"/contacts({people[who]})"} if who else {}
        crm.create("cf_donations", cf_name=f"G-{amount}", cf_amount=amount, **bound)
    first: Row = {"cf_courtreference": "one", "cf_outcome": 100000000, "cf_legalhold": True, "cf_outcomeon": "2021-05-06"}
    crm.create("cf_dossiers", cf_name="Alfa", cf_openedon="2020-01-01T00:00:00Z", cf_categories="100000000,100000001", **first)
    second: Row = {"cf_courtreference": "two", "cf_outcome": 100000001, "cf_categories": "100000000"}
    crm.create("cf_dossiers", cf_name="Bravo", cf_openedon="2020-02-03T05:00:00Z", **second)
    crm.create("cf_dossiers", cf_name="Charlie", cf_openedon="2020-03-01T00:00:00Z")
    return people


def fetch(crm: WebApi, table_set: str, xml: str, headers: Row | None = None) -> Row:
    answer = crm.get(f"{table_set}?fetchXml={quote(xml)}", headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_aggregates_are_named_by_alias(crm: WebApi) -> None:
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


def test_a_null_group_lacks_the_property(crm: WebApi) -> None:
    """3.4: 'A null group simply lacks the property'."""
    rows = crm.rows("contacts", apply="groupby((address1_city),aggregate($count as n))")
    assert {(row.get("address1_city"), "address1_city" in row, row["n"]) for row in rows} == {("Gent", True, 2), (None, False, 1)}


def test_a_group_by_navigation_has_a_joined_name(crm: WebApi) -> None:
    """3.4: 'groupby((cf_ContactId/fullname)) yields key contact_fullname (i.e. underscore-joined)'."""
    rows = crm.rows("cf_donations", apply="groupby((cf_ContactId/fullname),aggregate(cf_amount with sum as total,$count as n))")
    assert rows == [
        {"total": 1, "n": 2},
        {"contact_fullname": "Ann Ann (fictief)", "total": 40, "n": 2},
        {"contact_fullname": "Bert Bert (fictief)", "total": 5, "n": 1},
    ]


def test_a_filter_comes_before_the_group(crm: WebApi) -> None:
    """3.4: '$apply=filter(statecode eq 0)/groupby((statuscode))'."""
    rows = crm.rows("contacts", apply="filter(cf_birthyear gt 1990)/groupby((address1_city),aggregate($count as n))")
    assert sorted(row["n"] for row in rows) == [1, 1]
    assert [row["statuscode"] for row in crm.rows("contacts", apply="filter(statecode eq 0)/groupby((statuscode))")] == [1]


@pytest.mark.parametrize("order", ["n", "n desc", "firstname"])
def test_ordering_by_anything_but_a_group_fails(crm: WebApi, order: str) -> None:
    """3.4: 'message contains The query node SingleValueOpenPropertyAccess is not supported'."""
    answer = crm.get("contacts", apply="groupby((address1_city),aggregate($count as n))", orderby=order)
    assert error_of(answer) == (400, "0x80060888")
    assert "The query node SingleValueOpenPropertyAccess is not supported" in message_of(answer)


@pytest.mark.parametrize(
    "text",
    [
        "aggregate(cf_birthyear with countdistinct as n)",
        "aggregate(firstname with sum as n)",
        "aggregate(createdon with average as n)",
        "aggregate($count as n,$count as n)",
        "aggregate(",
        "groupby((createdon))",
        "groupby((cf_nothing))",
        "groupby((cf_birthyear),filter(cf_birthyear eq 1))",
        "groupby((cf_birthyear))/aggregate($count as n)",
        "filter(cf_birthyear eq 1)",
        "compute(cf_birthyear add 1 as x)",
        "concat(aggregate($count as n))",
        "",
    ],
)
def test_other_transformations_are_refused(crm: WebApi, text: str) -> None:
    """3.4: 'no countdistinct on the OData route'; 'grouping by a datetime column is not supported'."""
    assert error_of(crm.get("contacts", apply=text))[0] == 400


def test_more_than_50000_rows_are_not_aggregated(crm: WebApi) -> None:
    """3.4: '0x8004E023 The maximum record limit is exceeded. Reduce the number of records.'; of FetchXML
    too."""
    for _ in range(5):
        crm.load("cf_statistic", [{"cf_name": "v"}] * 10000, "cf_statistics")
    xml = "<fetch aggregate='true'><entity name='cf_statistic'><attribute name='cf_name' alias='n' aggregate='count'/></entity></fetch>"
    assert crm.rows("cf_statistics", apply="aggregate($count as n)") == fetch(crm, "cf_statistics", xml)["value"] == [{"n": 50000}]
    crm.create("cf_statistics", cf_name="druppel")
    answer = crm.get("cf_statistics", apply="aggregate($count as n)")
    assert error_of(answer) == (400, "0x8004E023")
    assert message_of(answer) == "The maximum record limit is exceeded. Reduce the number of records."
    assert error_of(crm.get("cf_statistics?fetchXml=" + quote(xml))) == (400, "0x8004E023")
    for name, number in (("druppel", 1), ("v", 50000)):
        assert crm.rows("cf_statistics", apply=f"filter(cf_name eq '{name}')/aggregate($count as n)") == [{"n": number}]


def test_fetchxml_selects_orders_and_omits_nulls(crm: WebApi) -> None:
    """3.7: 'GET cf_fiches?fetchXml=<percent-encoded>'; 2.4: 'FetchXML results omit null columns'."""
    xml = (
        "<fetch><entity name='contact'><attribute name='firstname'/><attribute name='address1_city'/>"
        "<order attribute='firstname' descending='true'/></entity></fetch>"
    )
    body = fetch(crm, "contacts", xml)
    assert body["@odata.context"] == f"{crm.url}$metadata#contacts(firstname,address1_city)"
    told = [(row.pop("@odata.etag"), row.pop("contactid"), row) for row in body["value"]]
    assert [row for _, _, row in told] == [
        {"firstname": "Cis"},
        {"firstname": "Bert", "address1_city": "Gent"},
        {"firstname": "Ann", "address1_city": "Gent"},
    ]
    assert all(crm.get(f"contacts({row})").headers["ETag"] == tag for tag, row, _ in told)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("<condition attribute='cf_name' operator='eq' value='aLFA'/>", "Alfa"),
        ("<condition attribute='cf_name' operator='ne' value='Alfa'/>", "Bravo Charlie"),
        ("<condition attribute='cf_courtreference' operator='ne' value='one'/>", "Bravo Charlie"),
        ("<condition attribute='cf_courtreference' operator='null'/>", "Charlie"),
        ("<condition attribute='cf_courtreference' operator='not-null'/>", "Alfa Bravo"),
        ("<condition attribute='cf_name' operator='like' value='%a%o'/>", "Bravo"),
        ("<condition attribute='cf_courtreference' operator='not-like' value='o%'/>", "Bravo Charlie"),
        ("<condition attribute='cf_name' operator='begins-with' value='ch'/>", "Charlie"),
        ("<condition attribute='cf_name' operator='ends-with' value='FA'/>", "Alfa"),
        ("<condition attribute='cf_outcome' operator='ge' value='100000001'/>", "Bravo"),
        ("<condition attribute='cf_legalhold' operator='eq' value='1'/>", "Alfa"),
        ("<condition attribute='cf_legalhold' operator='eq' value='false'/>", "Bravo Charlie"),
        ("<condition attribute='cf_openedon' operator='on' value='2020-02-03'/>", "Bravo"),
        ("<condition attribute='cf_openedon' operator='on-or-before' value='2020-02-03'/>", "Alfa Bravo"),
        ("<condition attribute='cf_openedon' operator='on-or-after' value='2020-02-03'/>", "Bravo Charlie"),
        ("<condition attribute='cf_openedon' operator='lt' value='2020-02-03 05:00'/>", "Alfa"),
        ("<condition attribute='cf_outcomeon' operator='eq' value='2021-05-06'/>", "Alfa"),
        ("<condition attribute='createdon' operator='today'/>", "Alfa Bravo Charlie"),
        ("<condition attribute='createdon' operator='olderthan-x-years' value='1'/>", ""),
        ("<condition attribute='ownerid' operator='eq-userid'/>", "Alfa Bravo Charlie"),
        ("<condition attribute='ownerid' operator='ne-userid'/>", ""),
        ("<condition attribute='owningbusinessunit' operator='eq-businessid'/>", "Alfa Bravo Charlie"),
        ("<condition attribute='cf_name' operator='in'><value>alfa</value><value>Charlie</value></condition>", "Alfa Charlie"),
        ("<condition attribute='cf_name' operator='not-in'><value>alfa</value><value>Charlie</value></condition>", "Bravo"),
        (
            "<condition attribute='cf_openedon' operator='between'>"
            "<value>2020-01-01</value><value>2020-02-04</value></condition>",
            "Alfa Bravo",
        ),
        (
            "<condition attribute='cf_openedon' operator='not-between'>"
            "<value>2020-01-01</value><value>2020-02-04</value></condition>",
            "Charlie",
        ),
        (
            "<condition attribute='cf_categories' operator='contain-values'>"
            "<value>100000001</value><value>100000002</value></condition>",
            "Alfa",
        ),
        ("<condition attribute='cf_categories' operator='not-contain-values'><value>100000001</value></condition>", "Bravo Charlie"),
        (
            "<condition attribute='cf_outcome' operator='not-null'/><filter type='or'>"
            "<condition attribute='cf_name' operator='eq' value='Alfa'/>"
            "<condition attribute='cf_name' operator='eq' value='Charlie'/></filter>",
            "Alfa",
        ),
    ],
)  # fmt: skip
def test_fetchxml_conditions(crm: WebApi, condition: str, found: str) -> None:
    """3.7: FetchXML over HTTP."""
    xml = (
        f"<fetch><entity name='cf_dossier'><attribute name='cf_name'/><order attribute='cf_name'/><filter>{condition}"
        f"</filter></entity></fetch>"
    )
    assert " ".join(row["cf_name"] for row in fetch(crm, "cf_dossiers", xml)["value"]) == found


@pytest.mark.parametrize(
    "order",
    ["", "<order attribute='firstname'/>", "<order attribute='firstname' descending='true'/>", "<order attribute='address1_city'/>"],
)
def test_fetchxml_pages_by_a_twice_encoded_cookie(crm: WebApi, order: str) -> None:
    """3.7: 'take pagingcookie, URL-decode twice, XML-escape into paging-cookie, increase page'; the last page
    has none."""
    xml = "<fetch{}><entity name='contact'><attribute name='firstname'/>{}</entity></fetch>"
    whole = [row["firstname"] for row in fetch(crm, "contacts", xml.format("", order))["value"]]
    seen: list[str] = []
    cookie, page = "", 1
    while True:
        start = f" count='1' page='{page}'" + (f" paging-cookie={quoteattr(cookie)}" if cookie else "")
        body = fetch(crm, "contacts", xml.format(start, order), ANNOTATED)
        seen += [row["firstname"] for row in body["value"]]
        if not body.get(MORE):
            break
        assert body[COOKIE].startswith(f'<cookie pagenumber="{page + 1}" pagingcookie="%253ccookie%2520page%253d%2522{page}%2522%253e')
        found = re.fullmatch(r'<cookie pagenumber="\d" pagingcookie="([^"]+)" istracking="False" />', body[COOKIE])
        assert found, body[COOKIE]
        cookie, page = unquote(unquote(found[1])), page + 1
        key = body["value"][0]["contactid"].upper()
        assert cookie.endswith(f'<contactid last="{{{key}}}" first="{{{key}}}" /></cookie>')
    assert COOKIE not in body
    assert seen == whole
    assert sorted(seen) == ["Ann", "Bert", "Cis"]


def test_paging_annotations_come_on_demand_only(crm: WebApi) -> None:
    """3.7: 'Response annotations (need odata.include-annotations)'."""
    xml = "<fetch count='1'><entity name='contact'><attribute name='firstname'/></entity></fetch>"
    assert fetch(crm, "contacts", xml).keys() == {"@odata.context", "value"}
    assert fetch(crm, "contacts", xml, ANNOTATED)[MORE] is True


def test_simple_paging_needs_no_cookie(crm: WebApi) -> None:
    """3.7: 'Without a cookie ("simple paging") at most 50,000 rows'; 'top excludes page'."""
    xml = "<fetch {}><entity name='contact'><attribute name='firstname'/><order attribute='firstname'/></entity></fetch>"
    for head, found in (("count='2' page='2'", ["Cis"]), ("count='5000' page='10'", []), ("top='2'", ["Ann", "Bert"])):
        assert [row["firstname"] for row in fetch(crm, "contacts", xml.format(head))["value"]] == found
    for head in ("count='5000' page='11'", "top='1' page='2'"):
        assert error_of(crm.get("contacts?fetchXml=" + quote(xml.format(head))))[0] == 400


def test_columns_of_a_link_are_aliased(crm: WebApi) -> None:
    """3.7: 'Aliased columns have . encoded: a_x002e_cf_name'."""
    xml = (
        "<fetch><entity name='cf_donation'><attribute name='cf_name'/><order attribute='cf_name'/>"
        "<link-entity name='contact' from='contactid' to='cf_contactid' alias='a'><attribute name='firstname'/>"
        "</link-entity></entity></fetch>"
    )
    rows = fetch(crm, "cf_donations", xml)["value"]
    assert [(row["cf_name"], row["a_x002e_firstname"]) for row in rows] == [("G-10", "Ann"), ("G-30", "Ann"), ("G-5", "Bert")]


def test_an_outer_link_finds_rows_without_one(crm: WebApi) -> None:
    """3.7: link-entity outer, the "not in" query."""
    xml = (
        "<fetch><entity name='contact'><attribute name='firstname'/><filter>"
        "<condition entityname='g' attribute='cf_donationid' operator='null'/></filter>"
        "<link-entity name='cf_donation' from='cf_contactid' to='contactid' link-type='outer' alias='g'/></entity></fetch>"
    )
    assert [row["firstname"] for row in fetch(crm, "contacts", xml)["value"]] == ["Cis"]


def test_a_link_on_which_the_order_rests_has_no_cookie(crm: WebApi) -> None:
    """3.7: 'sorting on a link-entity column yields no cookie'."""
    xml = (
        "<fetch count='1'><entity name='cf_donation'><attribute name='cf_name'/>"
        "<link-entity name='contact' from='contactid' to='cf_contactid' alias='a'>"
        "<order attribute='firstname'/></link-entity></entity></fetch>"
    )
    body = fetch(crm, "cf_donations", xml, ANNOTATED)
    assert body[MORE] is True
    assert COOKIE not in body


def test_fetchxml_aggregates(crm: WebApi) -> None:
    """3.7: '<fetch aggregate="true"> supports countcolumn distinct'; nulls count for nothing."""
    columns = "".join(
        f"<attribute name='cf_amount' aggregate='{kind}' alias='{kind}'/>" for kind in ("sum", "avg", "min", "max", "countcolumn")
    )
    columns += "<attribute name='cf_donationid' aggregate='count' alias='all'/>"
    columns += "<attribute name='cf_contactid' aggregate='countcolumn' distinct='true' alias='people'/>"
    xml = f"<fetch aggregate='true'><entity name='cf_donation'>{columns}</entity></fetch>"
    expected = {"sum": 46, "avg": 11.5, "min": 1, "max": 30, "countcolumn": 4, "all": 5, "people": 2}
    assert fetch(crm, "cf_donations", xml)["value"] == [expected]


@pytest.mark.parametrize("kind", ["savedquery", "userquery"])
def test_a_predefined_query_is_carried_out(crm: WebApi, kind: str) -> None:
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
    if kind == "userquery":
        assert error_of(crm.get(f"contacts?savedQuery={query}")) == (404, "0x80040217")
    listed = crm.rows(table_set, select=f"name,{kind}id,fetchxml", filter="returnedtypecode eq 'contact'")
    assert query in {row[kind + "id"] for row in listed}


def test_an_unknown_source_is_400(crm: WebApi) -> None:
    """3.7: datasource is bin or retained."""
    answer = crm.get(
        "contacts?fetchXml=" + quote("<fetch datasource='cellar'><entity name='contact'><attribute name='firstname'/></entity></fetch>")
    )
    assert error_of(answer)[0] == 400


def test_a_predefined_query_works_on_a_collection(crm: WebApi, world: dict[str, str]) -> None:
    """3.7: 'May also be applied to a collection navigation'."""
    xml = "<fetch><entity name='cf_donation'><attribute name='cf_name'/><order attribute='cf_name'/></entity></fetch>"
    body = {"name": "giften", "returnedtypecode": "cf_donation", "fetchxml": xml, "querytype": 0}
    query = crm.post("savedqueries", body, {"Prefer": "return=representation"}).json()["savedqueryid"]
    rows = crm.rows(f"contacts({world['Ann']})/cf_contact_donations?savedQuery={query}")
    assert [row["cf_name"] for row in rows] == ["G-10", "G-30"]


def test_sums_have_decimals(crm: WebApi) -> None:
    """3.4: 'Sums look like 440000.000000000'."""
    wanted = ",".join(f"cf_amount with {kind} as {name}" for kind, name in (("sum", "s"), ("average", "a"), ("min", "l"), ("max", "h")))
    answer = crm.get("cf_donations", apply=f"aggregate({wanted},$count as n)")
    assert '"s":46.000000000,"a":11.500000000,"l":1.000000000,"h":30.000000000,"n":5' in answer.text
    assert answer.json()["@odata.context"] == f"{crm.url}$metadata#cf_donations"
