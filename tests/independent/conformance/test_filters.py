"""Section 3.2: `$filter`, its functions and its limits; dates stand still at noon of 14 March 2026."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.web_api import WebApi, error_of, message_of

pytestmark = pytest.mark.row(13, 38, 39, 40)
NOW = "2026-03-14T12:00:00Z"  # a Saturday
FN = "Microsoft.Dynamics.CRM."
PEOPLE = {  # firstname: lastname, city, cf_birthyear, description, birthdate
    "Ann": ("Aerts", "Gent", 1990, "100% zeker", "2026-03-14"),
    "bert": ("Bos", "gent", 1995, "a_b", "2026-03-13"),
    "Cis": ("cis", None, 2000, "aXb", "2026-03-15"),
    "D'hert": ("Kind & Gezin 's Leuven", "Sint-Niklaas", None, None, "2016-03-13"),
    "Eva": ("Évrard", "Luik", 5, "[x]", "2025-03-14"),
}
DOSSIERS = {  # name: categories, opened
    "D-1": ("100000000,100000021", "2026-03-14T11:30:00Z"),
    "D-2": ("100000021", "2026-03-12T00:00:00Z"),
    "D-3": (None, "2016-03-13T00:00:00Z"),
    "D-4": ("100000030", "2026-03-20T00:00:00Z"),
}


@pytest.fixture(scope="module")
def world(crm: WebApi) -> Iterator[dict[str, str]]:
    crm.control("PUT", "clock", {"now": NOW})
    ids: dict[str, str] = {}
    for first, (last, city, year, text, born) in PEOPLE.items():
        ids[first] = crm.create(
            "contacts",
            firstname=first,
            lastname=last,
            address1_city=city,
            cf_birthyear=year,
            description=text,
            birthdate=born,
            cf_nocontact=first == "Ann",
        )
    for name, (categories, opened) in DOSSIERS.items():
        ids[name] = crm.create("cf_dossiers", cf_name=name, cf_categories=categories, cf_openedon=opened)
    for fiche, dossier, channel in (("F-1", "D-1", 100000000), ("F-2", "D-1", 100000001), ("F-3", "D-2", 100000000), ("F-4", None, None)):
        bound = {"cf_DossierId@odata.bind": f"/cf_dossiers({ids[dossier]})"} if dossier else {}
        ids[fiche] = crm.create("cf_fiches", cf_name=fiche, cf_channel=channel, **bound)
    for name, who, where in (("P-1", "Ann", "F-1"), ("P-2", "bert", "F-3")):
        ids[name] = crm.create(
            "cf_parties",
            cf_name=name,
            **{"cf_ContactId@odata.bind": f"/contacts({ids[who]})", "cf_FicheId@odata.bind": f"/cf_fiches({ids[where]})"},
        )
    yield ids
    crm.control("PUT", "clock", {"real": True})


def names(crm: WebApi, table_set: str, column: str, condition: str) -> str:
    return " ".join(row[column] for row in crm.rows(table_set, select=column, filter=condition, orderby=column))


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("firstname eq 'ann'", "Ann"),
        ("firstname ne 'ann'", "bert Cis D'hert Eva"),
        ("address1_city eq 'GENT'", "Ann bert"),
        ("address1_city ne 'Gent'", "Cis D'hert Eva"),
        ("address1_city eq null", "Cis"),
        ("address1_city ne null", "Ann bert D'hert Eva"),
        ("cf_birthyear gt 1995", "Cis"),
        ("cf_birthyear ge 1995", "bert Cis"),
        ("cf_birthyear lt 1990", "Eva"),
        ("cf_birthyear le 1990", "Ann Eva"),
        ("not (cf_birthyear eq 1990)", "bert Cis D'hert Eva"),
        ("not(cf_birthyear eq 1990)", "bert Cis D'hert Eva"),
        ("cf_birthyear ne 1990", "bert Cis D'hert Eva"),
        ("cf_birthyear eq null", "D'hert"),
        ("null eq cf_birthyear", "D'hert"),
        ("1995 lt cf_birthyear", "Cis"),
        ("cf_birthyear ge 1990 and cf_birthyear le 1995", "Ann bert"),
        ("cf_birthyear eq 1990 or cf_birthyear eq 1995 and firstname eq 'x'", "Ann"),
        ("(cf_birthyear eq 1990 or cf_birthyear eq 1995) and not (firstname eq 'Ann')", "bert"),
        ("firstname eq lastname", "Cis"),
        ("lastname eq 'Kind & Gezin ''s Leuven'", "D'hert"),
        ("lastname eq 'évrard'", "Eva"),
        ("description eq '100% ZEKER'", "Ann"),
        ("description eq '[X]'", "Eva"),
        ("contains(lastname,'é')", "Eva"),
        ("contains(lastname,'GEZIN')", "D'hert"),
        ("startswith(lastname,'b')", "bert"),
        ("endswith(lastname,'S')", "Ann bert Cis"),
        ("not contains(lastname,'s')", "Eva"),
        ("not contains(address1_city,'gent')", "Cis D'hert Eva"),
        ("contains(description,'[%]')", "Ann"),
        ("contains(description,'100%')", "Ann"),
        ("contains(description,'a_b')", "bert Cis"),
        ("contains(description,'a[_]b')", "bert"),
        ("startswith(lastname,'[ab]')", "Ann bert"),
        ("startswith(lastname,'[^ab]')", "Cis D'hert Eva"),
        ("startswith(firstname,'%n')", "Ann"),
        ("cf_nocontact eq true", "Ann"),
        ("cf_nocontact eq false", "bert Cis D'hert Eva"),
        ("birthdate eq 2026-03-14", "Ann"),
        ("birthdate lt 2026-01-01", "D'hert Eva"),
        ("statecode eq 0 and gendercode eq null", "Ann bert Cis D'hert Eva"),
        (f'{FN}In(PropertyName=\'firstname\',PropertyValues=["Ann","D\'hert"])', "Ann D'hert"),
        (f"{FN}In(PropertyName='lastname',PropertyValues=['ÉVRARD'])", "Eva"),
        (f"{FN}In(PropertyName='cf_birthyear',PropertyValues=['1990','5'])", "Ann Eva"),
        (f"{FN}In(PropertyName='cf_birthyear',PropertyValues=[1990])", "Ann"),
        (f'{FN}NotIn(PropertyName=\'firstname\',PropertyValues=["Ann","bert"])', "Cis D'hert Eva"),
        (f"{FN}NotIn(PropertyName='cf_birthyear',PropertyValues=['1990'])", "bert Cis D'hert Eva"),
        (f'{FN}Between(PropertyName=\'cf_birthyear\',PropertyValues=["5","1995"])', "Ann bert Eva"),
        (f'{FN}NotBetween(PropertyName=\'cf_birthyear\',PropertyValues=["5","1995"])', "Cis D'hert"),
        (f"{FN}Today(PropertyName='birthdate')", "Ann"),
        (f"{FN}Yesterday(PropertyName='birthdate')", "bert"),
        (f"{FN}Tomorrow(PropertyName='birthdate')", "Cis"),
        (f"{FN}LastYear(PropertyName='birthdate')", "Eva"),
        (f"{FN}On(PropertyName='birthdate',PropertyValue='2025-03-14')", "Eva"),
        (f"{FN}OnOrAfter(PropertyName='birthdate',PropertyValue='2026-03-14')", "Ann Cis"),
        (f"{FN}OnOrBefore(PropertyName='birthdate',PropertyValue='2025-03-14')", "D'hert Eva"),
        (f"{FN}OlderThanXYears(PropertyName='birthdate',PropertyValue=10)", "D'hert"),
        (f"{FN}EqualUserId(PropertyName='ownerid')", "Ann bert Cis D'hert Eva"),
        (f"{FN}NotEqualUserId(PropertyName='ownerid')", ""),
        (f"{FN}EqualBusinessId(PropertyName='owningbusinessunit')", "Ann bert Cis D'hert Eva"),
    ],
)
def test_a_filter_on_people_finds(crm: WebApi, world: dict[str, str], condition: str, found: str) -> None:
    """3.2: comparison, logic, strings 'case-insensitive', LIKE wildcards, columns compared, 'Always used as a
    boolean term'."""
    assert names(crm, "contacts", "firstname", condition) == found


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("cf_openedon gt 2026-03-14T12:00:00+01:00", "D-1 D-4"),
        ("cf_openedon ge 2026-03-14T11:30:00Z", "D-1 D-4"),
        ("cf_openedon eq 2026-03-12T00:00:00Z", "D-2"),
        ("cf_openedon lt 2016-03-13T00:00:00.5Z", "D-3"),
        ("cf_openedon lt 2016-03-13T00:00:00Z", ""),
        (f'{FN}Between(PropertyName=\'cf_openedon\',PropertyValues=["2026-03-12","2026-03-14"])', "D-2"),
        (f"{FN}DoesNotContainValues(PropertyName='cf_categories',PropertyValues=['100000030'])", "D-1 D-2 D-3"),
        (f"{FN}LastXDays(PropertyName='cf_openedon',PropertyValue=3)", "D-1 D-2"),
        (f"{FN}LastXHours(PropertyName='cf_openedon',PropertyValue='2')", "D-1"),
        (f"{FN}NextXWeeks(PropertyName='cf_openedon',PropertyValue=1)", "D-4"),
        (f"{FN}Last7Days(PropertyName='cf_openedon')", "D-1 D-2"),
        (f"{FN}Next7Days(PropertyName='cf_openedon') and cf_openedon gt 2026-03-15T00:00:00Z", "D-4"),
        (f"{FN}ThisMonth(PropertyName='cf_openedon')", "D-1 D-2 D-4"),
        (f"{FN}ThisYear(PropertyName='cf_openedon')", "D-1 D-2 D-4"),
        (f"{FN}OlderThanXMonths(PropertyName='cf_openedon',PropertyValue=24)", "D-3"),
        (f"{FN}OlderThanXMinutes(PropertyName='cf_openedon',PropertyValue=29)", "D-1 D-2 D-3"),
        (f"{FN}OlderThanXMinutes(PropertyName='cf_openedon',PropertyValue=31)", "D-2 D-3"),
        (f"{FN}OlderThanXHours(PropertyName='cf_openedon',PropertyValue=1)", "D-2 D-3"),
        (f"{FN}OlderThanXDays(PropertyName='cf_openedon',PropertyValue=2)", "D-2 D-3"),
        (f"{FN}OlderThanXWeeks(PropertyName='cf_openedon',PropertyValue=1)", "D-3"),
        (f"{FN}InFiscalYear(PropertyName='cf_openedon',PropertyValue=2016)", "D-3"),
        (f"{FN}ThisFiscalYear(PropertyName='cf_openedon')", "D-1 D-2 D-4"),
        (f"{FN}InFiscalPeriodAndYear(PropertyName='cf_openedon',PropertyValue1=1,PropertyValue2=2016)", "D-3"),
        (f"{FN}InOrBeforeFiscalPeriodAndYear(PropertyName='cf_openedon',PropertyValue1=4,PropertyValue2=2025)", "D-3"),
        (f"{FN}LastXFiscalYears(PropertyName='cf_openedon',PropertyValue=12)", "D-3"),
        (f"{FN}ContainValues(PropertyName='cf_categories',PropertyValues=[\"100000021\"])", "D-1 D-2"),
        (f"{FN}ContainValues(PropertyName='cf_categories',PropertyValues=['100000000','100000030'])", "D-1 D-4"),
        ("cf_dossier_fiches/any()", "D-1 D-2"),
        ("not cf_dossier_fiches/any()", "D-3 D-4"),
        ("cf_dossier_fiches/any(f:f/cf_channel eq 100000001)", "D-1"),
        ("cf_dossier_fiches/any(f:f/cf_fiche_parties/any(p:p/cf_name eq 'P-2'))", "D-2"),
        ("cf_dossier_fiches/any(f:f/cf_channel eq 100000000) and cf_dossier_fiches/any(f:f/cf_channel eq 100000001)", "D-1"),
        ("cf_dossier_fiches/all(f:f/cf_channel eq 100000000)", "D-2 D-3 D-4"),
        ("cf_dossier_fiches/all(f:f/cf_channel eq 100000000) and cf_dossier_fiches/any()", "D-2"),
        ("cf_dossier_fiches/any(f:f/cf_fiche_parties/any(p:p/cf_ContactId/lastname eq 'aerts'))", "D-1"),
    ],
)
def test_a_filter_on_dossiers_finds(crm: WebApi, world: dict[str, str], condition: str, found: str) -> None:
    """3.2: dates 'measured from "now" on the server', multi choice, 'Lambda on collections … nesting
    allowed'."""
    assert names(crm, "cf_dossiers", "cf_name", condition) == found


