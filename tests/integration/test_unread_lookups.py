"""A lookup of a dossier, a fiche or a role names somebody, and fills no field (R-158)."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.pace.gate import Gate, Timeline
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.night import Night, night_in
from tests.drivers.organisation import set_faults
from tests.integration.test_least_privilege import give, role
from tests.yaml_files import read_yaml, yaml_text

LONG_AGO, LATELY = date(2020, 1, 10), date(2026, 11, 1)


def environment(folder: Path, table: str, parent: str = "contact", on_delete: str = "remove_link") -> Path:
    """The reference organisation with one more lookup, to a person as a rule."""
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    document["tables"][table]["columns"]["cf_partnerid"] = {"type": f"lookup {parent}", "schema_name": "cf_PartnerId"}
    document["relationships"].append(
        {"name": "cf_contact_partners", "parent": parent, "child": table, "column": "cf_partnerid", "on_delete": on_delete}
    )
    path = folder / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    return path


@pytest.mark.parametrize("is_decided", [False, True])
@pytest.mark.parametrize("table", ["cf_dossier", "cf_fiche", "cf_party", "cf_enrolment"])
def test_whom_a_live_file_names_by_it_stays_until_somebody_decides_that_it_says_nothing(
    tmp_path: Path, table: str, *, is_decided: bool
) -> None:
    said = {"goes_along": {f"{table}.cf_partnerid": {"why": "niet ingevuld", "by": "dpo"}}} if is_decided else {}
    text = mapping_text(Settings())[0]
    mapping = text.replace("tables:\n", f"{yaml_text(said)}tables:\n", 1) if said else text
    with night_in(environment(tmp_path, table), tmp_path, kind=Night, mapping=mapping) as night:
        old, live = night.dossier("sexting", spoken=LONG_AGO), night.dossier("sexting", spoken=LATELY)
        named, own = night.contact(birthdate="2000-02-01"), night.contact(birthdate="2000-02-01")
        for person in (named, own):
            night.party(person, "child", dossier=old)
        role = night.party(night.contact(birthdate="2015-02-01"), "child", dossier=live)
        places = {
            "cf_dossier": ("cf_dossiers", live),
            "cf_fiche": ("cf_fiches", night.fiches_of(live)[0]),
            "cf_party": ("cf_parties", role),
        }
        if table == "cf_enrolment":
            places[table] = ("cf_enrolments", night.create("cf_enrolments", "cf_enrolmentid", cf_name="E-test"))
        night.patch(*places[table], **{"cf_PartnerId@odata.bind": f"/contacts({named})"})
        if table == "cf_dossier":  # what goes too keeps nobody
            night.patch("cf_dossiers", old, **{"cf_PartnerId@odata.bind": f"/contacts({own})"})
        told = [each.suggestion for each in night.connector.check(decisions=True) if "names people" in each.message]
        assert told == ([] if is_decided else ["cf_partnerid"])
        run = night.apply(night.plan())
        assert [night.get("contacts", person) is None for person in (named, own)] == [is_decided, True]
        assert night.get("cf_dossiers", old) is None
        assert run.counts.get("unaccounted", {}) == ({} if is_decided else {table: 1})
        told = [each for each in night.connector.warnings if "cf_partnerid" in each]
        assert len(told) == (not is_decided)


@pytest.mark.parametrize("is_decided", [False, True])
def test_whom_a_row_out_of_scope_names_stays_until_somebody_says_that_such_rows_may_stay(tmp_path: Path, *, is_decided: bool) -> None:
    """By a lookup that fills a field in the rows that are meant."""
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    document["choices"]["cf_kind"] = {1: "Cursus", 2: "Iets anders"}
    document["tables"]["cf_enrolment"]["columns"]["cf_kind"] = {"type": "choice cf_kind"}
    path = tmp_path / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    mapping: dict[str, Any] = read_yaml(mapping_text(Settings())[0])
    del mapping["tables"]["dossier"]["anonymise"], mapping["tables"]["fiche"]["anonymise"]
    mapping["tables"]["enrolment"]["only"] = {"cf_kind": [1]}
    mapping["stay"] = {"cf_enrolment": {"why": "niet van ons", "by": "dpo"}} if is_decided else {}
    with night_in(path, tmp_path, kind=Night, mapping=yaml_text(mapping)) as night:
        named = night.contact(birthdate="2000-02-01")
        night.party(named, "child", dossier=night.dossier("sexting", spoken=LONG_AGO))
        night.create("cf_enrolments", "cf_enrolmentid", cf_name="E-test", cf_kind=2, **{"cf_ContactId@odata.bind": f"/contacts({named})"})
        night.apply(night.plan())
        assert (night.get("contacts", named) is None) is is_decided
        told = [each for each in night.connector.warnings if "name cf_enrolment under stay" in each]
        assert len(told) == (not is_decided)


@pytest.mark.parametrize("table", ["cf_dossier", "cf_fiche"])
def test_what_is_tied_to_a_file_once_its_plan_is_made_does_not_go_along_with_it(tmp_path: Path, table: str) -> None:
    """R-158: the plan had found that nothing is tied to anything by that lookup."""
    with night_in(environment(tmp_path, table, table, "cascade"), tmp_path, kind=Night) as night:
        old, live = night.dossier("social_card", spoken=LONG_AGO), night.dossier("grooming", closed=False, spoken=LATELY)
        rows = (old, live) if table == "cf_dossier" else (night.fiches_of(old)[0], night.fiches_of(live)[0])
        plan = night.plan()
        night.patch(f"{table}s", rows[1], **{"cf_PartnerId@odata.bind": f"/{table}s({rows[0]})"})
        run = night.apply(plan)
        assert [night.get(f"{table}s", row) is not None for row in rows] == [True, True]
        assert run.counts["unaccounted"] == {table: 1}
        assert any(f"the CRM would delete rows of {table} along" in told for told in night.connector.warnings)
        night.patch(f"{table}s", rows[1], **{"cf_PartnerId@odata.bind": None})
        night.apply(night.plan())
        assert [night.get(f"{table}s", row) is not None for row in rows] == [False, True]


@pytest.mark.parametrize("table", ["cf_dossier", "cf_fiche"])
def test_what_is_tied_to_a_file_while_the_crm_lets_us_wait_does_not_go_along_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    with night_in(environment(tmp_path, table, table, "cascade"), tmp_path, kind=Night) as night:
        old, live = night.dossier("social_card", spoken=LONG_AGO), night.dossier("grooming", closed=False, spoken=LATELY)
        rows = (old, live) if table == "cf_dossier" else (night.fiches_of(old)[0], night.fiches_of(live)[0])
        plan = night.plan()
        waited: list[float] = []

        def wait(timeline: Timeline, seconds: float) -> None:
            if not waited:
                night.patch(f"{table}s", rows[1], **{"cf_PartnerId@odata.bind": f"/{table}s({rows[0]})"})
                night.clock.now += timedelta(seconds=seconds)
            waited.append(seconds)
            timeline._ahead_s += seconds  # as if slept

        monkeypatch.setattr(Timeline, "wait", wait)
        set_faults(night.emulator, {"match": {"path": "$batch", "nth": 1}, "do": "status", "status": 429, "retry_after": 240})
        run = night.apply(plan)
        assert waited
        assert [night.get(f"{table}s", row) is not None for row in rows] == [True, True]
        assert run.counts["skipped"] == {"CHANGED": 1}


def test_each_file_of_a_group_is_looked_at_again_once_it_has_waited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen of one batch a moment ago says nothing of the next."""
    with night_in(environment(tmp_path, "cf_dossier", "cf_dossier", "cascade"), tmp_path, kind=Night) as night:
        old = sorted(night.dossier("social_card", spoken=LONG_AGO) for _ in range(2))
        live = night.dossier("grooming", closed=False, spoken=LATELY)
        plan = night.plan()
        waited: list[float] = []

        def wait(timeline: Timeline, seconds: float) -> None:
            if not waited:
                night.patch("cf_dossiers", live, **{"cf_PartnerId@odata.bind": f"/cf_dossiers({old[-1]})"})
                night.clock.now += timedelta(seconds=seconds)
            waited.append(seconds)
            timeline._ahead_s += seconds  # as if slept

        monkeypatch.setattr(Gate, "operations", lambda *_: 1)  # one file in each batch
        monkeypatch.setattr(Timeline, "wait", wait)
        set_faults(night.emulator, {"match": {"path": "$batch", "nth": 1}, "do": "status", "status": 429, "retry_after": 240})
        run = night.apply(plan)
        assert [night.get("cf_dossiers", row) is not None for row in (live, old[-1])] == [True, True]
        assert run.counts["skipped"] == {"CHANGED": 1}


