"""Organisations that keep roles in connections, or in a table whose one column leads to a dossier
or a fiche: the same night and the same requests (portability; RET-14, RET-20)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from connectors.dynamics.http.auth import StaticToken
from connectors.emulator.serving.server import running
from connectors.interface.rows import Among
from jobs.reading.few_rows import PARTY_FIELDS
from rules.model.records import Party
from tests.crm_compliance.cli.requests.decided import asking_for, decide, released
from tests.drivers.asking import Asking
from tests.drivers.connecting import connect
from tests.drivers.organisation import TOKEN
from tests.drivers.typist import Typist
from tests.integration.connected_house import DATA, LOTTE, House, house, lotte, restrict, typist
from tests.known_definitions import KNOWN
from tests.yaml_files import read_yaml, yaml_text

__all__ = ["house", "typist"]  # fixtures


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
    house.patch("connections", half["connectionid"], **{"record1roleid@odata.bind": f"/connectionroles({house.roles['Kind']})"})
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


def test_roles_are_found_by_the_ids_of_dossiers_and_fiches_together(house: House) -> None:
    """One column leads to both, and each row answers for one of them."""
    child, case = house.person(), house.case("GRO")
    spoken = house.report("GRO", case)
    house.connect("Kind", ("incident", case), ("contact", child))
    house.connect("Melder", ("contact", child), ("cc_melding", spoken), role_of=1)
    url, text = house.emulator.url, (DATA / "connected-mapping.yaml").read_text("utf-8")
    with connect(url=url, tokens=StaticToken(TOKEN, url), mapping_text=text, mapping_source="m") as connector:
        for name in ("dossier", "fiche"):
            rows = [row for page in connector.read(Party, PARTY_FIELDS, among=Among(name, [case, spoken])) for row in page]
            assert sorted((row.dossier or "", row.fiche or "") for row in rows) == sorted([(case, ""), ("", spoken)])


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


def test_one_column_of_a_role_points_to_a_dossier_or_a_fiche(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    document, more = read_yaml(DATA / "connected-environment.yaml"), read_yaml(EITHER)
    for name in ("choices", "tables"):
        document[name] |= more[name]
    mapping = read_yaml(DATA / "connected-mapping.yaml")
    mapping["tables"]["party"] = read_yaml(OF_EITHER)
    files = tmp_path / "environment.yaml", tmp_path / "mapping.yaml"
    for path, content in zip(files, (document, mapping), strict=True):
        path.write_text(yaml_text(content), encoding="utf-8")
    with running(environment=files[0], token=TOKEN) as emulator, KNOWN.of(emulator, TOKEN):
        house, typist = House(emulator), typist_at(emulator.url, MAPPING=str(files[1]))
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
        house.close()


def test_roles_in_connections_need_no_more_than_to_read_and_delete_them(house: House, typist: Typist) -> None:
    case = house.case("SEX")
    house.report("SEX", case)
    house.connect("Kind", ("incident", case), ("contact", house.person()))
    held = restrict(house, typist)
    assert {name for name in held if "onnection" in name} == {"prvReadConnection", "prvDeleteConnection", "prvReadConnectionRole"}
    done = typist.ask("apply", typist.ask("plan")["plan"], code=6)  # places beside the rows are out of its reach
    assert (done["skipped"], house.rows("connections")) == ({}, [])
