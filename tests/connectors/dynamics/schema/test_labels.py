"""Names that a CRM does not tell as it should are left out: a letter then has the column's own."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.dynamics.schema.labels import labels

ROOT = "http://127.0.0.1:9/api/data/v9.2/"
DEFINITION = f"{ROOT}EntityDefinitions(LogicalName='cf_dossier')"


def said(text: Any, code: Any = 1043) -> dict[str, Any]:
    return {"LocalizedLabels": [{"Label": text, "LanguageCode": code}]}


@responses.activate
@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ([{"LogicalName": "cf_openedon", "DisplayName": said("geopend op")}], "geopend op"),
        ([7, None], "cf_openedon"),
        ("x", "cf_openedon"),
        ([{"LogicalName": "cf_openedon", "DisplayName": {"LocalizedLabels": 7}}], "cf_openedon"),
        ([{"LogicalName": "cf_openedon", "DisplayName": said("geopend op", "Lotte")}], "geopend op"),
    ],
)
def test_a_name_in_another_form_is_as_one_that_is_not_told(attributes: Any, name: str) -> None:
    table = next(iter(parse_mapping(REFERENCE.read_text("utf-8"), "t.yaml").of("dossier")))
    responses.get(DEFINITION, json={"LogicalName": "cf_dossier", "DisplayName": said("dossier"), "Attributes": attributes})
    for cast in ("Picklist", "MultiSelectPicklist", "State", "Status"):
        responses.get(f"{DEFINITION}/Attributes/Microsoft.Dynamics.CRM.{cast}AttributeMetadata", json={"value": attributes})
    with Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport:
        found = labels(transport, table, "nl")
    assert (found.table, found.fields["opened_on"]) == ("dossier", name)