@pytest.mark.parametrize(
    ("table_set", "condition", "found"),
    [
        ("cf_fiches", "_cf_dossierid_value eq {D-1}", "F-1 F-2"),
        ("cf_fiches", "_cf_dossierid_value eq {D-1:upper}", "F-1 F-2"),
        ("cf_fiches", "not contains(cf_DossierId/cf_name,'d-1') and _cf_dossierid_value ne null", "F-3"),
        ("cf_fiches", "_cf_dossierid_value eq '{D-1}'", "F-1 F-2"),
        ("cf_fiches", "_cf_dossierid_value eq null", "F-4"),
        ("cf_fiches", "cf_DossierId/cf_name eq 'd-1'", "F-1 F-2"),
        ("cf_fiches", "cf_DossierId/cf_dossierid eq {D-2}", "F-3"),
        ("cf_parties", "cf_FicheId/cf_DossierId/cf_name eq 'D-1' and cf_ContactId/lastname eq 'Aerts'", "P-1"),
        ("cf_parties", FN + "In(PropertyName='cf_contactid',PropertyValues=[\"{bert}\"])", "P-2"),
    ],
)
def test_a_filter_through_lookups_finds(crm: WebApi, world: dict[str, str], table_set: str, condition: str, found: str) -> None:
    """3.2: 'GUID values unquoted … accept both'; 'Path through a single-valued navigation, several levels
    deep'."""
    for name, row in world.items():
        condition = condition.replace("{" + name + "}", row).replace("{" + name + ":upper}", row.upper())
    assert names(crm, table_set, "cf_name", condition) == found


