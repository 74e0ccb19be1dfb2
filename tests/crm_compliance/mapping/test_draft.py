"""mapping draft, as it is typed: what a CRM's own definitions suggest, and nothing that they do not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from connectors.dynamics.mapping.loader import examine_mapping, parse_mapping
from connectors.dynamics.mapping.mapping import REFERENCE, Mapping
from connectors.emulator.serving.server import running
from tests.connectors.dynamics.datamap.test_survey import environment
from tests.connectors.dynamics.residual.test_traces import ENVIRONMENT
from tests.connectors.emulator.client import Client
from tests.drivers.night import TOKEN
from tests.drivers.typist import LONG_AGO, Typist, organisation_of
from tests.integration.connected_house import House
from tests.integration.test_roles_that_are_no_rows import naming

DATA = Path(__file__).parents[2] / "data"
SECOND = DATA / "second-environment.yaml"


@contextmanager
def organisation(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: Path) -> Iterator[Typist]:
    with running(environment=path, token=TOKEN) as emulator:
        yield Typist(capsys, monkeypatch, tmp_path, emulator.url)


def drafted(typist: Typist, tmp_path: Path) -> tuple[dict[str, Any], str]:
    path = tmp_path / "draft.yaml"
    said = typist.type("mapping", "draft", "--output", path, "--json")
    assert said.code == 0, said
    assert set(said.document) == {"file", "tables", "fields", "open"}
    return said.document, path.read_text("utf-8")


def columns(mapping: Mapping) -> dict[tuple[str, str], str]:
    return {(table.kind, name): column.name for table in mapping.tables for name, column in (table.columns | table.personal).items()}


def keys(mapping: Mapping) -> dict[tuple[str, str, int], str]:
    return {
        (table.kind, name, value): key
        for table in mapping.tables
        for name, column in (table.columns | table.personal).items()
        if column.choice is not None
        for value, key in column.choice.keys.items()
    }


def test_of_the_reference_environment_every_column_and_key_is_derived(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with organisation(capsys, monkeypatch, tmp_path, ENVIRONMENT) as typist:
        document, text = drafted(typist, tmp_path)
        assert document["open"] == []
        unlike = "# choose: 100000050: no key is like it"  # the schedule and the organisation call it otherwise
        assert text.count(unlike) == text.count("# choose: 1") == 2
        text = text.replace(unlike, "100000050: csam_report")
        (tmp_path / "draft.yaml").write_text(text, encoding="utf-8")
        wanted, found = (parse_mapping(each, "m") for each in (REFERENCE.read_text("utf-8"), text))
        assert {table.kind: table.name for table in wanted.tables} == document["tables"]
        assert columns(found) == columns(wanted)
        assert keys(found) == keys(wanted)
        assert typist.type("mapping", "check", tmp_path / "draft.yaml", "--json").document == {"ok": True, "problems": [], "warnings": []}


def test_of_another_organisation_nothing_is_derived_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A key that no label is a word for is left open: a wrong category would end a term too early."""
    with organisation(capsys, monkeypatch, tmp_path, SECOND) as typist:
        document, text = drafted(typist, tmp_path)
        wanted, found = (parse_mapping(each, "m") for each in ((DATA / "second-mapping.yaml").read_text("utf-8"), text))
        assert document["open"] == []
        known = columns(wanted)
        assert {place: column for place, column in columns(found).items() if place in known}.items() <= known.items()
        assert keys(found).items() <= keys(wanted).items()
        assert "# choose: 912340001:" in text
        assert typist.type("mapping", "check", tmp_path / "draft.yaml", "--offline").code == 0


def test_what_no_name_suggests_is_a_choice_with_candidates_and_the_file_names_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    document = YAML(typ="safe").load(SECOND.read_text("utf-8"))
    case = document["tables"]["kt_zaak"]["columns"]
    case["kt_qqq"] = case.pop("kt_gesloten")
    path = tmp_path / "environment.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    with organisation(capsys, monkeypatch, tmp_path, path) as typist:
        drawn, text = drafted(typist, tmp_path)
        assert drawn["open"] == ["dossier.closed_on"]
        (line,) = [each for each in text.splitlines() if each.lstrip().startswith("# choose: closed_on")]
        assert "kt_qqq (DateTime, 0 rows)" in line
        said = typist.type("mapping", "check", tmp_path / "draft.yaml", "--offline", "--json")
        assert [(each["code"], each["message"]) for each in said.document["problems"]] == [
            ("missing", "tables.dossier.columns: closed_on is missing")
        ]


