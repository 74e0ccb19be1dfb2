"""Which columns of a row were changed lately, by its audit history, or that it cannot be told (IDV-05)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.dynamics.http.sessions import Sessions
from connectors.interface.errors import ConnectorError
from rules.model.personal_records import FullContact, FullNote
from tests.connectors.dynamics.connected import Connected, connected

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes

CHANNELS = ("email", "phone", "mobile", "street", "city")
DAY_S = 86_400


class Crm(Connected):
    def change(self, contact: str, **columns: Any) -> None:
        assert self.send("PATCH", f"contacts({contact})", columns).status_code == 204

    def days_pass(self, days: int) -> None:
        self.control("PUT", "clock", {"advance_s": days * DAY_S})

    def now(self) -> datetime:
        return self.emulator.emulator.tables.clock.now()

    def changed(self, contact: str, *, days: int = 30, fields: tuple[str, ...] = CHANNELS) -> frozenset[str] | None:
        return self.connector.changed_lately(FullContact, contact, fields, self.now() - timedelta(days=days))


@pytest.fixture
def crm() -> Iterator[Crm]:
    with connected(Crm) as client:
        yield client


def test_a_number_and_a_street_that_were_changed_lately_are_named(crm: Crm) -> None:
    contact = crm.contact(telephone1="016 00 00 00")
    crm.days_pass(60)
    crm.change(contact, telephone1="016 11 11 11", address1_line1="Nieuwstraat 1", firstname="Anders")
    assert crm.changed(contact) == frozenset({"phone", "street"})


def test_a_change_from_before_and_the_making_of_the_row_are_none(crm: Crm) -> None:
    contact = crm.contact(emailaddress1="a@voorbeeld.example")
    assert crm.changed(contact) == frozenset(), "making a row is no change"
    crm.change(contact, emailaddress1="b@voorbeeld.example")
    assert crm.changed(contact) == frozenset({"email"})
    crm.days_pass(31)
    assert crm.changed(contact) == frozenset()


def test_the_day_itself_still_counts(crm: Crm) -> None:
    contact = crm.contact()
    crm.change(contact, mobilephone="0475 00 00 00")
    at = crm.now()
    assert crm.connector.changed_lately(FullContact, contact, ["mobile"], at.replace(microsecond=0)) == frozenset({"mobile"})


def test_a_change_of_another_row_is_not_this_one(crm: Crm) -> None:
    one, other = crm.contact(), crm.contact()
    crm.change(other, telephone1="016 11 11 11")
    assert crm.changed(one) == frozenset()


def test_without_a_history_it_cannot_be_told(crm: Crm) -> None:
    """Silence of a CRM that keeps no history proves nothing."""
    contact = crm.contact()
    (organisation,) = crm.rows("organizations?$select=organizationid")
    assert crm.send("PATCH", f"organizations({organisation['organizationid']})", {"isauditenabled": False}).status_code == 204
    assert crm.changed(contact) is None


def test_of_a_kind_that_is_never_audited_it_cannot_be_told(crm: Crm) -> None:
    note = crm.create("annotations", subject="x")
    assert crm.connector.changed_lately(FullNote, note, ["subject"], datetime(2020, 1, 1, tzinfo=UTC)) is None


def test_a_history_that_was_purged_meanwhile_cannot_tell(crm: Crm) -> None:
    contact = crm.contact()
    crm.change(contact, telephone1="016 11 11 11")
    target = {"Target": {"@odata.type": "Microsoft.Dynamics.CRM.contact", "contactid": contact}}
    assert crm.send("POST", "DeleteRecordChangeHistory", target).status_code == 200
    assert crm.changed(contact) is None
    crm.days_pass(31)
    assert crm.changed(contact) == frozenset(), "what was purged before then told of what was before then"


def test_a_history_that_may_not_be_read_cannot_tell_and_a_failure_is_one(crm: Crm) -> None:
    contact = crm.contact()
    assert crm.changed(contact) == frozenset()
    crm.faults({"match": {"path": "*/audits?*"}, "do": "status", "status": 403})
    assert crm.changed(contact) is None
    assert any("audit history" in warning for warning in crm.connector.warnings)
    crm.faults({"match": {"path": "*/audits?*"}, "do": "status", "status": 500})
    with pytest.raises(ConnectorError):
        crm.changed(contact)


def test_a_column_of_which_no_changes_are_logged_cannot_be_told(crm: Crm) -> None:
    contact = crm.contact()
    column = "EntityDefinitions(LogicalName='contact')/Attributes(LogicalName='emailaddress1')"
    definition = {
        "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
        "LogicalName": "emailaddress1",
        "SchemaName": "EMailAddress1",
        "IsAuditEnabled": {"Value": False},
    }
    assert crm.send("PUT", column, definition).status_code == 204
    assert crm.changed(contact, fields=("phone", "email", "mobile")) is None
    crm.change(contact, telephone1="016 11 11 11")
    assert crm.changed(contact, fields=("phone", "email", "mobile")) == frozenset({"phone"}), "what is known to have changed is said"


def test_fields_that_nobody_maps_cannot_have_changed(crm: Crm) -> None:
    assert crm.changed(crm.contact(), fields=("fax",)) == frozenset()


def test_what_was_changed_is_never_in_an_address(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    real = Sessions.prepare

    def prepare(self: Sessions, method: str, url: str, *rest: Any) -> Any:
        sent.append(url)
        return real(self, method, url, *rest)

    monkeypatch.setattr(Sessions, "prepare", prepare)
    contact = crm.contact(telephone1="016 22 22 22")
    crm.change(contact, telephone1="016 11 11 11")
    assert crm.changed(contact) == frozenset({"phone"})
    assert sum(contact in url for url in sent) > 0
    assert not any("016" in re.sub(rf"{contact}|:\d+/", "", url) for url in sent)  # three digits may stand in an id or a port
