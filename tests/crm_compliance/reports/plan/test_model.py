"""The report model: nothing lost, nothing counted twice, nobody named."""

from datetime import timedelta

import msgspec
import pytest

from crm_compliance.reports.parts.sentences import DOUBT, FLAGS, REASONS, RULES
from crm_compliance.reports.plan.listed_units import FLAG_CAP
from crm_compliance.reports.plan.model import DryRunReport, build_report
from jobs.model.plan import Approval, Plan, PlanLine
from rules.dates.calendar import BELGIAN
from rules.model.decisions import Flag, Reason
from rules.retention.compiled_schedule import RULE_OF_REASON
from tests.crm_compliance.reports.sample import DAY, LABELS, NOW, a_line, generated, in_parts, link, plan_of, sample_lines, sample_plan


def report_of(lines: list[PlanLine], plan: Plan | None = None) -> DryRunReport:
    return build_report(plan or plan_of(lines), in_parts(lambda: lines), now=NOW, labels=LABELS, link=link, calendar=BELGIAN)


def test_every_reason_flag_and_rule_of_a_reason_has_a_sentence() -> None:
    assert set(REASONS) == set(Reason)
    assert set(FLAGS) == set(Flag)
    assert set(RULE_OF_REASON.values()) <= set(RULES)


def test_every_unit_read_has_one_outcome_and_they_add_up() -> None:
    report = report_of(sample_lines())
    assert report.adds_up
    assert sum(row.delete + row.anonymise + row.retain for row in report.tables) == report.plan.units
    assert sum(row.units for row in report.reasons) == report.retained
    assert len(report.listing().disposals) == report.deleted + report.anonymised


def test_a_line_lost_from_the_store_is_noticed() -> None:
    lines = sample_lines()
    assert not report_of(lines[1:], plan_of(lines)).adds_up


def test_units_past_their_end_are_disposed_of_held_or_open() -> None:
    past = (DAY - timedelta(days=1)).isoformat()
    lines = [
        a_line(1, disposition="delete", end=past, reasons=[Reason.EXPIRED]),
        a_line(2, end=past, reasons=[Reason.HOLD_JUDICIAL, Reason.OPEN_DOSSIER]),
        a_line(3, end=past, reasons=[Reason.OPEN_DOSSIER]),
        a_line(4, end=DAY.isoformat()),
    ]
    end = report_of(lines).past_end
    assert (end.disposed, end.held, end.open, end.other, end.units) == (1, 1, 1, 0, 3)


def test_the_last_day_kept_is_not_past_in_brussels_when_utc_is_a_day_behind() -> None:
    lines = [a_line(1, end="2026-11-25")]
    late = NOW.replace(hour=23, minute=30)  # 00:30 on the 26th in Brussels
    assert report_of(lines, plan_of(lines, as_of=late)).past_end.units == 1
    assert report_of(lines, plan_of(lines, as_of=late.replace(hour=22))).past_end.units == 0


def test_every_doubt_is_listed_also_behind_a_hold() -> None:
    lines = [a_line(1, reasons=[Reason.HOLD_LEGAL, Reason.UNCONFIGURED]), a_line(2, reasons=[Reason.DATA_ERROR])]
    report = report_of(lines)
    assert [(group.code, group.units) for group in report.doubts] == [("UNCONFIGURED", 1), ("DATA_ERROR", 1)]
    assert {code: len(rows) for code, rows in report.listing().doubtful.items()} == {"UNCONFIGURED": 1, "DATA_ERROR": 1}


def test_doubt_is_listed_in_full_and_a_flag_up_to_its_cap() -> None:
    lines = [a_line(number, reasons=[Reason.NOT_STARTED], flags=[Flag.BIRTHDATE_UNKNOWN]) for number in range(FLAG_CAP + 7)]
    report = report_of(lines)
    listed = report.listing()
    assert report.doubts[0].units == len(listed.doubtful[Reason.NOT_STARTED]) == FLAG_CAP + 7
    assert (report.flags[0].units, len(listed.flagged[Flag.BIRTHDATE_UNKNOWN])) == (FLAG_CAP + 7, FLAG_CAP)


@pytest.mark.parametrize("flag", [Flag.OPEN_PAST_END, Flag.REVIEW_DUE])
def test_open_past_end_and_reviews_due_are_listed_in_full(flag: Flag) -> None:
    lines = [a_line(number, end="2020-01-01", reasons=[Reason.OPEN_DOSSIER], flags=[flag]) for number in range(FLAG_CAP + 7)]
    report = report_of(lines)
    assert report.flags[0].units == len(report.listing().flagged[flag]) == FLAG_CAP + 7


def test_reasons_come_in_the_order_of_ranks() -> None:
    assert [row.code for row in report_of(sample_lines()).reasons] == [reason for reason in Reason if reason is not Reason.EXPIRED]
    assert set(DOUBT) <= set(Reason)


def test_recordings_kept_on_the_evidence_mark_are_counted_and_disposed_ones_are_not() -> None:
    lines = [
        a_line(1, table="cf_recording", end="2030-01-01", rule="RET-05"),
        a_line(2, table="cf_recording", disposition="delete", end="2020-01-01", reasons=[Reason.EXPIRED], rule="RET-05"),
    ]
    assert report_of(lines).evidence_kept == 1


def test_a_code_added_later_is_shown_as_it_stands() -> None:
    lines = [a_line(1, table="new_table", reasons=["HOLD_NEW"], flags=["NEW_FLAG"], categories=["new_key"])]
    report = report_of(lines)
    assert (report.reasons[0].code, report.flags[0].code, report.tables[0].name, report.categories[0].label) == (
        "HOLD_NEW",
        "NEW_FLAG",
        "new_table",
        "new_key",
    )


def commands(plan: Plan, later: timedelta = timedelta()) -> list[str]:
    report = build_report(plan, in_parts(list), now=NOW + later, labels={}, link=link, calendar=BELGIAN)
    return [step.command for step in report.next_steps if step.command]


def test_the_next_steps_fit_the_state_of_the_plan() -> None:
    lines = sample_lines()
    ready = plan_of(lines)
    waiting = plan_of(lines, tripped=True)
    assert commands(ready) == ["crm-compliance apply plan-7Q2M"]
    assert commands(waiting)[:2] == [f"crm-compliance plans approve plan-7Q2M --as WHO --role {role}" for role in ("crm_admin", "dpo")]
    assert commands(waiting)[-1] == "crm-compliance apply plan-7Q2M"
    assert commands(ready, timedelta(hours=73)) == ["crm-compliance plan --kind all"]
    assert commands(plan_of(lines, as_of_given=True)) == ["crm-compliance plan --kind all"]
    assert commands(plan_of(lines, given=[Approval("x", "dpo", NOW, False)])) == ["crm-compliance plan --kind all"]
    assert commands(plan_of(lines, applied=True)) == ["crm-compliance history list"]


def test_only_lines_that_the_report_shows_stay_in_memory() -> None:
    import tracemalloc

    count = 10_000
    plan = msgspec.structs.replace(plan_of([]), units=count)
    tracemalloc.start()
    try:
        report = build_report(plan, in_parts(lambda: generated(count)), now=NOW, labels=LABELS, link=link, calendar=BELGIAN)
        listed = report.listing()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (report.lines, len(listed.disposals)) == (count, count // 50)
    assert peak < 1_000_000, f"{peak} bytes at the peak, {kept} after"


def test_the_sample_holds_every_code() -> None:
    report = report_of(sample_lines(), sample_plan())
    assert {group.code for group in report.flags} == set(Flag)
    assert {group.code for group in report.doubts} == set(DOUBT)
