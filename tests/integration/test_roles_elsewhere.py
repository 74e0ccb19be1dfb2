"""Organisations that keep roles where the platform offers it: in connections, in lookups of the dossier,
among the participants of an activity, in pairs. The same night and the same requests (portability; RET-14,
RET-20)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests

from connectors.dynamics.connector import connect
from connectors.dynamics.http.auth import StaticToken
from connectors.emulator.serving.server import RunningEmulator, running
from jobs.model.privileges import NEEDS
from tests.crm_compliance.asking import Asking
from tests.crm_compliance.cli.requests.test_decide import asking_for, decide, released
from tests.crm_compliance.typist import Typist, set_faults
from tests.integration.night import TOKEN
from tests.integration.side_by_side import APPLIED, PLANNED, Case, SideBySide
from tests.known_definitions import KNOWN
from tests.yaml_files import read_yaml, yaml_text

DATA = Path(__file__).parents[1] / "data"
LONG_AGO = "2020-01-10"
SETS = {"contact": "contacts", "account": "accounts", "incident": "incidents", "cc_melding": "cc_meldingen"}
KEYS = {"contacts": "contactid", "accounts": "accountid", "incidents": "incidentid", "cc_meldingen": "cc_meldingid"}


class House:
    """A fictitious organisation, spoken to with plain requests."""

    def __init__(self, emulator: RunningEmulator) -> None:
        emulator.emulator.switches.incident_by_action = False
        self.emulator = emulator
        self.ids = Random(7)
        self.http = requests.Session()
        self.http.headers.update({"Authorization": f"Bearer {TOKEN}", "OData-Version": "4.0", "Accept": "application/json"})
        self.categories = {
            code: self.create("cc_categorieen", "cc_categorieid", cc_naam=code, cc_code=code) for code in ("SOC", "SEX", "GRO")
        }
        self.roles: dict[str, str] = {}

    def create(self, table_set: str, key: str = "", **columns: Any) -> str:
        row = str(uuid.UUID(int=self.ids.getrandbits(128), version=4))
        answer = self.http.post(self.emulator.url + table_set, json={key or KEYS[table_set]: row, **columns})
        assert answer.status_code == 204, (table_set, answer.text)
        return row

    def patch(self, path: str, **columns: Any) -> None:
        answer = self.http.patch(self.emulator.url + path, json=columns, headers={"If-Match": "*"})
        assert answer.status_code == 204, (path, answer.text)

    def delete(self, path: str) -> None:
        assert self.http.delete(self.emulator.url + path).status_code == 204

    def rows(self, path: str) -> list[dict[str, Any]]:
        answer = self.http.get(self.emulator.url + path)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["value"]
        return found

    def there(self, table_set: str, *rows: str) -> list[bool]:
        found = {row[KEYS[table_set]] for row in self.rows(table_set)}
        return [row in found for row in rows]

    def pair(self, relation: str, incident: str, table: str, row: str) -> None:
        link = {"@odata.id": f"{self.emulator.url}{SETS.get(table, table)}({row})"}
        assert self.http.post(f"{self.emulator.url}incidents({incident})/{relation}/$ref", json=link).status_code == 204

    def person(self, born: str = "2000-02-01", first: str = "Lotte", last: str = "Peeters (fictief)") -> str:
        return self.create("contacts", birthdate=born, firstname=first, lastname=last)

    def case(self, code: str, *, closed: bool = True, **more: Any) -> str:
        bound = {"cc_CategorieId@odata.bind": f"/cc_categorieen({self.categories[code]})"}
        row = self.create("incidents", title="Z", cc_geopend=LONG_AGO, **bound, **more)
        if closed:
            self.patch(f"incidents({row})", statecode=1, statuscode=5)
        return row

    def report(self, code: str, case: str | None, **more: Any) -> str:
        bound = {"cc_CategorieId@odata.bind": f"/cc_categorieen({self.categories[code]})"}
        bound |= {"cc_DossierId@odata.bind": f"/incidents({case})"} if case else {}
        return self.create("cc_meldingen", cc_naam="M", cc_datum=LONG_AGO, **bound, **more)

    def connect(self, role: str, one: tuple[str, str], two: tuple[str, str], *, role_of: int = 2) -> str:
        """A connection of two rows, in which one has a role; the platform makes the other half."""
        if role not in self.roles:
            self.roles[role] = self.create("connectionroles", "connectionroleid", name=role)
        bound = {f"record{at}id_{table}@odata.bind": f"/{SETS[table]}({row})" for at, (table, row) in ((1, one), (2, two))}
        bound[f"record{role_of}roleid@odata.bind"] = f"/connectionroles({self.roles[role]})"
        return self.create("connections", "connectionid", **bound)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(environment=DATA / "connected-environment.yaml", token=TOKEN) as emulator, KNOWN.of(emulator, TOKEN):
        found = House(emulator)
        yield found
        found.http.close()


@pytest.fixture
def typist(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, house: House) -> Typist:
    typist = Typist(capsys, monkeypatch, tmp_path, house.emulator.url)
    typist.set(MAPPING=str(DATA / "connected-mapping.yaml"))
    return typist


# -- connections ---------------------------------------------------------------------------------------------


def test_a_night_with_roles_in_connections(house: House, typist: Typist) -> None:
    """Each connection is one role, of whichever half it was made; both halves go with what goes (RET-20)."""
    old, young = house.person("2000-02-01"), house.person("2019-02-01")
    reporter, office = house.person("1980-02-01"), house.create("accounts", name="School (fictief)")
    goes, waits, is_open = house.case("SEX"), house.case("SEX"), house.case("GRO", closed=False)
    spoken = {case: house.report(code, case) for case, code in ((goes, "SEX"), (waits, "SEX"), (is_open, "GRO"))}
    house.connect("Kind", ("incident", goes), ("contact", old))
    house.connect("Melder", ("contact", reporter), ("cc_melding", spoken[goes]), role_of=1)
    house.connect("School", ("incident", goes), ("account", office))
    house.connect("Verwant", ("incident", goes), ("incident", is_open))
    house.connect("Kind", ("contact", young), ("incident", waits), role_of=1)
    house.connect("Zus", ("contact", old), ("contact", reporter))

    assert typist.ask("doctor")["ok"] is True
    plan = typist.ask("plan")
    assert plan["dispose"] == {"delete": 2, "anonymise": 1}
    assert typist.ask("why", "incident", waits)["retention_end"] == "2037-02-01"
    done = typist.ask("apply", plan["plan"])
    assert (done["state"], done["skipped"]) == ("done", {})
    assert house.there("incidents", goes, waits, is_open) == [False, True, True]
    assert house.there("cc_meldingen", spoken[goes]) == [False]
    assert house.there("contacts", old, young, reporter) == [False, True, False]
    assert len(house.rows("connections")) == 2  # the two halves of what stays
    assert typist.ask("verify", done["run"])["still_there"] == []
    assert typist.ask("run", "retention")["deleted"] == 0


def test_a_role_that_is_changed_by_its_other_half_after_the_plan_keeps_the_dossier(house: House, typist: Typist) -> None:
    case = house.case("SEX")
    house.report("SEX", case)
    house.connect("Kind", ("incident", case), ("contact", house.person()))
    role = house.connect("Ouder", ("incident", case), ("contact", house.person("2019-02-01")))
    plan = typist.ask("plan")
    assert plan["dispose"] == {"delete": 2, "anonymise": 1}
    (half,) = house.rows(f"connections?$filter=_relatedconnectionid_value eq {role}")
    house.patch(f"connections({half['connectionid']})", **{"record1roleid@odata.bind": f"/connectionroles({house.roles['Kind']})"})
    assert typist.ask("apply", plan["plan"])["anonymised"] == 0
    assert house.there("incidents", case) == [True]
    assert len(house.rows("connections")) == 4


def test_a_role_that_the_mapping_does_not_name_may_be_a_childs(house: House, typist: Typist) -> None:
    """R-161: nobody knows how old whoever has it is."""
    case = house.case("SEX")
    house.report("SEX", case)
    house.connect("Kind", ("incident", case), ("contact", house.person("2000-02-01")))
    house.connect("Slachtoffer", ("incident", case), ("contact", house.person("1990-02-01")))
    assert typist.ask("plan")["dispose"] == {"delete": 0, "anonymise": 0}
    assert typist.ask("why", "incident", case)["reason"] != "EXPIRED"


def test_connections_of_one_half_that_name_the_person_first_are_not_overlooked(house: House, typist: Typist) -> None:
    case = house.case("SEX")
    house.emulator.emulator.switches.connection_halves = False
    house.connect("Kind", ("incident", case), ("contact", house.person()))
    assert typist.ask("plan")["dispose"] == {"delete": 1, "anonymise": 1}
    house.connect("Kind", ("contact", house.person("2019-02-01")), ("incident", case), role_of=1)
    assert typist.refused("plan", code=4)["where"] == "connection"


def test_the_other_half_leaves_nothing_in_the_bin(house: House, typist: Typist) -> None:
    """Both halves were deleted, and both are cleaned up after (ERA-12)."""
    house.emulator.emulator.switches.recycle_bin_days = 30
    case = house.case("SEX")
    house.report("SEX", case)
    house.connect("Kind", ("incident", case), ("contact", house.person()))
    done = typist.ask("apply", typist.ask("plan")["plan"])
    assert (done["state"], done["skipped"], house.rows("connections")) == ("done", {}, [])
    assert house.rows("deleteditemreferences") == []


LOTTE: dict[str, Any] = {"firstname": "Lotte", "lastname": "Peeters (fictief)", "emails": ["lotte@example.org"]}


def lotte(house: House, born: str = "2008-01-02") -> str:
    return house.create("contacts", birthdate=born, firstname="Lotte", lastname="Peeters (fictief)", emailaddress1="lotte@example.org")


def test_a_person_is_answered_with_the_files_to_which_connections_lead(house: House, typist: Typist) -> None:
    child = lotte(house)
    case = house.case("GRO", closed=False)
    spoken = house.report("GRO", case)
    house.connect("Kind", ("incident", case), ("contact", child))
    house.connect("Melder", ("contact", child), ("cc_melding", spoken), role_of=1)
    asking = Asking(typist).open(LOTTE).identify().confirm(child)
    asking.compile()
    assert {item["kind"] for item in asking.items()} >= {"contact", "dossier", "fiche", "party"}


def test_connections_that_are_no_roles_are_named_as_not_searched(house: House) -> None:
    """EXP-03: what somebody wrote between two people is read by nobody."""
    child, parent = house.person(), house.person("1980-02-01")
    house.connect("Kind", ("incident", house.case("GRO")), ("contact", child))
    house.connect("Melder", ("contact", child), ("cc_melding", house.report("GRO", None)), role_of=1)
    url, text = house.emulator.url, (DATA / "connected-mapping.yaml").read_text("utf-8")

    def unsearched() -> set[str]:
        with connect(url=url, tokens=StaticToken(TOKEN, url), mapping_text=text, mapping_source="m") as connector:
            return set(connector.data_map().unsearched_tables)

    assert "connection" not in unsearched()
    house.connect("Ouder", ("contact", child), ("contact", parent))
    assert "connection" in unsearched()


def test_an_erasure_takes_the_connections_with_the_dossier(house: House, typist: Typist) -> None:
    child, parent = lotte(house), house.person("1980-02-01")
    case = house.case("SEX", closed=False)
    house.report("SEX", case)
    house.connect("Kind", ("incident", case), ("contact", child))
    house.connect("Ouder", ("incident", case), ("contact", parent))
    asking = asking_for(typist, "erasure", child)
    (item,) = asking.items()
    decide(typist, asking, "--grant", item["item"])
    assert released(typist, asking)["waiting"] is None
    assert house.there("incidents", case) == [False]
    assert house.there("contacts", child, parent) == [False, False]
    assert house.rows("connections") == []


def test_a_witness_is_forgotten_by_deleting_the_connection(house: House, typist: Typist) -> None:
    """A connection has two ends: a role that is nobody's cannot stay (6.2)."""
    teller, child = lotte(house, "1990-02-01"), house.person("2019-02-01", "Emma", "Janssens (fictief)")
    case = house.case("SEX", closed=False)
    house.report("SEX", case)
    house.connect("Kind", ("incident", case), ("contact", child))
    house.connect("Getuige", ("incident", case), ("contact", teller))
    asking = asking_for(typist, "erasure", teller)
    (item,) = asking.items()
    decide(typist, asking, "--grant", item["item"])
    assert released(typist, asking)["waiting"] is None
    assert house.there("incidents", case) == [True]
    assert house.there("contacts", teller, child) == [False, True]
    assert len(house.rows("connections")) == 2


