"""`doctor --read` against OData services of other makers: read to the end, or refused in words with exit 4;
never silently wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.drivers.typist import Typist
from tests.integration.foreign_service import ROOT, Row, Service, keyed, people, served

FIELDS = {"set", "rows", "ids_sha256", "pages", "requests", "retries", "throttled"}

pytestmark = pytest.mark.usefixtures("naps")


@pytest.fixture
def typist(typist_at: Callable[..., Typist]) -> Typist:
    return typist_at("http://127.0.0.1:9/svc/")


def read(typist: Typist, service: Service) -> dict[str, Any]:
    """The document of a reading that worked, its rows and hash being those of the service's rows."""
    with served(service):
        typist.set(CRM_URL=service.url)
        document: dict[str, Any] = typist.ask("doctor", "--read", "People")
    assert document.keys() == FIELDS
    assert (document["set"], document["rows"], document["ids_sha256"]) == ("People", len(service.rows), service.digest)
    assert document["pages"] == max(1, -(-len(service.rows) // 8))
    return document


def refused(typist: Typist, service: Service, code: int = 4) -> dict[str, str]:
    """The error of a reading that did not work; it quotes nothing of what came and says what to do."""
    with served(service):
        typist.set(CRM_URL=service.url)
        error = typist.refused("doctor", "--read", "People", code=code)
    assert error["hint"]
    assert "fictief" not in " ".join(error.values())
    assert "user0" not in " ".join(error.values())
    return error


# -- links ---------------------------------------------------------------------------------------------------

LINKS: dict[str, Callable[[Service, str], str]] = {
    "absolute": lambda service, query: f"{service.url}People?{query}",
    "relative to the service": lambda service, query: f"People?{query}",
    "relative to the host": lambda service, query: f"{ROOT}People?{query}",
    "a query alone": lambda service, query: f"?{query}",
    "another host name": lambda service, query: f"http://odata.example:8080{ROOT}People?{query}",
    "another port": lambda service, query: f"http://127.0.0.1:1{ROOT}People?{query}",
    "https instead of http": lambda service, query: f"https://127.0.0.1:{service.port}{ROOT}People?{query}",
    "with a blank in it": lambda service, query: f"People?{query}&$filter=Order ge 0",
}


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
@pytest.mark.parametrize("token", ["$skiptoken", "$skip", "after"])
def test_links_of_each_form_are_followed_on_the_configured_host(typist: Typist, link: Callable[[Service, str], str], token: str) -> None:
    read(typist, Service(link=link, token=token))


@pytest.mark.parametrize(
    "link",
    [
        "http://odata.example/other/People?$skiptoken=8",
        "//odata.example/svc/People?$skiptoken=8",
        "/elsewhere/People?$skiptoken=8",
        "../People?$skiptoken=8",
        "ftp://odata.example/svc/People",
        "http://[",
    ],
)
def test_a_link_that_leads_out_of_the_service_is_not_followed(typist: Typist, link: str) -> None:
    service = Service(link=lambda service, query: link)
    assert "not followed" in refused(typist, service)["message"]
    assert all(path.startswith(ROOT) for path in service.asked)


def test_links_in_a_circle_end_the_reading(typist: Typist) -> None:
    assert "circle" in refused(typist, Service(link=lambda service, query: "People?$skiptoken=8", counts=False))["message"]


def test_links_that_lead_on_for_ever_end_the_reading(typist: Typist) -> None:
    numbers = iter(range(10_000))
    service = Service(
        rows=people(9), counts=False, wrapped=lambda page: page | {"value": [], "@odata.nextLink": f"People?x={next(numbers)}"}
    )
    refused(typist, service)
    assert len(service.asked) < 200


def test_a_set_that_brings_forth_more_rows_than_it_counts_ends_the_reading(typist: Typist) -> None:
    def grow(service: Service, page: int) -> None:
        service.rows += [{"UserName": f"more{len(service.rows)}-{n}"} for n in range(30)]

    service = Service(before_page=grow)
    assert "count" in refused(typist, service)["message"]
    assert len(service.asked) < 100


# -- keys and forms ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        (("Id",), [{"Id": n} for n in range(-3, 20)]),
        (("Id",), [{"Id": n + 2**62} for n in range(10)]),
        (("PersonCode",), [{"PersonCode": f"A {n}/é,'" + "x" * n, "Id": 1} for n in range(20)]),
        (("Case",), [{"Case": text} for text in ("a", "A", "b", "B")]),
        (("Company", "Number"), [{"Company": f"c{n % 3}", "Number": n // 3} for n in range(21)]),
        (("Guid",), [{"Guid": f"5B1F0C7E-3D0A-4F11-9F8A-{n:012X}"} for n in range(20)]),
        (("Id",), []),
    ],
    ids=["numbers", "large numbers", "texts", "case", "two parts", "guids", "no rows"],
)
def test_keys_of_each_kind_are_found_in_the_description(typist: Typist, key: tuple[str, ...], rows: list[Row]) -> None:
    service = Service(rows=rows, key=key)
    read(typist, service)
    assert any(f"$select={','.join(key)}" in path for path in service.asked)


@pytest.mark.parametrize("selects", [False, 400, 501])
@pytest.mark.parametrize("counts", [True, False, 400, 501])
def test_a_service_without_select_or_count_is_asked_without(typist: Typist, selects: bool | int, counts: bool | int) -> None:
    assert read(typist, Service(selects=selects, counts=counts))["retries"] == 0


@pytest.mark.parametrize("annotation", ["@odata.id", "@odata.editLink", "@id"])
@pytest.mark.parametrize("schema", [404, 501, "<html>no description", "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "<x/>"])
def test_without_a_description_the_rows_own_addresses_tell_the_key(typist: Typist, schema: str | int, annotation: str) -> None:
    service = Service(schema=schema, row_extra=lambda row: {annotation: f"{ROOT}{keyed(row)}/Sample.Model.Employee"})
    read(typist, service)
    assert "application/json;odata.metadata=full" in service.accepted


def test_without_description_and_addresses_the_key_is_unknown(typist: Typist) -> None:
    message = refused(typist, Service(schema=404))["message"]
    assert "$metadata" in message
    assert "key of People" in message


@pytest.mark.parametrize("rows", [[{"UserName": None}], [{"UserName": 1.5}], [{"Other": "user01"}], [{"UserName": "user01"}] * 2])
def test_rows_that_cannot_be_told_apart_are_refused(typist: Typist, rows: list[Row]) -> None:
    refused(typist, Service(rows=rows, selects=False))


def test_annotations_that_nobody_asked_for_do_not_matter(typist: Typist) -> None:
    more = {"@odata.metadataEtag": 'W/"x"', "@vendor.stats": {"rows": [1]}, "@odata.deltaLink": "People?x", "extra": None}
    read(typist, Service(page_extra=more, row_extra=lambda row: {"@odata.etag": 'W/"1"', "@odata.type": "#Sample.Model.Person"}))


@pytest.mark.parametrize("counts", [True, False])
def test_version_4_01_may_leave_odata_out_of_its_names(typist: Typist, counts: bool) -> None:
    read(typist, Service(prefix="@", headers={"OData-Version": "4.01"}, counts=counts))


def test_the_links_of_version_3_are_not_overlooked(typist: Typist) -> None:
    read(typist, Service(prefix="odata.", headers={"DataServiceVersion": "3.0"}, counts=False))


@pytest.mark.parametrize(
    "wrapped", [lambda page: {"d": {"results": page["value"]}}, lambda page: page["value"], lambda page: page | {"@odata.nextLink": 7}]
)
def test_pages_of_another_protocol_are_refused(typist: Typist, wrapped: Callable[[Row], Any]) -> None:
    assert "not readable" in refused(typist, Service(wrapped=wrapped))["message"]


def test_a_set_that_is_not_there_is_a_wrong_name(typist: Typist) -> None:
    with served(Service()) as service:
        typist.set(CRM_URL=service.url)
        assert "Peeple" in typist.refused("doctor", "--read", "Peeple", code=2)["message"]


# -- rows that move ------------------------------------------------------------------------------------------


def once(change: Callable[[Service], None], page: int = 1) -> Callable[[Service, int], None]:
    """Something that people do between two pages, a single time."""
    left = [True]

    def act(service: Service, number: int) -> None:
        if number == page and left[0]:
            left[0] = False
            change(service)

    return act


def delete_first(service: Service) -> None:
    del service.rows[0]


def insert_first(service: Service) -> None:
    service.rows.insert(0, {"UserName": f"user000{len(service.asked)}"})


def replace_first(service: Service) -> None:
    delete_first(service)
    service.rows.append({"UserName": "user99"})


CHANGES = pytest.mark.parametrize("change", [delete_first, insert_first, replace_first])


@pytest.mark.parametrize("counts", [True, False, 501])
@pytest.mark.parametrize("token", ["$skiptoken", "$skip"])
@CHANGES
def test_rows_that_shift_between_pages_are_noticed(
    typist: Typist, change: Callable[[Service], None], token: str, counts: bool | int
) -> None:
    """A deletion makes the next page begin one row too late; with an insertion at the end even the count
    stays the same."""
    read(typist, Service(before_page=once(change), token=token, counts=counts))


@pytest.mark.parametrize("counts", [True, False])
@CHANGES
def test_rows_that_keep_shifting_are_no_answer(typist: Typist, change: Callable[[Service], None], counts: bool) -> None:
    def act(service: Service, number: int) -> None:
        if number == 1:
            change(service)
            service.rows[-1] = {"UserName": f"last{len(service.asked)}"}

    assert "could not be read whole" in refused(typist, Service(before_page=act, counts=counts))["message"]


def test_a_count_that_is_wrong_is_no_answer(typist: Typist) -> None:
    message = refused(typist, Service(wrapped=lambda page: page | {"@odata.count": 22}))["message"]
    assert "22" in message
    assert "21" in message


# -- trouble -------------------------------------------------------------------------------------------------


def every(**what: int) -> Callable[[int], str]:
    """`every(cut=7)`: the seventh answer is cut, the fourteenth, and so on; the first kind named wins."""
    kinds = {name.lstrip("_").replace("_", " "): number for name, number in what.items()}
    return lambda number: next((kind for kind, each in kinds.items() if number % each == 0), "")


@pytest.mark.parametrize("token", ["$skiptoken", "after"])
@pytest.mark.parametrize(
    "trouble",
    [
        every(_429_0=3),
        every(_429_1=3),
        every(_429=3),
        every(_429_soon=3),
        every(_503=5),
        every(_503_2=5),
        every(cut=7),
        every(short=4),
        every(_429_1=3, _503=5, cut=7, short=11),
        every(_429=2),
    ],
    ids=["429 at once", "429", "429 without a time", "429 with nonsense", "503", "503 with a time", "cut", "short", "all", "every second"],
)
def test_a_service_in_trouble_is_read_to_its_end(typist: Typist, naps: list[float], trouble: Callable[[int], str], token: str) -> None:
    service = Service(rows=people(100), token=token, trouble=trouble)
    document = read(typist, service)
    assert document["throttled"] == sum(one.startswith("429") for one in service.troubles[_before_rows(service) :])
    assert document["retries"] >= 1
    assert all(0 <= nap <= 30 for nap in naps)
    assert len(service.asked) < 120


def _before_rows(service: Service) -> int:
    """How many troubles there were before the set itself was asked for: looking for its key is not
    counted."""
    first = next(number for number, path in enumerate(service.asked, 1) if "People" in path and "EntityDefinitions" not in path)
    return sum(service.trouble(number) != "" for number in range(1, first))


@pytest.mark.parametrize("trouble", ["429 100", "429", "503", "cut", "short"])
def test_trouble_that_never_ends_ends_the_reading(typist: Typist, naps: list[float], trouble: str) -> None:
    """The first two answers, which tell that this is not a Dataverse and what the key is, are spared."""
    service = Service(trouble=lambda number: trouble if number > 3 else "")
    refused(typist, service)
    assert sum(naps) <= 1830
