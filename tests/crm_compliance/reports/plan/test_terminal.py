"""What a person reads in a terminal of 80 columns."""

import io
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from rich.console import Console

from crm_compliance.reports.plan.model import build_report
from crm_compliance.reports.plan.terminal import print_plan
from crm_compliance.reports.run import print_history, print_history_run, print_run, print_verify
from crm_compliance.reports.why import print_why
from jobs.model.plan import PlanLine
from rules.dates.calendar import BELGIAN
from rules.model.decisions import Flag, Reason, Step
from tests.crm_compliance.reports.golden import compare
from tests.crm_compliance.reports.sample import LABELS, NOW, a_line, guid, in_parts, link, plan_of, sample_lines, sample_plan

RUN: dict[str, Any] = {
    "run": "run-3KX9",
    "plan": "plan-7Q2M",
    "state": "done_with_failures",
    "deleted": 1047,
    "anonymised": 11,
    "skipped": {"CHANGED": 2, "HOLD_LEGAL": 1, "NEW_CODE": 1},
    "partial": 1,
    "failed": 0,
    "verified": {"gone": 1046, "masked": 11, "still_there": 1},
    "rows": {"cf_dossier": 24, "cf_fiche": 80, "annotation": 12},
}
HISTORY: dict[str, Any] = {
    "run": "run-3KX9",
    "kind": "all",
    "plan": "plan-7Q2M",
    "state": "done_with_failures",
    "as_of": "2026-11-25T11:00:00Z",
    "started_at": "2026-11-25T11:02:00Z",
    "ended_at": None,
    "counts": {key: RUN[key] for key in ("deleted", "anonymised", "skipped", "partial", "failed", "verified", "rows")},
}