# -- many-to-many --------------------------------------------------------------------------------------------


def approved(typist: Typist) -> str:
    """A new plan, with the word of two people."""
    plan = typist.ask("plan")
    for role in plan["approvals"]["needed"]:
        typist.ask("plans", "approve", plan["plan"], "--as", f"fictief-{role}", "--role", role)
    return str(plan["plan"])


def paired(typist: Typist, tmp_path: Path) -> None:
    """The mapping in which a report is in its dossiers, and a dossier about its categories, by pairs."""
    text = (DATA / "connected-mapping.yaml").read_text("utf-8")
    text = text.replace("      dossier: cc_dossierid\n", "").replace(
        "    table: cc_melding\n", "    table: cc_melding\n    many_to_many: {dossier: cc_incident_melding}\n"
    )
    path = tmp_path / "mapping.yaml"
    path.write_text(text, "utf-8")
    typist.set(MAPPING=str(path))


def pairs_of(house: House, *cases: str) -> list[str]:
    """The dossiers of the pairs that some dossiers have with reports."""
    return [row["incidentid"] for row in house.rows("cc_incident_meldingset") if row["incidentid"] in cases]


def connections_of(house: House, *rows: str) -> list[str]:
    """The connections that some rows have, of either half."""
    ends = ("_record1id_value", "_record2id_value")
    return [row["connectionid"] for row in house.rows("connections") if any(row[end] in rows for end in ends)]


