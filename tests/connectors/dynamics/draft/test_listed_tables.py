"""A list of tables that comes broken is unreadable: it is no bug, and no draft is made of the rest."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from connectors.dynamics.draft.crm_tables import CrmTables
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.interface.errors import ReadIncomplete

ROOT = "http://127.0.0.1:9/api/data/v9.2/"


@responses.activate
@pytest.mark.parametrize(
    "table",
    [
        {},
        {"LogicalName": 5},
        {"LogicalName": "cf_dossier", "IsCustomEntity": True, "DisplayName": []},
        {"LogicalName": "cf_dossier", "IsCustomEntity": True, "DisplayName": {"LocalizedLabels": [7]}},
        {"LogicalName": "cf_dossier", "IsCustomEntity": {"Value": True}},
        "cf_dossier",
    ],
)
def test_tables_that_are_listed_in_another_form_are_unreadable(table: Any) -> None:
    responses.get(f"{ROOT}EntityDefinitions", json={"value": [table]})
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport, pytest.raises(ReadIncomplete, match="definitions are not"):
        CrmTables(transport).all()
