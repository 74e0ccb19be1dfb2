"""Conditions of FetchXML that look at the clock."""

import pytest

from tests.connectors.emulator.client import Client
from tests.connectors.emulator.fetches import names

pytestmark = pytest.mark.row(45)


NOW = "2030-06-15T12:00:00Z"
IN_TIME = ["today", "yesterday", "this-week", "last-month", "this-year", "last-seven-days", "next-year"]
IN_TIME += [f"last-x-{unit}" for unit in ("hours", "days", "weeks", "months", "years")] + ["next-x-days", "next-x-months"]
IN_TIME += [f"olderthan-x-{unit}" for unit in ("minutes", "hours", "days", "weeks", "months", "years")]
FUNCTIONS = {"last-seven-days": "Last7Days"}


@pytest.mark.row(39)
@pytest.mark.parametrize("operator", IN_TIME)
def test_an_operator_on_dates_finds_what_its_function_finds(crm: Client, operator: str) -> None:
    """The functions themselves are tested with `$filter`; here, that FetchXML's operators are the same."""
    crm.control("PUT", "clock", {"now": NOW})
    moments = ["2030-06-15T11:30:00Z", "2030-06-15T00:00:00Z", "2030-06-14T10:00:00Z", "2030-06-11T00:00:00Z", "2030-05-02T00:00:00Z"]
    moments += ["2029-03-01T00:00:00Z", "2020-01-01T00:00:00Z", "2030-06-17T00:00:00Z", "2030-08-01T00:00:00Z", "2031-02-02T00:00:00Z"]
    crm.emulator.load(("cf_dossier", {"cf_name": moment, "cf_openedon": moment}) for moment in moments)
    title = operator.replace("olderthan", "older-than").title().replace("-", "")
    function = f"Microsoft.Dynamics.CRM.{FUNCTIONS.get(operator, title)}(PropertyName='cf_openedon'"
    value = "" if "-x-" not in operator else "value='3'"
    query = f"cf_dossiers?$orderby=cf_name&$filter={function}{',PropertyValue=3' if value else ''})"
    expected = [row["cf_name"] for row in crm.rows(query)]
    assert names(crm, f"<filter><condition attribute='cf_openedon' operator='{operator}' {value} /></filter>") == expected
    assert 0 < len(expected) < len(moments)
