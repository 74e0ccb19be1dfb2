"""Somebody changes what the CRM does to rows that point to a deleted one while a run is under way (R-158)."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.pace.gate import Timeline
from connectors.interface.errors import ReadIncomplete
from jobs.model.run import RunState
from jobs.runs.apply import apply_plan
from jobs.runs.journal import Journal
from jobs.runs.recheck import judge
from tests.drivers.night import Night, night_in
from tests.drivers.organisation import set_faults
from tests.integration.test_unread_lookups import LATELY, LONG_AGO, environment

CHANGED = "What the CRM does to rows that point to a deleted one has changed"


def let(night: Night, delete: str) -> None:
    """Have the CRM do something else to rows that point to a deleted one by the lookup of `environment`."""
    name = "cf_contact_partners"
    answer = night.http.put(
        f"{night.emulator.url}RelationshipDefinitions(SchemaName='{name}')",
        json={"SchemaName": name, "CascadeConfiguration": {"Delete": delete}},
    )
    assert answer.status_code == 204, answer.text


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
    """What another process makes of the same plan, and who carried it out."""
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
        assert run.state is RunState.DONE_WITH_FAILURES
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
