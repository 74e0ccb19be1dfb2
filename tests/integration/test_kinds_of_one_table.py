"""An organisation that keeps cases and consultations in one table: a lookup to it leads to a dossier or to a
fiche, although it leads to one table (RET-02, RET-20)."""

from collections.abc import Callable
from pathlib import Path

from connectors.emulator.serving.server import running
from tests.drivers.organisation import TOKEN, Organisation
from tests.drivers.typist import Typist
from tests.yaml_files import read_yaml, yaml_text

DATA = Path(__file__).parents[1] / "data"
TABLES = """
ra_bundel:
  set: ra_bundelverzameling
  columns:
    ra_sleutel: {type: guid, key: true}
    ra_roepnaam: {type: string(100), primary_name: true}
    ra_soort: {type: choice ra_soort}
    ra_domein: {type: choice ra_domein}
    ra_begin: {type: date}
    ra_einde: {type: date}
    ra_hoofdid: {type: lookup ra_bundel, schema_name: ra_HoofdId}
ra_rolrij:
  set: ra_rolrijen
  columns:
    ra_rolsleutel: {type: guid, key: true}
    ra_naam: {type: string(100), primary_name: true}
    ra_bundelref: {type: lookup ra_bundel, schema_name: ra_BundelRef}
    ra_persoonref: {type: lookup contact, schema_name: ra_PersoonRef}
"""
MAPPING = """
schema: crm-mapping/1
copies: []
tables:
  dossier:
    table: ra_bundel
    only: {ra_soort: [1]}
    without: [reopened_on, proceedings_ended_on, legal_hold]
    columns: {categories: ra_domein, opened_on: ra_begin, closed_on: ra_einde, is_active: statecode}
    choices: {categories: {1: social_card}, is_active: {0: active, 1: inactive}}
  fiche:
    table: ra_bundel
    only: {ra_soort: [2]}
    columns: {dossier: ra_hoofdid, categories: ra_domein, communicated_on: ra_begin, created_on: createdon}
    choices: {categories: {1: social_card}}
  party:
    table: ra_rolrij
    either: [ra_bundelref]
    columns: {dossier: ra_bundelref, fiche: ra_bundelref, contact: ra_persoonref}
    fixed: {role: parent}
  contact:
    table: contact
    without: [newsletter]
    columns: {birth_on: birthdate, parent: parentcustomerid}
  statistic:
    table: cc_cijfer
    columns: {name: cc_naam, year: cc_jaar, category: cc_soort, count: cc_aantal}
"""


def environment(folder: Path, tables: str = TABLES) -> Path:
    shipped, path = read_yaml(DATA / "connected-environment.yaml"), folder / "environment.yaml"
    kept = {name: shipped["tables"][name] for name in ("account", "contact", "cc_cijfer")}
    (folder / "tables.yaml").write_text(tables, "utf-8")
    choices = {"gendercode": shipped["choices"]["gendercode"]}
    choices |= {"ra_soort": {1: {"nl": "Zaak"}, 2: {"nl": "Advies"}}, "ra_domein": {1: {"nl": "Huur"}}}
    document = {"publisher_prefix": "ra", "languages": {"nl": 1043}, "choices": choices, "tables": kept | read_yaml(folder / "tables.yaml")}
    path.write_text(yaml_text(document), "utf-8")
    return path


def test_a_lookup_to_cases_and_consultations_of_one_table_is_told_apart(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """It is no row out of sight: the role and the consultation each belong to what the row is."""
    path = environment(tmp_path)
    (tmp_path / "mapping.yaml").write_text(MAPPING, "utf-8")
    with running(environment=path, token=TOKEN) as emulator:
        typist = typist_at(emulator.url, MAPPING=str(tmp_path / "mapping.yaml"))
        legal_aid = Organisation(emulator, 7)

        def bundle(kind: int, above: str = "") -> str:
            link = {"ra_HoofdId@odata.bind": f"/ra_bundelverzameling({above})"} if above else {}
            days = {"ra_begin": "2015-02-03", "ra_einde": "2015-03-03"}
            return legal_aid.create("ra_bundelverzameling", "ra_sleutel", ra_soort=kind, ra_domein=1, **days, **link)

        def person(of: str) -> str:
            row = legal_aid.create("contacts", "contactid", lastname="Verzonnen")
            links = {"ra_BundelRef@odata.bind": f"/ra_bundelverzameling({of})", "ra_PersoonRef@odata.bind": f"/contacts({row})"}
            legal_aid.create("ra_rolrijen", "ra_rolsleutel", **links)
            return row

        case, lone = bundle(1), bundle(2)
        legal_aid.patch("ra_bundelverzameling", case, statecode=1)
        within, below = bundle(2, case), bundle(2, lone)
        people = [person(each) for each in (case, lone, within)]
        assert typist.ask("mapping", "check", tmp_path / "mapping.yaml")["problems"] == []
        explained = {row: typist.ask("mapping", "explain", "ra_bundel", row)["unit"] for row in (case, lone, within, below)}
        assert {row: unit["id"] for row, unit in explained.items()} == {case: case, lone: lone, within: case, below: below}
        run = typist.ask("apply", typist.ask("plan")["plan"])
        assert (run["state"], [legal_aid.get("ra_bundelverzameling", row) for row in (case, lone, within, below)]) == ("done", [None] * 4)
        assert [legal_aid.get("contacts", row) for row in people] == [None] * 3
        legal_aid.close()


def test_a_hold_of_cases_that_holds_no_consultation_of_the_same_table_is_told(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """HLD-01: people see one column, and mark a consultation as they do a case."""
    path = environment(tmp_path, TABLES.replace("    ra_einde:", "    ra_vast: {type: bool}\n    ra_einde:"))
    text = MAPPING.replace(", legal_hold]", "]").replace("is_active: statecode}", "is_active: statecode, legal_hold: ra_vast}")
    said = text.replace("tables:\n", "goes_along: {ra_bundel.ra_vast: {why: consultations are never held, by: DPO}}\ntables:\n", 1)
    left_out = text.replace("only: {ra_soort: [2]}", "only: {ra_soort: [2], ra_vast: [false]}")
    with running(environment=path, token=TOKEN) as emulator:
        typist = typist_at(emulator.url)
        for each, told in ((text, ["ra_vast"]), (said, []), (left_out, [])):
            (tmp_path / "mapping.yaml").write_text(each, "utf-8")
            found = typist.ask("mapping", "check", tmp_path / "mapping.yaml")["warnings"]
            assert [one["suggestion"] for one in found if "holds no fiche" in one["message"]] == told
