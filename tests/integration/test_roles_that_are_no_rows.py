"""Organisations that keep roles in lookups of the dossier, among the participants of an activity, in pairs:
the same night and the same requests (portability; RET-14, RET-20)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.emulator.serving.server import running
from tests.crm_compliance.cli.requests.decided import asking_for, decide, released
from tests.drivers.asking import Asking
from tests.drivers.organisation import TOKEN
from tests.drivers.typist import Typist
from tests.integration.connected_house import DATA, LONG_AGO, LOTTE, House, lotte, restrict
from tests.known_definitions import KNOWN
from tests.yaml_files import read_yaml, yaml_text

MORE = """
choices:
  participationtypemask: {1: {nl: Van}, 2: {nl: Aan}, 5: {nl: Verplicht}, 8: {nl: Betreft}}
tables:
  cc_gesprek:
    set: cc_gesprekken
    activity: true
    columns:
      activityid: {type: guid, key: true}
      subject: {type: string(200), primary_name: true}
      regardingobjectid: {type: lookup incident|contact}
      cc_categorieid: {type: lookup cc_categorie, schema_name: cc_CategorieId}
      cc_datum: {type: date}
      actualend: {type: datetime}
  email:
    set: emails
    activity: true
    columns:
      activityid: {type: guid, key: true}
      subject: {type: string(800), primary_name: true}
      senton: {type: datetime}
      regardingobjectid: {type: lookup incident|contact}
  activityparty:
    set: activityparties
    columns:
      activitypartyid: {type: guid, key: true}
      activityid: {type: lookup cc_gesprek|email}
      partyid: {type: lookup contact|account}
      addressused: {type: string(350)}
      partyidname: {type: string(400)}
      participationtypemask: {type: choice participationtypemask}
columns:
  customerid: {type: lookup contact|account}
  cc_kindid: {type: lookup contact, schema_name: cc_KindId}
many_to_many:
  - {name: cc_incident_contact, one: incident, two: contact}
relationships:
  - {name: incident_customer_contacts, parent: contact, child: incident, column: customerid, on_delete: cascade}
  - {name: incident_customer_accounts, parent: account, child: incident, column: customerid, on_delete: cascade}
  - {name: cc_contact_incidenten, parent: contact, child: incident, column: cc_kindid, on_delete: remove_link}
  - {name: incident_cc_gesprekken, parent: incident, child: cc_gesprek, column: regardingobjectid, on_delete: cascade}
  - {name: incident_emails, parent: incident, child: email, column: regardingobjectid, on_delete: cascade}
  - {name: contact_emails, parent: contact, child: email, column: regardingobjectid, on_delete: cascade}
  - {name: cc_gesprek_activity_parties, parent: cc_gesprek, child: activityparty, column: activityid, on_delete: cascade}
  - {name: email_activity_parties, parent: email, child: activityparty, column: activityid, on_delete: cascade}
  - {name: contact_activity_parties, parent: contact, child: activityparty, column: partyid, on_delete: no_cascade}
"""
ROLES = """
- table: incident
  columns: {dossier: incidentid, contact: customerid}
  fixed: {role: reporter}
- table: incident
  columns: {dossier: incidentid, contact: cc_kindid}
  fixed: {role: child}
- table: activityparty
  columns: {fiche: activityid, contact: partyid, role: participationtypemask}
  choices: {role: {1: reporter, 2: professional, 5: child, 8: other}}
- table: cc_incident_contact
  columns: {dossier: incidentid, contact: contactid}
  fixed: {role: parent}
