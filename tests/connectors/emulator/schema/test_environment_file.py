"""An organisation is served as its environment file describes it; one that makes no sense is
refused with its file."""

from pathlib import Path

import pytest

from connectors.emulator.schema.environment_file import DEFAULT_ENVIRONMENT, EnvironmentProblem, load_environment
from connectors.emulator.schema.table_specs import plural
from connectors.emulator.serving.server import running
from tests.connectors.emulator.client import Client
from tests.web_api import ANNOTATED

OTHER = """
publisher_prefix: zz
languages: {fr: 1036}
choices:
  zz_kind:
    1: {key: a, fr: Premier}
    2: {key: b, fr: Second}
tables:
  contact:
    set: contacts
    columns:
      contactid: {type: guid, key: true}
      fullname: {type: string(160), primary_name: true}
  zz_case:
    columns:
      zz_caseid: {type: guid, key: true}
      zz_title: {type: string(20), primary_name: true}
      zz_kind: {type: choice zz_kind}
      zz_ContactId: {type: lookup contact, schema_name: zz_ContactId}
      zz_code: {type: string(10), alternate_key: zz_key}
      zz_year: {type: int, alternate_key: zz_key}
  zz_entry:
    columns:
      zz_entryid: {type: guid, key: true}
      zz_caseid: {type: lookup zz_case, schema_name: zz_CaseId}
relationships:
  - {name: zz_case_entries, parent: zz_case, child: zz_entry, column: zz_caseid, on_delete: restrict}
"""


