"""mapping statistics-table, as it is typed: the table that a CRM lacks, specified and made (5.2)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import running
from tests.connectors.dynamics.reading.test_more_columns import DATA
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.connectors.emulator.client import Client
from tests.drivers.organisation import TOKEN
from tests.drivers.typist import Typist


def without_statistics(folder: Path, **columns: dict[str, Any]) -> Path:
    document = YAML(typ="safe").load(ENVIRONMENT.read_text("utf-8"))
    if columns:
        document["tables"]["cf_statistic"]["columns"] = {
            "cf_statisticid": {"type": "guid", "key": True},
            "cf_name": {"type": "string(100)", "primary_name": True},
            **columns,
        }
    else:
        del document["tables"]["cf_statistic"]
    path = folder / "environment.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    return path


def test_the_table_is_made_and_made_again_it_is_there(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    with running(environment=without_statistics(tmp_path), token=TOKEN) as emulator:
        typist = typist_at(emulator.url)
        (problem,) = typist.ask("mapping", "check", code=3)["problems"]
        assert problem["message"].startswith("The CRM has no table cf_statistic (statistic).")
        assert "crm-compliance mapping statistics-table shows" in problem["message"]
        assert "crm-compliance mapping statistics-table shows" in typist.refused("plan", code=3)["hint"]
        first = typist.ask("mapping", "statistics-table", "--create")
        assert first["created"][0] == "cf_statistic"
        assert (len(first["created"]), first["existing"], first["other"]) == (12, [], [])
        assert typist.type("mapping", "check", "--json").document == {"ok": True, "problems": [], "warnings": []}
        assert first["unmapped"] == {}
        text = REFERENCE.read_text("utf-8").replace("      province: cf_province\n", "")
        assert text != REFERENCE.read_text("utf-8")
        (tmp_path / "less.yaml").write_text(text, "utf-8")
        typist.set(MAPPING=str(tmp_path / "less.yaml"))
        assert typist.ask("mapping", "statistics-table", "--create")["unmapped"] == {"province": "cf_province"}
        assert "      province: cf_province" in typist.type("mapping", "statistics-table", "--create").out.splitlines()
        typist.unset("MAPPING")
        again = typist.ask("mapping", "statistics-table", "--create")
        assert (again["created"], len(again["existing"]), again["other"]) == ([], 13, [])


def test_nothing_is_made_in_a_crm_that_the_mapping_is_not_of(typist_at: Callable[..., Typist]) -> None:
    """Whoever names no mapping yet would get the table of the shipped one, by another publisher's prefix."""
    with running(environment=DATA / "connected-environment.yaml", token=TOKEN) as emulator:
        typist = typist_at(emulator.url)
        refused = typist.refused("mapping", "statistics-table", "--create", code=3)
        assert refused["code"] == "mapping"
        assert "cf_dossier" in refused["message"]
        assert "Nothing was made" in refused["message"]
        assert "mapping draft" in refused["hint"]
        assert Client(emulator, TOKEN).send("GET", "EntityDefinitions(LogicalName='cf_statistic')").status_code == 404


def test_what_is_missing_is_added_and_another_type_is_told(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    path = without_statistics(tmp_path, cf_year={"type": "int"}, cf_count={"type": "string(20)"})
    with running(environment=path, token=TOKEN) as emulator:
        typist = typist_at(emulator.url)
        made = typist.ask("mapping", "statistics-table", "--create", code=3)
        assert made["existing"] == ["cf_statistic", "cf_statistic.cf_name", "cf_statistic.cf_year"]
        assert made["other"] == ["cf_statistic.cf_count"]
        assert len(made["created"]) == 9


def test_the_specification_has_the_prefix_of_the_mapping(typist: Typist, tmp_path: Path) -> None:
    typist.unset("CRM_URL", "CRM_TOKEN", "CLOCK")
    text = REFERENCE.read_text("utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(text[: text.index("  statistic:\n")].replace("cf_", "kt_"), "utf-8")
    typist.set(MAPPING=str(path))
    for name in ("s.md", "s.json"):
        said = typist.type("mapping", "statistics-table", "--output", tmp_path / name, "--json")
        assert said.code == 0
        assert said.document["table"] == "kt_statistic"
    assert json.loads((tmp_path / "s.json").read_text("utf-8")) == {name: said.document[name] for name in ("table", "ownership", "columns")}
    page = (tmp_path / "s.md").read_text("utf-8")
    assert "`kt_year` | whole number" in page
    assert typist.refused("mapping", "statistics-table", "--output", tmp_path / "s.pdf", code=2)["code"] == "usage"


def test_without_a_flag_nothing_is_sent(typist: Typist) -> None:
    typist.unset("CRM_URL", "CRM_TOKEN", "CLOCK")
    said = typist.type("mapping", "statistics-table")
    assert said.code == 0
    assert "cf_statistic" in said.out
