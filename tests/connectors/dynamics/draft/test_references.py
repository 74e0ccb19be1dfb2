"""Keys that stand in no column of choice: rows of reference are proposed by how they are called, roles by
where they may be kept."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from connectors.dynamics.mapping.loader import examine_mapping
from connectors.emulator.serving.server import running
from tests.connectors.dynamics.draft.drafting import DATA, SECOND, drafted, parse_problems, put_in_force
from tests.connectors.emulator.client import Client
from tests.drivers.organisation import TOKEN
from tests.drivers.typist import Typist
from tests.integration.connected_house import House
from tests.integration.test_roles_that_are_no_rows import naming


def test_whatever_a_row_is_called_it_is_told_in_one_line_and_nothing_of_it_is_in_force(
    typist_at: Callable[..., Typist], tmp_path: Path
) -> None:
    with running(environment=DATA / "connected-environment.yaml", token=TOKEN) as emulator:
        house = House(emulator)
        house.create("cc_categorieen", "cc_categorieid", cc_naam="Weglopen", cc_code="007")
        house.create("cc_categorieen", "cc_categorieid", cc_naam='Vlucht\nstay:\n  account: {why: "x"}', cc_code="V\x92\nstay: 1")
        house.http.close()
        _, text = drafted(typist_at(emulator.url), tmp_path)
    lines = {each.strip(" #") for each in text.splitlines() if "Vlucht" in each}
    assert lines == {r'choose: "V\U00000092\nstay: 1": no key is like it  # Vlucht stay: account: {why: "x"} / V stay: 1 (0 rows)'}
    assert "stay" not in YAML(typ="safe").load(text)


def test_what_stands_elsewhere_than_in_a_column_of_choice_is_proposed(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """Roles in connections and pairs, categories in a table of reference: comments that become a mapping once
    somebody has put the keys in."""
    document = YAML(typ="safe").load((DATA / "connected-environment.yaml").read_text("utf-8"))
    incident, report = (document["tables"][name]["columns"] for name in ("incident", "cc_melding"))
    incident |= {"cc_geanonimiseerd": {"type": "date"}, "cc_kindid": {"type": "lookup contact", "schema_name": "cc_KindId"}}
    report |= {"cc_istelefoon": {"type": "bool"}, "cc_ischat": {"type": "bool"}}
    del report["cc_dossierid"], report["cc_kanaal"]
    document["relationships"] = [each for each in document["relationships"] if each["name"] != "cc_incident_meldingen"]
    report["cc_eerste"] = {"type": "lookup incident", "schema_name": "cc_Eerste"}
    document["many_to_many"].append({"name": "cc_incident_contact", "one": "incident", "two": "contact"})
    path = tmp_path / "environment.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    with running(environment=path, token=TOKEN) as emulator:
        house = House(emulator)
        house.create("cc_categorieen", "cc_categorieid", cc_naam="Weglopen", cc_code="007")
        case = house.case("SEX", **naming(child=house.person()))
        house.connect("Kind", ("incident", case), ("contact", house.person()))
        house.connect("Melderes", ("incident", case), ("contact", house.person()))
        house.create("connectionroles", "connectionroleid", name="Leverancier")  # of no connection
        house.pair("cc_incident_contact", case, "contact", house.person())
        house.http.close()
        _, text = drafted(typist_at(emulator.url), tmp_path)
    for line in (
        "      categories: cc_categorieid",
        '          "007": runaway  # Weglopen / 007',
        "          # choose: SEX: no key is like it  # SEX (1 row)",
        "    # more: {categories: [cc_tweedeid]}  # choose: a second one to cc_categorie: 0 rows; what it names counts too",
        "    # many_to_many: {categories: cc_incident_categorie}  # choose: with references by cc_code: 0 rows, with cc_categorie",
        "    # flags: {channel: {cc_istelefoon: phone, cc_ischat: chat}}  # choose: columns of yes and no that are called so (0 rows, "
        "0 rows with yes)",
        "    #     title: constant",
        "    #     cc_geopend: null",
        "  #   - table: connection  # 4 rows",
        "  #     columns: {dossier: record1id, fiche: record1id, contact: record2id, role: record2roleid}",
        "  #           Kind: child  # Kind",
        "  #           # choose: Melderes: reporter  # Melderes (1 row)",
        "  #   - {table: incident, columns: {dossier: incidentid, contact: cc_kindid}, fixed: {role: child}}  # 1 row",
        "  #   - {table: cc_incident_contact, columns: {dossier: incidentid, contact: contactid}, fixed: {role: }}  # 1 row",
    ):
        assert line in text.splitlines(), text
    chosen = "  party: {table: incident, columns: {dossier: incidentid, contact: cc_kindid}, fixed: {role: child}}"
    assert parse_problems(text.replace("  # party:", chosen)) == []
    assert "Leverancier" not in text
    connections = text.partition("  # party:\n")[2].partition("  #   - {")[0]
    answered = "  party:\n" + connections.replace("  #   ", "    ").replace("# choose: Melderes", "Melderes")
    mapping, problems = examine_mapping(text.replace("  # party:", answered), "m")
    assert [problem.text for problem in problems if problem.code != "missing"] == []
    assert mapping is not None
    (role,) = [table.columns["role"].reference for table in mapping.of("party")]
    assert role is not None
    assert role.keys == {"Kind": "child", "Melderes": "reporter"}


def test_rows_of_reference_are_told_apart_by_a_code_only_where_all_have_one(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    with running(environment=DATA / "sparing-environment.yaml", token=TOKEN) as emulator:
        client = Client(emulator, TOKEN)
        client.create("hv_themas", hv_naam="Weglopen", hv_code="WEG")
        client.create("hv_themas", hv_naam="Sexting")
        client.http.close()
        _, text = drafted(typist_at(emulator.url), tmp_path)
    block = text.partition("    references:\n")[2]
    assert block.startswith("      categories:\n        by: hv_naam\n")
    assert "          Sexting: sexting  # Sexting\n" in block


@pytest.mark.parametrize("is_sure", [True, False], ids=["one table is surely it", "several may be it"])
def test_whatever_may_keep_roles_is_one_block(typist_at: Callable[..., Typist], tmp_path: Path, is_sure: bool) -> None:
    """A kind stands in a mapping once: every table and place that is put in force is an item of its list."""
    document = YAML(typ="safe").load(SECOND.read_text("utf-8"))
    tables = document["tables"]
    tables["kt_zaak"]["columns"]["kt_kindid"] = {"type": "lookup contact", "schema_name": "kt_KindId"}
    tables["kt_wie"] = {"set": "kt_wies", "columns": {
        "kt_wieid": {"type": "guid", "key": True},
        "kt_naam": {"type": "string(100)", "primary_name": True},
        "kt_persoon": {"type": "lookup contact", "schema_name": "kt_Persoon"},
        "kt_zaak": {"type": "lookup kt_zaak", "schema_name": "kt_Zaak"},
        "kt_isdader": {"type": "bool"},
        "kt_kind": {"type": "bool"},
    }}  # fmt: skip
    parties = ["kt_betrokkene", "kt_wie"]
    if not is_sure:  # neither leads to a communication, as a party would
        del tables["kt_betrokkene"]["columns"]["kt_melding"]
        tables["kt_kring"] = tables["kt_betrokkene"] | {"set": "kt_kringen"}
        tables["kt_kring"]["columns"] = {name.replace("betrokkene", "kring"): each for name, each in tables["kt_kring"]["columns"].items()}
        relationships = [each for each in document["relationships"] if "melding_betrokkene" not in each["name"]]
        of_party = [each for each in relationships if each["child"] == "kt_betrokkene"]
        document["relationships"] = [*relationships, *(each | {"name": f"{each['name']}_2", "child": "kt_kring"} for each in of_party)]
        parties.append("kt_kring")
    path = tmp_path / "environment.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    with running(environment=path, token=TOKEN) as emulator:
        client = Client(emulator, TOKEN)
        child = client.create("contacts", lastname="Zandstra (fictief)")
        client.create("kt_zaken", kt_nummer="Z-1", **{"kt_KindId@odata.bind": f"/contacts({child})"})
        client.create("kt_wies", kt_naam="Wie", kt_isdader=True, **{"kt_Persoon@odata.bind": f"/contacts({child})"})
        client.http.close()
        drawn, text = drafted(typist_at(emulator.url), tmp_path)
    assert ("party" in drawn["open"]) is not is_sure
    assert len([line for line in text.splitlines() if re.match(r"  (# )?party:", line)]) == 1
    mapping, problems = examine_mapping(put_in_force(text, "party"), "m")
    assert [problem.text for problem in problems if problem.code != "missing"] == []
    assert mapping is not None
    assert sorted(table.name for table in mapping.of("party")) == sorted([*parties, "kt_zaak"])
    assert "contact: kt_persoon}, flags: {role: {kt_isdader: suspect, kt_kind: child}}}" in text
