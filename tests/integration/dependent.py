"""An organisation with tables of its own that depend on dossiers, fiches and people, for tests of nights and
requests. Its people are fictitious."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from rules.policy.policy import Policy
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.night import Night, night_in
from tests.yaml_files import read_yaml, yaml_text

DATA = Path(__file__).parents[1] / "data"
TABLES, MAPPING = DATA / "dependent-tables.yaml", DATA / "dependent-mapping.yaml"
SETS = {
    "cf_homevisit": ("cf_homevisits", "cf_homevisitid"),
    "cf_paragraph": ("cf_paragraphs", "cf_paragraphid"),
    "cf_remark": ("cf_remarks", "cf_remarkid"),
    "cf_assessment": ("cf_assessments", "cf_assessmentid"),
    "task": ("tasks", "activityid"),
    "cf_theme": ("cf_themes", "cf_themeid"),
    "cf_measure": ("cf_measures", "cf_measureid"),
    "cf_bill": ("cf_bills", "cf_billid"),
}


def dependent_environment(folder: Path) -> Path:
    """The reference environment with the tables of TABLES."""
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    more: dict[str, Any] = read_yaml(TABLES)
    document["tables"] |= more["tables"]
    document["tables"]["activityparty"]["columns"]["activityid"]["type"] += "|task"
    document["tables"]["annotation"]["columns"]["objectid"]["type"] += "|cf_remark"
    document["choices"] |= more["choices"]
    document["relationships"] += more["relationships"]
    document["many_to_many"] = [*document.get("many_to_many", []), *more["many_to_many"]]
    path = folder / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    return path


def dependent_mapping(more: str = "") -> str:
    """The reference mapping with the tables of MAPPING."""
    return f"{mapping_text(Settings())[0]}\n{more or MAPPING.read_text('utf-8')}"


@contextmanager
def dependent_night(folder: Path, more: str = "", policy: Policy | None = None) -> Iterator[Night]:
    with night_in(dependent_environment(folder), folder, kind=Night, policy=policy, mapping=dependent_mapping(more)) as night:
        yield night


def add(night: Night, table: str, owner: tuple[str, str, str] | None = None, **columns: Any) -> str:
    """Make a row of one of the tables; `owner` is the navigation property, the set and the id of what it
    belongs to."""
    table_set, key = SETS[table]
    bound = {f"{owner[0]}@odata.bind": f"/{owner[1]}({owner[2]})"} if owner is not None else {}
    return night.create(table_set, key, **columns, **bound)


def tie(night: Night, dossier: str, theme: str) -> None:
    """Tie a theme to a dossier."""
    answer = night.http.post(
        f"{night.emulator.url}cf_dossiers({dossier})/cf_dossier_themes/$ref",
        json={"@odata.id": f"{night.emulator.url}cf_themes({theme})"},
    )
    assert answer.status_code == 204, answer.text
