"""Definitions of tables that come broken: what is missing is never taken for something that a table has
not."""

from collections.abc import Callable
from typing import Any

import pytest

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