@dataclass
class Paired:
    """Whoever types the nights of an organisation whose reports are in dossiers by pairs."""

    house: House
    typist: Typist

    def plan(self) -> Any:
        return self.typist.ask("plan")

    def apply(self, plan: Any) -> Any:
        for role in plan["approvals"]["needed"]:
            self.typist.ask("plans", "approve", plan["plan"], "--as", f"fictief-{role}", "--role", role)
        said = self.typist.type("apply", plan["plan"], "--json")
        assert said.code == 0, said
        return said.document


in_one_night = SideBySide[Paired]()


def test_a_night_with_all_of_these(house: House, typist: Typist, tmp_path: Path, subtests: pytest.Subtests) -> None:
    paired(typist, tmp_path)
    in_one_night.play(Paired(house, typist), subtests)


@in_one_night
def no_more_is_due_than_is_theirs(_: Paired) -> Case:
    """Each dossier that ends has a child of its own; one waits for its turn, and its child with it."""
    first = yield PLANNED
    assert first["dispose"] == {"delete": 5, "anonymise": 5}
    yield APPLIED
    second = yield PLANNED
    assert second["dispose"] == {"delete": 3, "anonymise": 2}


@in_one_night
def a_fiche_in_several_dossiers_goes_with_the_last(desk: Paired) -> Case:
    """It stays as long as one of them does, with what depends on it and who has a role in it (RET-20)."""
    house, typist = desk.house, desk.typist
    child, reporter = house.person("2000-02-01"), house.person("1980-02-01")
    goes, stays = house.case("SEX"), house.case("SEX", closed=False)
    shared, own = house.report("SEX", None), house.report("SEX", None)
    for case, spoken in ((goes, shared), (stays, shared), (goes, own)):
        house.pair("cc_incident_melding", case, "cc_melding", spoken)
    house.connect("Kind", ("incident", goes), ("contact", child))
    other = house.person("2000-02-01")
    house.connect("Kind", ("incident", stays), ("contact", other))
    house.connect("Melder", ("cc_melding", shared), ("contact", reporter))

    assert typist.ask("doctor")["ok"] is True
    plan = yield PLANNED
    assert "WITHOUT_TERM" not in str(plan["warnings"])  # the last of these has one
    assert "in_no_unit" not in str(typist.ask("why", "contact", reporter))
    done = yield APPLIED
    assert done["state"] == "done"
    assert house.there("incidents", goes, stays) == [False, True]
    assert house.there("cc_meldingen", shared, own) == [True, False]
    assert house.there("contacts", child, reporter) == [False, True]
    assert pairs_of(house, goes, stays) == [stays]
    assert typist.ask("verify", done["run"])["still_there"] == []

    house.patch(f"incidents({stays})", statecode=1, statuscode=5)
    yield APPLIED
    assert (house.there("cc_meldingen", shared, own), pairs_of(house, goes, stays)) == ([False, False], [])
    assert (house.there("contacts", child, reporter, other), connections_of(house, goes, stays, shared)) == ([False] * 3, [])


