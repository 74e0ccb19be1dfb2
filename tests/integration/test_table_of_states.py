"""Whether a case is open, and whether it is under a hold, stands in a lookup to a table (RET-13, HLD-07)."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.mapping.loader import examine_mapping
from connectors.emulator.serving.server import running
from crm_compliance.configuration.settings import Settings
from crm_compliance.mapping.explain import explain_row
from crm_compliance.wiring.mapping import mapping_text
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.night import Night, night_in
from tests.drivers.organisation import TOKEN, Organisation
from tests.drivers.typist import Typist
from tests.yaml_files import read_yaml, yaml_text

LONG_AGO = date(2020, 1, 10)
REFERRED = {"by": "cf_name", "keys": {"Lopend": "active", "Afgesloten": "inactive"}}


def environment(folder: Path) -> Path:
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    document["tables"]["cf_state"] = {
        "set": "cf_states",
        "columns": {"cf_stateid": {"type": "guid", "key": True}, "cf_name": {"type": "string(100)", "primary_name": True}},
    }
    for name, schema in (("cf_stateid", "cf_StateId"), ("cf_holdid", "cf_HoldId")):
        document["tables"]["cf_dossier"]["columns"][name] = {"type": "lookup cf_state", "schema_name": schema}
    path = folder / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    return path


def mapping(**referred: dict[str, Any]) -> str:
    document: dict[str, Any] = read_yaml(mapping_text(Settings())[0])
    dossier = document["tables"]["dossier"]
    del dossier["anonymise"], document["tables"]["fiche"]["anonymise"]
    dossier["columns"] |= {"is_active": "cf_stateid", "legal_hold": "cf_holdid"}
    dossier["choices"].pop("is_active", None)
    dossier["choices"].pop("legal_hold", None)
    dossier["references"] = {"is_active": REFERRED, "legal_hold": {"by": "cf_name", "keys": {"Geen": "no"}}} | referred
    return yaml_text(document)


def test_a_case_is_open_or_held_by_a_row_of_a_table(tmp_path: Path) -> None:
    with night_in(environment(tmp_path), tmp_path, kind=Night, mapping=mapping()) as night:
        states = {name: night.create("cf_states", "cf_stateid", cf_name=name) for name in ("Lopend", "Afgesloten", "Geen", "Onderzoek")}

        def case(state: str = "", hold: str = "") -> str:
            given = {"cf_StateId": state, "cf_HoldId": hold}
            bound: dict[str, Any] = {f"{name}@odata.bind": f"/cf_states({states[each]})" for name, each in given.items() if each}
            made = night.dossier("sexting", spoken=LONG_AGO, **bound)
            night.party(night.contact(birthdate="2000-02-01"), "child", dossier=made)
            return made

        closed, free = case("Afgesloten"), case("Afgesloten", "Geen")
        kept = {case("Lopend"): "OPEN", case(): "OPEN", case("Onderzoek"): "OPEN"}
        held = case("Afgesloten", "Onderzoek")
        lines = night.lines(night.plan())
        assert {lines[row].outcome for row in (closed, free)} == {"dispose"}
        assert {lines[row].outcome for row in (*kept, held)} == {"retain"}
        assert lines[held].reason.startswith("HOLD")
        (hold,) = [each for each in explain_row(night.connector, "cf_dossier", held).fields if each.field == "legal_hold"]
        assert (hold.value, hold.unknown, hold.called) == (None, states["Onderzoek"], {states["Onderzoek"]: "Onderzoek"})
        (hold,) = [each for each in explain_row(night.connector, "cf_dossier", free).fields if each.field == "legal_hold"]
        assert (hold.value, hold.unknown) == (False, None)
        told = [each.message for each in night.connector.check(decisions=True) if "Onderzoek" in each.message]
        assert [each.split(": it ")[1].split(",")[0] for each in told] == ["counts as open", "counts as yes"]


@pytest.mark.parametrize("key", ["closed", "child"])
def test_a_key_that_is_no_yes_or_no_is_refused(key: str) -> None:
    _, problems = examine_mapping(mapping(is_active={"by": "cf_name", "keys": {"Afgesloten": key}}), "m")
    assert [problem.code for problem in problems] == ["unknown"]
    assert "use one of active, inactive, yes, no" in problems[0].text


def test_a_newsletter_is_no_lookup_since_an_objection_writes_it() -> None:
    document: dict[str, Any] = read_yaml(mapping())
    document["tables"]["contact"]["references"] = {"newsletter": {"by": "cf_name", "keys": {"Ja": "yes", "Nee": "no"}}}
    _, problems = examine_mapping(yaml_text(document), "m")
    assert [problem.path for problem in problems] == ["tables.contact.references.newsletter"]


def test_a_draft_proposes_a_table_of_states(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    with running(environment=environment(tmp_path), token=TOKEN) as emulator:
        house = Organisation(emulator, 1)
        for name in ("Lopend", "Afgesloten", "Onderzoek"):
            house.create("cf_states", "cf_stateid", cf_name=name)
        house.close()
        assert typist_at(emulator.url).type("mapping", "draft", "--output", tmp_path / "draft.yaml").code == 0
    text = (tmp_path / "draft.yaml").read_text("utf-8")
    told = '# references: {is_active: {by: cf_name, keys: {"Afgesloten": inactive, "Lopend": active}}}  # without a key: Onderzoek'
    assert f"    {told}\n" in text
