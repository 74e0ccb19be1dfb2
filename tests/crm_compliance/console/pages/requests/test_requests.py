"""The register of requests and the page of one: what is due, what comes next, who sees whose name, and the
path of a request step by step. Everybody is fictitious."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from crm_compliance.console.frame.services import Services
from jobs.model.request import DECISIONS, SubjectRequest
from jobs.register.decision import Decision, Task, What, encoded
from rules.dates.calendar import BRUSSELS
from rules.model.requests import Channel, RequesterKind, RequestState, Right
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.asking import Asking
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.requesting import a_form, changed, opened, unreachable
from tests.drivers.typist import Typist

SignedIn = Callable[..., Browser]
NAME = "Vraagster (fictief)"


def steps_of(page: str) -> str:
    """The station at which a request is, as its page marks it."""
    found = re.search(r'aria-current="step"><span>([^<]*)', page)
    return found[1] if found else ""


def test_the_register_shows_what_is_due_first_and_whose_it_is_to_the_dpo_alone(typist: Typist, signed_in: SignedIn) -> None:
    late = opened(typist, received_at="2026-10-01T09:30:00Z", right="erasure")
    fresh = opened(typist)
    page = signed_in(Role.DPO).page("/requests")
    assert page.index(late) < page.index(fresh)
    assert NAME in page
    assert "23 days overdue" in text_of(page)
    assert "Check who asks" in text_of(page)
    dutch = signed_in(Role.DPO, "nl").page("/requests")
    assert ("<code>erasure</code>" in dutch, "<code>witness</code>" in dutch) == (True, True), "words, and their codes beside"
    for role in (Role.APPROVER, Role.AUDITOR):
        other = signed_in(role)
        assert late in other.page("/requests")
        for path in ("/requests", f"/requests/{late}", "/requests/calendar.ics"):
            assert NAME not in other.page(path), (role, path)
        assert "/requests/new" not in other.page("/requests")


def test_the_calendar_speaks_the_language_of_the_page_and_calls_requests_as_the_register_does(
    org: Night, typist: Typist, signed_in: SignedIn
) -> None:
    request = org.store.requests.get(opened(typist, received_at="2026-11-20T09:30:00Z", right="erasure"))
    answer = signed_in(Role.DPO, "nl").get("/requests/calendar.ics").text.replace("\r\n ", "")
    said = [line.partition(":")[2] for line in answer.split("\r\n") if line.startswith("SUMMARY:")]
    assert said[0] == f"{request.reference}: De ontvangst bevestigen"
    assert said[-1] == f"{request.reference}: Laatste dag voor het antwoord (Wissing)"


def test_the_register_is_filtered_and_paged_within_its_time(org: Night, signed_in: SignedIn) -> None:
    rows = [
        SubjectRequest(
            id=f"request-{number:04}",
            right=list(Right)[number % 7],
            requester_kind=RequesterKind.DONOR,
            channel=Channel.EMAIL,
            received_at=NOW - timedelta(days=number % 60),
            received_on=(NOW - timedelta(days=number % 60)).date(),
            language="nl",
            on_behalf=False,
            state=list(RequestState)[number % 8],
            resumes_to=RequestState.SEARCHING,
            closed_at=datetime(2026, 11, 1, tzinfo=UTC) if number % 8 == 7 else None,
        )
        for number in range(120)
    ]
    for row in rows:
        org.store.requests.add(row, {}, ("request", {"request": row.id, "step": "open"}))
    browser = signed_in(Role.AUDITOR)
    page = browser.page("/requests?show=all")
    assert "1–25 of 120" in text_of(page)
    assert "page=2" in page
    assert "101–120 of 120" in text_of(browser.page("/requests?show=all&page=5"))
    assert "15 of 15" in text_of(browser.page("/requests?show=suspended"))
    some = msgspec.structs.replace(rows[77])
    assert set(re.findall(r"request-\d{4}", browser.page(f"/requests?q={some.reference.lower()}"))) == {some.id}
    assert "No request fits this" in text_of(browser.page("/requests?q=request-of-nobody"))
    part = browser.page(f"/requests?q={some.reference[:-2]}")
    assert ("No request fits this" in part, "a part of it" in part, "A whole reference" in part) == (True, False, True)
    assert browser.get("/requests?page=999999&show=<b>&right=x").status_code == 200


def test_a_request_goes_its_path_from_page_to_page(org: Night, typist: Typist, signed_in: SignedIn) -> None:
    contact = org.contact(firstname="Fien", lastname="Voorbeeld (fictief)", birthdate="1990-02-03", emailaddress1="fien@example.org")
    asking = Asking(typist).open(
        {"firstname": "Fien", "lastname": "Voorbeeld (fictief)", "birthdate": "1990-02-03", "emails": ["fien@example.org"]}, kind="donor"
    )
    dpo, path = signed_in(Role.DPO), f"/requests/{asking.id}"
    assert steps_of(dpo.page(path)) == "Identity"
    assert dpo.post(f"{path}/identify", method="eid").status_code == 303
    page = dpo.page(path)
    assert (steps_of(page), "Search the CRM" in page) == ("Search", True)
    assert dpo.post(f"{path}/match").status_code == 303
    page = dpo.page(path)
    assert contact in page
    assert "Same birth date birth_date" in text_of(page)
    (name,) = re.findall(r'name="candidate" value="([^"]*)"', page)
    assert dpo.post(f"{path}/confirm").status_code == 400, "neither a candidate nor nobody"
    assert "is not there any more" in text_of(dpo.post(f"{path}/confirm", candidate="c99").text), "a search of another tab has others"
    assert dpo.post(f"{path}/confirm", candidate=name).status_code == 303
    assert dpo.post(f"{path}/compile").status_code == 303
    assert asking.row().state is RequestState.REVIEWING
    assert dpo.post(f"{path}/approve").status_code == 303
    assert steps_of(dpo.page(path)) == "Release"
    assert "/release" not in dpo.page(path), "whoever approved does not release"
    assert f"{path}/release" in signed_in(Role.APPROVER).page(path)
    assert contact not in signed_in(Role.APPROVER).page(path)


def test_what_should_be_corrected_stands_there_when_it_is_known_who_the_person_is(signed_in: SignedIn) -> None:
    dpo = signed_in(Role.DPO)
    path = dpo.post("/requests/new", **TYPED | {"right": "rectification"}, correct_street="Dorpsstraat 1").headers["Location"]
    dpo.post(f"{path}/identify", method="eid")
    dpo.post(f"{path}/match")
    dpo.post(f"{path}/confirm", none="1")
    page = text_of(dpo.page(path))
    assert ("Street and number Dorpsstraat 1" in page, "nobody in the CRM is the person" in page) == (True, True)


def test_what_cannot_be_searched_for_is_told_and_a_search_for_nobody_has_found_nobody_out(
    org: Night, typist: Typist, signed_in: SignedIn
) -> None:
    """An address that was mistyped finds nobody, and whoever then confirms "nobody" denies a file."""
    org.contact(firstname="Fien", lastname="Voorbeeld (fictief)", emailaddress1="fien@example.org")
    said = {"emails": ["fien(at)example.org"], "phones": ["04 12"], "nationalnumbers": ["93051822362", "93.05.18-223.61"]}
    page = text_of(signed_in(Role.DPO).page(f"/requests/{Asking(typist).open(said, kind='donor').id}"))
    told = page.partition("This is not searched for")[2].partition("As it stands here")[0]
    assert told.split() == ["93051822362", "04", "12", "fien(at)example.org"]
    dpo, path = signed_in(Role.DPO), f"/requests/{Asking(typist).open({'emails': ['fien(at)example.org']}, kind='donor').id}"
    dpo.post(f"{path}/identify", method="eid")
    dpo.post(f"{path}/match")
    page = text_of(dpo.page(path))
    assert "so nobody was looked for" in page
    assert "Nobody in the CRM may be the person" not in page
    dpo.post(f"{path}/confirm", none="1")
    assert "It is recorded who the person is" not in text_of(dpo.page(path)), "nobody is"
    page = text_of(signed_in(Role.DPO).page(f"/requests/{opened(typist)}"))
    assert "This is not searched for" not in page


def test_a_question_stops_the_clock_and_its_answer_moves_the_day(typist: Typist, signed_in: SignedIn) -> None:
    path = f"/requests/{opened(typist)}"
    dpo = signed_in(Role.DPO)
    assert dpo.post(f"{path}/suspend", reason="identity", asked_on="2026-11-25").status_code == 303
    assert "the clock stands still" in text_of(dpo.page(path))
    wrong = dpo.post(f"{path}/resume", answered_on="2027-01-01")
    assert wrong.status_code == 400
    assert "The day of the answer lies before the question or in the future." in text_of(wrong.text)
    assert dpo.post(f"{path}/resume", answered_on="2026-11-25").status_code == 303
    answer = dpo.post(f"{path}/extend", reason="complexity", notified_on="2026-11-25", notified_time="10:00")
    assert answer.status_code == 303, text_of(answer.text)
    assert "by two months" in text_of(dpo.page(path))
    answer = dpo.post(f"{path}/extend", reason="complexity", notified_on="2026-11-25")
    assert (answer.status_code, "A request is extended once." in answer.text) == (409, True)


def test_two_people_set_a_rule_aside_and_nobody_reads_which(typist: Typist, signed_in: SignedIn) -> None:
    asking = Asking(typist).open({"firstname": "Fien", "lastname": "Voorbeeld (fictief)"})
    path = f"/requests/{asking.id}"
    dpo = signed_in(Role.DPO)
    assert dpo.post(f"{path}/override", rule="NO_CONTACT", code="CHECKED").status_code == 303
    assert dpo.post(f"{path}/override", rule="NO_CONTACT", code="CHECKED").status_code == 403
    assert signed_in(Role.APPROVER).post(f"{path}/override", rule="NO_CONTACT", code="CHECKED").status_code == 303
    assert "CHECKED" not in signed_in(Role.AUDITOR).page(path)
    assert len(asking.row().approvals) == 2


@pytest.mark.parametrize("state", [RequestState.RELEASED, RequestState.CLOSED])
def test_sus08_what_waits_for_a_look_after_the_release_is_in_the_inbox_and_goes_on_at_the_word_of_two(
    typist: Typist, services: Services, signed_in: SignedIn, state: RequestState
) -> None:
    """The register does not say which rule it was: with its name it would be a list of suspects (SUS-07)."""
    request = services.store.requests.get(opened(typist, right="erasure"))
    path, title = f"/requests/{request.id}", "Something that was granted waits until you have looked at it"
    waiting = Decision(
        right=Right.ERASURE,
        who="dora",
        at=NOW,
        tasks=(Task("item-1", What.ERASE, "dossier", "one"),),
        looked_for_at=NOW - timedelta(days=1),
    )
    after = msgspec.structs.replace(request, state=state, answer="package", released_at=NOW, closed_at=NOW)
    services.store.requests.save(after, since=request, parts={DECISIONS: encoded(waiting)})
    dpo, approver = signed_in(Role.DPO), signed_in(Role.APPROVER)
    assert (title in text_of(dpo.page("/")), title in text_of(approver.page("/"))) == (True, False)
    assert re.findall(r'<option value="([A-Z]+-[^"]*)"', dpo.page(path)) == ["SUS-08"]
    assert dpo.post(f"{path}/override", rule="IDV-05", code="CHECKED").status_code == 409
    assert dpo.post(f"{path}/override", rule="SUS-08", code="CHECKED").status_code == 303
    assert dpo.post(f"{path}/override", rule="SUS-08", code="CHECKED").status_code == 403
    assert (title in text_of(dpo.page("/")), title in text_of(approver.page("/"))) == (False, True)
    assert approver.post(f"{path}/override", rule="SUS-08", code="CHECKED").status_code == 303
    assert title not in text_of(approver.page("/"))
    assert approver.post(f"{path}/override", rule="SUS-08", code="CHECKED").status_code == 409
    assert "/override" not in dpo.page(path)
    withdrawn = "The person does not want it any more"
    assert (withdrawn in text_of(dpo.page(path)), withdrawn in text_of(approver.page(path))) == (True, False)
    assert dpo.post(f"{path}/close", outcome="WITHDRAWN").status_code == 303
    said = {RequestState.RELEASED: "The request is closed.", RequestState.CLOSED: "What had not been done is not done any more."}
    assert said[state] in text_of(dpo.page(path))
    assert dpo.post(f"{path}/close", outcome="WITHDRAWN").status_code == 409
    assert withdrawn in text_of(dpo.page(path)), "as of everybody: nothing tells whether something waits (SUS-07)"
    assert services.store.requests.get(request.id).approvals == ()


@pytest.mark.parametrize("right", ["access", "erasure"])
def test_it_is_closed_with_an_outcome_that_fits(typist: Typist, signed_in: SignedIn, right: str) -> None:
    path = f"/requests/{opened(typist, right=right)}"
    dpo = signed_in(Role.DPO)
    assert dpo.post(f"{path}/close", outcome="DELIVERED").status_code == 409
    assert dpo.post(f"{path}/close", outcome="WITHDRAWN").status_code == 303
    page = dpo.page(path)
    assert "Withdrawn by the person" in page
    passed = re.findall('<li class="(done|ahead|now)"[^>]*><span>', page)
    assert passed == ["done", "ahead", "ahead", "ahead", "ahead", "done"], "it was neither looked through nor released"
    register = text_of(dpo.page("/requests?show=all"))
    assert ("Withdrawn" in register, "answered" in register) == (True, False)
    assert '<form method="post" action="/requests/' not in page
    assert dpo.post(f"{path}/identify", method="eid").status_code == 409


def test_a_crm_that_does_not_answer_is_told_on_the_page(typist: Typist, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(typist).open({"firstname": "Fien", "lastname": "Voorbeeld (fictief)"}).identify()
    dpo = signed_in(Role.DPO)
    monkeypatch.setattr("jobs.requests.search.confirm.match_request", unreachable)
    answer = dpo.post(f"/requests/{asking.id}/match")
    assert answer.status_code == 503
    assert "the CRM does not answer" in answer.text
    assert "Fien" not in str(answer.headers)


def test_a_long_search_goes_on_and_the_page_says_so(
    typist: Typist, services: Services, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    asking = Asking(typist).open({"firstname": "Fien", "lastname": "Voorbeeld (fictief)"}).identify()
    dpo, path, go_on = signed_in(Role.DPO), f"/requests/{asking.id}", threading.Event()
    services.background.patience_s = 0
    monkeypatch.setattr("jobs.requests.search.confirm.match_request", lambda *_: go_on.wait(60))
    assert dpo.post(f"{path}/match").status_code == 303
    assert "The CRM is being searched for the person" in dpo.page(path)
    assert "hx-trigger" in dpo.get(f"{path}/work", **{"HX-Request": "true"}).text
    assert dpo.post(f"{path}/match").status_code == 409
    work = services.background.of(asking.id)
    assert work is not None
    go_on.set()
    assert work.wait(60)
    answer = dpo.get(f"{path}/work", **{"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, path)
    assert "The search is done." in dpo.page(path)


@pytest.mark.parametrize("path", ["/requests/request-of-nobody", "/requests/request-of-nobody/work"])
def test_a_request_that_is_not_there(signed_in: SignedIn, path: str) -> None:
    assert signed_in(Role.AUDITOR).get(path).status_code == (404 if path.endswith("nobody") else 303)


TYPED = {
    "right": "access",
    "requester_kind": "donor",
    "received_on": "2026-11-25",
    "received_time": "09:30",
    "channel": "post",
    "language": "fr",
    "given_lastname": NAME,
    "given_emails": "voorbeeld@example.org\r\nander@example.org",
}


def test_a_request_is_typed_in_and_kept_as_the_command_keeps_it(org: Night, typist: Typist, signed_in: SignedIn) -> None:
    dpo = signed_in(Role.DPO)
    assert dpo.page("/requests/new")
    answer = dpo.post("/requests/new", **TYPED, given_firstname="<script>alert(1)</script>")
    assert answer.status_code == 303
    row = org.store.requests.get(answer.headers["Location"].rpartition("/")[2])
    assert (row.right, row.channel, row.language, row.received_on.isoformat()) == (Right.ACCESS, Channel.POST, "fr", "2026-11-25")
    assert row.received_at == datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
    page = dpo.page(answer.headers["Location"])
    assert "voorbeeld@example.org, ander@example.org" in page
    assert "<script>alert" not in page + dpo.page("/requests")
    assert "keeps from now on what may be about the person" in text_of(page)


def test_a_form_that_is_sent_twice_registers_one_request(org: Night, signed_in: SignedIn) -> None:
    """A double click, or a connection that is lost before the answer; what is typed again is another request
    (DDL-15), and so is what somebody else sends."""
    dpo = signed_in(Role.DPO)
    once = once_of(dpo.page("/requests/new"))
    first, again = (dpo.post("/requests/new", once=once, **TYPED) for _ in range(2))
    assert (first.status_code, again.status_code, again.headers["Location"]) == (303, 303, first.headers["Location"])
    assert len(org.store.requests.all()) == 1
    assert "had been sent already" in text_of(dpo.page(again.headers["Location"]))
    dpo.post("/requests/new", once=once, **{**TYPED, "right": "erasure"})
    dpo.post("/requests/new", once=once_of(dpo.page("/requests/new")), **TYPED)
    signed_in(Role.DPO).post("/requests/new", once=once, **TYPED)
    assert len(org.store.requests.all()) == 4


def once_of(page: str) -> str:
    """What the form on a page is told from another one by."""
    (found,) = re.findall(r'name="once" value="([0-9a-f]{16})"', page)
    return str(found)


def test_a_mistake_is_told_at_its_field_and_nothing_is_lost(org: Night, signed_in: SignedIn) -> None:
    dpo = signed_in(Role.DPO)
    answer = dpo.post("/requests/new", **{**TYPED, "requester_kind": "parent_for_child", "given_birthdate": "1/1/2027"})
    assert answer.status_code == 400
    assert NAME in answer.text
    assert "lies in the future" in answer.text
    assert "Say who the child is: who asks, asks for somebody else." in answer.text
    assert re.findall('<input id="(.*?)"[^>]* autofocus', answer.text) == ["f-given_birthdate"], "the first that is wrong"
    wrong_hour = text_of(dpo.post("/requests/new", **{**TYPED, "received_time": "25:99"}).text)
    assert "Received on · at: This is not a time of the day." in wrong_hour
    assert "This is not a date" not in wrong_hour
    assert 'value="1/1/2027"' in answer.text
    assert not org.store.requests.all()


@pytest.mark.parametrize("letter", ["é", "汉", "😀"])
def test_a_long_statement_is_taken_in_any_script_and_a_longer_one_is_told_and_kept(org: Night, signed_in: SignedIn, letter: str) -> None:
    dpo = signed_in(Role.DPO)
    form = TYPED | {"right": "rectification", "statement": letter * 10_000}
    assert dpo.post("/requests/new", **form).status_code == 303
    answer = dpo.post("/requests/new", **form | {"statement": letter * 60_000})
    assert answer.status_code == 400
    assert "At most 10,000 characters are taken here, and there are 60,000." in text_of(answer.text)
    assert letter * 60_000 in answer.text


def test_days_are_typed_as_people_write_them(org: Night, signed_in: SignedIn) -> None:
    """Whatever the language of the browser: the day first, and an hour of 24."""
    dpo = signed_in(Role.DPO, "fr")
    today = org.clock().date()
    assert f'value="{today:%d/%m/%Y}"' in dpo.page("/requests/new")
    form = TYPED | {"received_on": f"{today.day}.{today.month}.{today.year}", "received_time": "0h05", "given_birthdate": "3/2/1990"}
    address = dpo.post("/requests/new", **form).headers["Location"]
    (request,) = org.store.requests.all()
    assert request.received_at.astimezone(BRUSSELS).isoformat() == f"{today.isoformat()}T00:05:00+01:00"
    assert "3 févr. 1990" in text_of(dpo.page(address))
    for wrong in ("31/02/2026", "25/11/26", "11/25/2026"):
        text = text_of(dpo.post(f"{address}/suspend", reason="identity", asked_on=wrong).text)
        assert "Posée le : ce n’est pas un jour Écrivez jour/mois/année, par exemple 25/11/2026." in text
    before, _, after = dpo.post(f"{address}/suspend", reason="identity", asked_on="01/01/2030").text.partition(
        f'action="{address}/suspend"'
    )
    assert before.rpartition("<details")[2].startswith(" open"), "the form stands open, as it was sent"
    assert 'value="01/01/2030"' in after.partition("</form>")[0]
    told = dpo.post(f"{address}/extend", reason="complexity", notified_on="25/11/2026", notified_time="25:99").text
    at_field = '<p class="error" id="e-notified_time">Ceci n’est pas une heure.</p><input id="f-notified_time"'
    assert "autofocus" in told.partition(at_field)[2].partition(">")[0], "whoever types goes on where it is wrong"


def test_a_mistake_is_told_in_the_language_of_the_page(org: Night, signed_in: SignedIn) -> None:
    dpo = signed_in(Role.DPO, "nl")
    text = dpo.post("/requests/new", **{**TYPED, "received_on": "", "given_birthdate": "2027-01-01"}).text
    assert "Ontvangen op: Dit is geen datum. Schrijf dag/maand/jaar, het jaar met vier cijfers." in text_of(text)
    assert "Deze dag ligt in de toekomst." in text  # all in one go, also what is wrong by the clock
    text = dpo.post("/requests/new", **{**TYPED, "given_birthdate": "2027-01-01"}).text
    assert "Deze dag ligt in de toekomst." in text
    assert "lies in" not in text
    long = {"statement": "x" * 10_001, "given_lastname": "y" * 201, "given_emails": "z" * 321, "given_phones": "0470112233\n" * 21}
    text = dpo.post("/requests/new", **{**TYPED, **long, "right": "rectification"}).text
    for field, most, found in (("f-statement", "10.000", "10.001"), ("f-given_lastname", "200", "201")):
        assert f"Hier passen hoogstens {most} tekens, en het zijn er {found}." in text.partition(f'for="{field}"')[2][:400]
    assert "E-mail: Een regel heeft hoogstens 320 tekens, en één heeft er 321." in text_of(text)
    assert "Telefoon: Hier passen hoogstens 20 regels, en het zijn er 21." in text_of(text)
    answer = dpo.post("/requests/new/import", file="{")
    assert "Het bestand is niet leesbaar als formulier" in answer.text
    assert '<span class="soft" lang="en">this is not valid JSON (line 1' in answer.text


def test_the_form_of_the_command_is_read_into_the_fields_and_registers_nothing(org: Night, typist: Typist, signed_in: SignedIn) -> None:
    form = a_form(
        right="rectification",
        details={"corrections": {"lastname": "Ander (fictief)", "street": "Dorpsstraat 1"}, "statement": "Dat klopt niet."},
    )
    dpo = signed_in(Role.DPO)
    answer = dpo.client.post(
        "/requests/new/import",
        data={"csrf": dpo.token},
        files={"file": ("form.json", json.dumps(form), "application/json")},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 200
    for said in ("Ander (fictief)", "Dorpsstraat 1", "Street and number", "Dat klopt niet.", NAME, 'value="10:30"'):
        assert said in answer.text
    assert not org.store.requests.all()
    wrong = dpo.client.post(
        "/requests/new/import",
        data={"csrf": dpo.token},
        files={"file": ("form.json", '{"right": "geheim"', "application/json")},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert (wrong.status_code, "geheim" in wrong.text) == (400, False)


def test_a_crm_that_is_away_keeps_no_receipt_from_being_registered(
    typist: Typist, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_compliance.console.pages.requests.intake.preserve", unreachable)
    dpo = signed_in(Role.DPO)
    answer = dpo.post("/requests/new", **TYPED)
    assert answer.status_code == 303
    assert "could not be looked up yet" in dpo.page(answer.headers["Location"])


@pytest.mark.parametrize("answer", ["", "package", "neutral"])
def test_rf08_the_page_of_what_was_refused_without_a_release_has_what_is_to_be_written(
    services: Services, typist: Typist, org: Night, signed_in: SignedIn, answer: str
) -> None:
    """RF-08; GDPR art. 12(4): no letter is made on this way."""
    request, text = opened(typist, language="fr"), "La demande est manifestement excessive"
    path, dpo = f"/requests/{request}", signed_in(Role.DPO)
    if answer:
        changed(org, request, state=RequestState.REVIEWING, answer=answer)
    page = dpo.page(path)
    assert 'value="REFUSED:RF-08"' in page
    assert "rue de la Presse" not in page
    assert dpo.post(f"{path}/close", outcome="REFUSED:RF-08").status_code == 303
    told = text_of(dpo.page(path))
    assert "No letter of this refusal was made Write to the person by" in told
    assert text in told
    assert "rue de la Presse" in told
    assert text not in signed_in(Role.APPROVER).page(path)
    changed(org, request, received_on=date(2026, 9, 1))
    passed = text_of(dpo.page(path))
    assert "Write to the person at once: the last day was" in passed
    assert "Write to the person by" not in passed