@in_one_night
def of_dossiers_that_are_due_in_one_night_the_last_takes_their_fiche_along_in_the_next(desk: Paired) -> Case:
    """Left alone it would know no child (RET-02, RET-09), and stay until one born on the day of it came of
    age."""
    house = desk.house
    cases = [house.case("SEX"), house.case("SEX")]
    people = {case: house.person("2000-02-01") for case in cases}
    shared = house.report("SEX", None)
    for case in cases:
        house.pair("cc_incident_melding", case, "cc_melding", shared)
        house.connect("Kind", ("incident", case), ("contact", people[case]))
    done = yield APPLIED
    assert done["skipped"] == {"AWAITS_TURN": 1, "STILL_REFERRED": 1}  # of all that share this night
    assert sorted(house.there("incidents", *cases)) == [False, True]
    assert house.there("cc_meldingen", shared) == [True]
    plan = yield PLANNED
    assert plan["approvals"]["needed"] == []  # nothing is other than what was approved
    again = yield APPLIED
    assert again["skipped"] == {}
    assert [house.there("incidents", *cases), house.there("cc_meldingen", shared)] == [[False, False], [False]]
    assert house.there("contacts", *people.values()) == [False, False]


def test_what_the_crm_refuses_lets_those_pass_with_which_it_shares_a_row(house: House, typist: Typist, tmp_path: Path) -> None:
    """RET-18: each night that it is refused another may go, and the shared row goes with the last."""
    paired(typist, tmp_path)
    first, second, third = sorted(house.case("SEX") for _ in range(3))
    shared = house.report("SEX", None)
    for case in (first, second, third):
        house.pair("cc_incident_melding", case, "cc_melding", shared)
        house.connect("Kind", ("incident", case), ("contact", house.person("2000-02-01")))
    refusal = {"match": {"method": "DELETE", "path": first}, "times": 99, "do": "status", "status": 403}
    set_faults(house.emulator, refusal)
    there = []
    for code in (6, 0, 6):
        typist.ask("apply", approved(typist), code=code)
        there.append(house.there("incidents", first, second, third))
    assert there == [[True, False, True], [True, False, False], [True, False, False]]
    set_faults(house.emulator)
    assert typist.ask("apply", approved(typist))["skipped"] == {}
    assert (house.rows("incidents"), house.rows("cc_meldingen"), house.rows("contacts")) == ([], [], [])