def test_aliases_stand_for_values(crm: WebApi, world: dict[str, str]) -> None:
    """3.1: '$filter=cf_name eq @n&@n='x'; an unassigned alias is null'."""
    alias = quote("'Ann'")
    assert [row["firstname"] for row in crm.rows(f"contacts?$filter=firstname%20eq%20@n&@n={alias}")] == ["Ann"]
    assert [row["firstname"] for row in crm.rows(f"contacts?$filter=firstname%20eq%20@n or lastname%20eq%20'@n'&@n={alias}")] == ["Ann"]
    assert [row["firstname"] for row in crm.rows("contacts?$filter=address1_city%20eq%20@n")] == ["Cis"]
    ordered = crm.rows("contacts?$select=firstname&$orderby=@o%20desc&@o=firstname")
    assert [row["firstname"] for row in ordered] == ["Eva", "D'hert", "Cis", "bert", "Ann"]
    function = crm.rows(f'contacts?$filter={FN}In(PropertyName=@p,PropertyValues=@v)&@p=\'firstname\'&@v=["Ann","Eva"]&$orderby=firstname')
    assert [row["firstname"] for row in function] == ["Ann", "Eva"]


def test_choices_sort_by_number(crm: WebApi, world: dict[str, str]) -> None:
    """3.2: 'Choice columns sort and compare by integer value, not by label'."""
    rows = crm.rows("cf_fiches", select="cf_name", filter="cf_channel ne null", orderby="cf_channel desc,cf_name")
    assert [row["cf_name"] for row in rows] == ["F-2", "F-1", "F-3"]


