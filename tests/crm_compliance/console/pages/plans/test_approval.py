"""People's words on a plan: two approve, each in their role; who made it, or may only look, decides nothing.
Everybody is fictitious."""

from collections.abc import Callable

import pytest

from crm_compliance.console.frame.services import Services
from rules.model.roles import Role
from tests.crm_compliance.console.browser import ROOT, Browser, text_of
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.typist import DORA, Typist

Signed = Callable[..., Browser]


def test_two_people_approve_each_in_their_role(org: Night, plan: str, signed_in: Signed) -> None:
    admin, dpo = signed_in(Role.CRM_ADMIN), signed_in(Role.DPO)
    assert f'action="/plans/{plan}/approve"' in admin.page(f"/plans/{plan}")
    answer = admin.post(f"/plans/{plan}/approve", comment="looked at")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/plans/{plan}")
    page = admin.page(f"/plans/{plan}")
    assert "Your approval is recorded." in text_of(page)
    assert "You have already approved or rejected this plan." in text_of(page)
    assert f'action="/plans/{plan}' not in page
    answer = admin.post(f"/plans/{plan}/approve")
    assert answer.status_code == 403, "one person is not two"
    assert "You have already approved or rejected this plan." in text_of(answer.text)
    assert "Ask a colleague" not in answer.text, "of a page that was opened before, nobody else has to do anything"
    assert "looked at" in dpo.page(f"/plans/{plan}")
    dpo.post(f"/plans/{plan}/approve")
    assert org.store.plans.get(plan).missing(org.clock()) == ()
    page = text_of(dpo.page(f"/plans/{plan}"))
    assert "Approved by everybody whose approval it needs. The service carries it out at its next hour: 26 Nov 2026 02:00." in page


def test_of_two_in_one_role_the_second_is_told_that_the_first_has_approved(
    org: Night, plan: str, typist: Typist, signed_in: Signed
) -> None:
    """On a page that was opened before: their role may do it, and nothing is amiss with their account."""
    dpo = signed_in(Role.DPO)
    dpo.page(f"/plans/{plan}")
    typist.ask("plans", "approve", plan, *DORA)
    answer = dpo.post(f"/plans/{plan}/approve")
    assert (answer.status_code, "Somebody in your role has approved this plan already." in text_of(answer.text)) == (403, True)
    assert "Ask a colleague" not in answer.text
    assert [each.who for each in org.store.plans.get(plan).given] == ["dora"]
    assert dpo.post(f"/plans/{plan}/reject", comment="not this one").status_code == 303, "which takes no second approval"


def test_acc09_a_word_is_given_in_the_role_that_the_page_showed(org: Night, plan: str, services: Services, browser: Browser) -> None:
    """Somebody with two roles has taken on the other one in a second tab: the word would be another one."""
    browser.client.cookies.set("session", services.sessions.begin("oid-1", ("crm_admin", "dpo"), "", org.clock()))
    as_admin = browser.token
    browser.post("/role", role="dpo")
    ours = {"Sec-Fetch-Site": "same-origin", "Referer": f"{ROOT}/plans/{plan}"}
    answer = browser.client.post(f"/plans/{plan}/approve", data={"csrf": as_admin}, headers=ours)
    assert (answer.status_code, "or in another role" in text_of(answer.text)) == (403, True)
    answer = browser.client.post(f"/plans/{plan}/approve", data={"csrf": as_admin, "comment": "looked at it"}, headers=ours)
    assert (answer.status_code, org.store.plans.get(plan).given) == (303, ())
    page = browser.page(answer.headers["Location"].partition("#")[0])
    assert "You have taken on another role since this page was opened" in text_of(page)
    assert "looked at it" in page
    assert browser.post(f"/plans/{plan}/approve", comment="looked at it").status_code == 303
    assert [each.role for each in org.store.plans.get(plan).given] == ["dpo"]
    leaves = browser.client.post("/signout", data={"csrf": as_admin}, headers=ours)
    assert leaves.headers["Location"] == "/signin", "out from any page"


