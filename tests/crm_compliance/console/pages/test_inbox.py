"""The front page: what waits for whom, where it leads, and how the nights go. Everybody is fictitious."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from crm_compliance.alerts.addresses import address_of
from crm_compliance.alerts.channels import FAILING, UNUSABLE
from crm_compliance.console.frame.services import Services
from crm_compliance.console.pages import inbox
from crm_compliance.console.pages.inbox import SYMBOLS
from crm_compliance.service.health import BAD, LATE, NO_SCHEDULE, READ_ONLY, UNREADABLE
from jobs.inbox.item import InboxItem, ItemKind
from jobs.registry import JOBS
from rules.dates.periods import add_months
from rules.model.roles import HUMAN_ROLES, Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.crm_compliance.nights import Applied
from tests.drivers.asking import Asking
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO, Typist


def test_a_plan_waits_for_those_whose_word_it_lacks_and_leads_to_it(plan: str, typist: Typist, signed_in: Callable[..., Browser]) -> None:
    admin, dpo = signed_in(Role.CRM_ADMIN), signed_in(Role.DPO)
    for browser in (admin, dpo):
        page = browser.page("/")
        assert f'href="/plans/{plan}"' in page
        assert "waits for your approval" in text_of(page)
        assert "2 days left" in text_of(page) or "3 days left" in text_of(page)
    typist.ask("plans", "approve", plan, "--as", "demo-anna", "--role", "crm_admin")
    assert "waits for your approval" not in text_of(admin.page("/"))
    assert "waits for your approval" in text_of(dpo.page("/"))
    for role in (Role.APPROVER, Role.AUDITOR):
        assert "waits for your approval" not in text_of(signed_in(role).page("/"))


def test_units_without_a_term_are_one_click_away(org: Night, typist: Typist, signed_in: Callable[..., Browser]) -> None:
    org.fiche(None, spoken=LONG_AGO)
    plan = typist.ask("plan")["plan"]
    dpo = signed_in(Role.DPO)
    page = dpo.page("/")
    assert "1 unit has no term" in text_of(page)
    (address,) = set(re.findall(r'href="(/plans/[^"]*reason=UNCONFIGURED)"', page))
    assert address.startswith(f"/plans/{plan}/lines")
    assert "1 unit" in text_of(dpo.page(address))


def test_who_sees_no_reports_sees_no_nights(plan: str, signed_in: Callable[..., Browser]) -> None:
    assert plan in signed_in(Role.AUDITOR).page("/"), "the last plan, by category"
    page = signed_in(Role.APPROVER).page("/")
    assert plan not in page
    assert "Nights" not in text_of(page)


def test_a_run_shows_in_the_nights_and_the_trend(applied_night: Applied, signed_in: Callable[..., Browser]) -> None:
    run = applied_night.run
    page = signed_in(Role.DPO).page("/")
    assert f'href="/history/{run}"' in page
    told = f"Units disposed of in each of the last nights 25 Nov: {applied_night.deleted + applied_night.anonymised} "
    assert told in text_of(page), "as many as the history has, contacts among them"
    assert f'href="/history/{run}"' not in signed_in(Role.CRM_ADMIN).page("/"), "who may not see the history gets no link to it"


def test_what_is_due_says_as_of_when_and_whether_it_was_carried_out_since(
    plan: str, typist: Typist, signed_in: Callable[..., Browser]
) -> None:
    """The run disposes of what the last plan counts as due, and until the next plan nobody counts again."""

    def told() -> str:
        page = text_of(signed_in(Role.DPO).page("/"))
        return page[page.index("Due, by category") :]

    assert "As the last plan found it, 25 Nov 2026" in told()
    assert "It has been carried out since" not in told()
    for who, role in (("demo-anna", "crm_admin"), ("demo-ben", "dpo")):
        typist.ask("plans", "approve", plan, "--as", who, "--role", role)
    typist.ask("apply", plan)
    assert "It has been carried out since: what went with it is still counted here, until the next plan." in told()
    typist.ask("plan")
    assert "It has been carried out since" not in told()


def test_a_stop_is_told_at_once(typist: Typist, org: Night, signed_in: Callable[..., Browser]) -> None:
    assert typist.type("stop").code == 0
    assert "Everything is stopped" in text_of(signed_in(Role.AUDITOR).page("/"))


@pytest.mark.parametrize("kind", ItemKind)
def test_everything_that_can_wait_has_words_and_an_address(kind: ItemKind, signed_in: Callable[..., Browser], services: object) -> None:
    item = InboxItem(kind=kind, roles=(Role.DPO,), subject="subject-1", count=3)
    assert kind in SYMBOLS or address_of(item, sees_history=True).startswith("/requests/")
    assert not address_of(item, sees_history=False).startswith("/history")


@pytest.mark.parametrize("role", HUMAN_ROLES)
@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_an_empty_inbox_says_so(signed_in: Callable[..., Browser], role: Role, language: str) -> None:
    words = {"nl": "Er wacht niets op u", "fr": "Rien ne vous attend", "en": "Nothing waits for you"}
    assert words[language] in text_of(signed_in(role, language).page("/"))


def test_a_long_inbox_has_pages(typist: Typist, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "ROWS", 2)
    for name in ("Een", "Twee", "Drie"):
        Asking(typist).open({"firstname": name, "lastname": "Voorbeeld (fictief)", "emails": [f"{name}@example.org"]}, kind="donor")
    browser = signed_in(Role.DPO)
    first, second = browser.page("/"), browser.page("/?page=2")
    assert (first.count('class="task '), second.count('class="task ')) == (2, 1)
    assert 'href="/?page=2"' in first
    assert 'href="/?page=1"' in second
    for strange in ("/?page=9", "/?page=-1", "/?page=x", "/?page=99999999999999999999"):
        assert 'class="task ' in browser.page(strange)


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_what_is_not_well_is_said_in_words(language: str, org: Night, services: Services, signed_in: Callable[..., Browser]) -> None:
    codes = [f"{job.upper()}_{end}" for job in JOBS for end in (LATE, BAD)] + [UNREADABLE, READ_ONLY, NO_SCHEDULE, FAILING, UNUSABLE]
    object.__setattr__(services, "why_not", lambda: codes)
    aside, tasks = (signed_in(role, language).page("/") for role in (Role.AUDITOR, Role.CRM_ADMIN))
    for code in codes:
        assert re.search(rf"<p>[^<]{{20,}} <code class=\"soft\">{code}</code>", aside), code
        assert tasks.count(f">{code}</code>") == 1, code  # whoever has it in the list is told it there alone
    assert 'href="/history' not in tasks, "who may not see the history is not sent there"
    assert 'href="/history"' in signed_in(Role.DPO, language).page("/")


def test_beside_the_inbox_stand_what_moved_and_the_record(plan: str, org: Night, typist: Typist, signed_in: Callable[..., Browser]) -> None:
    assert "than in the plan before" not in signed_in(Role.AUDITOR).page("/")
    org.fiche("social_card", spoken=LONG_AGO)
    typist.ask("plan", "--kind", "recordings")
    typist.ask("plan")
    auditor = signed_in(Role.AUDITOR)
    oldest = re.search(r"3 the oldest for ([\d,]+) days, 1 more than in the plan before", text_of(auditor.page("/")))
    assert oldest is not None
    assert oldest[1] == f"{(NOW.date() - add_months(LONG_AGO, 6)).days:,}"
    assert "in the last plans" not in auditor.page("/"), "of two plans the sentence says as much"
    typist.ask("plan")
    drawn = re.search(r"in the last plans: 2, 3, 3;", text_of(auditor.page("/")))
    assert drawn is not None, "a plan of recordings alone is none of them"
    assert re.search(r"Never verified yet\. \d entries, their end signed", text_of(auditor.page("/")))
    auditor.post("/history/proof/verification")
    assert "The record Proof whole Verified" in text_of(auditor.page("/"))
    assert "The record" not in text_of(signed_in(Role.CRM_ADMIN).page("/"))


def test_the_last_round_of_each_maintenance_job_stands_among_the_nights(
    org: Night, typist: Typist, signed_in: Callable[..., Browser]
) -> None:
    made = typist.ask("run", "housekeeping")["run"]
    assert f'href="/history/{made}"' in signed_in(Role.DPO).page("/")
