"""Rows of tables that no mapping names: what lacks what was asked for is no answer, and no bug."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
import responses

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.schema.unmapped_tables import Directory, KnownTable
from connectors.interface.errors import ReadIncomplete

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
def test_a_row_without_the_column_by_which_it_was_found_is_unreadable() -> None:
    """Another one, of which nothing is told, may be absent, as null may."""
    responses.get(f"{ROOT}accounts", json={"value": [{"accountid": ROW, "_parentid_value": ROW}]})
    responses.get(f"{ROOT}accounts", json={"value": [{"accountid": ROW, "name": "x"}]})
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport:
        directory = Directory(transport)
        assert len(list(directory.rows(TABLE, "_parentid_value", [ROW], "_parentid_value,name"))) == 1
        with pytest.raises(ReadIncomplete, match="rows are not readable"):
            list(directory.rows(TABLE, "_parentid_value", [ROW], "_parentid_value,name"))