def printed(write: Callable[[Console], None], *, width: int = 80, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    write(Console(file=out, width=width, force_terminal=False, color_system=None))
    out.flush()
    return "".join(line.rstrip() + "\n" for line in raw.getvalue().decode(encoding).splitlines())


def plan_text(lines: list[PlanLine], *, encoding: str = "utf-8", **changes: Any) -> str:
    report = build_report(plan_of(lines, **changes), in_parts(lambda: lines), now=NOW, labels=LABELS, link=link, calendar=BELGIAN)
    return printed(lambda console: print_plan(report, console), encoding=encoding)


def test_the_plan_of_the_sample_reads_as_agreed(pytestconfig: pytest.Config) -> None:
    lines = sample_lines()
    report = build_report(sample_plan(), in_parts(lambda: lines), now=NOW, labels=LABELS, link=link, calendar=BELGIAN)
    compare("sample-plan.txt", printed(lambda console: print_plan(report, console)), pytestconfig)


def test_an_empty_plan_reads_as_agreed(pytestconfig: pytest.Config) -> None:
    compare("empty-plan.txt", plan_text([]), pytestconfig)


def test_no_line_but_a_command_is_wider_than_80_columns() -> None:
    for line in plan_text(sample_lines(), tripped=True).splitlines():
        assert len(line) <= 80 or line.startswith("  crm-compliance "), line


def test_a_terminal_that_knows_ascii_only_gets_ascii() -> None:
    text = plan_text(sample_lines(), tripped=True, encoding="ascii", trims=tuple(map(guid, range(12345))))
    assert "Contacts to trim: 12 345." in text
    assert "BREAKER_TRIPPED" in text


def test_large_numbers_are_grouped() -> None:
    assert "Contacts to trim: 12\u202f345." in plan_text([], trims=tuple(map(guid, range(12345))))


def test_brackets_in_a_category_are_no_markup() -> None:
    assert "[red]key[/red]" in plan_text([a_line(1, categories=["[red]key[/red]"])])


def test_the_terminal_names_neither_proposer_nor_approver() -> None:
    report = build_report(sample_plan(), in_parts(sample_lines), now=NOW, labels=LABELS, link=link, calendar=BELGIAN)
    text = printed(lambda console: print_plan(report, console))
    assert not [word for word in ("nora.admin", "an.peeters", "Lotte") if word in text]


def test_a_run_reads_as_agreed(pytestconfig: pytest.Config) -> None:
    compare("run.txt", printed(lambda console: print_run(RUN, console)), pytestconfig)


def test_a_run_without_failures_asks_for_no_second_try() -> None:
    calm = RUN | {"state": "done", "partial": 0, "skipped": {}}
    assert "crm-compliance apply" not in printed(lambda console: print_run(calm, console))


def test_a_run_that_was_cut_short_is_gone_on_with() -> None:
    assert "crm-compliance apply plan-7Q2M" in printed(lambda console: print_run(RUN | {"state": "running"}, console))


def test_a_verification_names_what_is_still_there(pytestconfig: pytest.Config) -> None:
    there = [{"table": "cf_dossier", "id": guid(number)} for number in range(1, 24)]
    answer = {"run": "run-3KX9", "checked": 1058, "still_there": there, "not_checkable": ["recycle bin", "search index"]}
    compare("verify.txt", printed(lambda console: print_verify(answer, console)), pytestconfig)


def test_a_verification_that_finds_nothing_says_so() -> None:
    answer: dict[str, object] = {"run": "r", "checked": 2, "still_there": [], "unsettled": 0, "not_checkable": []}
    assert "All are gone or masked." in printed(lambda console: print_verify(answer, console))
    assert "settled" not in printed(lambda console: print_verify(answer, console))
    assert "3 units were begun and are not settled" in printed(lambda console: print_verify(answer | {"unsettled": 3}, console))


def test_the_history_reads_as_agreed(pytestconfig: pytest.Config) -> None:
    runs = [HISTORY, HISTORY | {"run": "run-1AA1", "state": "done", "counts": {"deleted": 0, "anonymised": 0}}]
    compare("history.txt", printed(lambda console: print_history(runs, console, BELGIAN)), pytestconfig)
    assert "No run yet." in printed(lambda console: print_history([], console, BELGIAN))
    run = HISTORY | {"run": "run-173a2fb43fd3", "kind": "housekeeping", "state": "interrupted"}
    assert "run-173a2fb43fd3  housekeeping  interrupted " in printed(lambda console: print_history([run], console, BELGIAN))


@pytest.mark.parametrize(
    "outcomes",
    [
        {"deleted": 3, "delete:skipped:CHANGED": 1},
        [{"code": "CHANGED", "id": guid(1)}, *({"state": "deleted", "id": guid(n)} for n in (2, 3, 4))],
    ],
)
def test_one_run_of_the_history_shows_its_outcomes_and_approving_roles(outcomes: object) -> None:
    answer = HISTORY | {"outcomes": outcomes, "approvals": [{"as": "an.peeters", "role": "dpo", "at": "2026-11-25T11:01:00Z"}]}
    text = printed(lambda console: print_history_run(answer, console, BELGIAN))
    assert "Approved by dpo at 2026-11-25 12:01." in text
    assert "an.peeters" not in text
    assert "not yet" in text
    assert "It changed in the CRM after the plan was made." in text.split("Outcomes")[1]
    assert [line.split()[-1] for line in text.splitlines() if line.startswith("deleted")] == ["3"]


def test_why_reads_as_agreed(pytestconfig: pytest.Config) -> None:
    line = a_line(
        42,
        disposition="anonymise",
        end="2026-02-28",
        reasons=[Reason.EXPIRED],
        flags=[Flag.BIRTHDATE_APPROXIMATE],
        categories=["exploitation_ict"],
        rule="RET-08",
        anchor="birth_date",
    )
    steps = [
        Step("DAT-01", {"as_of": "2026-11-25"}, "2026-11-25"),
        Step("RET-12", {"categories": ["grooming"], "outcome": None}, ["exploitation_ict"]),
        Step("RET-08", {"age": 18, "children": 1, "is_open": False}, {"exploitation_ict": "2026-02-28"}),
        Step("NEW-01", {}, []),
        Step("4.2", {"holds": []}, ["EXPIRED"]),
    ]
    compare("why.txt", printed(lambda console: print_why(msgspec.to_builtins(line), steps, console)), pytestconfig)


def test_contacts_to_trim_are_told_beside_the_units() -> None:
    skipped = {"CHANGED": 2, "STILL_REFERRED": 1}
    answer = RUN | {"skipped": skipped, "trimmed": 4, "not_trimmed": {"skipped": {"STILL_REFERRED": 1}}}
    text = " ".join(printed(lambda console: print_run(answer, console)).split())
    assert "2 skipped, 1 in part, 0 failed." in text
    assert "Beside these units: 4 contacts trimmed, 1 to be trimmed and left." in text
    assert text.index("Contacts not trimmed") < text.index("STILL_REFERRED")


def test_why_also_answers_for_a_unit_that_is_kept_without_an_end() -> None:
    line = msgspec.to_builtins(a_line(1, reasons=[Reason.NO_TERM], rule="RET-15"))
    text = printed(lambda console: print_why(line, [], console))
    assert "Kept, by RET-15." in text
    assert "It has no retention end." in text
    assert "No step was recorded." in text


def test_why_says_of_a_contact_that_nothing_refers_to_it() -> None:
    line = msgspec.to_builtins(a_line(1, table="contact", disposition="delete", reasons=[Reason.EXPIRED], categories=[], rule="RET-20"))
    assert "Nothing that stays refers to it any more." in printed(lambda console: print_why(line, [], console))


def test_why_names_a_row_as_the_crm_does_and_an_input_in_words() -> None:
    step = Step("RET-20", {f"cf_dossier {guid(1)}": "EXPIRED", "is_open": False}, [])
    text = printed(lambda console: print_why(msgspec.to_builtins(a_line(1)), [step], console))
    assert f"cf_dossier {guid(1)}: EXPIRED" in text
    assert "is open: no" in text


def test_why_shows_both_ends_of_a_long_list() -> None:
    days = [f"2020-01-{day:02d}" for day in range(1, 31)]
    text = printed(lambda console: print_why(msgspec.to_builtins(a_line(1)), [Step("RET-07", {"fiches": days}, days[-1])], console))
    assert "(20 more)" in " ".join(text.split())
    assert "2020-01-01" in text
    assert "so: 2020-01-30" in text
    assert "2020-01-15" not in text


def test_why_says_nothing_of_what_is_not_known_of_a_hold() -> None:
    hold = {"hold": "LH-1", "reason": "HOLD_LEGAL", "source": "", "kind": "legal", "review_overdue": False}
    step = Step("4.2", {"holds": [hold], "note": ""}, ["HOLD_LEGAL"])
    text = " ".join(printed(lambda console: print_why(msgspec.to_builtins(a_line(1)), [step], console)).split())
    assert "hold LH-1, reason HOLD_LEGAL, kind legal, review overdue no" in text.replace("review_overdue", "review overdue")
    assert "note: nothing" in text
