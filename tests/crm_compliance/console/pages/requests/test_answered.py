"""An answer leaves from the console: released by a second person and handed over; rights other than access
decided item by item; recipients told. Everybody is fictitious."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import pyzipper
from httpx2 import Response
from starlette.applications import Starlette

from crm_compliance.configuration.organisation import organisation_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.console.app import routes
from crm_compliance.console.frame.services import Services
from crm_compliance.console.language.formats import Formats
from crm_compliance.console.pages.requests.page import fields_of
from crm_compliance.service.web.app import app_of
from crm_compliance.service.web.downloads import Downloads
from jobs.model.answer import Field
from jobs.model.request import HANDOVER, Handover
from jobs.requests.answer.release_check import for_release
from rules.dates.calendar import Calendar
from rules.model.requests import Outcome, RequestState
from rules.model.roles import HUMAN_ROLES, Role
from tests.crm_compliance.answer_package.pages import text_of as text_of_pdf
from tests.crm_compliance.begun import Begun
from tests.crm_compliance.cli.requests import family
from tests.crm_compliance.cli.requests.decided import asking_for, child_with_a_file, decide, lotte, released, shown
from tests.crm_compliance.cli.requests.recipients import ABROAD, POLICE, file_of
from tests.crm_compliance.console.api.test_calls import Script
from tests.crm_compliance.console.browser import Browser, text_of
from tests.crm_compliance.worlds import Worlds
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import DORA, ERIK, Typist
from tests.jobs.requests.search.searching import remove, switch

SignedIn = Callable[..., Browser]
WORLDS = ("erasure",)


@pytest.fixture
def erasure(worlds: Worlds, request: pytest.FixtureRequest) -> str:
    """A child asks that everything be erased."""
    return worlds.begin(request, an_erasure)


def an_erasure(typist: Typist, org: Night) -> str:
    child = lotte(org, birthdate="2008-01-02")
    file_of(org, child)
    org.party(child, "child", dossier=org.dossier("social_card"))
    return asking_for(typist, "erasure", child).id


@pytest.fixture
def approved(typist: Typist, org: Night, begun: Begun) -> Asking:
    """An answer that somebody else than the people of the demo has approved."""
    return begun.asking(typist, org, lambda: approved_by_others(typist, org))


def approved_by_others(typist: Typist, org: Night) -> Asking:
    contact = org.contact(firstname="Fien", lastname="Voorbeeld (fictief)", birthdate="1990-02-03", emailaddress1="fien@example.org")
    asking = Asking(typist).open({"firstname": "Fien", "lastname": "Voorbeeld (fictief)", "birthdate": "1990-02-03"}, kind="donor")
    asking.identify().confirm(contact)
    asking.compile()
    return asking.approve_all()


def test_a_second_person_releases_and_hands_over_in_two_ways(org: Night, approved: Asking, signed_in: SignedIn, browser: Browser) -> None:
    path = f"/requests/{approved.id}"
    approver = signed_in(Role.APPROVER)
    answer = approver.post(f"{path}/release")
    assert answer.status_code == 303, text_of(answer.text)
    assert approved.row().state is RequestState.RELEASED
    page = approver.page(path)
    assert "Delivered" not in text_of(page), "nothing is handed over yet"
    assert "Delivered" not in text_of(approver.page("/requests"))
    (passphrase,) = re.findall(r'class="passphrase"><code>([^<]*)', page)
    message = approver.get(f"{path}/message")
    assert message.headers["Content-Disposition"].startswith('attachment; filename="DSR-2026-')
    assert passphrase not in message.text
    (link,) = re.findall(r"http://127\.0\.0\.1:8080(/d/\S+)", message.text)
    fetched = browser.client.get(link)
    assert fetched.content == approver.get(f"{path}/archive").content
    with pyzipper.AESZipFile(io.BytesIO(fetched.content)) as archive:
        archive.setpassword(passphrase.encode())
        assert b"Fien" in archive.read("data.json")
    for role in HUMAN_ROLES:
        if role is not Role.APPROVER:
            assert passphrase not in signed_in(role).get(path).text
            assert signed_in(role).get(f"{path}/message").status_code == 403
    dpo, waits = signed_in(Role.DPO), "Link and passphrase of a released answer are still to be handed over"
    assert all(waits in text_of(each.page("/")) for each in (approver, dpo))
    assert "Closing removes them from here" in text_of(dpo.page(path))
    assert approver.post(f"{path}/handover").status_code == 303
    assert passphrase not in approver.page(path)
    assert "Nothing waits for you" in text_of(approver.page("/"))
    assert "A released answer is to be closed" in text_of(dpo.page("/"))
    assert "Closing removes them from here" not in text_of(dpo.page(path))
    assert approver.get(f"{path}/message").status_code == 400
    assert not org.store.requests.has_part(approved.id, HANDOVER)
    assert "Close as: Delivered" in text_of(dpo.page(path))
    assert dpo.post(f"{path}/close", outcome="DELIVERED").status_code == 303
    assert "Closed Delivered" in text_of(dpo.page(path))
    assert dpo.post(f"{path}/misdelivered").status_code == 303
    assert "tell the authority" not in text_of(dpo.page(path))
    assert "The data protection authority is told before" in text_of(dpo.page(path))


def test_a_release_that_fails_leaves_nothing_to_hand_over(
    org: Night, approved: Asking, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch, unexpected: list[Exception]
) -> None:
    from crm_compliance.answer_package import outbox

    def fails(*_: object) -> bytes:
        raise OSError("no room")

    monkeypatch.setattr(outbox.HeldOutbox, "message", fails)
    answer = signed_in(Role.APPROVER).post(f"/requests/{approved.id}/release")
    assert answer.status_code == 500
    assert "no room" not in answer.text
    assert str(unexpected.pop()) == "no room"
    assert approved.row().state is RequestState.APPROVED
    assert not org.store.requests.has_part(approved.id, HANDOVER)


def test_what_a_release_that_was_cut_off_has_left_is_shown_to_nobody(org: Night, approved: Asking, signed_in: SignedIn) -> None:
    left = msgspec.json.encode(Handover("voorbeeld-zin", "Voorbeeld"))
    org.store.requests.save(approved.row(), since=approved.row(), parts={HANDOVER: left})
    approver, path = signed_in(Role.APPROVER), f"/requests/{approved.id}"
    assert "voorbeeld-zin" not in approver.page(path)
    assert approver.get(f"{path}/message").status_code == 400
    assert approver.post(f"{path}/release").status_code == 303
    assert "voorbeeld-zin" not in approver.page(path)


@pytest.mark.parametrize("has_own_service", [False, True], ids=["one service", "two services"])
def test_of_two_releases_at_the_same_instant_one_leaves(
    org: Night, approved: Asking, services: Services, monkeypatch: pytest.MonkeyPatch, has_own_service: bool
) -> None:
    """Each of them might. In two services both have passed every guard when the first is stored."""
    path, together = f"/requests/{approved.id}", Barrier(2)
    if has_own_service:

        def passed(*given: Any) -> Any:
            found = for_release(*given)
            together.wait(60)
            return found

        monkeypatch.setattr("jobs.requests.answer.release.for_release", passed)
    browsers = []
    for who in ("erik", "carla"):
        own = Services(services.settings, services.store, services.clock, services.sessions, carry_out=services.carry_out)
        own.background.patience_s = 60
        served = own if has_own_service else services
        browser = Browser(app_of(Downloads(served.store, served.clock), console=routes(served)))
        browser.client.cookies.set("session", served.sessions.begin(who, ("approver",), "", served.clock()))
        browsers.append(browser)
    forms = [{"csrf": browser.token} for browser in browsers]

    def at_once(number: int) -> Response:
        if not has_own_service:
            together.wait(60)
        return browsers[number].client.post(f"{path}/release", data=forms[number], headers={"Sec-Fetch-Site": "same-origin"})

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(at_once, range(2)))
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    (refused,) = (text_of(answer.text) for answer in answers if answer.status_code == 409)
    told = ("The request was changed meanwhile",) if has_own_service else ("Something is being done for this", "Somebody may have moved")
    assert any(words in refused for words in told), refused
    found = [entry.data for entry in org.store.ledger.entries() if entry.kind == "request" and entry.data.get("request") == approved.id]
    assert [data["step"] for data in found].count("release") == 1
    assert [word.step for word in approved.row().approvals].count("release") == 1
    (passphrase,) = re.findall(r'class="passphrase"><code>([^<]*)', browsers[0].page(path))
    package = browsers[1].get(f"{path}/archive").content
    assert hashlib.sha256(package).hexdigest() == approved.row().package_sha256
    with pyzipper.AESZipFile(io.BytesIO(package)) as archive:
        archive.setpassword(passphrase.encode())
        assert b"Fien" in archive.read("data.json")


def test_what_is_not_handed_over_goes_with_the_closing(org: Night, approved: Asking, signed_in: SignedIn) -> None:
    assert signed_in(Role.APPROVER).post(f"/requests/{approved.id}/release").status_code == 303
    assert org.store.requests.has_part(approved.id, HANDOVER)
    path, dpo = f"/requests/{approved.id}", signed_in(Role.DPO)
    assert "the answer itself is kept for some days more" in text_of(dpo.page(path))
    assert dpo.post(f"{path}/close", outcome="DELIVERED").status_code == 303
    assert not org.store.requests.has_part(approved.id, HANDOVER)
    page = dpo.page(path)
    assert ("Look at the answer" in page, 'id="candidates"' in page) == (True, False)


def test_what_would_be_corrected_is_called_as_in_the_letter() -> None:
    services = SimpleNamespace(organisation=organisation_of(Settings()))
    visit: Any = SimpleNamespace(language="nl", formats=Formats.of("nl", Calendar("BE")), services=services)
    compilation: Any = SimpleNamespace(words={})
    item: Any = SimpleNamespace(
        kind="contact",
        fields=(
            Field("last_name", "Ander (fictief)"),
            Field("birthdate", "2012-03-04"),
            Field("x", None),
            Field("statement", "Zo was het."),
        ),
    )
    told = [("Achternaam", "Ander (fictief)"), ("Geboortedatum", "4 mrt 2012"), ("Verklaring", "Zo was het.")]
    assert fields_of(visit, compilation, item) == told


def test_an_erasure_is_granted_item_by_item_and_its_recipients_are_told(erasure: str, signed_in: SignedIn) -> None:
    path, dpo = f"/requests/{erasure}", signed_in(Role.DPO)
    page = dpo.page(path)
    assert "Next: Decide what is granted" in text_of(page)
    decision = page.split('id="decision"')[1].split("</section>")[0]
    assert " checked" not in decision, "what cannot be brought back is marked by people"
    assert "pagetype=entityrecord" in decision, "the row itself, before anybody decides"
    assert "L’effacer, avec tout ce qui en dépend" in text_of(signed_in(Role.DPO, "fr").page(f"{path}/review/item-1")), (
        "a deed has words in each language"
    )
    assert "erase it" not in signed_in(Role.DPO, "fr").page(f"{path}/review/item-1")
    item, other = re.findall(r'name="item" value="([^"]*)"', page)
    assert dpo.post(f"{path}/decide", grant="1").status_code == 400, "nothing is marked"
    assert dpo.post(f"{path}/decide", refuse="1", refusal="RF-05").status_code == 400, "no text of an erasure"
    assert dpo.post(f"{path}/decide", grant="1", item=item).status_code == 303
    page = dpo.page(path)
    assert POLICE in page
    assert "Approve the content" in page
    assert "The decision is recorded." in page
    assert dpo.post(f"{path}/told", notice="1", told_on="2026-11-25").status_code == 409, "it has not been done yet"
    assert dpo.post(f"{path}/approve").status_code == 303
    assert "You have approved the content. A second person releases it." in dpo.page(path), "what was granted stands"
    approver = signed_in(Role.APPROVER)
    assert approver.post(f"{path}/release").status_code == 303
    page = approver.page(path)
    assert ("Hand over the link and the passphrase" in page, POLICE in page) == (True, False)
    done = text_of(dpo.page(path))
    assert re.search(r"Carried out on 25 Nov 2026 12:00 Done run-[0-9a-f]{12}", done), "no other page says of whom it was"
    whole, *each = re.findall(r"badge (?:good|neutral)\">(Granted|Not granted)<", dpo.page(path))
    assert (whole, dict(zip((item, other), each, strict=True))) == ("Granted", {item: "Granted", other: "Not granted"})
    assert "Carried out" not in text_of(page)
    letters = dpo.post(f"{path}/letters", language="nl")
    with zipfile.ZipFile(io.BytesIO(letters.content)) as archive:
        assert [POLICE in text_of_pdf(archive.read(name)) or ABROAD in text_of_pdf(archive.read(name)) for name in archive.namelist()] == [
            True,
            True,
        ]
    assert dpo.post(f"{path}/told", notice="1", told_on="2026-11-25").status_code == 303
    assert dpo.post(f"{path}/told", notice="2", not_told="FORGOTTEN").status_code == 400
    assert dpo.post(f"{path}/told", notice="2", not_told="IMPOSSIBLE").status_code == 303
    assert "It is impossible" in text_of(dpo.page(path))
    assert f"{path}/told" not in dpo.page(path)


def test_what_was_granted_and_waits_is_told_to_who_handles_the_request(
    org: Night, typist: Typist, app: Starlette, signed_in: SignedIn
) -> None:
    """ERA-12: the row is in the CRM's recycle bin. To others it would say that somebody is known (SUS-07)."""
    request, _, dossier = child_with_a_file(typist, org)
    asking = Asking(typist, request)
    path, waits = f"/requests/{asking.id}", "Something that was granted is not done yet"
    decide(typist, asking, "--grant", asking.items()[0]["item"])
    switch(org, recycle_bin_days=30)
    remove(org, "cf_dossiers", dossier)
    released(typist, asking)
    assert typist.ask("requests", "show", asking.id, *DORA)["waits_for"] == "IN_RECYCLE_BIN"
    assert "IN_RECYCLE_BIN: It was deleted" in typist.type("requests", "show", asking.id, *DORA).out
    assert Script(app, Role.DPO).ask(path)["waits_for"] == "IN_RECYCLE_BIN"
    assert waits in signed_in(Role.DPO).page(path)
    assert "waits_for" not in shown(typist, asking) | typist.ask("requests", "show", asking.id, *ERIK)
    assert "waits_for" not in Script(app, Role.APPROVER).ask(path)
    assert waits not in signed_in(Role.APPROVER).page(path)
    switch(org, recycle_bin_days=0)
    typist.ask("run", "requests", code=6)  # it is to be closed
    assert "waits_for" not in typist.ask("requests", "show", asking.id, *DORA)
    assert waits not in signed_in(Role.DPO).page(path)


