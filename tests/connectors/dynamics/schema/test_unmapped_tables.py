"""Rows of tables that no mapping names: what lacks what was asked for is no answer, and no bug."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
import requests
import responses

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.schema.unmapped_tables import Directory, KnownTable, NotOffered
from connectors.interface.errors import ConnectorError, ReadIncomplete, Unreachable

ROOT = "http://127.0.0.1:9/api/data/v9.2/"
TABLE = KnownTable("account", "accounts", "accountid", audited=False)
ROW = str(UUID(int=7))


@responses.activate
@pytest.mark.parametrize(
    "ask",
    [
        lambda crm: crm.existing(TABLE, [ROW]),
        lambda crm: list(crm.all(TABLE, "name")),
        lambda crm: list(crm.where(TABLE, "name eq 'x'", "name")),
        lambda crm: crm.has_any(TABLE, "bin"),
        lambda crm: crm.in_source(TABLE, "bin", "parentid", [ROW]),
        lambda crm: list(crm.rows_in_source(TABLE, "retained", ["name"], "parentid", [ROW])),
        lambda crm: crm.is_empty(TABLE),
    ],
)
def test_a_row_without_its_id_is_unreadable(ask: Callable[[Directory], object]) -> None:
    responses.get(re.compile(f"{ROOT}accounts.*"), json={"value": [{"accountid": ROW, "_parentid_value": ROW}, {"name": "x"}]})
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport, pytest.raises(ReadIncomplete, match="rows are not readable"):
        ask(Directory(transport))


@responses.activate
def test_a_list_that_another_system_does_not_give_for_a_moment_is_down_and_not_out_of_reach() -> None:
    """A list that may not be read is a mistake of the mapping or the role, and no night tries again."""
    responses.get(re.compile(f"{ROOT}accounts.*"), status=503)
    listed = replace(TABLE, is_virtual=True)
    with Transport(Environment(ROOT, retries=0), StaticToken("t", ROOT)) as transport:
        with pytest.raises(Unreachable):
            list(Directory(transport).all(listed, "name"))
        with pytest.raises(NotOffered):
            Directory(transport).existing(listed, [ROW])


@responses.activate
@pytest.mark.parametrize("following", [7, ["x"], {}, False])
def test_a_link_that_is_none_is_not_taken_for_the_end(following: object) -> None:
    responses.get(f"{ROOT}accounts", json={"value": [{"accountid": ROW}], "@odata.nextLink": following})
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport, pytest.raises(ReadIncomplete, match="rows are not readable"):
        Directory(transport).existing(TABLE, [ROW])


@responses.activate
@pytest.mark.parametrize(("rows", "told"), [([], "on and on"), ([{"accountid": ROW}], "repeats")])
def test_links_that_lead_on_and_on_come_to_an_end(rows: list[dict[str, str]], told: str) -> None:
    def page(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps({"@odata.context": "x", "value": rows, "@odata.nextLink": f"{request.url}1"})

    responses.add_callback(responses.GET, re.compile(f"{ROOT}accounts.*"), page)
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport, pytest.raises(ReadIncomplete, match=told):
        Directory(transport).existing(TABLE, [ROW])


@responses.activate
@pytest.mark.parametrize(
    "ask",
    [
        lambda crm: crm.existing(TABLE, [ROW]),
        lambda crm: crm.has_any(TABLE, "bin"),
        lambda crm: crm.is_empty(TABLE),
    ],
)
def test_an_answer_that_holds_nothing_at_all_is_not_the_crms(ask: Callable[[Directory], object]) -> None:
    """What stands between may give it; that a table is empty the CRM says in its own form."""
    responses.get(re.compile(f"{ROOT}accounts.*"), json={"value": []})
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport, pytest.raises(ReadIncomplete, match="rows are not readable"):
        ask(Directory(transport))


@responses.activate
def test_a_page_that_is_no_utf_8_is_unreadable() -> None:
    responses.get(f"{ROOT}accounts", body=b'{"value": [{"accountid": "\xff"}]}')
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport, pytest.raises(ReadIncomplete, match="rows are not readable"):
        Directory(transport).existing(TABLE, [ROW])


@responses.activate
def test_a_row_without_the_column_by_which_it_was_found_is_unreadable() -> None:
    """Another one, of which nothing is told, may be absent, as null may."""
    responses.get(f"{ROOT}accounts", json={"value": [{"accountid": ROW, "_parentid_value": ROW}]})
    responses.get(f"{ROOT}accounts", json={"value": [{"accountid": ROW, "name": "x"}]})
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport:
        directory = Directory(transport)
        assert len(list(directory.rows(TABLE, "_parentid_value", [ROW], "_parentid_value,name"))) == 1
        with pytest.raises(ReadIncomplete, match="rows are not readable"):
            list(directory.rows(TABLE, "_parentid_value", [ROW], "_parentid_value,name"))


def answered(*pages: object) -> None:
    """One after the other, as text where it is one."""
    for page in pages:
        responses.get(f"{ROOT}accounts", body=page if isinstance(page, str) else json.dumps(page))


def ids(*numbers: int) -> list[dict[str, str]]:
    return [{"accountid": str(UUID(int=number))} for number in numbers]


@responses.activate
@pytest.mark.parametrize("wrong", ['{"value": [', "<html>", {"value": ids(1, 1)}, {"value": [{}]}, {"error": {}}])
def test_a_page_that_is_wrong_once_is_asked_for_again(wrong: object) -> None:
    answered(wrong, {"value": ids(1, 2), "@odata.count": 2})
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport:
        assert len(list(Directory(transport).all(TABLE, "name"))) == 2


@responses.activate
def test_rows_that_a_page_with_another_behind_it_has_lost_are_found_again() -> None:
    """Beyond 5,000 rows no count proves anything."""
    first, last = {"value": ids(1, 2), "@odata.nextLink": f"{ROOT}accounts?$skiptoken=2"}, {"value": ids(3)}
    answered({**first, "value": ids(1)}, first, first, last)
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport:
        assert list(Directory(transport).all(TABLE, "name")) == ids(1, 2, 3)


MORE = {"@Microsoft.Dynamics.CRM.morerecords": True}


@responses.activate
def test_rows_that_a_page_of_fetchxml_with_another_behind_it_has_lost_are_found_again() -> None:
    """It has no link to the next: that there is one is a word of its own."""
    whole = {"value": ids(1, 2), **MORE}
    answered({"value": ids(2), **MORE}, whole, whole, {"value": ids(3)})
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport:
        assert list(Directory(transport).rows_in_source(TABLE, "bin", [], "accountid", None)) == ids(1, 2, 3)


@responses.activate
def test_pages_of_fetchxml_of_a_length_that_came_twice_are_asked_for_once() -> None:
    first, second, last = ({"value": ids(*two), **MORE} for two in ((1, 2), (3, 4), (5, 6)))
    answered(first, first, second, last, {"value": ids(7)})
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport:
        assert len(list(Directory(transport).rows_in_source(TABLE, "bin", [], "accountid", None))) == 7
    assert len(responses.calls) == 5


@responses.activate
def test_a_page_of_fetchxml_that_repeats_the_one_before_is_no_next_one() -> None:
    """As from a CRM, or a cache, that does not look at the number of the page."""
    answered({"value": ids(1, 2), **MORE})
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport, pytest.raises(ReadIncomplete, match="repeats the one before"):
        list(Directory(transport).rows_in_source(TABLE, "bin", [], "accountid", None))


@responses.activate
def test_a_row_that_came_twice_is_not_two() -> None:
    """The count would agree, and another row be taken for gone."""
    answered({"value": ids(7, 7), "@odata.count": 2})
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport, pytest.raises(ReadIncomplete, match="rows are not readable"):
        Directory(transport).existing(TABLE, [ROW, str(UUID(int=8))])


@responses.activate
@pytest.mark.parametrize("column", ["accountid", "_parentid_value"])
@pytest.mark.parametrize("other", [str(UUID(int=9)), None])
def test_rows_of_another_answer_are_refused(column: str, other: str | None) -> None:
    answered({"value": [{"accountid": ROW, "_parentid_value": ROW, column: other}], "@odata.count": 1})
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport, pytest.raises(ReadIncomplete, match="not asked for"):
        list(Directory(transport).rows(TABLE, column, [ROW], "_parentid_value"))


@responses.activate
@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_page_that_is_refused_behind_others_is_no_table_that_may_not_be_read(status: int) -> None:
    responses.get(f"{ROOT}accounts", json={"value": ids(1), "@odata.nextLink": f"{ROOT}elsewhere?$skiptoken=1"})
    responses.get(f"{ROOT}elsewhere", status=status)
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport, pytest.raises(ConnectorError):
        list(Directory(transport).rows_in_source(TABLE, "bin", [], "accountid", None))