def test_an_unterminated_literal_is_400(crm: WebApi, world: dict[str, str]) -> None:
    """3.2: '400, There is an unterminated literal at position 21 in 'cf_name eq 'O'Brien''.'"""
    answer = crm.get("cf_fiches", filter="cf_name eq 'O'Brien'")
    assert error_of(answer) == (400, "0x80060888")
    assert message_of(answer) == "There is an unterminated literal at position 20 in 'cf_name eq 'O'Brien''."


def test_an_apostrophe_needs_the_double_quoted_form(crm: WebApi, world: dict[str, str]) -> None:
    """3.2: 'otherwise Invalid JSON. A comma character ',' was expected in scope 'Array'…'."""
    answer = crm.get("contacts", filter=f"{FN}In(PropertyName='firstname',PropertyValues=['D'hert','Ann'])")
    assert error_of(answer) == (400, "0x80060888")
    assert message_of(answer).startswith("Invalid JSON. A comma character ',' was expected in scope 'Array'.")


@pytest.mark.parametrize(
    "condition",
    [
        "length(lastname) eq 4",
        "tolower(lastname) eq 'bos'",
        "indexof(lastname,'x') eq 1",
        "year(createdon) eq 2026",
        "concat(firstname,'x') eq 'x'",
        "unknown(lastname)",
        "cf_birthyear add 1 eq 1991",
        "createdon lt now()",
        "cf_birthyear in (1990,1995)",
        "firstname in ('x','y')",
        "firstname eq",
        "firstname eq 'a' and",
        "firstname EQ 'x'",
        "firstname eq 'x' AND firstname eq 'y'",
        "(firstname eq 'a'",
        "firstname",
        "firstname eq 5",
        "cf_birthyear eq 'x'",
        "createdon eq 'x'",
        "birthdate eq 2026-03-15T00:00:00Z",
        "contactid eq 7",
        "contains(firstname,'x') eq true",
        "contains(cf_birthyear,'x')",
        "contains(firstname)",
        "'a' eq 'a'",
        "cf_contact_parties/any(p:cf_name eq 'x')",
        "cf_contact_parties eq null",
        f"{FN}Nothing(PropertyName='createdon')",
        f"{FN}In(PropertyName='firstname',PropertyValues=['x'],Third='x')",
        f"{FN}In(PropertyName='firstname')",
        f"{FN}In(PropertyName='firstname',PropertyValues=[])",
        f"{FN}In('firstname',['x'])",
        f"{FN}On(PropertyName='createdon',PropertyValue='soon')",
        f"{FN}LastXHours(PropertyName='birthdate',PropertyValue=5)",
        f"{FN}OlderThanXHours(PropertyName='birthdate',PropertyValue=5)",
        f"{FN}OlderThanXMinutes(PropertyName='birthdate',PropertyValue=5)",
        f"{FN}OlderThanXYears(PropertyName='createdon',PropertyValue=0)",
        f"{FN}OlderThanXYears(PropertyName='firstname',PropertyValue=1)",
        f"{FN}ContainValues(PropertyName='gendercode',PropertyValues=['1'])",
        "Microsoft.Other.Today(PropertyName='createdon')",
    ],
)
def test_other_expressions_are_refused(crm: WebApi, world: dict[str, str], condition: str) -> None:
    """3.2: 'No arithmetic, no length/tolower/year/now/concat etc.'; 'Hour/minute operators are refused on
    DateOnly columns'; 1.1: no in-operator."""
    assert error_of(crm.get("contacts", filter=condition)) == (400, "0x80060888")