def test_a_case_of_the_platform_may_be_the_dossier_and_participation_is_its_own_choice(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = SECOND.read_text("utf-8").replace("kt_zaak:", "incident:").replace("kt_zaken", "incidents").replace("kt_zaakid", "incidentid")
    text = (
        text.replace("lookup kt_zaak", "lookup incident")
        .replace("|kt_zaak|", "|incident|")
        .replace("parent: kt_zaak,", "parent: incident,")
    )
    text = text.replace("      incident: {type: lookup", "      kt_zaak: {type: lookup")
    text = text.replace("participationtypemask: {type: int}", "participationtypemask: {type: choice kt_kanaal}")
    path = tmp_path / "environment.yaml"
    path.write_text(text, encoding="utf-8")
    with organisation(capsys, monkeypatch, tmp_path, path) as typist:
        document, drawn = drafted(typist, tmp_path)
        assert document["tables"]["dossier"] == "incident"
        assert "      participation: participationtypemask\n" in drawn
        assert typist.type("mapping", "check", tmp_path / "draft.yaml").code == 0


def test_what_nothing_accounts_for_stands_there_as_a_decision_to_take(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with running(environment=environment(tmp_path), token=TOKEN) as emulator:
        typist = Typist(capsys, monkeypatch, tmp_path, emulator.url)
        night = organisation_of(emulator, typist)
        try:
            dossier = night.dossier("sexting", spoken=LONG_AGO, cf_hobby="h")
            visit = night.create("cf_visits", "cf_visitid", cf_name="v", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
            photo = night.create("cf_photos", "cf_photoid", cf_name="p", **{"cf_VisitId@odata.bind": f"/cf_visits({visit})"})
            night.create("cf_captions", "cf_captionid", cf_name="c", **{"cf_PhotoId@odata.bind": f"/cf_photos({photo})"})
            _, text = drafted(typist, tmp_path)
        finally:
            night.close()
            night.store.close()
    assert '#   cf_caption: {why: "", by: ""}  # 1 row' in text
    assert "    # texts: [cf_hobby]  # cf_hobby 1 row" in text
    assert "  dossier:  # 1 row" in text
    decided = text.replace("# stay:", "stay:").replace("#   cf_", "  cf_").replace("# texts:", "texts:")
    mapping, problems = examine_mapping(decided, "m")
    assert problems == []
    assert mapping is not None
    assert "cf_caption" in mapping.stay
    assert mapping.kinds["dossier"].further == ("cf_hobby",)
    lines = text.partition("# dependent:\n")[2].partition("\n\n")[0].splitlines()
    mapping, problems = examine_mapping("\n".join([text, "dependent:", *(line.removeprefix("# ") for line in lines)]), "m")
    assert problems == []
    assert mapping is not None
    assert [(kind.word, kind.above, kind.texts) for kind in mapping.kinds.own] == [
        ("cf_visit", ("dossier",), ("cf_name", "cf_report")),
        ("cf_photo", ("cf_visit",), ("cf_name",)),
        ("cf_caption", ("cf_photo",), ("cf_name",)),
    ]


def test_a_file_that_is_there_is_not_replaced(typist: Typist, tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    path.write_text("mine", "utf-8")
    assert typist.refused("mapping", "draft", "--output", path, code=2)["code"] == "usage"
    assert path.read_text("utf-8") == "mine"


def test_a_crm_that_cannot_be_asked_leaves_no_file(typist: Typist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.dynamics.pace.backoff.BACKOFF_CAP_S", 0.0)
    typist.set(CRM_URL="http://127.0.0.1:9/api/data/v9.2/")
    assert typist.type("mapping", "draft", "--output", tmp_path / "draft.yaml", "--json").code == 4
    assert not (tmp_path / "draft.yaml").exists()


def test_from_nothing_to_a_first_dry_run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The steps of docs/first-run.md, of an organisation that this product has not seen."""
    with organisation(capsys, monkeypatch, tmp_path, SECOND) as typist:
        url = typist.settings.needed_crm_url
        typist.unset("CRM_URL", "DATA_DIR", "CLOCK")
        mapping, settings = tmp_path / "mapping.yaml", tmp_path / "s.toml"
        made = typist.type("init", "--output", settings, "--crm-url", url, "--data-dir", tmp_path / "d", "--mapping", mapping)
        assert made.code == 0
        monkeypatch.setenv("CRM_COMPLIANCE_CONFIG", str(settings))
        assert typist.type("doctor").code == 2  # there is no mapping yet
        assert typist.type("mapping", "draft", "--output", mapping).code == 0
        assert typist.type("mapping", "check").code == 0
        assert typist.type("doctor").code == 0
        assert typist.ask("plan", "--output", tmp_path / "plan.html")["units"] == 0
        assert (tmp_path / "plan.html").exists()


def test_what_stands_elsewhere_than_in_a_column_of_choice_is_proposed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
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
        _, text = drafted(Typist(capsys, monkeypatch, tmp_path, emulator.url), tmp_path)
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


def test_where_no_table_is_surely_a_communication_calls_are_drafted_as_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A needed kind of which nothing is sure: each table that could be it has its block, to put in force."""
    document = YAML(typ="safe").load((DATA / "forms" / "scattered" / "environment.yaml").read_text("utf-8"))
    gone = {"sc_chat", "sc_blad", "sc_opname", "sc_chatlog"}
    document["tables"] = {name: each for name, each in document["tables"].items() if name not in gone}
    document["relationships"] = [each for each in document["relationships"] if not {each["parent"], each["child"]} & gone]
    for table in document["tables"].values():
        for column in table["columns"].values():
            if (names := column["type"].removeprefix("lookup ").split("|")) and set(names) & gone:
                column["type"] = "lookup " + "|".join(name for name in names if name not in gone)
    document["many_to_many"] = [each for each in document.get("many_to_many", []) if not {each["one"], each["two"]} & gone]
    path = tmp_path / "environment.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    with organisation(capsys, monkeypatch, tmp_path, path) as typist:
        drawn, text = drafted(typist, tmp_path)
    assert "fiche" in drawn["open"]
    assert "  # choose: fiche (needed), put the block in force if it is: phonecall (0 rows)" in text.splitlines()
    block = "  # fiche:" + text.partition("\n  # fiche:")[2].partition("\n\n")[0]
    answered = text.replace(block, "\n".join(line.replace("  # ", "  ", 1) for line in block.splitlines()))
    mapping, problems = examine_mapping(answered, "m")
    told = [problem.text for problem in problems if problem.code != "missing"]
    assert told == ["call and fiche are mapped to the same table phonecall"]
    assert "  # phonecall stands below as call too: leave that out, or tell both apart by a column under `only`" in text.splitlines()
    assert mapping is not None
    (calls,) = mapping.of("fiche")
    found = {name: column.name for name, column in calls.columns.items()}
    assert (found["dossier"], found["communicated_on"], found["categories"]) == ("regardingobjectid", "sc_communicatedon", "sc_categories")


ROLE = "  party: {table: hv_casus, columns: {dossier: hv_casusid, contact: hv_jongereid}, fixed: {role: child}}"
THEMES = (("Weglopen", "WEG"), ("Sexting", "SEX"), ("Schoolmoeheid", "SCH"))


def test_an_organisation_whose_names_say_little_is_mapped_by_answering(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A list of words is not a dossier and a visit no party; what is open has candidates with row counts; the
    answers alone make a mapping that is in order at the first look."""
    with running(environment=DATA / "sparing-environment.yaml", token=TOKEN) as emulator:
        client = Client(emulator, TOKEN)
        themes = {code: client.create("hv_themas", hv_naam=name, hv_code=code) for name, code in THEMES}
        bound = {code: f"/hv_themas({row})" for code, row in themes.items()}
        both = {"hv_ThemaId@odata.bind": bound["SCH"], "hv_BijthemaId@odata.bind": bound["WEG"]}
        case = client.create("hv_casussen", hv_naam="C-1", hv_afgerond=True, **both)
        talk = client.create("hv_gesprekken", hv_naam="G-1", **{"hv_CasusId@odata.bind": f"/hv_casussen({case})"})
        to = {"hv_CasusId@odata.bind": f"/hv_casussen({case})", "hv_GesprekId@odata.bind": f"/hv_gesprekken({talk})"}
        client.create("hv_bezoeken", hv_naam="B-1", hv_op="2020-01-10", **to)
        client.http.close()
        typist = Typist(capsys, monkeypatch, tmp_path, emulator.url)
        document, text = drafted(typist, tmp_path)
        assert (document["tables"]["dossier"], document["tables"]["fiche"]) == ("hv_casus", "hv_gesprek")
        assert document["open"] == ["party", "dossier.reopened_on", "dossier.proceedings_ended_on"]
        for line in (
            "      categories: hv_themaid  # Thema",
            "          # choose: SCH: no key is like it  # Schoolmoeheid / SCH (1 row)",
            "    # more: {categories: [hv_bijthemaid]}  # choose: a second one to hv_thema: 1 row; what it names counts too",
            "    # choose: is_active: hv_afgerond may say it instead (1 row with yes), with",
            "    # choices: {is_active: {true: inactive, false: active}}",
            "        3: visit  # Balie / Guichet",  # called so by its options, not by its name
            "#    belongs_to: {hv_casusid: dossier, hv_gesprekid: fiche}  # hv_casusid 1 row, hv_gesprekid 1 row; choose: a row goes with "
            "the last of these, so leave out what it is only about",
            "#    people: [hv_bezochtid]",
            "#    # choose: term: {row: , date: hv_op}, only for rows that outlive or precede what they belong to;",
            "#    # date: hv_op (1 row); row of the schedule: none yet for the unit own_table",
        ):
            assert line in text.splitlines(), text
        visits = text.partition("# dependent:\n")[2].partition("\n\n")[0].splitlines()
        answers = (
            ("    # without: [reopened", "    without: [reopened"),
            ("    # more: {categories", "    more: {categories"),
            ("is_active: statecode", "is_active: hv_afgerond"),
            ("        0: active  # Actief\n        1: inactive  # Inactief", "        true: inactive\n        false: active"),
            ("# choose: SCH: no key is like it", "SCH: social_card"),
            (
                "  # choose: party",
                "  party: {table: hv_casus, columns: {dossier: hv_casusid, contact: hv_jongereid}, fixed: {role: child}}\n  #",
            ),
            ("# dependent:\n" + "\n".join(visits), "dependent:\n" + "\n".join(line[1:] for line in visits)),
        )
        for old, new in answers:
            assert old in text, old
            text = text.replace(old, new, 1)
        mapping = tmp_path / "mapping.yaml"
        mapping.write_text(text, "utf-8")
        said = typist.type("mapping", "check", mapping, "--json")
        assert (said.code, said.document["problems"]) == (0, [])
        typist.set(MAPPING=str(mapping))
        told = {each["field"]: each["value"] for each in typist.ask("mapping", "explain", "hv_casus", case)["fields"]}
        assert (told["is_active"], told["categories"]) == (False, ["social_card", "runaway"])
        assert typist.ask("plan", "--output", tmp_path / "plan.html")["units"] == 1


def test_rows_of_reference_are_told_apart_by_a_code_only_where_all_have_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with running(environment=DATA / "sparing-environment.yaml", token=TOKEN) as emulator:
        client = Client(emulator, TOKEN)
        client.create("hv_themas", hv_naam="Weglopen", hv_code="WEG")
        client.create("hv_themas", hv_naam="Sexting")
        client.http.close()
        _, text = drafted(Typist(capsys, monkeypatch, tmp_path, emulator.url), tmp_path)
    block = text.partition("    references:\n")[2]
    assert block.startswith("      categories:\n        by: hv_naam\n")
    assert "          Sexting: sexting  # Sexting\n" in block


def test_calls_that_may_be_communications_too_have_a_block_in_the_list(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = SECOND.read_text("utf-8")
    call = text.index("  phonecall:\n")
    at = text.index("    columns:\n", call) + len("    columns:\n")
    path = tmp_path / "environment.yaml"
    path.write_text(text[:at] + "      kt_wijze: {type: choice kt_kanaal, label: {nl: Wijze}}\n" + text[at:], encoding="utf-8")
    with running(environment=path, token=TOKEN) as emulator:
        client = Client(emulator, TOKEN)
        client.create("phonecalls", subject="Fictieve oproep", kt_wijze=11)
        client.http.close()
        _, text = drafted(Typist(capsys, monkeypatch, tmp_path, emulator.url), tmp_path)
    block = text.partition("    # choose: rows of phonecall may be such too; put this in force then\n")[2].partition("\n\n")[0]
    assert "#   # choose: only: {kt_wijze: []}" in block
    answered = text.replace(block, "\n".join(line.replace("# ", "", 1) for line in block.splitlines()))
    mapping, problems = examine_mapping(answered, "m")
    assert mapping is not None
    assert [table.name for table in mapping.of("fiche")] == ["kt_melding", "phonecall"]
    told = [problem.text for problem in problems if problem.code != "missing"]
    assert told == ["call and fiche are mapped to the same table phonecall"]  # until they are told apart


@pytest.mark.parametrize("is_sure", [True, False], ids=["one table is surely it", "several may be it"])
def test_whatever_may_keep_roles_is_one_block(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_sure: bool
) -> None:
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
        drawn, text = drafted(Typist(capsys, monkeypatch, tmp_path, emulator.url), tmp_path)
    assert ("party" in drawn["open"]) is not is_sure
    assert len([line for line in text.splitlines() if re.match(r"  (# )?party:", line)]) == 1
    mapping, problems = examine_mapping(put_in_force(text, "party"), "m")
    assert [problem.text for problem in problems if problem.code != "missing"] == []
    assert mapping is not None
    assert sorted(table.name for table in mapping.of("party")) == sorted([*parties, "kt_zaak"])
    assert "contact: kt_persoon}, flags: {role: {kt_isdader: suspect, kt_kind: child}}}" in text


def put_in_force(text: str, kind: str) -> str:
    """Put in force everything that the draft proposes for a kind; its choices of one line stay open."""
    begin, head, rest = re.split(rf"^(  (?:# )?{kind}:.*\n)", text, maxsplit=1, flags=re.MULTILINE)
    block, end = rest.split("\n\n", 1)
    lines = [line if "# choose:" in line or "# keys:" in line else re.sub(r"^( *)# ", r"\1", line) for line in block.splitlines()]
    return begin + head.replace(f"# {kind}", kind, 1) + "\n".join(lines) + "\n\n" + end


def parse_problems(text: str) -> list[str]:
    """What is wrong with a draft beside what nobody has chosen yet."""
    return [problem.text for problem in examine_mapping(text, "m")[1] if problem.code != "missing"]


def test_a_category_is_told_by_the_words_of_the_organisation(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A schedule of one's own has rows, and the organisation file what it calls its categories; of both the
    product knows none by itself."""
    told = organisation_file(tmp_path, {"pesten": dict.fromkeys(("nl", "fr", "de", "en"), "Nog niet duidelijk")})
    with organisation(capsys, monkeypatch, tmp_path, SECOND) as typist:
        typist.set(POLICY=str(DATA / "second-policy.yaml"), ORGANISATION=str(told))
        _, text = drafted(typist, tmp_path)
        assert {number for (_, _, number), key in keys(parse_mapping(text, "m")).items() if key == "pesten"} == {912340033}


def organisation_file(folder: Path, values: dict[str, dict[str, str]]) -> Path:
    """The organisation file of the second organisation, with what it calls some of its values."""
    document = YAML(typ="safe").load((DATA / "second-organisation.yaml").read_text("utf-8"))
    document.setdefault("words", {})["value"] = values
    path = folder / "organisation.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    return path


def test_only_categories_of_the_schedule_are_drafted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No key of another schedule, though an option is called as one is there."""
    with organisation(capsys, monkeypatch, tmp_path, SECOND) as typist:
        typist.set(POLICY=str(DATA / "second-policy.yaml"))
        _, text = drafted(typist, tmp_path)
    drawn = {key for (_, name, _), key in keys(parse_mapping(text, "m")).items() if name == "categories"}
    assert drawn <= {"pesten", "doorverwezen"}
    assert "# keys: doorverwezen, pesten" in text
    assert "Weglopen" in text