def test_what_is_refused_for_having_nothing_to_take_along_offers_no_grant(org: Night, typist: Typist, signed_in: SignedIn) -> None:
    child = lotte(org)
    org.party(child, "child", dossier=org.dossier("grooming", closed=False))
    path = f"/requests/{asking_for(typist, 'portability', child).id}"
    dpo = signed_in(Role.DPO)
    page = dpo.page(path)
    assert "Portability does not apply to these data" in text_of(page)
    assert ("Approve the content" in text_of(page), 'name="grant"' in page, "decided in the review" in page) == (True, False, False)


def test_a_refusal_takes_a_text_that_fits_and_leaves_nothing_to_withdraw(erasure: str, signed_in: SignedIn) -> None:
    path, dpo = f"/requests/{erasure}", signed_in(Role.DPO)
    assert dpo.post(f"{path}/decide", refuse="1", refusal="RF-02").status_code == 303
    page = text_of(dpo.page(path))
    assert "Erasure is refused: the data are still needed" in page
    assert "Next: Approve the content" in page
    assert dpo.post(f"{path}/approve").status_code == 303
    assert signed_in(Role.APPROVER).post(f"{path}/release").status_code == 303
    page = text_of(dpo.page(path))
    assert ("Close the request" in page, "does not want it any more" in page) == (True, False)