@pytest.mark.parametrize("depth", ["Basic", "None"])
def test_what_hangs_on_rows_that_nobody_sees_does_not_go_along_with_them(tmp_path: Path, depth: str) -> None:
    """R-158: the file that ends takes a row along which the account may not see, and that one a live file."""
    path = environment(tmp_path, "cf_dossier", "cf_between", "cascade")
    document: dict[str, Any] = read_yaml(path)
    columns = {"cf_betweenid": {"type": "guid", "key": True}, "cf_dossierid": {"type": "lookup cf_dossier", "schema_name": "cf_DossierId"}}
    document["tables"]["cf_between"] = {"ownership": "UserOwned", "set": "cf_betweens", "columns": columns}
    document["relationships"].append(
        {"name": "cf_dossier_between", "parent": "cf_dossier", "child": "cf_between", "column": "cf_dossierid", "on_delete": "cascade"}
    )
    path.write_text(yaml_text(document), encoding="utf-8")
    with night_in(path, tmp_path, kind=Night) as night:
        old, live = night.dossier("social_card", spoken=LONG_AGO), night.dossier("grooming", closed=False, spoken=LATELY)
        between = night.create("cf_betweens", "cf_betweenid", **{"cf_DossierId@odata.bind": f"/cf_dossiers({old})"})
        night.patch("cf_dossiers", live, **{"cf_PartnerId@odata.bind": f"/cf_betweens({between})"})
        rights = role(night) | {"prvDeletecf_between": "Global", "prvReadcf_between": depth}
        give(night, {name: each for name, each in rights.items() if each != "None"})
        run = night.apply(night.plan())
        give(night, {}, administrator=True)
        assert [night.get("cf_dossiers", row) is not None for row in (old, live)] == [True, True]
        assert run.counts["unaccounted"] == {"cf_between": 1}
        night.patch("cf_dossiers", live, **{"cf_PartnerId@odata.bind": None})
        night.apply(night.plan())
        assert [night.get("cf_dossiers", row) is not None for row in (old, live)] == [False, True]
