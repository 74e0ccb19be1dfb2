"""Global choices made, described again and removed over the Web API."""

from typing import Any

import pytest

from tests.connectors.emulator.client import Client
from tests.connectors.emulator.posted import CRM, TABLE, attribute, label, make, visit
from tests.web_api import ANNOTATED, error_of

pytestmark = pytest.mark.row(49)

WEATHER = "GlobalOptionSetDefinitions(Name='new_weather')"
OPTIONS = [{"Value": 7, "Label": label("Rain")}, {"Label": label("Snow")}]


def weather(**more: Any) -> dict[str, Any]:
    return {"@odata.type": CRM + "OptionSetMetadata", "Name": "new_weather", "OptionSetType": "Picklist", "Options": OPTIONS, **more}


def test_a_new_choice_is_listed_and_a_column_takes_its_values(crm: Client) -> None:
    address = make(crm, "GlobalOptionSetDefinitions", weather(DisplayName=label("Weather")))
    assert "new_weather" in {row["Name"] for row in crm.rows("GlobalOptionSetDefinitions")}
    found = crm.row(address)
    assert (found["IsGlobal"], found["DisplayName"]["UserLocalizedLabel"]["Label"]) == (True, "Weather")
    assert [option["Value"] for option in found["Options"]] == [7, 100_000_000]
    make(crm, "EntityDefinitions", visit())
    bind = {"GlobalOptionSet@odata.bind": f"/{WEATHER}"}
    make(crm, f"{TABLE}/Attributes", attribute("Picklist", "new_Weather", **bind))
    crm.create("new_visits", new_name="First", new_weather=7)
    (row,) = crm.rows("new_visits?$select=new_weather", ANNOTATED)
    assert row["new_weather@OData.Community.Display.V1.FormattedValue"] == "Rain"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Name": "weather"}, "0x80040203"),
        ({"Name": None}, "0x80040203"),
        ({"Name": "cf_channel"}, "0x80047010"),
        ({"OptionSetType": "Boolean"}, "0x80040203"),
        ({"IsGlobal": False}, "0x80040203"),
        ({"Options": [{"Value": 1}, {"Value": 1}]}, "0x80040203"),
        ({"Options": [{"Value": "x"}]}, "0x80040203"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(crm: Client, more: dict[str, Any], code: str) -> None:
    assert error_of(crm.send("POST", "GlobalOptionSetDefinitions", weather(**more))) == (400, code)
    assert crm.get(WEATHER).status_code == 404


def test_a_put_changes_what_is_said_of_a_choice_and_no_option(crm: Client) -> None:
    make(crm, "GlobalOptionSetDefinitions", weather(DisplayName=label("Weather")))
    assert crm.send("PUT", WEATHER, weather(DisplayName=label("Climate"), Options=[])).status_code == 204
    found = crm.row(WEATHER)
    assert found["DisplayName"]["UserLocalizedLabel"]["Label"] == "Climate"
    assert len(found["Options"]) == 2


def test_a_choice_is_removed_unless_a_column_uses_it(crm: Client) -> None:
    make(crm, "GlobalOptionSetDefinitions", weather())
    assert crm.send("DELETE", WEATHER).status_code == 204
    assert crm.get(WEATHER).status_code == 404
    assert error_of(crm.send("DELETE", "GlobalOptionSetDefinitions(Name='cf_channel')")) == (400, "0x8004f01f")
    assert error_of(crm.send("DELETE", WEATHER))[0] == 400


def test_a_reset_takes_new_choices_away(crm: Client) -> None:
    make(crm, "GlobalOptionSetDefinitions", weather())
    crm.control("POST", "reset", {"empty": True})
    assert crm.get(WEATHER).status_code == 404