def test_a_neutral_answer_looks_like_every_other_to_who_does_not_handle_it(org: Night, typist: Typist, signed_in: SignedIn) -> None:
    """SUS-04, SUS-07."""
    contact = org.contact(firstname="Fien", lastname="Voorbeeld (fictief)", birthdate="1990-02-03")
    known = (
        Asking(typist).open({"firstname": "Fien", "lastname": "Voorbeeld (fictief)", "birthdate": "1990-02-03"}).identify().confirm(contact)
    )
    unknown = Asking(typist).open({"firstname": "Bas", "lastname": "Onbekend (fictief)", "birthdate": "1990-02-03"}).identify().confirm()
    pages = []
    for asking in (known, unknown):
        asking.compile()
        page = signed_in(Role.AUDITOR).page(f"/requests/{asking.id}")
        row = asking.row()
        pages.append(text_of(page.replace(asking.id, "").replace(row.reference, "")))
    assert unknown.answer["answer"] == "neutral"
    assert pages[0] == pages[1]


def test_what_was_decided_is_told_to_be_decided_again(erasure: str, signed_in: SignedIn) -> None:
    path, dpo = f"/requests/{erasure}", signed_in(Role.DPO)
    assert dpo.post(f"{path}/decide", refuse="1", refusal="RF-02").status_code == 303
    assert dpo.post(f"{path}/compile").status_code == 303
    page = text_of(dpo.page(path))
    assert "has to be decided again" in page
    assert "Next: Decide what is granted" in page