def test_who_made_a_plan_does_not_decide_on_it(org: Night, units: dict[str, str], typist: Typist, signed_in: Signed) -> None:
    plan = typist.ask("plan", "--as", "demo-anna")["plan"]
    admin = signed_in(Role.CRM_ADMIN)
    page = admin.page(f"/plans/{plan}")
    assert "You made this plan" in text_of(page)
    assert f'action="/plans/{plan}' not in page
    answer = admin.post(f"/plans/{plan}/approve")
    assert answer.status_code == 403
    assert org.store.plans.get(plan).given == ()


def test_a_rejection_takes_a_reason_and_ends_the_plan(org: Night, plan: str, signed_in: Signed) -> None:
    dpo = signed_in(Role.DPO)
    assert f'hx-post="/plans/{plan}/approve" hx-target="#told"' in dpo.page(f"/plans/{plan}"), "a refusal leaves what was typed"
    assert dpo.post(f"/plans/{plan}/reject", comment="  ").status_code == 400
    assert org.store.plans.get(plan).given == ()
    dpo.post(f"/plans/{plan}/reject", comment="<b>wrong</b> categories")
    page = dpo.page(f"/plans/{plan}")
    assert "&lt;b&gt;wrong&lt;/b&gt; categories" in page
    assert f'action="/plans/{plan}' not in page
    assert signed_in(Role.CRM_ADMIN).post(f"/plans/{plan}/approve").status_code == 409


def test_a_comment_whose_session_ended_waits_also_where_the_plan_was_decided_meanwhile(
    plan: str, signed_in: Signed, services: Services
) -> None:
    dpo, comment = signed_in(Role.DPO, "nl"), "gezien met de dienst (fictief)"
    token = dpo.token
    services.sessions.end(dpo.client.cookies["session"])
    headers = {"Sec-Fetch-Site": "same-origin", "Referer": f"{ROOT}/plans/{plan}"}
    dpo.client.post(f"/plans/{plan}/reject", data={"csrf": token, "comment": comment}, headers=headers)
    dpo.sign_in(Role.DPO)
    page = dpo.page(f"/plans/{plan}")
    assert f">\n{comment}</textarea>" in page
    assert "Dit is nog niet verstuurd" in text_of(page)
    assert f'href="/plans/{plan}?afresh=1"' in page
    assert comment not in dpo.page(f"/plans/{plan}?afresh=1")
    signed_in(Role.DPO).post(f"/plans/{plan}/approve", comment="")
    page = text_of(dpo.page(f"/plans/{plan}"))
    assert "staat nu niet op deze pagina" in page
    assert comment in page, "what was written is shown all the same"


def test_who_may_only_look_is_offered_nothing(plan: str, signed_in: Signed) -> None:
    page = signed_in(Role.AUDITOR).page(f"/plans/{plan}")
    assert f'action="/plans/{plan}' not in page
    assert "Data protection officer" in text_of(page), "whose word it lacks"


def test_a_plan_for_another_day_is_nobodys_to_approve(units: dict[str, str], typist: Typist, signed_in: Signed) -> None:
    plan = typist.ask("plan", "--as-of", "2030-01-01")["plan"]
    page = signed_in(Role.DPO).page(f"/plans/{plan}")
    assert "can never be applied" in text_of(page)
    assert f'action="/plans/{plan}' not in page


def test_a_plan_says_that_another_was_carried_out_after_it_was_made(plan: str, typist: Typist, signed_in: Signed) -> None:
    """Of what it counts, part has gone: neither the page nor the inbox shows its numbers as those of now."""
    later = typist.ask("plan", "--kind", "all")["plan"]
    for who, role in (("demo-anna", "crm_admin"), ("demo-ben", "dpo")):
        typist.ask("plans", "approve", plan, "--as", who, "--role", role)
    assert "carried out" not in text_of(signed_in(Role.DPO).page(f"/plans/{later}"))
    typist.ask("apply", plan)
    for language, of_page, of_inbox in (
        ("en", "Another plan has been carried out since", "Another plan was carried out after this one was made"),
        ("nl", "Sindsdien is een ander plan uitgevoerd", "Er is een ander plan uitgevoerd nadat dit gemaakt is"),
        ("fr", "Un autre plan a été exécuté depuis", "Un autre plan a été exécuté après que celui-ci a été fait"),
    ):
        dpo = signed_in(Role.DPO, language)
        page = dpo.page(f"/plans/{later}")
        assert of_page in text_of(page)
        assert (f'href="/plans/{plan}"' in page, f'action="/plans/{later}/approve"' in page) == (True, True)
        assert of_inbox in text_of(dpo.page("/"))


