"""Custom logic that refuses writes, and the headers that skip it."""

import pytest
import requests

from tests.connectors.emulator.client import Caller, Client
from tests.web_api import error_of, new_id

pytestmark = pytest.mark.row(30)


HOLD = {"table": "cf_dossier", "message": "Delete", "when": {"cf_legalhold": True}, "do": "refuse", "text": "Er rust een bewaarplicht op."}


@pytest.mark.parametrize(
    ("headers", "missing"),
    [
        ({"MSCRM.BypassBusinessLogicExecution": "CustomSync,CustomAsync"}, "prvBypassCustomBusinessLogic"),
        ({"MSCRM.BypassBusinessLogicExecutionStepIds": "STEP"}, "prvBypassCustomBusinessLogic"),
        ({"MSCRM.BypassCustomPluginExecution": "true"}, "prvBypassCustomPlugins"),
    ],
)
def test_custom_logic_refuses_unless_bypassed_by_who_may(crm: Client, caller: Caller, headers: dict[str, str], missing: str) -> None:
    (step,) = crm.control("PUT", "plugins", [HOLD])
    headers = {name: value.replace("STEP", step) for name, value in headers.items()}
    held_dossier, free = crm.dossier(cf_legalhold=True), crm.dossier()
    answer = crm.send("DELETE", f"cf_dossiers({held_dossier})")
    assert (*error_of(answer), answer.json()["error"]["message"]) == (400, "0x80040265", HOLD["text"])
    assert crm.send("DELETE", f"cf_dossiers({free})").status_code == 204
    client = caller({"prvReadcf_dossier": "Global", "prvDeletecf_dossier": "Global"})
    refused = client.send("DELETE", f"cf_dossiers({held_dossier})", headers=headers)
    assert error_of(refused) == (403, "0x80040220")
    assert missing in refused.json()["error"]["message"]
    assert crm.exists("cf_dossiers", held_dossier)
    assert crm.send("DELETE", f"cf_dossiers({held_dossier})", headers=headers).status_code == 204


def test_custom_logic_watches_cascades_updates_and_creations(crm: Client) -> None:
    party = {"table": "cf_party", "message": "Delete", "do": "refuse", "text": "partij"}
    change = {"table": "cf_dossier", "message": "Update", "when": {"cf_legalhold": True}, "do": "refuse", "text": "wijziging"}
    birth = {"table": "cf_fiche", "message": "Create", "when": {"cf_name": "verboden"}, "do": "refuse", "text": "aanmaak"}
    crm.control("PUT", "plugins", [party, change, birth])
    dossier = crm.dossier(cf_legalhold=True)
    crm.create("cf_parties", cf_name="P", **{"cf_DossierId@odata.bind": f"cf_dossiers({dossier})"})
    assert error_of(crm.send("DELETE", f"cf_dossiers({dossier})")) == (400, "0x80040265")
    assert error_of(crm.send("PATCH", f"cf_dossiers({dossier})", {"cf_name": "D-2"})) == (400, "0x80040265")
    assert error_of(crm.send("POST", "cf_fiches", {"cf_name": "verboden"})) == (400, "0x80040265")
    assert crm.fiche(cf_name="toegestaan")
    assert crm.exists("cf_dossiers", dossier)


def test_custom_logic_is_gone_after_a_reset_and_off_when_disabled(crm: Client) -> None:
    (step,) = crm.control("PUT", "plugins", [HOLD])
    dossier = crm.dossier(cf_legalhold=True)
    assert crm.send("PATCH", f"sdkmessageprocessingsteps({step})", {"statecode": 1}).status_code == 204
    assert crm.send("DELETE", f"cf_dossiers({dossier})").status_code == 204
    crm.control("POST", "reset", {"empty": True})
    assert crm.rows("sdkmessageprocessingsteps") == []


def test_bypass_headers_take_three_steps_and_two_words(crm: Client) -> None:
    for number, status in ((3, 200), (4, 400)):
        steps = ",".join(new_id() for _ in range(number))
        assert crm.get("WhoAmI", {"MSCRM.BypassBusinessLogicExecutionStepIds": steps}).status_code == status
    assert crm.get("WhoAmI", {"MSCRM.BypassBusinessLogicExecution": "Everything"}).status_code == 400


def test_a_step_that_describes_nothing_is_refused(crm: Client) -> None:
    for step in ({"table": "cf_nothing"}, {**HOLD, "message": "Retrieve"}, {**HOLD, "when": {"nothing": 1}}, {**HOLD, "do": "allow"}):
        assert requests.put(f"{crm.root}/_emulator/plugins", json=[step], timeout=10).status_code == 400


def test_callback_suppression_and_a_tag_are_accepted(crm: Client) -> None:
    headers = {"MSCRM.SuppressCallbackRegistrationExpanderJob": "true"}
    assert crm.send("POST", "cf_fiches?tag=opruiming", {"cf_name": "F-1"}, headers).status_code == 204