@in_one_night
def a_fiche_that_joins_another_dossier_after_the_plan_is_not_deleted(desk: Paired) -> Case:
    """No version of any row tells of a pair, so pairs are read again before a write."""
    house = desk.house
    case, spoken = house.case("SEX"), house.report("SEX", None)
    house.pair("cc_incident_melding", case, "cc_melding", spoken)
    house.connect("Kind", ("incident", case), ("contact", house.person("2000-02-01")))
    yield PLANNED
    house.pair("cc_incident_melding", house.case("SEX", closed=False), "cc_melding", spoken)
    yield APPLIED
    assert (house.there("incidents", case), house.there("cc_meldingen", spoken)) == ([False], [True])


@in_one_night
def a_hold_on_one_of_its_dossiers_is_found_from_a_shared_fiche(desk: Paired) -> Case:
    """The other dossier goes at its end; the fiche stays with the one that is held (HLD-04)."""
    house = desk.house
    goes, held = house.case("SEX"), house.case("SEX", cc_bevroren=True)
    shared = house.report("SEX", None)
    for case in (goes, held):
        house.pair("cc_incident_melding", case, "cc_melding", shared)
        house.connect("Kind", ("incident", case), ("contact", house.person("2000-02-01")))
    yield APPLIED
    assert house.there("incidents", goes, held) == [False, True]
    assert house.there("cc_meldingen", shared) == [True]