def test_rows_are_counted_for_the_two_who_approve_and_shown_once(approved: Asking, typist: Typist, signed_in: SignedIn) -> None:
    path = f"/requests/{approved.id}"
    counted = typist.ask("requests", "review", approved.id, "--completeness", "--as", "demo-erik", "--role", "approver")
    for role in (Role.DPO, Role.APPROVER):
        browser = signed_in(role)
        assert browser.post(f"{path}/completeness").status_code == 303
        page = text_of(browser.page(path))
        assert f"{counted['candidates']} Rows about the person {counted['included']} In the answer" in page
        assert "Rows about the person" not in text_of(browser.page(path))
    assert signed_in(Role.AUDITOR).post(f"{path}/completeness").status_code == 403


def test_that_a_child_has_to_agree_is_said_where_it_can_be_recorded(org: Night, typist: Typist, signed_in: SignedIn) -> None:
    """RGT-05: from twelve on; nobody sets a rule aside because a box was not ticked."""
    child, mother = family.lotte(org), family.els(org)
    dossier = org.dossier("grooming", closed=False, fiches=1)
    org.party(child, "child", dossier=dossier)
    org.party(mother, "parent", dossier=dossier)
    asking, dpo = family.on_behalf(typist, child, mother), signed_in(Role.DPO)
    path, said = f"/requests/{asking.id}", "record it under “Check again who asks” instead"
    asking.compile()
    assert said in text_of(dpo.page(path))
    assert dpo.post(f"{path}/identify", method="eid", mandate="shown", child_agrees="1").status_code == 303
    asking.confirm(child, mother).compile()
    page = text_of(dpo.page(path))
    assert said not in page
    assert "needs a decision" not in page


