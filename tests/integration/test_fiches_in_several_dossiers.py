"""Organisations whose reports are in dossiers by pairs: a fiche of several dossiers goes with the
last of them (portability; RET-18)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.crm_compliance.cli.requests.decided import asking_for, decide, released
from tests.drivers.asking import Asking
from tests.drivers.organisation import set_faults
from tests.drivers.side_by_side import APPLIED, PLANNED, Case, SideBySide
from tests.drivers.typist import Typist
from tests.integration.connected_house import DATA, LOTTE, House, house, lotte, typist

__all__ = ["house", "typist"]  # fixtures


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

    house.patch("incidents", stays, statecode=1, statuscode=5)
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