"""


class Desk(House):
    """A fictitious organisation whose cases name their people themselves, and whose calls are what it
    files."""

    def call(self, case: str | None, code: str = "SEX", *, parties: dict[str, int]) -> str:
        """A conversation with participants: how each takes part, by contact."""
        bound = {"cc_CategorieId@odata.bind": f"/cc_categorieen({self.categories[code]})"}
        bound |= {"regardingobjectid_incident_cc_gesprek@odata.bind": f"/incidents({case})"} if case else {}
        taking = [
            {"partyid_contact@odata.bind": f"/contacts({row.replace('_', '-')})", "participationtypemask": how}
            for row, how in parties.items()
        ]
        return self.create("cc_gesprekken", "activityid", subject="gesprek", cc_datum=LONG_AGO, cc_gesprek_activity_parties=taking, **bound)


def naming(*, child: str = "", customer: str = "", firm: str = "") -> dict[str, Any]:
    """The lookups of a case that names people, or a customer who is none."""
    bound = {"cc_KindId": child and f"/contacts({child})", "customerid_contact": customer and f"/contacts({customer})"}
    bound["customerid_account"] = firm and f"/accounts({firm})"
    return {f"{name}@odata.bind": row for name, row in bound.items() if row}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Desk]:
    document, more = read_yaml(DATA / "connected-environment.yaml"), read_yaml(MORE)
    for name in ("choices", "tables"):
        document[name] |= more[name]
    for name in ("many_to_many", "relationships"):
        document[name] += more[name]
    document["tables"]["incident"]["columns"] |= more["columns"]
    path = tmp_path / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    with running(environment=path, token=TOKEN) as emulator, KNOWN.of(emulator, TOKEN):
        found = Desk(emulator)
        yield found
        found.close()


@pytest.fixture
def clerk(typist_at: Callable[..., Typist], tmp_path: Path, office: Desk) -> Typist:
    document = read_yaml(DATA / "connected-mapping.yaml")
    tables = document["tables"]
    tables["party"] = read_yaml(ROLES)
    fiche = tables["fiche"]
    fiche |= {"table": "cc_gesprek", "personal": {"number": "subject"}, "fixed": {"channel": "phone"}}
    fiche["columns"] |= {"dossier": "regardingobjectid"}
    del fiche["columns"]["channel"], fiche["choices"]
    tables["email"] = {"table": "email", "columns": {"regarding": "regardingobjectid", "sent_on": "senton", "created_on": "createdon"}}
    tables["activity_party"] = {"table": "activityparty", "columns": {"activity": "activityid", "party": "partyid"}}
    document["stay"]["cc_melding"] = {"why": "not used", "by": "test"}
    path = tmp_path / "mapping.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    return typist_at(office.emulator.url, MAPPING=str(path))


def test_a_night_with_roles_in_lookups_participants_and_pairs(office: Desk, clerk: Typist) -> None:
    """None of them is a row of its own: they go with their dossier or fiche, and nothing deletes them."""
    child, caller, parent, mate = (office.person(born) for born in ("2000-02-01", "1980-02-01", "1975-02-01", "1999-02-01"))
    young, school = office.person("2019-02-01"), office.create("accounts", name="School (fictief)")
    goes = office.case("SEX", **naming(child=child, customer=caller))
    waits = office.case("SEX", **naming(child=young, firm=school))
    also_waits = office.case("SEX", **naming(child=child))
    office.pair("cc_incident_contact", goes, "contact", parent)
    spoken = office.call(goes, parties={caller: 1, mate: 8})
    office.call(also_waits, parties={young: 5})
    lone = office.call(None, "SOC", parties={mate: 1})

    assert clerk.ask("doctor")["ok"] is True
    plan = clerk.ask("plan")
    assert clerk.ask("why", "incident", waits)["retention_end"] == "2037-02-01"
    assert clerk.ask("why", "incident", also_waits)["retention_end"] == "2037-02-01"
    assert plan["dispose"] == {"delete": 4, "anonymise": 1}
    done = clerk.ask("apply", plan["plan"])
    assert (done["state"], done["skipped"]) == ("done", {})
    assert office.there("incidents", goes, waits, also_waits) == [False, True, True]
    assert {row["activityid"] for row in office.rows("cc_gesprekken")}.isdisjoint({spoken, lone})
    assert office.there("contacts", child, caller, parent, mate, young) == [True, False, False, False, True]
    assert office.rows("cc_incident_contactset") == []
    assert office.there("accounts", school) == [True]
    assert clerk.ask("verify", done["run"])["still_there"] == []
    assert clerk.ask("run", "retention")["deleted"] == 0


def test_a_person_is_answered_with_the_files_that_name_them(office: Desk, clerk: Typist) -> None:
    child = lotte(office)
    case = office.case("GRO", closed=False, **naming(child=child))
    office.call(case, "GRO", parties={child: 1})
    named = office.case("GRO", closed=False)
    office.pair("cc_incident_contact", named, "contact", child)
    asking = Asking(clerk).open(LOTTE).identify().confirm(child)
    asking.compile()
    kinds = [item["kind"] for item in asking.items()]
    assert (kinds.count("dossier"), kinds.count("fiche"), kinds.count("party")) == (2, 1, 3)


def test_an_erasure_deletes_the_file_and_with_it_the_roles(office: Desk, clerk: Typist) -> None:
    child, caller = lotte(office), office.person("1980-02-01")
    case = office.case("SEX", closed=False, **naming(child=child))
    office.call(case, parties={caller: 1})
    asking = asking_for(clerk, "erasure", child)
    (item,) = asking.items()
    decide(clerk, asking, "--grant", item["item"])
    assert released(clerk, asking)["waiting"] is None
    assert office.there("incidents", case) == [False]
    assert office.there("contacts", child, caller) == [False, False]
    assert (office.rows("cc_gesprekken"), office.rows("activityparties")) == ([], [])


def test_a_role_that_is_no_row_is_not_taken_from_a_file_that_stays(office: Desk, clerk: Typist) -> None:
    """Somebody has to change the file itself; until then the request waits, and says so (6.2)."""
    teller, child = lotte(office, "1990-02-01"), office.person("2019-02-01", "Emma", "Janssens (fictief)")
    case = office.case("SEX", closed=False, **naming(child=child))
    office.call(case, parties={teller: 1})
    asking = asking_for(clerk, "erasure", teller)
    (item,) = asking.items()
    assert decide(clerk, asking, "--grant", item["item"])["waiting"] == {item["item"]: "SKIPPED_TECHNICAL"}
    assert released(clerk, asking)["waiting"] == "SKIPPED_TECHNICAL"
    assert office.there("incidents", case) == [True]
    assert office.there("contacts", teller) == [True]


def test_a_hold_on_a_person_reaches_the_dossiers_that_name_them(office: Desk, clerk: Typist) -> None:
    """HLD-04, by each of the ways in which a role is kept."""
    people = [office.person("2000-02-01") for _ in range(4)]
    first = office.case("SEX", **naming(child=people[0]))
    second = office.case("SEX", **naming(customer=people[1]))
    third, fourth = office.case("SEX"), office.case("SEX")
    office.pair("cc_incident_contact", third, "contact", people[2])
    office.call(fourth, parties={people[3]: 2})
    for person in people:
        on = ("--table", "contact", "--id", person, "--type", "legal", "--reason", "CASE-1", "--basis", "letter of counsel")
        clerk.ask("holds", "place", *on, "--review-on", "2027-06-01", "--as", "dora", "--role", "dpo")
    for case in (first, second, third, fourth):
        assert "HOLD_LEGAL" in clerk.ask("why", "incident", case)["reasons"]


def test_a_row_is_explained_with_the_roles_that_it_tells_of(office: Desk, clerk: Typist) -> None:
    child, school = office.person(), office.create("accounts", name="School (fictief)")
    case = office.case("SEX", closed=False, **naming(child=child, firm=school))
    told = clerk.ask("mapping", "explain", "incident", case)
    roles = {field["field"]: field["value"] for field in told["fields"] if field["section"] == "party"}
    assert roles == {"party.child": {"table": "contact", "id": child}, "party.reporter": {"table": "account", "id": school}}
    assert (told["kind"], told["unfilled"]) == ("dossier", [])
    call = office.call(case, parties={child: 1})
    told = clerk.ask("mapping", "explain", "cc_gesprek", call)
    assert told["unit"] == {"table": "incident", "id": case}
    assert [field["value"] for field in told["fields"] if field["section"] == "fixed"] == ["phone"]


def test_the_day_of_a_communication_may_be_the_end_of_its_activity(office: Desk, clerk: Typist, tmp_path: Path) -> None:
    """An instant, told by the clock of the schedule: half past ten at night in UTC is the day after in July
    (DAT-01)."""
    path = tmp_path / "ended.yaml"
    path.write_text(Path(str(clerk.settings.mapping)).read_text("utf-8").replace("communicated_on: cc_datum", "communicated_on: actualend"))
    clerk.set(MAPPING=str(path))
    assert clerk.ask("mapping", "check")["problems"] == []
    case = office.case("SEX", **naming(child=office.person("2000-02-01")))
    call = office.call(case, parties={})
    office.patch("cc_gesprekken", call, actualend="2021-06-30T22:30:00Z", cc_datum="2010-01-01")
    told = clerk.ask("mapping", "explain", "cc_gesprek", call)
    assert {each["field"]: each["value"] for each in told["fields"]}["communicated_on"] == "2021-07-01"
    trace = clerk.ask("why", "incident", case)["trace"]
    assert "2021-07-01" in str([step for step in trace if step["rule"] == "RET-07"])


def test_roles_that_are_no_rows_are_read_and_not_written(office: Desk, clerk: Typist) -> None:
    case = office.case("SEX", **naming(child=office.person()))
    office.call(case, parties={office.person("1980-02-01"): 1})
    office.pair("cc_incident_contact", case, "contact", office.person("1975-02-01"))
    held = restrict(office, clerk)
    assert not {name for name in held if name.startswith(("prvWrite", "prvAppend"))} - {"prvWriteContact", "prvWritecc_cijfer"}
    done = clerk.ask("apply", clerk.ask("plan")["plan"], code=6)  # places beside the rows are out of its reach
    assert (done["skipped"], office.there("incidents", case)) == ({}, [False])
