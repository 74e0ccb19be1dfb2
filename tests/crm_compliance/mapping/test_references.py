"""mapping check of tables of reference: a row that no key stands for leaves units undecided, and is told with
how many."""

from collections.abc import Callable
from pathlib import Path

from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import running
from tests.connectors.emulator.client import Client
from tests.crm_compliance.mapping.checked import line, told
from tests.drivers.organisation import TOKEN
from tests.drivers.typist import Typist
from tests.integration.connected_house import House
from tests.yaml_files import read_yaml, yaml_text

DATA = Path(__file__).parents[2] / "data"


def test_rows_without_a_key_and_keys_without_a_row_are_told_with_counts(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    text = (DATA / "connected-mapping.yaml").read_text("utf-8")
    text = text.replace("{SOC: social_card, WEG: runaway, GRO: grooming, SEX: sexting}", "{GROO: social_card, SEX: sexting}")
    mapping.write_text(text.replace("Ouder: parent, ", ""), "utf-8")
    with running(environment=DATA / "connected-environment.yaml", token=TOKEN) as emulator:
        house = House(emulator)
        case = house.case("GRO")
        house.case("GRO")
        house.report("SEX", case)
        house.connect("Kind", ("incident", case), ("contact", house.person()))
        house.connect("Ouder", ("incident", case), ("contact", house.person()))
        house.create("connectionroles", "connectionroleid", name="Leverancier")  # the platform's, of no connection
        house.http.close()
        typist = typist_at(emulator.url)
        said = typist.type("mapping", "check", mapping, "--json")
    assert said.code == 0, said
    found = told(said, "warnings")
    assert found[line(mapping, "GROO"), "no_option"] == "GRO"
    messages = [each["message"] for each in said.document["warnings"] if each["code"] == "option_left_out"]
    for message in (
        "cc_categorie has a row with cc_code GRO, for which dossier.categories has no key: it keeps its units as UNCONFIGURED, in 2 rows "
        "of incident.",
        "cc_categorie has a row with cc_code SOC, for which fiche.categories has no key: it keeps its units as UNCONFIGURED, in 0 rows of "
        "cc_melding.",
        "connectionrole has a row with name Ouder, for which party.role has no key: it counts as a child of unknown age, in 1 row "
        "of connection.",
    ):
        assert message in messages
    assert "Leverancier" not in said.out


def test_the_role_at_the_other_end_and_a_label_for_an_option_are_told_with_what_is_right(
    typist_at: Callable[..., Typist], tmp_path: Path
) -> None:
    """`record1roleid` is what a dossier is to a person, and of no use here."""
    mapping = tmp_path / "mapping.yaml"
    text = (DATA / "connected-mapping.yaml").read_text("utf-8")
    text = text.replace("record2roleid", "record1roleid", 1).replace(
        "    table: incident\n", "    table: incident\n    only: {statecode: [Actief]}\n", 1
    )
    mapping.write_text(text, "utf-8")
    with running(environment=DATA / "connected-environment.yaml", token=TOKEN) as emulator:
        said = typist_at(emulator.url).type("mapping", "check", mapping, "--json")
    found = told(said)
    assert found[line(mapping, "record1roleid"), "conflict"] == "record2roleid"
    assert found[line(mapping, "only: {statecode"), "no_option"] == "0"


def test_a_row_of_reference_that_is_known_by_its_id_is_told_with_its_name(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """R-161: wherever somebody reads it."""
    with running(environment=DATA / "connected-environment.yaml", token=TOKEN) as emulator:
        house = House(emulator)
        house.categories["SCH"] = row = house.create("cc_categorieen", "cc_categorieid", cc_naam="Schoolmoeheid", cc_code="S")
        case = house.case("SCH")
        house.http.close()
        text = (DATA / "connected-mapping.yaml").read_text("utf-8").replace("by: cc_code, ", "")
        for code in ("SOC", "GRO", "SEX"):
            text = text.replace(f"{code}: ", f"{house.categories[code]}: ")
        mapping = tmp_path / "mapping.yaml"
        mapping.write_text(text.replace("WEG: runaway, ", ""), "utf-8")
        typist = typist_at(emulator.url, MAPPING=str(mapping))
        said = typist.type("mapping", "check", mapping, "--json")
        assert f"cc_categorie has a row with id {row} (Schoolmoeheid), for which dossier.categories has no key: it keeps" in said.out
        (told_field,) = [each for each in typist.ask("mapping", "explain", "incident", case)["fields"] if each["field"] == "categories"]
        assert (told_field["unknown"], told_field["called"]) == (row, {row: "Schoolmoeheid"})
        assert f"Schoolmoeheid ({row}), which stands for no key" in " ".join(
            typist.type("mapping", "explain", "incident", case).out.split()
        )
        plan = typist.ask("plan", "--output", tmp_path / "plan.html")
        assert any(f"category value Schoolmoeheid ({row}) is not in the mapping" in each for each in plan["warnings"])
        assert f"Schoolmoeheid ({row})" in (tmp_path / "plan.html").read_text("utf-8")
        assert typist.ask("why", "incident", case)["called"] == {row: "Schoolmoeheid"}
        assert f"category {row} 'Schoolmoeheid'" in " ".join(typist.type("why", "incident", case).out.split())
        (undecided,) = typist.ask("policy", "review", "--output", tmp_path / "review.html")["unconfigured"]
        assert (undecided["category"], undecided["called"]) == (row, "Schoolmoeheid")


def test_a_row_of_reference_whose_name_says_another_key_is_told(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """R-161: a child that is taken for a witness keeps no file until it is of age."""
    mapping = tmp_path / "mapping.yaml"
    text = (DATA / "connected-mapping.yaml").read_text("utf-8")
    assert "Kind: child" in text
    mapping.write_text(text.replace("Kind: child", "Kind: witness"), "utf-8")
    with running(environment=DATA / "connected-environment.yaml", token=TOKEN) as emulator:
        said = typist_at(emulator.url).type("mapping", "check", mapping, "--json")
    assert said.code == 0, said
    assert told(said, "warnings")[line(mapping, "Kind: witness"), "called_otherwise"] == "child"


def test_a_row_of_reference_known_by_a_code_whose_name_says_another_category_is_told(
    typist_at: Callable[..., Typist], tmp_path: Path
) -> None:
    """RET-12: two codes that changed places look right to whoever reads codes alone."""
    mapping = tmp_path / "mapping.yaml"
    text = (DATA / "connected-mapping.yaml").read_text("utf-8")
    assert "GRO: grooming, SEX: sexting" in text
    text = text.replace("tables:\n", "goes_along: {incident.cc_tweedeid: {why: empty, by: test}}\ntables:\n", 1)
    mapping.write_text(text.replace("GRO: grooming, SEX: sexting", "GRO: sexting, SEX: grooming", 1), "utf-8")
    with running(environment=DATA / "connected-environment.yaml", token=TOKEN) as emulator:
        house = House(emulator)
        for code, name in (("SEX", "Sexting"), ("GRO", "Grooming")):
            house.http.patch(f"{emulator.url}cc_categorieen({house.categories[code]})", json={"cc_naam": name}).raise_for_status()
        house.http.close()
        said = typist_at(emulator.url).type("mapping", "check", mapping, "--json")
    found = [each for each in said.document["warnings"] if each["code"] == "called_otherwise"]
    assert {each["suggestion"] for each in found} == {"sexting", "grooming"}
    assert {each["where"] for each in found} == {f"{mapping}:{line(mapping, 'GRO: sexting')}"}


def test_pairs_that_the_mapping_does_not_read_are_told_with_what_follows(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """A report that a second dossier needs would go with the one that its column names."""
    text = (DATA / "connected-mapping.yaml").read_text("utf-8")
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(text, "utf-8")
    with running(environment=DATA / "connected-environment.yaml", token=TOKEN) as emulator:
        house = House(emulator)
        case = house.case("GRO")
        typist = typist_at(emulator.url)
        assert "pairs_left_out" not in typist.type("mapping", "check", mapping, "--json").out, "without pairs nothing is lost"
        house.pair("cc_incident_melding", case, "cc_melding", house.report("SEX", house.case("SEX")))
        house.http.close()
        found = {each["code"]: each for each in typist.type("mapping", "check", mapping, "--json").document["warnings"]}["pairs_left_out"]
        assert "cc_incident_melding ties rows of incident to cc_melding (1 row)" in found["message"]
        assert "many_to_many in place of that column" in found["message"]
        for read in (
            text.replace("      dossier: cc_dossierid\n", "", 1).replace(
                "  fiche:\n", "  fiche:\n    many_to_many: {dossier: cc_incident_melding}\n"
            ),
            text.replace("stay: {", "stay: {cc_incident_melding: {why: says the same, by: test}, "),
        ):
            mapping.write_text(read, "utf-8")
            said = typist.type("mapping", "check", mapping, "--json")
            assert (said.code, "pairs_left_out" in said.out) == (0, False), said


def test_options_without_a_key_are_told_with_counts(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """Of a choice, of several at once, of a status, and of yes and no; rows out of scope are not counted."""
    text = REFERENCE.read_text("utf-8")
    for old, new in (
        ("        100000030: runaway\n", ""),
        ("        100000001: chat\n", ""),
        ("    table: cf_dossier\n", '    table: cf_dossier\n    only: {cf_legalhold: ["false"]}\n'),
        ("        1: inactive\n", '        1: inactive\n      public_alert: {"true": "yes"}\n'),
        ("        0: active\n", ""),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(text, "utf-8")
    with running(token=TOKEN) as emulator:
        client = Client(emulator, TOKEN)
        for held in (False, False, True):
            client.dossier(cf_categories="100000030,100000022", cf_publicalert=False, cf_legalhold=held)
        client.fiche(cf_channel=100000001)
        client.http.close()
        said = typist_at(emulator.url).type("mapping", "check", mapping, "--json")
    assert said.code == 0, said
    messages = [each["message"] for each in said.document["warnings"] if each["code"] == "option_left_out"]
    for message in (
        "cf_dossier.cf_categories has an option 100000030 (Weglopen), for which dossier.categories has no key: it keeps its units as "
        "UNCONFIGURED, in 2 rows of cf_dossier.",
        "cf_dossier.statecode has an option 0 (Actief), for which dossier.is_active has no key: it counts as open, in 2 rows of "
        "cf_dossier.",
        "cf_dossier.cf_publicalert has an option false, for which dossier.public_alert has no key: it leaves public_alert empty, in 2 rows "
        "of cf_dossier.",
        "cf_fiche.cf_channel has an option 100000001 (Chat), for which fiche.channel has no key: it leaves channel empty, in 1 row of "
        "cf_fiche.",
    ):
        assert message in messages


def test_a_lookup_to_categories_that_nothing_reads_is_told(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """RET-12: a file about two things would end by the term of one. Of a choice see `test_check`."""
    environment = read_yaml(DATA / "connected-environment.yaml")
    called = {"type": "string(100)", "primary_name": True}
    environment["tables"]["cc_thema"] = {"columns": {"cc_themaid": {"type": "guid", "key": True}, "cc_naam": called}}
    environment["tables"]["cc_stad"] = {"columns": {"cc_stadid": {"type": "guid", "key": True}, "cc_naam": called}}
    environment["tables"]["incident"]["columns"] |= {
        "cc_themaid": {"type": "lookup cc_thema"},
        "cc_stadid": {"type": "lookup cc_stad"},
        "cc_klant": {"type": "lookup account"},
    }
    (tmp_path / "environment.yaml").write_text(yaml_text(environment), "utf-8")
    mapping, text = tmp_path / "mapping.yaml", (DATA / "connected-mapping.yaml").read_text("utf-8")
    mapping.write_text(text, "utf-8")
    with running(environment=tmp_path / "environment.yaml", token=TOKEN) as emulator:
        house = House(emulator)
        for name in ("Grooming", "Sexting", "Anders"):
            house.create("cc_themas", "cc_themaid", cc_naam=name)
        house.create("cc_stads", "cc_stadid", cc_naam="Gent")
        house.http.close()
        typist = typist_at(emulator.url)
        warnings = typist.ask("mapping", "check", mapping)["warnings"]
        found = sorted((each for each in warnings if each["code"] == "called_otherwise"), key=lambda each: each["suggestion"])
        assert [(each["where"], each["suggestion"]) for each in found] == [
            (f"{mapping}:{line(mapping, 'table: incident')}", "cc_themaid"),
            (f"{mapping}:{line(mapping, 'table: incident')}", "cc_tweedeid"),
        ]
        assert (
            "points to cc_thema, the rows of which are called like categories (grooming, sexting), and fills nothing" in found[0]["message"]
        )
        assert "points to cc_categorie too, as categories do, and fills nothing" in found[1]["message"]
        decided = "goes_along: {incident.cc_themaid: {why: w, by: b}, incident.cc_tweedeid: {why: w, by: b}}\ntables:\n"
        mapping.write_text(text.replace("tables:\n", decided, 1), "utf-8")
        assert [each for each in typist.ask("mapping", "check", mapping)["warnings"] if each["code"] == "called_otherwise"] == []