def test_a_lambda_through_a_lookup_is_refused(crm: WebApi, world: dict[str, str]) -> None:
    """3.2: 'a lambda reached through a lookup path is not supported'."""
    assert error_of(crm.get("cf_fiches", filter="cf_DossierId/cf_dossier_parties/any()"))[0] == 400


def test_the_501st_condition_is_refused(crm: WebApi, world: dict[str, str]) -> None:
    """3.2: 'At most 500 conditions per query → 0x8004430C Number of conditions in query exceeded maximum
    limit.'"""
    terms = [f"cf_birthyear eq {number}" for number in range(501)]
    assert crm.get("contacts", filter=" or ".join(terms[:500])).status_code == 200
    answer = crm.get("contacts", filter=" or ".join(terms))
    assert error_of(answer) == (400, "0x8004430C")
    assert message_of(answer) == "Number of conditions in query exceeded maximum limit."


def test_a_condition_reached_by_a_link_counts_the_link(crm: WebApi, world: dict[str, str]) -> None:
    """3.2: 'At most 500 conditions per query (a link counts)'."""
    terms = [f"cf_channel eq {number}" for number in range(499)] + ["cf_DossierId/cf_name eq 'x'"]
    assert error_of(crm.get("cf_fiches", filter=" or ".join(terms))) == (400, "0x8004430C")


def test_the_clock_moves_what_today_means(crm: WebApi, world: dict[str, str]) -> None:
    """15 row 38: 'date functions relative to an injectable clock'."""
    crm.control("PUT", "clock", {"now": "2026-03-15T08:00:00Z"})
    try:
        assert names(crm, "contacts", "firstname", f"{FN}Today(PropertyName='birthdate')") == "Cis"
    finally:
        crm.control("PUT", "clock", {"now": NOW})
