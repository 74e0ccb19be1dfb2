"""A draft of a mapping: what a CRM's own definitions suggest, and nothing that they do not."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from connectors.dynamics.mapping.loader import examine_mapping, parse_mapping
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import running
from tests.connectors.dynamics.datamap.own_tables import environment
from tests.connectors.dynamics.draft.drafting import DATA, SECOND, columns, drafted, keys, organisation
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.connectors.emulator.client import Client
from tests.drivers.organisation import TOKEN, set_faults
from tests.drivers.typist import LONG_AGO, Typist, organisation_of
from tests.yaml_files import read_yaml, yaml_text


def test_of_the_reference_environment_every_column_and_key_is_derived(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    with organisation(typist_at, ENVIRONMENT) as typist:
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


@pytest.mark.parametrize("kept", ["in no relational database", "by another system"])
def test_a_table_whose_rows_no_change_set_deletes_is_drafted_as_no_kind(
    typist_at: Callable[..., Typist], tmp_path: Path, kept: str
) -> None:
    """The check would refuse what the draft has put in force."""
    document = read_yaml(ENVIRONMENT)
    if kept == "by another system":  # its rows have no version
        document["tables"]["cf_donation"]["system_columns"] = ["createdon", "statecode", "statuscode"]
    else:
        document["tables"]["cf_donation"]["columns"] |= {"partitionid": {"type": "string(100)"}, "ttlinseconds": {"type": "int"}}
    (tmp_path / "environment.yaml").write_text(yaml_text(document), encoding="utf-8")
    with running(environment=tmp_path / "environment.yaml", token=TOKEN) as emulator:
        set_faults(emulator, {"match": {"path": "/cf_donations"}, "do": "status", "status": 500})  # nobody knows whether it has rows
        typist = typist_at(emulator.url)
        found, text = drafted(typist, tmp_path)
        assert "donation" not in found["tables"]
        (told,) = [line for line in text.splitlines() if line.startswith("#   cf_donation:")]
        assert f"{'a virtual' if kept == 'by another system' else 'an elastic'} table, which cannot be mapped" in told
        problems = typist.type("mapping", "check", tmp_path / "draft.yaml", "--json").document["problems"]
        assert not [each for each in problems if "elastic" in each["message"] or "virtual" in each["message"]]


def test_of_another_organisation_nothing_is_derived_wrong(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """A key that no label is a word for is left open: a wrong category would end a term too early."""
    with organisation(typist_at, SECOND) as typist:
        document, text = drafted(typist, tmp_path)
        wanted, found = (parse_mapping(each, "m") for each in ((DATA / "second-mapping.yaml").read_text("utf-8"), text))
        assert document["open"] == []
        known = columns(wanted)
        assert {place: column for place, column in columns(found).items() if place in known}.items() <= known.items()
        assert keys(found).items() <= keys(wanted).items()
        assert "# choose: 912340001:" in text
        assert typist.type("mapping", "check", tmp_path / "draft.yaml", "--offline").code == 0


def test_roles_in_dossiers_alone_are_the_roles_and_a_form_about_a_communication_is_none(
    typist_at: Callable[..., Typist], tmp_path: Path
) -> None:
    """A table that nothing calls a role, in force in its place, would leave suspects and children unknown."""
    document = YAML(typ="safe").load(SECOND.read_text("utf-8"))
    tables = document["tables"]
    del tables["kt_betrokkene"]["columns"]["kt_melding"]
    document["relationships"] = [each for each in document["relationships"] if each["name"] != "kt_melding_betrokkenen"]
    tables["kt_enquete"] = {"set": "kt_enquetes", "columns": {
        "kt_enqueteid": {"type": "guid", "key": True},
        "kt_titel": {"type": "string(100)", "primary_name": True},
        "kt_wie": {"type": "lookup contact", "schema_name": "kt_Wie"},
        "kt_over": {"type": "lookup kt_melding", "schema_name": "kt_Over"},
        "kt_wijze": {"type": "choice kt_kanaal"},
    }}  # fmt: skip
    path = tmp_path / "environment.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    with organisation(typist_at, path) as typist:
        drawn, _ = drafted(typist, tmp_path)
        assert drawn["tables"]["party"] == "kt_betrokkene"


def test_what_no_name_suggests_is_a_choice_with_candidates_and_the_file_names_nothing_else(
    typist_at: Callable[..., Typist], tmp_path: Path
) -> None:
    document = YAML(typ="safe").load(SECOND.read_text("utf-8"))
    case = document["tables"]["kt_zaak"]["columns"]
    case["kt_qqq"] = case.pop("kt_gesloten")
    path = tmp_path / "environment.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    with organisation(typist_at, path) as typist:
        drawn, text = drafted(typist, tmp_path)
        assert drawn["open"] == ["dossier.closed_on"]
        (line,) = [each for each in text.splitlines() if each.lstrip().startswith("# choose: closed_on")]
        assert "kt_qqq (DateTime, 0 rows)" in line
        said = typist.type("mapping", "check", tmp_path / "draft.yaml", "--offline", "--json")
        assert [(each["code"], each["message"]) for each in said.document["problems"]] == [
            (
                "missing",
                "tables.dossier.columns: closed_on is missing: map it, or name it under without where the organisation does not record it",
            )
        ]


def _with_cases_of_the_platform() -> str:
    text = SECOND.read_text("utf-8").replace("kt_zaak:", "incident:").replace("kt_zaken", "incidents").replace("kt_zaakid", "incidentid")
    text = (
        text.replace("lookup kt_zaak", "lookup incident")
        .replace("|kt_zaak|", "|incident|")
        .replace("parent: kt_zaak,", "parent: incident,")
    )
    return text.replace("      incident: {type: lookup", "      kt_zaak: {type: lookup")


def test_a_case_of_the_platform_may_be_the_dossier_and_participation_is_its_own_choice(
    typist_at: Callable[..., Typist], tmp_path: Path
) -> None:
    text = _with_cases_of_the_platform().replace("participationtypemask: {type: int}", "participationtypemask: {type: choice kt_kanaal}")
    path = tmp_path / "environment.yaml"
    path.write_text(text, encoding="utf-8")
    with organisation(typist_at, path) as typist:
        document, drawn = drafted(typist, tmp_path)
        assert document["tables"]["dossier"] == "incident"
        assert "      participation: participationtypemask\n" in drawn
        assert typist.type("mapping", "check", tmp_path / "draft.yaml").code == 0


def test_the_type_of_a_case_is_its_category_and_candidates_that_are_not_shown_are_counted(
    typist_at: Callable[..., Typist], tmp_path: Path
) -> None:
    """A list that is cut off without a word looks as if the right column were not there."""
    document = YAML(typ="safe").load(_with_cases_of_the_platform())
    case = document["tables"]["incident"]["columns"]
    case["casetypecode"] = case.pop("kt_onderwerp")
    case["kt_qqq"] = case.pop("kt_gesloten")
    case |= {f"kt_q{number}": {"type": "date"} for number in range(7)}
    del document["tables"]["kt_melding"]["columns"]["kt_moment"]
    path = tmp_path / "environment.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    with organisation(typist_at, path) as typist:
        drawn, text = drafted(typist, tmp_path)
    assert drawn["open"] == ["dossier.closed_on", "fiche.communicated_on"]
    assert "      categories: casetypecode\n" in text
    told = {each.split(":")[1].split(" ")[1]: each for each in text.splitlines() if each.lstrip().startswith("# choose: ")}
    assert told["closed_on"].endswith(" | and 2 more")
    assert told["communicated_on"].endswith(" (needed): createdon (DateTime, 0 rows)")


def test_what_nothing_accounts_for_stands_there_as_a_decision_to_take(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    path = environment(tmp_path)
    document = read_yaml(path)
    document["tables"]["cf_visit"]["columns"] |= {f"cf_day{number}": {"type": "date"} for number in range(9)}
    path.write_text(yaml_text(document), encoding="utf-8")
    with running(environment=path, token=TOKEN) as emulator:
        typist = typist_at(emulator.url)
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
    (days,) = [line for line in text.splitlines() if line.startswith("#    # date: ")]
    assert re.fullmatch(r"#    # date: (\w+ \(0 rows\) \| ){6}and \d more; row of .*", days), "each that is counted costs a question"
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


def test_where_no_table_is_surely_a_communication_calls_are_drafted_as_one(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
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
    with organisation(typist_at, path) as typist:
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


def test_in_a_block_to_choose_no_column_is_both_a_field_and_a_further_text(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """A block that is put in force as it stands would be refused."""
    document = YAML(typ="safe").load(SECOND.read_text("utf-8").replace("kt_melding", "kt_qqq").replace("kt_zaak", "kt_www"))
    del document["tables"]["kt_betrokkene"]
    document["relationships"] = [each for each in document["relationships"] if each["child"] != "kt_betrokkene"]
    document["tables"]["kt_www"]["columns"]["kt_over"] = {"type": "lookup contact", "schema_name": "kt_Over"}
    path = tmp_path / "environment.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    with running(environment=path, token=TOKEN) as emulator:
        client = Client(emulator, TOKEN)
        child = client.create("contacts", lastname="Zandstra (fictief)")
        case = {"kt_nummer": "Z-1", "kt_verslag": "Verzonnen.", "kt_Over@odata.bind": f"/contacts({child})"}
        client.create("kt_zaken", **case)
        client.http.close()
        drawn, text = drafted(typist_at(emulator.url), tmp_path)
    assert "dossier" in drawn["open"]
    block = text.partition("  #   - table: kt_www")[2].partition("  #   - table: ")[0]
    assert "  #       number: kt_nummer\n" in block
    assert "texts: [" not in block


THEMES = (("Weglopen", "WEG"), ("Sexting", "SEX"), ("Schoolmoeheid", "SCH"))


def test_an_organisation_whose_names_say_little_is_mapped_by_answering(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
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
        typist = typist_at(emulator.url)
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


def test_calls_that_may_be_communications_too_have_a_block_in_the_list(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    text = SECOND.read_text("utf-8")
    call = text.index("  phonecall:\n")
    at = text.index("    columns:\n", call) + len("    columns:\n")
    path = tmp_path / "environment.yaml"
    path.write_text(text[:at] + "      kt_wijze: {type: choice kt_kanaal, label: {nl: Wijze}}\n" + text[at:], encoding="utf-8")
    with running(environment=path, token=TOKEN) as emulator:
        client = Client(emulator, TOKEN)
        client.create("phonecalls", subject="Fictieve oproep", kt_wijze=11)
        client.http.close()
        _, text = drafted(typist_at(emulator.url), tmp_path)
    block = text.partition("    # choose: rows of phonecall may be such too; put this in force then\n")[2].partition("\n\n")[0]
    assert "#   # choose: only: {kt_wijze: []}" in block
    answered = text.replace(block, "\n".join(line.replace("# ", "", 1) for line in block.splitlines()))
    mapping, problems = examine_mapping(answered, "m")
    assert mapping is not None
    assert [table.name for table in mapping.of("fiche")] == ["kt_melding", "phonecall"]
    told = [problem.text for problem in problems if problem.code != "missing"]
    assert told == ["call and fiche are mapped to the same table phonecall"]  # until they are told apart


def test_a_second_lookup_to_a_case_is_to_be_decided_on_although_no_row_has_it(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """What the check refuses by the definitions alone stands in the draft as needed."""
    document = YAML(typ="safe").load(SECOND.read_text("utf-8"))
    fiche = "kt_melding"
    document["tables"][fiche]["columns"]["kt_tweede"] = {"type": "lookup kt_zaak", "schema_name": "kt_Tweede"}
    path = tmp_path / "environment.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    with organisation(typist_at, path) as typist:
        drawn, text = drafted(typist, tmp_path)
        assert drawn["open"] == [f"{fiche}.kt_tweede"]
        (line,) = [each for each in text.splitlines() if f"{fiche}.kt_tweede" in each]
        assert "0 rows; (needed)" in line
        said = typist.type("mapping", "check", tmp_path / "draft.yaml", "--json")
        assert [each["suggestion"] for each in said.document["problems"]] == ["kt_tweede"]
        decided = line.removeprefix("#").replace('""', '"een overdracht"', 1)
        (tmp_path / "draft.yaml").write_text(text.replace("# goes_along:", "goes_along:").replace(line, decided), encoding="utf-8")
        assert typist.type("mapping", "check", tmp_path / "draft.yaml").code == 0