def test_nobody_is_sent_to_record_an_agreement_that_is_not_what_is_missing(org: Night, typist: Typist, signed_in: SignedIn) -> None:
    """RGT-05: a child that asks itself and is too young, and one that agreed and whose age nobody knows."""
    young, unknown, mother = family.lotte(org, "2018-03-04"), family.lotte(org, birthdate=None), family.els(org)
    dossier = org.dossier("grooming", closed=False, fiches=1)
    for child in (young, unknown):
        org.party(child, "child", dossier=dossier)
    org.party(mother, "parent", dossier=dossier)
    itself = Asking(typist).open(family.LOTTE | {"birthdate": "2018-03-04"}).identify("eid").confirm(young)
    agreed = family.on_behalf(typist, unknown, mother, "--mandate", "shown", "--child-agrees")
    dpo = signed_in(Role.DPO)
    for asking in (itself, agreed):
        assert (asking.compile()["answer"], asking.compilation.blocks) == ("dpo_review", ("RGT-05",))
        page = text_of(dpo.page(f"/requests/{asking.id}"))
        assert "A rule stands in the way" in page
        assert "record it under" not in page


@pytest.mark.parametrize("right", ["access", "erasure"])
def test_a_request_whose_mandate_has_ended_leads_to_its_closing_and_to_no_approval(
    org: Night, typist: Typist, signed_in: SignedIn, right: str
) -> None:
    """RGT-07: the page asked for approvals of what no release lets go."""
    child, mother = family.lotte(org, "2008-11-22"), family.els(org)
    org.party(child, "child", dossier=org.dossier("grooming", closed=False))
    asked = {"received_at": "2026-11-20T10:00:00Z", "born": "2008-11-22", "right": right}
    asking = family.on_behalf(typist, child, mother, "--mandate", "shown", "--child-agrees", **asked)
    asking.compile()
    path, dpo = f"/requests/{asking.id}", signed_in(Role.DPO)
    page = dpo.page(path)
    assert "Next: Close the request" in text_of(page)
    assert f'action="{path}/approve"' not in page
    assert not re.search('name="(grant|refuse)"', page)
    assert "waits for your review" not in text_of(dpo.page("/"))
    assert dpo.post(f"{path}/approve").status_code == 409
    assert dpo.post(f"{path}/close", outcome="MANDATE_LAPSED").status_code == 303
    assert asking.row().outcome is Outcome.MANDATE_LAPSED