def test_a_plan_says_that_no_night_carries_it_out_since_a_later_one_was_rejected(plan: str, typist: Typist, signed_in: Signed) -> None:
    later = typist.ask("plan", "--kind", "all")["plan"]
    assert "waits for your approval" in text_of(signed_in(Role.CRM_ADMIN).page("/"))
    typist.ask("plans", "reject", later, *DORA, "--comment", "not these")
    for language, of_page, of_inbox in (
        ("en", "A later plan was rejected So no night carries this one out", "waits for your approval"),
        ("nl", "Een later plan is afgekeurd Daarom voert geen enkele nacht dit plan uit", "wacht op uw goedkeuring"),
        ("fr", "Un plan plus récent a été rejeté Aucune nuit n’exécute donc celui-ci", "attend votre approbation"),
    ):
        admin = signed_in(Role.CRM_ADMIN, language)
        assert of_page in text_of(admin.page(f"/plans/{plan}"))
        assert of_page not in text_of(admin.page(f"/plans/{later}"))
        assert of_inbox not in text_of(admin.page("/"))


def test_nobody_is_asked_to_approve_what_nothing_can_apply(
    plan: str, typist: Typist, signed_in: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The schedule or the mapping is another one by now; to reject the plan stays possible. Lists of plans
    say so, also that of the command."""
    dpo = signed_in(Role.DPO)
    assert "waits for your approval" in text_of(dpo.page("/"))
    assert [(each["state"], each["of_no_use"]) for each in typist.ask("plans", "list")] == [("waiting", "")]
    monkeypatch.setattr("crm_compliance.wiring.mapping.mapping_digest", lambda _: "0" * 64)
    inbox, page = text_of(dpo.page("/")), dpo.page(f"/plans/{plan}")
    assert "waits for your approval" not in inbox
    assert "Can no longer be applied" in text_of(dpo.page("/plans"))
    assert [each["of_no_use"] for each in typist.ask("plans", "list")] == ["rules_changed"]
    assert "of no use" in typist.type("plans", "list").out
    assert (f'action="/plans/{plan}/approve"' in page, f'action="/plans/{plan}/reject"' in page) == (False, True)
    assert "Still needs approval" not in text_of(page)


def test_a_plan_that_needs_nobody_says_who_carries_it_out(org: Night, typist: Typist, signed_in: Signed) -> None:
    org.dossier("social_card", fiches=0)
    page = text_of(signed_in(Role.DPO).page(f"/plans/{typist.ask('plan')['plan']}"))
    says = "It needs nobody's approval: nothing about it is unusual. No night carries it out: each makes a plan of its own."
    assert says in page
    assert says in text_of(signed_in(Role.DPO).page(f"/plans/{typist.ask('replay', '--dry-run')['plan']}")), "also after a restore"


def test_nobody_approves_by_a_clock_that_is_off_but_may_reject(org: Night, plan: str, services: Services, signed_in: Signed) -> None:
    object.__setattr__(services, "settings", services.settings.model_copy(update={"clock": None}))  # real, so it is compared
    set_faults(org.emulator, {"do": "skew", "s": 400})
    admin = signed_in(Role.CRM_ADMIN)
    answer = admin.post(f"/plans/{plan}/approve", comment="looked at")
    assert "The clock of this machine and that of the CRM differ by more than five minutes." in text_of(answer.text)
    assert org.store.plans.get(plan).given == ()
    assert admin.post(f"/plans/{plan}/reject", comment="no").status_code == 303
