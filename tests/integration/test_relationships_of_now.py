"""Somebody changes what the CRM does to rows that point to a deleted one while a run is under way (R-158)."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.pace.gate import Timeline
from connectors.interface.errors import ReadIncomplete
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from jobs.model.run import RunState
from jobs.runs.apply import apply_plan
from jobs.runs.journal import Journal
from jobs.runs.recheck import judge
from rules.errors import Refused
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.night import Night, night_in
from tests.drivers.organisation import set_faults
from tests.integration.test_unread_lookups import LATELY, LONG_AGO, environment
from tests.yaml_files import read_yaml, yaml_text

CHANGED = "What the CRM does to rows that point to a deleted one has changed"


def let(night: Night, delete: str) -> None:
    """Have the CRM do something else to rows that point to a deleted one by the lookup of `environment`."""
    name = "cf_contact_partners"
    answer = night.http.put(
        f"{night.emulator.url}RelationshipDefinitions(SchemaName='{name}')",
        json={"SchemaName": name, "CascadeConfiguration": {"Delete": delete}},
    )
    assert answer.status_code == 204, answer.text


def with_visits(folder: Path) -> Path:
    """The reference organisation with one more table, which no mapping names."""
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    document["tables"]["cf_visit"] = {
        "set": "cf_visits",
        "columns": {
            "cf_visitid": {"type": "guid", "key": True},
            "cf_name": {"type": "string(50)", "primary_name": True},
            "cf_dossierid": {"type": "lookup cf_dossier", "schema_name": "cf_DossierId"},
        },
    }
    parts = {"parent": "cf_dossier", "child": "cf_visit", "column": "cf_dossierid", "on_delete": "remove_link"}
    document["relationships"].append({"name": "cf_contact_partners"} | parts)
    path = folder / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    return path


def mapping_with(said: list[str]) -> str:
    decided = {part: {"cf_visit": {"why": "boekhouding", "by": "dpo"}} for part in said}
    text = mapping_text(Settings())[0]
    return text.replace("tables:\n", f"{yaml_text(decided)}tables:\n", 1) if decided else text


def before_the_second_group(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
    monkeypatch.setattr(Journal, "group", 1)
    groups = list[None]()

    def judged(*given: Any) -> Any:
        groups.append(None)
        if len(groups) == 2:
            meanwhile()
        return judge(*given)

    monkeypatch.setattr("jobs.runs.run.judge", judged)


def applied_again(night: Night, plan: str) -> tuple[Night, Any]:
    """What another process makes of the same plan, and who it was."""
    again = Night(night.emulator, night.store, night.key, night.policy, night.clock)
    return again, apply_plan(again.context, plan)


@pytest.mark.parametrize("table", ["cf_dossier", "cf_fiche"])
def test_what_would_be_deleted_along_from_the_second_group_on_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    with night_in(environment(tmp_path, table, table), tmp_path, kind=Night) as night:
        old = [night.dossier("social_card", spoken=LONG_AGO) for _ in range(3)]
        live = night.dossier("grooming", closed=False, spoken=LATELY)
        parents, child = (old, live) if table == "cf_dossier" else ([night.fiches_of(each)[0] for each in old], night.fiches_of(live)[0])
        plan = night.plan()
        before_the_second_group(monkeypatch, lambda: let(night, "Cascade"))
        first = min(old)
        last = parents[old.index(max(old))]
        night.patch(f"{table}s", child, **{"cf_PartnerId@odata.bind": f"/{table}s({last})"})
        with pytest.raises(ReadIncomplete, match=CHANGED):
            night.apply(plan)
        assert [night.get("cf_dossiers", each) is None for each in old] == [each == first for each in old]
        again, run = applied_again(night, plan.id)
        assert (run.state, run.counts["skipped"]) == (RunState.DONE, {"POLICY_CHANGED": 2})
        assert [night.get("cf_dossiers", each) is None for each in old] == [each == first for each in old]
        run = again.apply(again.plan())
        assert run.counts["unaccounted"] == {table: 1}
        assert [night.get(f"{table}s", each) is None for each in parents] == [each != last for each in parents]
        assert night.get(f"{table}s", child) is not None
        again.close()


def test_what_would_be_deleted_along_once_the_crm_has_let_us_wait_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with night_in(environment(tmp_path, "cf_dossier", "cf_dossier"), tmp_path, kind=Night) as night:
        old, live = night.dossier("social_card", spoken=LONG_AGO), night.dossier("grooming", closed=False, spoken=LATELY)
        plan = night.plan()
        night.patch("cf_dossiers", live, **{"cf_PartnerId@odata.bind": f"/cf_dossiers({old})"})

        def wait(timeline: Timeline, seconds: float) -> None:
            let(night, "Cascade")
            night.clock.now += timedelta(seconds=seconds)
            timeline._ahead_s += seconds  # as if slept

        monkeypatch.setattr(Timeline, "wait", wait)
        set_faults(night.emulator, {"match": {"path": "$batch", "nth": 1}, "do": "status", "status": 429, "retry_after": 240})
        with pytest.raises(ReadIncomplete, match=CHANGED):
            night.apply(plan)
        assert [night.get("cf_dossiers", each) is not None for each in (old, live)] == [True, True]


@pytest.mark.parametrize("said", [[], ["stay"]], ids=["unmapped", "under stay"])
def test_a_plan_is_not_applied_once_the_crm_deletes_more_along(tmp_path: Path, said: list[str]) -> None:
    """Whoever approved it has not seen that these rows go; the next plan counts them."""
    with night_in(with_visits(tmp_path), tmp_path, kind=Night, mapping=mapping_with(said)) as night:
        old = night.dossier("social_card", spoken=LONG_AGO)
        visit = night.create("cf_visits", "cf_visitid", cf_name="v", **{"cf_DossierId@odata.bind": f"/cf_dossiers({old})"})
        plan = night.approved(night.plan())
        let(night, "Cascade")
        with pytest.raises(Refused, match=r"begun to delete rows along with what goes, by cf_visit\.cf_dossierid") as refused:
            applied_again(night, plan.id)
        assert refused.value.code == "rules_changed"
        assert [night.get("cf_dossiers", old) is None, night.get("cf_visits", visit) is None] == [False, False]