def test_an_answer_that_does_not_hold_any_more_leads_to_its_compilation_and_says_why(
    org: Night, typist: Typist, signed_in: SignedIn
) -> None:
    """R-128, SUS-08: the page asked for an approval, and the release was refused again for the same."""
    child = lotte(org, birthdate="2008-01-02")
    dossier = org.dossier("grooming", closed=False, fiches=1)
    org.party(child, "child", dossier=dossier)
    asking = asking_for(typist, "access", child).approve_all()
    org.fiche("grooming", dossier=dossier, cf_summary="Later gesprek.")
    path, approver, dpo = f"/requests/{asking.id}", signed_in(Role.APPROVER), signed_in(Role.DPO)
    assert approver.post(f"{path}/release").status_code == 409
    page = dpo.page(path)
    assert "Next: Compile the answer" in text_of(page)
    assert "What may be told has changed since the answer was compiled. Compile it again." in text_of(page)
    assert f'action="{path}/approve"' not in page
    assert dpo.post(f"{path}/approve").status_code == 409
    assert dpo.post(f"{path}/compile").status_code == 303
    assert "Next: Review the answer" in text_of(dpo.page(path))


def test_a_rule_in_the_way_is_named_to_the_dpo_and_set_aside_by_two(org: Night, typist: Typist, signed_in: SignedIn) -> None:
    """RGT-05: a child too young to ask alone; then the answer is compiled again."""
    child = org.contact(firstname="Lotte", lastname="Peeters (fictief)", birthdate="2019-03-04")
    dossier = org.dossier("grooming", closed=False, fiches=1)
    org.party(child, "child", dossier=dossier)
    asking = Asking(typist).open({"firstname": "Lotte", "lastname": "Peeters (fictief)", "birthdate": "2019-03-04"}, kind="child")
    asking.identify().confirm(child).compile()
    path, dpo, approver = f"/requests/{asking.id}", signed_in(Role.DPO), signed_in(Role.APPROVER)
    page = dpo.page(path)
    assert "Next: An answer that needs a decision" in text_of(page)
    assert '<option value="RGT-05" selected>' in page
    for browser in (dpo, approver):
        assert browser.post(f"{path}/override", rule="RGT-05", code="CHILD_INTEREST").status_code == 303
    assert "Next: Compile the answer" in text_of(dpo.page(path))
    assert dpo.post(f"{path}/compile").status_code == 303
    assert "needs a decision" not in text_of(dpo.page(path))