@in_one_night
def a_child_in_a_shared_fiche_counts_for_all_its_dossiers(desk: Paired) -> Case:
    house, typist = desk.house, desk.typist
    cases = [house.case("SEX"), house.case("SEX")]
    shared = house.report("SEX", None)
    for case in cases:
        house.pair("cc_incident_melding", case, "cc_melding", shared)
        house.connect("Kind", ("incident", case), ("contact", house.person("2000-02-01")))
    house.connect("Kind", ("cc_melding", shared), ("contact", house.person("2019-02-01")))
    yield PLANNED
    assert [typist.ask("why", "incident", case)["retention_end"] for case in cases] == ["2037-02-01"] * 2
    yield APPLIED
    assert house.there("incidents", *cases) == [True, True]


def test_a_person_is_answered_with_a_shared_fiche(house: House, typist: Typist, tmp_path: Path) -> None:
    paired(typist, tmp_path)
    child = lotte(house)
    case, other = house.case("GRO", closed=False), house.case("GRO", closed=False)
    shared = house.report("GRO", None)
    for each in (case, other):
        house.pair("cc_incident_melding", each, "cc_melding", shared)
    house.connect("Kind", ("incident", case), ("contact", child))
    house.connect("Kind", ("incident", other), ("contact", house.person("2010-02-01", "Emma", "Janssens (fictief)")))
    asking = Asking(typist).open(LOTTE).identify().confirm(child)
    asking.compile()
    kinds = [item["kind"] for item in asking.items()]
    assert (kinds.count("dossier"), kinds.count("fiche")) == (1, 1)


def test_an_erased_dossier_leaves_its_shared_fiche_and_whoever_is_in_it(house: House, typist: Typist, tmp_path: Path) -> None:
    paired(typist, tmp_path)
    child, reporter = lotte(house), house.person("1980-02-01", "Emma", "Janssens (fictief)")
    case, other = house.case("SEX", closed=False), house.case("SEX", closed=False)
    shared, own = house.report("SEX", None), house.report("SEX", None)
    for each, spoken in ((case, shared), (other, shared), (case, own)):
        house.pair("cc_incident_melding", each, "cc_melding", spoken)
    house.connect("Kind", ("incident", case), ("contact", child))
    house.connect("Melder", ("cc_melding", shared), ("contact", reporter))
    asking = asking_for(typist, "erasure", child)
    items = [item["item"] for item in asking.items() if item["kind"] == "dossier"]
    decide(typist, asking, "--grant", items[0])
    released(typist, asking)
    assert house.there("incidents", case, other) == [False, True]
    assert house.there("cc_meldingen", shared, own) == [True, False]
    assert house.there("contacts", child, reporter) == [False, True]


