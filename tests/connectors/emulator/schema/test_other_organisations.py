"""Organisations of other forms: any environment file is served and seeded in its own words; labels in its
languages; the platform's numbers; states and choices of its own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from connectors.emulator.schema.environment_file import load_environment
from connectors.emulator.seeding.any_organisation import rows_of
from connectors.emulator.serving.server import SeedSpec, running
from tests.connectors.emulator.client import Client, organisation
from tests.connectors.emulator.customers import ENVIRONMENT, client

__all__ = ["client"]

pytestmark = pytest.mark.usefixtures("real_http")
SECOND = Path(__file__).parents[3] / "data" / "second-environment.yaml"
AS_OF = date(2026, 11, 25)


# -- any environment -----------------------------------------------------------------------------------------


def test_any_environment_is_seeded_in_its_own_words(tmp_path: Path) -> None:
    path = tmp_path / "environment.yaml"
    path.write_text(ENVIRONMENT, "utf-8")
    for file, name in ((SECOND, "kt_zaak"), (path, "incident")):
        environment = load_environment(file)
        rows = list(rows_of(environment, cases=12, seed=3, as_of=AS_OF))
        assert rows == list(rows_of(load_environment(file), cases=12, seed=3, as_of=AS_OF))
        there: dict[str, set[str]] = {}
        for table, row in rows:
            columns = environment.tables[table].columns
            for column in columns.values():
                if column.is_lookup and column.name in row and not column.system and column.name != "relatedconnectionid":
                    target, key = row[column.name] if column.polymorphic else (column.targets[0], row[column.name])
                    assert key in there[target], (table, column.name)
                if column.length and isinstance(row.get(column.name), str):
                    assert len(row[column.name]) <= column.length
                assert row.get("createdon", "") <= f"{AS_OF.isoformat()}T23:59:59Z"
            there.setdefault(table, set()).add(row.get(environment.tables[table].key, ""))
        assert len(there[name]) == 12
        halves = {row["connectionid"]: row for table, row in rows if table == "connection"}
        for half in halves.values():  # a connection is kept twice, once from either side
            other = halves[half["relatedconnectionid"]]
            assert (half.get("record1id"), half.get("record2roleid")) == (other.get("record2id"), other.get("record1roleid"))
        with running(environment=file, seed=SeedSpec(12, 3, AS_OF)) as emulator:
            client = Client(emulator)
            assert len(client.rows(environment.tables[name].set_name)) == 12
            client.http.close()


def test_a_list_of_values_is_called_by_what_it_is_and_by_nobody(tmp_path: Path) -> None:
    environment = load_environment(SECOND.with_name("beuk-environment.yaml"))
    rows = list(rows_of(environment, cases=12, seed=3, as_of=AS_OF))
    assert [row["hb_naam"] for table, row in rows if table == "hb_thema"] == ["Thema 1", "Thema 2", "Thema 3", "Thema 4"]


def test_the_shipped_environment_with_more_tables_keeps_its_own_organisation() -> None:
    spec = SeedSpec(3, 1, AS_OF)
    assert list(spec.rows(load_environment())) == list(spec.rows())


# -- labels and numbers --------------------------------------------------------------------------------------


def test_the_base_language_is_the_first_of_the_file(tmp_path: Path) -> None:
    """In which labels of what is made have to be given."""
    path = tmp_path / "environment.yaml"
    path.write_text(ENVIRONMENT.replace("languages: {", "languages: {de: 1031, ", 1), "utf-8")
    (organisation,) = load_environment(path).rows["organization"]
    assert organisation["languagecode"] == 1031


@pytest.mark.row(31)
def test_tables_and_columns_have_names_in_the_languages_of_the_organisation(client: Client) -> None:
    def labels(path: str, name: str) -> dict[int, str]:
        return {each["LanguageCode"]: each["Label"] for each in client.row(path)[name]["LocalizedLabels"]}

    table = "EntityDefinitions(LogicalName='contact')"
    assert labels(f"{table}?$select=DisplayName", "DisplayName") == {1043: "Persoon", 1036: "Personne"}
    assert labels(f"{table}?$select=DisplayCollectionName", "DisplayCollectionName") == {1043: "Personen", 1036: "Personnes"}
    assert labels(f"{table}/Attributes(LogicalName='fullname')?$select=DisplayName", "DisplayName") == {
        1043: "Volledige naam",
        1036: "Nom complet",
    }
    assert labels("EntityDefinitions(LogicalName='incident')?$select=DisplayName", "DisplayName") == {1043: "incident"}


def test_standard_tables_have_the_platforms_own_numbers_and_names(client: Client) -> None:
    found = {
        name: client.row(f"EntityDefinitions(LogicalName='{name}')?$select=ObjectTypeCode,SchemaName")
        for name in ("incident", "connection", "sharepointdocumentlocation")
    }
    assert {name: (row["ObjectTypeCode"], row["SchemaName"]) for name, row in found.items()} == {
        "incident": (112, "Incident"),
        "connection": (3234, "Connection"),
        "sharepointdocumentlocation": (9508, "SharePointDocumentLocation"),
    }


def test_states_of_a_table_are_those_of_its_file(tmp_path: Path) -> None:
    with organisation(ENVIRONMENT, tmp_path) as client:
        options = client.row(
            "EntityDefinitions(LogicalName='incident')/Attributes(LogicalName='statuscode')/Microsoft.Dynamics.CRM.StatusAttributeMetadata"
            "?$select=LogicalName&$expand=OptionSet($select=Options)"
        )["OptionSet"]["Options"]
        assert {(each["Value"], each["State"]) for each in options} == {(1, 0), (5, 1), (1000, 1), (6, 2)}


def test_an_activity_may_have_choices_of_the_organisations_own(tmp_path: Path) -> None:
    """They are columns of that table, and none of what all activities have in common."""
    file = tmp_path / "environment.yaml"
    file.write_text(
        """
publisher_prefix: av
choices:
  av_aard: {1: Melding, 2: Overleg}
tables:
  phonecall:
    set: phonecalls
    activity: true
    columns:
      activityid: {type: guid, key: true}
      subject: {type: string(200), primary_name: true}
      av_aard: {type: choice av_aard}
  activityparty:
    set: activityparties
    columns:
      activitypartyid: {type: guid, key: true}
      activityid: {type: lookup phonecall}
      addressused: {type: string(100), primary_name: true}
""",
        encoding="utf-8",
    )
    with running(environment=file, token="any", seed=SeedSpec(1, 3, AS_OF)) as emulator:
        crm = Client(emulator)
        assert {row["av_aard"] for row in crm.rows("phonecalls")} <= {1, 2, None}
        assert "av_aard" not in crm.rows("activitypointers")[0]
        for call in crm.rows("phonecalls"):
            assert crm.send("DELETE", f"phonecalls({call['activityid']})").status_code == 204
        assert crm.rows("activityparties") == []  # participants go with their activity, named or not in the file
