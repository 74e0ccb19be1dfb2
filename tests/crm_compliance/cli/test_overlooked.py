"""What no plan sees is named in every plan, and by `doctor`: rows in long-term retention, and new columns."""

from datetime import timedelta

import pytest
import requests

from connectors.emulator.serving.server import RunningEmulator
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.typist import Typist

pytestmark = pytest.mark.usefixtures("real_definitions")  # the schema is altered
WITNESS = {
    "@odata.type": "Microsoft.Dynamics.CRM.MemoAttributeMetadata",
    "AttributeType": "Memo",
    "AttributeTypeName": {"Value": "MemoType"},
    "SchemaName": "cf_WitnessStory",
    "MaxLength": 2000,
    "RequiredLevel": {"Value": "None"},
    "DisplayName": {"LocalizedLabels": [{"Label": "Verhaal", "LanguageCode": 1043}]},
}


def doctor(typist: Typist) -> str:
    return str(next(check["message"] for check in typist.ask("doctor")["checks"] if check["name"] == "overlooked"))


def test_rows_in_long_term_retention_are_counted_in_every_plan(typist: Typist, org: Night) -> None:
    fiche = org.fiche("social_card")
    assert typist.ask("plan")["retained_rows"] == {}
    target = {"Target": {"@odata.type": "Microsoft.Dynamics.CRM.cf_fiche", "cf_ficheid": fiche}}
    org.http.post(f"{org.emulator.url}Retain", json=target, timeout=10).raise_for_status()
    for _ in range(2):
        plan = typist.ask("plan")
        assert plan["retained_rows"]["cf_fiche"] == 1
        assert any(warning.startswith("RETAINED_ROWS: 1 rows of cf_fiche") for warning in plan["warnings"])
    assert "RETAINED_ROWS: 1 rows of cf_fiche" in doctor(typist)


def test_a_column_that_is_new_and_may_hold_personal_data_is_warned_of(typist: Typist, org: Night, crm: RunningEmulator) -> None:
    assert not any("NEW_COLUMNS" in warning for warning in typist.ask("plan")["warnings"]), "there is nothing to compare with"
    made = org.http.post(f"{crm.url}EntityDefinitions(LogicalName='cf_fiche')/Attributes", json=WITNESS, timeout=10)
    assert made.status_code == requests.codes.no_content, made.text
    try:
        assert "cf_fiche.cf_witnessstory" in doctor(typist)
        (warning,) = [warning for warning in typist.ask("plan")["warnings"] if warning.startswith("NEW_COLUMNS")]
        assert warning.endswith(": cf_fiche.cf_witnessstory")
        assert "NEW_COLUMNS" in typist.type("run", "recordings").err, "a night tells it too"
        assert warning in typist.ask("plan")["warnings"], "one plan does not use it up"
        assert "cf_fiche.cf_witnessstory" in doctor(typist)
        typist.set(CLOCK=(NOW + timedelta(days=31)).isoformat())
        assert not any("NEW_COLUMNS" in each for each in typist.ask("plan")["warnings"]), "after a month it is no news"
    finally:
        org.http.delete(f"{crm.url}EntityDefinitions(LogicalName='cf_fiche')/Attributes(LogicalName='cf_witnessstory')", timeout=10)