# -- lookups, participants and pairs -------------------------------------------------------------------------

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
        found.http.close()


@pytest.fixture
def clerk(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, office: Desk) -> Typist:
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
    typist = Typist(capsys, monkeypatch, tmp_path, office.emulator.url)
    typist.set(MAPPING=str(path))
    return typist


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
    office.patch(f"cc_gesprekken({call})", actualend="2021-06-30T22:30:00Z", cc_datum="2010-01-01")
    told = clerk.ask("mapping", "explain", "cc_gesprek", call)
    assert {each["field"]: each["value"] for each in told["fields"]}["communicated_on"] == "2021-07-01"
    trace = clerk.ask("why", "incident", case)["trace"]
    assert "2021-07-01" in str([step for step in trace if step["rule"] == "RET-07"])


def test_a_fiche_is_explained_with_its_dossiers_and_a_connection_with_its_role(house: House, typist: Typist, tmp_path: Path) -> None:
    paired(typist, tmp_path)
    cases = sorted([house.case("SEX"), house.case("SEX")])
    shared = house.report("SEX", None)
    for case in cases:
        house.pair("cc_incident_melding", case, "cc_melding", shared)
    told = typist.ask("mapping", "explain", "cc_melding", shared)
    assert [field["value"] for field in told["fields"] if field["section"] == "many_to_many"] == [cases]
    stays = house.case("SEX", closed=False)
    house.pair("cc_incident_melding", stays, "cc_melding", shared)
    why = typist.ask("why", "cc_melding", shared)
    assert (why["table"], why["id"], why["outcome"]) == ("incident", stays, "retain")  # the last with which it goes
    assert why["trace"][0]["inputs"] == {"dossiers": sorted([*cases, stays])}
    role = house.connect("Kind", ("incident", cases[0]), ("contact", house.person()))
    told = typist.ask("mapping", "explain", "connection", role)
    assert {field["field"]: field["value"] for field in told["fields"]}["role"] == "child"
    assert (told["unit"], told["unfilled"], told["remark"]) == ({"table": "incident", "id": cases[0]}, [], "")
    (row,) = house.rows(f"connections?$filter=connectionid eq {role}&$select=_relatedconnectionid_value")
    half = typist.ask("mapping", "explain", "connection", row["_relatedconnectionid_value"])
    assert (half["id"], half["unit"], half["fields"]) == (row["_relatedconnectionid_value"], told["unit"], told["fields"])
    assert role in half["remark"]
    other = house.connect("Kind", ("contact", house.person()), ("contact", house.person()))
    assert typist.ask("mapping", "explain", "connection", other)["kind"] == "out_of_scope"


# -- a table of roles whose one column points to a dossier or a fiche ----------------------------------------

EITHER = """
choices:
  cc_rol: {1: {nl: Kind}, 2: {nl: Melder}, 3: {nl: School}}
tables:
  cc_betrokkene:
    set: cc_betrokkenen
    columns:
      cc_betrokkeneid: {type: guid, key: true}
      cc_naam: {type: string(100), primary_name: true}
      cc_betreftid: {type: lookup incident|cc_melding, schema_name: cc_BetreftId}
      cc_persoonid: {type: lookup contact|account, schema_name: cc_PersoonId}
      cc_rol: {type: choice cc_rol}
"""
OF_EITHER = """
table: cc_betrokkene
either: [cc_betreftid]
columns: {dossier: cc_betreftid, fiche: cc_betreftid, contact: cc_persoonid, role: cc_rol}
choices: {role: {1: child, 2: reporter, 3: professional}}
"""


