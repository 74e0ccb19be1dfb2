"""Which day a night and its plan are of: missed nights, a night repeated, plans that are too old."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest

from jobs.model.plan import Kind
from jobs.model.run import RunState
from jobs.nightly.retention import plan_and_apply
from jobs.plans.make import make_plan
from jobs.runs.apply import apply_plan
from jobs.runs.journal import Journal
from jobs.runs.recheck import judge
from rules.errors import Refused
from rules.hints import hint_to
from rules.policy.loader import load_policy
from rules.policy.versions import Version, arranged
from tests.drivers.night import Night, brussels_noon
from tests.integration.test_night import LONG_AGO, MakeNight


def test_a_day_begins_once_in_a_run(make_night: MakeNight) -> None:
    """R-057, DAT-12: a run that passes midnight keeps what was to be kept when it began."""
    night = make_night(datetime(2026, 5, 10, 21, 59, tzinfo=UTC))
    child = night.contact(birthdate="2008-05-10")
    dossier = night.dossier("grooming", spoken=LONG_AGO)
    night.party(child, "child", dossier=dossier)
    plan = night.plan()
    assert (night.lines(plan)[dossier].outcome, night.lines(plan)[dossier].retention_end) == ("retain", "2026-05-10")
    night.clock.now = datetime(2026, 5, 10, 22, 0, tzinfo=UTC)
    assert night.lines(night.plan())[dossier].outcome == "dispose"


def test_a_version_of_the_schedule_that_begins_while_a_run_is_at_work_keeps_what_has_not_gone(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Journal, "group", 1)
    night.clock.now = datetime(2026, 11, 30, 22, 30, tzinfo=UTC)
    dossiers = [night.dossier("social_card", spoken=date(2026, 2, 1)) for _ in range(2)]
    shipped = (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8")
    longer = shipped.replace('version: "1.0"\nvalid_from: 2018-05-25', 'version: "2.0"\nvalid_from: 2026-12-01', 1)
    longer = longer.replace("    type: months_after\n    months: 6", "    type: months_after\n    months: 12", 1)
    first, second = (Version(load_policy(text, source=name), text, name) for text, name in ((shipped, "1.yaml"), (longer, "2.yaml")))
    context = replace(night.context, policy=first.policy, versions=arranged([first, second]))
    plan = night.approved(make_plan(context, Kind.ALL))
    groups: list[None] = []

    def judged(*given: Any) -> Any:
        groups.append(None)
        if len(groups) == 2:
            night.clock.now += timedelta(hours=1)
        return judge(*given)

    monkeypatch.setattr("jobs.runs.run.judge", judged)
    run = apply_plan(context, plan.id)
    assert sum(night.get("cf_dossiers", dossier) is None for dossier in dossiers) == 1
    assert run.counts["skipped"] == {"NOT_EXPIRED": 1}


def test_missed_nights_are_made_good_once(make_night: MakeNight) -> None:
    """R-059: expiry is a state (RET-18)."""
    night = make_night(brussels_noon(date(2026, 7, 14)))
    for day in (14, 15, 16):
        night.fiche("social_card", spoken=date(2026, 1, day))
    assert plan_and_apply(night.context, Kind.RETENTION).counts["deleted"] == 0
    night.clock.now = brussels_noon(date(2026, 7, 17))
    assert plan_and_apply(night.context, Kind.RETENTION).counts["deleted"] == 3
    assert plan_and_apply(night.context, Kind.RETENTION).counts["deleted"] == 0


def test_a_night_repeated_writes_nothing(night: Night) -> None:
    """R-060, and applying a finished plan again."""
    night.dossier("social_card", spoken=LONG_AGO)
    plan = night.plan()
    run = night.apply(plan)
    before = night.writes()
    assert night.apply(plan) == run
    again = plan_and_apply(night.context, Kind.RETENTION)
    assert (again.counts["deleted"], night.writes()) == (0, before)


def test_a_dry_run_sends_reads_only(night: Night) -> None:
    """R-061."""
    night.dossier("social_card", spoken=LONG_AGO)
    before = night.writes()
    night.plan()
    assert night.writes() == before
    assert night.emulator.stats()["batches"] == 0


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2027, 1, 1)])
def test_a_plan_of_another_day_is_never_applied(night: Night, day: date) -> None:
    """R-062, DAT-12."""
    night.dossier("social_card", spoken=LONG_AGO)
    plan = night.plan(as_of=brussels_noon(day))
    before = night.writes()
    with pytest.raises(Refused, match="another day"):
        night.apply(plan)
    assert night.writes() == before


def test_an_expired_plan_is_refused(night: Night) -> None:
    plan = night.plan()
    night.clock.now += timedelta(hours=72)
    with pytest.raises(Refused, match="valid until"):
        night.apply(plan)


def test_a_changed_policy_needs_a_new_plan(make_night: MakeNight) -> None:
    """The refusal names what changed: schedule, mapping, and whether the program did, which ships both."""
    night = make_night()
    plan = night.plan()
    version = plan.policy_version
    text = make_night(policy=lambda text: text.replace("max: 200", "max: 100")).context
    named = make_night(policy=lambda text: text.replace(f'version: "{version}"', 'version: "2027.1"', 1)).context
    mapping = replace(night.context, mapping_digest="another")
    for context, told in (
        (text, f"the schedule ({version}, with another text) changed since the plan was made"),
        (named, f"the schedule ({version}, now 2027.1) changed since the plan was made"),
        (mapping, "the mapping changed since the plan was made"),
        (
            replace(text, mapping_digest="another"),
            f"the schedule ({version}, with another text) and the mapping changed since the plan was made",
        ),
        (
            replace(mapping, software_version="next"),
            "the mapping changed since the plan was made; crm-compliance was test and is next, and what it ships changes with it",
        ),
    ):
        with pytest.raises(Refused) as caught:
            apply_plan(context, plan.id)
        assert (caught.value.code, str(caught.value)) == ("rules_changed", told)
        assert caught.value.hint == hint_to("plan_again")
    assert apply_plan(replace(night.context, software_version="next"), plan.id).state is RunState.DONE  # an upgrade alone changes no rule
