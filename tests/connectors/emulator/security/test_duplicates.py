"""Duplicate detection: off unless asked for, and only with a published rule."""

from typing import Any

import pytest

from tests.connectors.emulator.client import Client
from tests.web_api import error_of

pytestmark = pytest.mark.row(47)

DETECT = {"MSCRM.SuppressDuplicateDetection": "false"}
SAME_MAIL = {"lastname": "Peeters (fictief)", "emailaddress1": "lotte@voorbeeld.example"}


def a_rule(crm: Client, *conditions: dict[str, Any], published: bool = True, **columns: Any) -> str:
    rule = crm.create("duplicaterules", name="Zelfde e-mail", baseentityname="contact", matchingentityname="contact", **columns)
    for condition in conditions or ({"baseattributename": "emailaddress1", "matchingattributename": "emailaddress1"},):
        bound = {"regardingobjectid@odata.bind": f"duplicaterules({rule})"}
        crm.create("duplicateruleconditions", operatorcode=condition.pop("operatorcode", 0), **condition, **bound)
    if published:
        answer = crm.send("POST", f"duplicaterules({rule})/Microsoft.Dynamics.CRM.PublishDuplicateRule", {})
        assert answer.status_code == 200
        assert crm.row(f"asyncoperations({answer.json()['asyncoperationid']})")["statecode"] == 3
    return rule


def test_an_update_into_a_duplicate_is_refused_and_one_beside_it_is_not(crm: Client) -> None:
    a_rule(crm)
    first = crm.contact(**SAME_MAIL)
    second = crm.contact()
    mail = {"emailaddress1": SAME_MAIL["emailaddress1"].upper()}
    assert error_of(crm.send("PATCH", f"contacts({second})", mail, DETECT)) == (412, "0x80040333")
    assert crm.send("PATCH", f"contacts({second})", {"firstname": "Bram"}, DETECT).status_code == 204
    assert crm.send("PATCH", f"contacts({first})", mail, DETECT).status_code == 204


def test_an_unpublished_rule_detects_nothing(crm: Client) -> None:
    rule = a_rule(crm, published=False)
    crm.contact(**SAME_MAIL)
    assert crm.send("POST", "contacts", SAME_MAIL, DETECT).status_code == 204
    crm.send("POST", f"duplicaterules({rule})/Microsoft.Dynamics.CRM.PublishDuplicateRule", {})
    assert crm.send("POST", "contacts", SAME_MAIL, DETECT).status_code == 412
    assert crm.send("POST", "UnpublishDuplicateRule", {"DuplicateRuleId": rule}).status_code == 204
    assert crm.send("POST", "contacts", SAME_MAIL, DETECT).status_code == 204


def test_all_conditions_of_a_rule_must_hold(crm: Client) -> None:
    first = {"baseattributename": "firstname", "matchingattributename": "firstname", "operatorcode": 1, "operatorparam": 3}
    last = {"baseattributename": "lastname", "matchingattributename": "lastname", "operatorcode": 2, "operatorparam": 4}
    a_rule(crm, first, last)
    crm.contact(firstname="Charlotte", lastname="Vanpeeters")
    assert crm.send("POST", "contacts", {"firstname": "Charles", "lastname": "Peeters"}, DETECT).status_code == 412
    assert crm.send("POST", "contacts", {"firstname": "Bram", "lastname": "Peeters"}, DETECT).status_code == 204


def test_case_and_inactive_rows_count_as_the_rule_says(crm: Client) -> None:
    a_rule(crm, iscasesensitive=True, excludeinactiverecords=True)
    contact = crm.contact(**SAME_MAIL)
    upper = {**SAME_MAIL, "emailaddress1": SAME_MAIL["emailaddress1"].upper()}
    assert crm.send("POST", "contacts", upper, DETECT).status_code == 204
    assert crm.send("POST", "contacts", SAME_MAIL, DETECT).status_code == 412
    crm.send("PATCH", f"contacts({contact})", {"statecode": 1})
    assert crm.send("POST", "contacts", SAME_MAIL, DETECT).status_code == 204


def test_blank_values_match_unless_they_are_ignored(crm: Client) -> None:
    mail = {"baseattributename": "emailaddress1", "matchingattributename": "emailaddress1"}
    rule = a_rule(crm, mail)
    crm.contact()
    assert crm.send("POST", "contacts", {"lastname": "Ander (fictief)"}, DETECT).status_code == 412
    condition = crm.rows(f"duplicaterules({rule})/DuplicateRule_DuplicateRuleConditions")[0]["duplicateruleconditionid"]
    crm.send("PATCH", f"duplicateruleconditions({condition})", {"ignoreblankvalues": True})
    assert crm.send("POST", "contacts", {"lastname": "Ander (fictief)"}, DETECT).status_code == 204
