"""The history: every run in a list, filtered and page by page. Everybody is fictitious."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from crm_compliance.console.frame.services import Services
from jobs.ledger.maintenance_runs import ENDED, HOUSEKEEPING, STARTED
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.crm_compliance.store.values import ENTRY, a_plan, a_run
from tests.drivers.night import Night
from tests.drivers.typist import Typist, people_and_cases


def test_a_run_is_in_the_list_with_its_numbers_and_its_state(org: Night, typist: Typist, signed_in: Callable[..., Browser]) -> None:
    auditor = signed_in(Role.AUDITOR)
    assert "Nothing has run yet" in text_of(auditor.page("/history"))
    people_and_cases(org)
    ended = typist.ask("apply", typist.ask("plan")["plan"])
    page = auditor.page("/history")
    assert f'href="/history/{ended["run"]}"' in page
    assert f"Retention and recordings Done {ended['deleted']} {ended['anonymised']} " in text_of(page)
    assert ended["run"] in auditor.page("/history?kind=all&state=done&from=2026-11-25&to=2026-11-25")
    for other in ("kind=replay", "state=interrupted", "from=2026-11-26", "to=2026-11-24"):
        found = auditor.page(f"/history?{other}")
        assert ended["run"] not in found
        assert "No run is like that" in text_of(found)


def test_many_runs_come_page_by_page_with_what_was_chosen(services: Services, signed_in: Callable[..., Browser]) -> None:
    store, first = services.store, datetime(2026, 1, 1, 2, tzinfo=UTC)
    for number in range(60):
        store.plans.save(a_plan(f"plan-{number}"), [], ENTRY)
        store.runs.start(a_run(f"run-{number}", f"plan-{number}", started_at=first + timedelta(days=number)), ENTRY)
    browser = signed_in(Role.DPO)
    page = browser.page("/history?kind=retention")
    assert "1–50 of 60" in text_of(page)
    assert 'href="/history?kind=retention&amp;page=2"' in page
    assert page.index('"/history/run-59"') < page.index('"/history/run-58"')
    page = browser.page("/history?kind=retention&page=2")
    assert "51–60 of 60" in text_of(page)
    assert '"/history/run-9"' in page
    assert '"/history/run-10"' not in page
    assert "60 of 60" in text_of(browser.page("/history?page=99")), "there are fewer pages: the last one is shown"
    assert "Running" not in text_of(page).partition("Alarms")[2], "nobody is at work on them"


def test_a_job_without_a_plan_is_shown_as_it_goes_on(services: Services, signed_in: Callable[..., Browser]) -> None:
    ledger, browser = services.store.ledger, signed_in(Role.DPO)
    ledger.append([(STARTED, {"kind": "requests", "software": "1"})], "run-asked")
    assert "Requests Interrupted" in text_of(browser.page("/history"))
    with services.store.leases.exclusive("requests") as lease:
        lease.work_on("run-asked")
        assert "Requests Running" in text_of(browser.page("/history"))
        assert "Running" in text_of(browser.page("/history/run-asked"))
    ledger.append([(ENDED, {"kind": "requests", "state": "done_with_failures", "alarms": ["OVERDUE"]})], "run-asked")
    ledger.append([(HOUSEKEEPING, {"state": "done"})], "run-swept")
    told = text_of(browser.page("/history"))
    assert "Requests Done with failures The answer to a subject request is late ( DDL-11 ). OVERDUE" in told, "the rule leads to its text"
    assert "Housekeeping Done" in told


@pytest.mark.parametrize("query", ["kind=%3Cscript%3E", "state=over", "from=yesterday", "to=2026-02-30"])
def test_what_is_no_filter_is_told_and_not_repeated(signed_in: Callable[..., Browser], query: str) -> None:
    answer = signed_in(Role.AUDITOR).get(f"/history?{query}")
    assert answer.status_code == 400
    assert "<script>" not in answer.text


def test_a_period_that_ends_before_it_begins_is_told_at_its_field(services: Services, signed_in: Callable[..., Browser]) -> None:
    services.store.plans.save(a_plan("plan-1"), [], ENTRY)
    services.store.runs.start(a_run("run-1", "plan-1"), ENTRY)
    answer = signed_in(Role.AUDITOR).get("/history?from=2026-02-01&to=2026-01-01")
    assert answer.status_code == 400
    assert '<p class="error" id="e-from">This day is after the last one.</p>' in answer.text
    assert 'value="01/02/2026"' in answer.text, "and can be corrected there"
    assert "No run is like that" not in text_of(answer.text)
