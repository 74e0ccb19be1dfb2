"""Rows of a table of the organisation's own that outlive their dossier emptied: what the CRM keeps beside
them and what depends on them says no more whose they were (ERA-02, ERA-12, R-081).

All people are fictitious."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.model.privileges import NEEDS
from jobs.model.run import RunState
from jobs.plans.questions.explain import explain_unit
from rules.errors import MappingError, NotFound
from tests.drivers.night import Night, night_in
from tests.integration.dependent import add, dependent_environment, dependent_mapping
from tests.integration.planted_in_dependent import LONG_AGO
from tests.yaml_files import read_yaml, yaml_text

SIDES = {"type": "lookup contact|cf_dossier|cf_measure"}
NAME = {"type": "string(500)", "primary_name": True}
TABLES: dict[str, Any] = {
    "connection": {
        "set": "connections",
        "columns": {"connectionid": {"type": "guid", "key": True}, "name": NAME, "record1id": SIDES, "record2id": SIDES},
    },
    "cf_step": {  # of which the mapping says nothing
        "set": "cf_steps",
        "columns": {"cf_stepid": {"type": "guid", "key": True}, "cf_name": NAME, "cf_measureid": {"type": "lookup cf_measure"}},
    },
}
STEPS = {"name": "cf_measure_steps", "parent": "cf_measure", "child": "cf_step", "column": "cf_measureid", "on_delete": "cascade"}
PAIRS = {"name": "cf_measure_contacts", "one": "cf_measure", "two": "contact", "intersect": "cf_measure_contact"}


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    environment = dependent_environment(tmp_path)
    document: dict[str, Any] = read_yaml(environment)
    document["tables"] |= TABLES
    document["relationships"].append(STEPS)
    document["many_to_many"].append(PAIRS)
    environment.write_text(yaml_text(document), encoding="utf-8")
    with night_in(environment, tmp_path, kind=Night, mapping=dependent_mapping()) as made:
        yield made


def a_measure(night: Night, category: str = "social_card") -> tuple[str, str]:
    """A dossier that has ended, and a row of it that outlives it."""
    dossier = night.dossier(category, spoken=LONG_AGO)
    night.party(night.contact(birthdate="2000-02-01"), "child", dossier=dossier)
    return dossier, add(night, "cf_measure", ("cf_DossierId", "cf_dossiers", dossier), cf_name="verzonnen", cf_hours=2.5)


def a_donor(night: Night) -> str:
    donor = night.contact(lastname="Verzonnen")
    night.donation(donor)
    return donor


def is_emptied(night: Night, measure: str) -> bool:
    row = night.get("cf_measures", measure)
    assert row is not None
    return row["cf_name"] is None


def test_a_connection_of_an_emptied_row_goes(night: Night) -> None:
    """ERA-12: it says in clear with whom the row had to do."""
    dossier, measure = a_measure(night)
    sides = {"record1id_cf_measure@odata.bind": f"/cf_measures({measure})", "record2id_contact@odata.bind": f"/contacts({a_donor(night)})"}
    connection = night.create("connections", "connectionid", name="verzonnen", **sides)
    done = night.apply(night.plan())
    assert (done.state, night.get("cf_dossiers", dossier), is_emptied(night, measure)) == (RunState.DONE, None, True)
    assert night.get("connections", connection) is None


def test_why_tells_of_an_emptied_row_that_it_stays_so(night: Night) -> None:
    """It is no row that somebody forgot to tie to its file, or has to delete."""
    dossier, measure = a_measure(night)
    assert explain_unit(night.context, "cf_measure", measure)[0].id == dossier
    night.apply(night.plan())
    with pytest.raises(NotFound, match="rows of its table stay, emptied, when their file goes") as refusal:
        explain_unit(night.context, "cf_measure", measure)
    assert refusal.value.code == "outlived"


def test_a_unit_waits_while_rows_that_nobody_mapped_depend_on_one_to_be_emptied(night: Night) -> None:
    """R-081, R-158: a deleted row takes along what depends on it, an emptied one would keep it, with its
    texts."""
    dossier, measure = a_measure(night)
    step = night.create("cf_steps", "cf_stepid", cf_name="verzonnen", **{"cf_measureid@odata.bind": f"/cf_measures({measure})"})
    done = night.apply(night.plan())
    skipped: Any = done.counts["skipped"]
    assert skipped["SKIPPED_TECHNICAL"] == 1
    assert any("map the table, or name cf_step.cf_measureid under `stay`" in each for each in night.connector.warnings)
    assert (night.get("cf_dossiers", dossier) is not None, is_emptied(night, measure)) == (True, False)
    night.http.delete(f"{night.emulator.url}cf_steps({step})").raise_for_status()
    night.apply(night.plan())
    assert (night.get("cf_dossiers", dossier), is_emptied(night, measure)) == (None, True)


def test_an_emptied_row_to_which_somebody_leads_who_stays_is_not_anonymous(night: Night) -> None:
    """ERA-02: no link to a named contact, also of a row that outlives an anonymised dossier."""
    dossier, measure = a_measure(night, "runaway")
    donor, pairs = a_donor(night), f"{night.emulator.url}cf_measures({measure})/cf_measure_contacts"
    night.http.post(f"{pairs}/$ref", json={"@odata.id": f"{night.emulator.url}contacts({donor})"}).raise_for_status()
    night.apply(night.plan())
    assert is_emptied(night, measure)
    assert [(each.id, each.code) for _, each in night.store.journal.partials()] == [(dossier, "PSEUDONYMISED")]
    night.http.delete(f"{pairs}({donor})/$ref").raise_for_status()
    night.apply(night.plan())
    assert night.store.journal.partials() == []


@pytest.mark.parametrize("kind", ["memo(2000)", "file", "lookup contact"])
def test_a_column_that_nothing_would_empty_is_refused(tmp_path: Path, kind: str) -> None:
    """ERA-02: no free text, no file and no link to a contact is left on what counts as emptied. Somebody may
    say of a column that it tells nothing."""
    environment = dependent_environment(tmp_path)
    document: dict[str, Any] = read_yaml(environment)
    document["tables"]["cf_measure"]["columns"]["cf_more"] = {"type": kind}
    environment.write_text(yaml_text(document), encoding="utf-8")
    with night_in(environment, tmp_path, kind=Night, mapping=dependent_mapping()) as night, pytest.raises(MappingError) as refused:
        night.plan()
    assert "cf_measure.cf_more could hold personal data" in str(refused.value)
    said = f"{dependent_mapping()}\ngoes_along:\n  cf_measure.cf_more: {{why: says nothing, by: test}}\n"
    (tmp_path / "said").mkdir()
    with night_in(environment, tmp_path / "said", kind=Night, mapping=said) as night:
        night.plan()
        told = [finding.message for finding in night.connector.check(decisions=True) if finding.code == "kept"]
    assert any(each.startswith("cf_measure.cf_more stays as it is") for each in told) == (kind != "lookup contact")


@pytest.mark.parametrize("may_write", [True, False])
def test_a_secured_column_that_may_not_be_emptied_is_told_before_a_night(tmp_path: Path, *, may_write: bool) -> None:
    """ERA-15: whoever may read it and not write it has each such unit refused, night after night."""
    environment = dependent_environment(tmp_path)
    document: dict[str, Any] = read_yaml(environment)
    document["tables"]["cf_measure"]["columns"]["cf_reason"]["secured"] = True
    environment.write_text(yaml_text(document), encoding="utf-8")
    mapping = dependent_mapping().replace(
        "    people: [cf_forid]\n    masked", "    people: [cf_forid]\n    readable: [cf_reason]\n    masked"
    )
    with night_in(environment, tmp_path, kind=Night, mapping=mapping) as night:
        profile = night.create("fieldsecurityprofiles", "fieldsecurityprofileid", name="lezen")
        rights = {"canread": 4, "canupdate": 4 * may_write, "cancreate": 0}
        of_column = {"entityname": "cf_measure", "attributelogicalname": "cf_reason"}
        bound = {"fieldsecurityprofileid@odata.bind": f"/fieldsecurityprofiles({profile})"}
        night.create("fieldpermissions", "fieldpermissionid", **of_column, **rights, **bound)
        user, url = night.connector.whoami(), night.emulator.url
        members = f"{url}fieldsecurityprofiles({profile})/systemuserprofiles_association/$ref"
        night.http.post(members, json={"@odata.id": f"{url}systemusers({user})"}).raise_for_status()
        least = {line.name: line.depth for line in night.connector.least_role(NEEDS)}
        night.http.put(f"{night.emulator.root}/_emulator/privileges", json={"user": user, "set": least}).raise_for_status()
        told = [finding.message for finding in night.connector.check_privileges(NEEDS) if "cf_reason" in finding.message]
    assert [each.startswith("cf_reason is secured, and the application user may not write it") for each in told] == [True] * (not may_write)