def test_another_environment_is_served_by_its_own_names(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(OTHER)
    with running(environment=tmp_path / "other.yaml") as emulator:
        crm = Client(emulator)
        contact = crm.create("contacts", fullname="Exemple (fictif)")
        case = crm.create(
            "zz_cases", zz_title="C", zz_kind=2, zz_code="X", zz_year=7, **{"zz_ContactId@odata.bind": f"/contacts({contact})"}
        )
        assert crm.row(f"zz_cases({case})", ANNOTATED)["zz_kind@OData.Community.Display.V1.FormattedValue"] == "Second"
        assert crm.row("zz_cases(zz_code='X',zz_year=7)")["zz_caseid"] == case
        assert crm.get("zz_cases(zz_code='X')").status_code == 400
        entry = crm.create("zz_entries", **{"zz_CaseId@odata.bind": f"zz_cases({case})"})
        assert crm.send("DELETE", f"zz_cases({case})").status_code == 405
        crm.send("DELETE", f"zz_entries({entry})")
        assert crm.send("DELETE", f"zz_cases({case})").status_code == 204
        assert crm.get("cf_dossiers").status_code == 404
        assert len(crm.rows("systemusers")) == 3


@pytest.mark.parametrize("to", ["contact", "contact|systemuser"])
def test_an_activity_is_made_with_who_takes_part_by_the_name_of_the_platform(tmp_path: Path, to: str) -> None:
    """Although the file names none of its relationships, as it need not of any lookup."""
    activities = f"""
  phonecall:
    set: phonecalls
    activity: true
    columns: {{activityid: {{type: guid, key: true}}, subject: {{type: string(200), primary_name: true}}}}
  activityparty:
    set: activityparties
    columns:
      activitypartyid: {{type: guid, key: true}}
      activityid: {{type: lookup phonecall}}
      partyid: {{type: lookup {to}}}
      participationtypemask: {{type: int}}
relationships:"""
    (tmp_path / "other.yaml").write_text(OTHER.replace("\nrelationships:", activities))
    with running(environment=tmp_path / "other.yaml") as emulator:
        crm = Client(emulator)
        person = crm.create("contacts", fullname="Exemple (fictif)")
        party = {"participationtypemask": 1, "partyid_contact@odata.bind": f"/contacts({person})"}
        call = crm.create("phonecalls", subject="s", phonecall_activity_parties=[party])
        assert [row["_partyid_value"] for row in crm.rows(f"phonecalls({call})/phonecall_activity_parties")] == [person]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("zz_kind: {type: choice zz_kind}", "zz_nothing"),
        ("type: lookup zz_case", "type: lookup zz_nothing"),
        ("on_delete: restrict", "on_delete: perhaps"),
        ("type: string(20)", "type: text"),
        ("zz_entryid: {type: guid, key: true}", "zz_entryid: {type: guid}"),
        ("tables:", "tabels:"),
    ],
)
def test_an_environment_that_makes_no_sense_is_refused_with_its_file(tmp_path: Path, broken: str, message: str) -> None:
    (tmp_path / "other.yaml").write_text(OTHER.replace(broken, message if ":" in message else "zz_kind: {type: choice zz_nothing}"))
    with pytest.raises(EnvironmentProblem, match=r"other\.yaml"):
        load_environment(tmp_path / "other.yaml")
    with pytest.raises(EnvironmentProblem, match="missing"):
        load_environment(tmp_path / "missing.yaml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("publisher_prefix: zz\n", "tables is missing"),
        ("tables: {zz_entry: {columns: {zz_entryid: {key: true}}}}\n", "table zz_entry: type is missing"),
        ("tables: {}\nlanguages: &all [*all]\n", "a value is not written as it has to be"),
        ("tables: {}\nrelationships: &all [*all]\n", "a value is not written as it has to be"),
        ("tables: {zz_entry: {columns: [zz_entryid]}}\n", "table zz_entry: a value is not written as it has to be"),
        (
            f"tables: {{a: {{columns: {{aid: {{type: guid, key: true}}, {', '.join(f'x{n}: {{type: int}}' for n in range(2000))}}}}}}}\n",
            "table a has 2015 columns, and SQLite keeps no more than 1950 here",
        ),
    ],
)
def test_what_is_wrong_with_an_environment_is_told_in_its_own_words(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "environment.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EnvironmentProblem) as refused:
        load_environment(path)
    assert str(refused.value).startswith(f"{path}: {told}")


@pytest.mark.parametrize(
    ("written", "misspelt", "told"),
    [
        ("relationships:", "relationsips:", "the file: the word relationsips is not known; did you mean relationships?"),
        ("    set: contacts", "    sets: contacts", "tables.contact: the word sets is not known; did you mean set?"),
        ("primary_name: true", "primary-name: true", "tables.contact.columns.fullname: the word primary-name is not known; did you mean"),
        ("on_delete: restrict", "restrict: true", "relationships: the word restrict is not known"),
    ],
)
def test_a_word_that_no_environment_has_is_refused_with_its_line(tmp_path: Path, written: str, misspelt: str, told: str) -> None:
    path, before = tmp_path / "environment.yaml", OTHER.split(written)[0]
    path.write_text(OTHER.replace(written, misspelt, 1), encoding="utf-8")
    with pytest.raises(EnvironmentProblem) as refused:
        load_environment(path)
    assert str(refused.value).startswith(f"{path}:{before.count(chr(10)) + 1}: {told}")


def test_what_is_merged_in_has_the_words_of_where_it_is_merged(tmp_path: Path) -> None:
    path = tmp_path / "environment.yaml"
    columns = "{<<: {zz_aid: {type: guid, key: true}}, zz_one: &one {type: string(9), pii: true}, zz_two: {<<: [*one], required: true}}"
    path.write_text(text := f"tables: {{zz_a: {{columns: {columns}}}}}\n", encoding="utf-8")
    merged = load_environment(path).tables["zz_a"].columns["zz_two"]
    assert (merged.length, merged.pii, merged.required) == (9, True, True)
    path.write_text(text.replace("pii", "pi"), encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match=r":1: tables\.zz_a\.columns\.zz_one: the word pi is not known; did you mean pii"):
        load_environment(path)


def test_the_shipped_environment_has_no_word_that_nobody_reads() -> None:
    assert "cf_dossier" in load_environment(DEFAULT_ENVIRONMENT).tables


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a: 1\na: 2\n", ":2: found duplicate key"),
        (b"a: 1\n\tb: 1\n", ":2: found a tab"),
        (b"a: 1\nb: \x00\n", ":2: unacceptable character"),
        (b"a: 1\nb: \xe9\n", ":2: this is not UTF-8"),
        (None, ": Is a directory"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "environment.yaml" if content is not None else tmp_path
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EnvironmentProblem) as refused:
        load_environment(path)
    assert str(refused.value).startswith(f"{path}{told}")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("zz_case", "zz_cases"), ("zz_party", "zz_parties"), ("zz_day", "zz_days"), ("zz_box", "zz_boxes"), ("zz_church", "zz_churches")],
)
def test_a_set_without_a_name_of_its_own_gets_the_plural(name: str, expected: str) -> None:
    assert plural(name) == expected


def test_the_example_of_the_page_describes_an_organisation(tmp_path: Path) -> None:
    page = (Path(__file__).parents[4] / "docs" / "environment-file.md").read_text("utf-8")
    (tmp_path / "crm.yaml").write_text(page.split("```yaml\n")[1].split("```")[0], "utf-8")
    tables = load_environment(tmp_path / "crm.yaml").tables
    assert {"contact", "kt_zaak", "kt_zaak_contact"} <= tables.keys()