def test_one_column_of_a_role_points_to_a_dossier_or_a_fiche(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    document, more = read_yaml(DATA / "connected-environment.yaml"), read_yaml(EITHER)
    for name in ("choices", "tables"):
        document[name] |= more[name]
    mapping = read_yaml(DATA / "connected-mapping.yaml")
    mapping["tables"]["party"] = read_yaml(OF_EITHER)
    files = tmp_path / "environment.yaml", tmp_path / "mapping.yaml"
    for path, content in zip(files, (document, mapping), strict=True):
        path.write_text(yaml_text(content), encoding="utf-8")
    with running(environment=files[0], token=TOKEN) as emulator, KNOWN.of(emulator, TOKEN):
        house, typist = House(emulator), Typist(capsys, monkeypatch, tmp_path, emulator.url)
        typist.set(MAPPING=str(files[1]))
        child, young, reporter = house.person(), house.person("2019-02-01"), house.person("1980-02-01")
        school = house.create("accounts", name="School (fictief)")
        goes, waits = house.case("SEX"), house.case("SEX")
        spoken = {case: house.report("SEX", case) for case in (goes, waits)}
        for on, who, role in (
            (f"incident:incidents({goes})", f"contact:contacts({child})", 1),
            (f"cc_melding:cc_meldingen({spoken[goes]})", f"contact:contacts({reporter})", 2),
            (f"incident:incidents({goes})", f"account:accounts({school})", 3),
            (f"cc_melding:cc_meldingen({spoken[waits]})", f"contact:contacts({young})", 1),
        ):
            (table, about), (kind, person) = on.split(":"), who.split(":")
            bound = {f"cc_BetreftId_{table}@odata.bind": f"/{about}", f"cc_PersoonId_{kind}@odata.bind": f"/{person}"}
            house.create("cc_betrokkenen", "cc_betrokkeneid", cc_naam="rol", cc_rol=role, **bound)
        assert typist.ask("doctor")["ok"] is True
        assert typist.ask("why", "incident", waits)["retention_end"] == "2037-02-01"
        done = typist.ask("apply", typist.ask("plan")["plan"])
        assert (done["state"], done["skipped"]) == ("done", {})
        assert house.there("incidents", goes, waits) == [False, True]
        assert house.there("contacts", child, young, reporter) == [False, True, False]
        assert [row["cc_rol"] for row in house.rows("cc_betrokkenen")] == [1]
        house.http.close()


# -- the least role ------------------------------------------------------------------------------------------


def restrict(house: House, typist: Typist) -> set[str]:
    """Grant the application user the least role and nothing else; return its privileges."""
    path = typist.settings.mapping
    assert path is not None
    text = Path(path).read_text("utf-8")
    url = house.emulator.url
    with connect(url=url, tokens=StaticToken(TOKEN, url), mapping_text=text, mapping_source="m") as connector:
        lines, user = connector.least_role(NEEDS), connector.whoami()
    body = {"user": user, "set": {line.name: line.depth for line in lines}}
    requests.put(f"{house.emulator.root}/_emulator/privileges", json=body, timeout=10).raise_for_status()
    return {line.name for line in lines}


def test_roles_in_connections_need_no_more_than_to_read_and_delete_them(house: House, typist: Typist) -> None:
    case = house.case("SEX")
    house.report("SEX", case)
    house.connect("Kind", ("incident", case), ("contact", house.person()))
    held = restrict(house, typist)
    assert {name for name in held if "onnection" in name} == {"prvReadConnection", "prvDeleteConnection", "prvReadConnectionRole"}
    done = typist.ask("apply", typist.ask("plan")["plan"], code=6)  # places beside the rows are out of its reach
    assert (done["skipped"], house.rows("connections")) == ({}, [])


def test_roles_that_are_no_rows_are_read_and_not_written(office: Desk, clerk: Typist) -> None:
    case = office.case("SEX", **naming(child=office.person()))
    office.call(case, parties={office.person("1980-02-01"): 1})
    office.pair("cc_incident_contact", case, "contact", office.person("1975-02-01"))
    held = restrict(office, clerk)
    assert not {name for name in held if name.startswith(("prvWrite", "prvAppend"))} - {"prvWriteContact", "prvWritecc_cijfer"}
    done = clerk.ask("apply", clerk.ask("plan")["plan"], code=6)  # places beside the rows are out of its reach
    assert (done["skipped"], office.there("incidents", case)) == ({}, [False])
