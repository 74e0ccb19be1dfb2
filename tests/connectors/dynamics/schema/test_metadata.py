"""Definitions of tables that come broken: what is missing is never taken for something that a table has
not."""

import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import unquote

import pytest

from connectors.dynamics.http.answers import Answer
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.schema.metadata import Metadata
from connectors.interface.errors import ConnectorError, ReadIncomplete
from rules.model.records import Dossier
from tests.connectors.dynamics.fake_crm import FakeCrm, edit, row_id

DEFINITION = "EntityDefinitions(LogicalName='cf_dossier')"
DATES = "DateTimeAttributeMetadata"


def without(part: str) -> Callable[[dict[str, Any]], None]:
    return lambda content: content.pop(part)


def null(part: str) -> Callable[[dict[str, Any]], None]:
    return lambda content: content.update({part: None})


RELATIONSHIPS = ["ManyToOneRelationships", "OneToManyRelationships", "ManyToManyRelationships"]


@pytest.mark.parametrize(
    ("path", "change"),
    [(DEFINITION, change(part)) for part in ("Attributes", *RELATIONSHIPS) for change in (without, null)] + [(DATES, without("value"))],
)
def test_a_definition_without_a_part_is_unreadable(crm: FakeCrm, path: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Without its relationships a table would lose what a delete takes along."""
    crm.rows["cf_dossiers"] = [{"cf_dossierid": row_id(1), "cf_legalhold": False, "statecode": 0}]
    crm.fault_times(path, edit(change), 99)
    with crm.connector() as connector, pytest.raises(ReadIncomplete, match="definition of a table lacks"):
        list(connector.read(Dossier, ["legal_hold", "opened_on"]))


def test_a_name_in_a_definition_that_is_no_text_is_left_out(crm: FakeCrm) -> None:
    """And is no bug; a column that is needed is then missing, which the mapping's check tells."""
    crm.rows["cf_dossiers"] = [{"cf_dossierid": row_id(1), "cf_legalhold": False, "statecode": 0}]
    crm.fault_times("PicklistAttributeMetadata", edit(lambda content: content["value"].append({"LogicalName": [[{}]]})), 99)
    with crm.connector() as connector:
        assert [row.id for page in connector.read(Dossier, ["outcome"]) for row in page] == [row_id(1)]


def test_an_option_that_no_column_can_have_is_left_out(crm: FakeCrm) -> None:
    """It would stand in messages and questions whole, however long."""
    endless = {"Value": 10**400, "Label": {"UserLocalizedLabel": {"Label": "Zonnebloem"}}}

    def add(content: dict[str, Any]) -> None:
        for item in content["value"]:
            item["OptionSet"] = {"Options": [*((item.get("OptionSet") or {}).get("Options") or ()), endless]}

    crm.fault_times("PicklistAttributeMetadata", edit(add), 99)
    with crm.connector() as connector:
        assert "Zonnebloem" not in str(connector.check())


def test_a_table_that_the_crm_lists_is_not_taken_for_missing_where_its_definition_is(crm: FakeCrm) -> None:
    """Something between says 404 for a moment; the mapping is as it was."""
    crm.fault_once(DEFINITION, lambda _: (404, {}, "{}"))
    with crm.connector() as connector:
        with pytest.raises(ConnectorError) as told:
            connector.check()
        assert told.value.status == 404
        assert not [finding for finding in connector.check() if finding.code == "no_table"]


class Described:
    """A CRM that describes any table, and takes 500 conditions in one question, as Dataverse does."""

    environment = SimpleNamespace(url="https://described.example.org/")

    def get(self, address: str, *, where: str = "") -> Answer:
        names = re.findall(r"LogicalName(?: eq |=)'(\w+)'", unquote(address))
        if len(names) > 500:
            raise ConnectorError("Too many conditions.", where=where, status=400)
        parts: dict[str, Any] = {part: [] for part in RELATIONSHIPS}
        secured = {"LogicalName": "secret", "IsSecured": "$filter" in address}
        told = [
            {"LogicalName": name, "EntitySetName": name, "PrimaryIdAttribute": "id", **parts, "Attributes": [secured]} for name in names
        ]
        return Answer(200, {}, json.dumps({"value": told} if "$filter" in address else told[0]).encode(), "")


def test_of_any_number_of_tables_it_is_seen_what_was_secured_since() -> None:
    """What a CRM refuses to be asked at once is believed as before: a secured hold would look empty."""
    metadata, names = Metadata(cast(Transport, Described()), {}), [f"cf_table{number}" for number in range(501)]
    metadata.load(names)
    assert not any(table.attributes["secret"].secured for name in names if (table := metadata.table(name)))
    metadata.look_again(names)
    assert [name for name in names if (table := metadata.table(name)) and not table.attributes["secret"].secured] == []
