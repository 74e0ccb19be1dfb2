"""The review of an answer on the console: what is let out was on this screen, what is decided is stored at
once, and whose work it is not may look. Everybody is fictitious."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from crm_compliance.configuration.organisation import organisation_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.console.app import routes
from crm_compliance.console.frame.services import Services
from crm_compliance.console.language.formats import Formats
from crm_compliance.console.pages.review.views import field_words, kind_words, value_words
from crm_compliance.service.web.app import app_of
from crm_compliance.service.web.downloads import Downloads
from crm_compliance.wiring.schedule import policy_of
from jobs.model.answer import Field
from rules.dates.calendar import Calendar
from rules.model.roles import Role
from tests.crm_compliance.cli.requests.family import LOTTE, lotte
from tests.crm_compliance.console.browser import Browser, text_of
from tests.crm_compliance.console.pages.review.reviewing import TEXTS, compiled, status_of, waiting
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import Typist
from tests.meanwhile import between

__all__ = ["compiled"]  # which the fixture `asking` sets up


@pytest.fixture
def with_picture(typist: Typist, org: Night) -> Asking:
    """Two files to review: a picture in which something is noted, and one that no program can read."""
    child = lotte(org)
    dossier = org.dossier("grooming", closed=False, fiches=0)
    out = BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "JPEG", comment=b"Femke Duinmeijer")
    body = base64.b64encode(out.getvalue()).decode()
    org.note("cf_dossier", dossier, filename="foto.jpg", mimetype="image/jpeg", documentbody=body, isdocument=True, subject="", notetext="")
    old = base64.b64encode(b"\xffWPC" + bytes(64)).decode()
    org.note(
        "cf_dossier",
        dossier,
        filename="oud.wpd",
        mimetype="application/vnd.wordperfect",
        documentbody=old,
        isdocument=True,
        subject="",
        notetext="",
    )
    org.party(child, "child", dossier=dossier)
    asking = Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child").identify().confirm(child)
    asking.compile()
    return asking


def since(page: str) -> str:
    found = re.search(r'data-since="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def part(browser: Browser, path: str) -> str:
    answer = browser.get(path, **{"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.text


def test_the_review_opens_at_the_first_item_that_waits(asking: Asking, signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.DPO)
    page = browser.page(f"/requests/{asking.id}/review")
    first = waiting(asking)[0]
    assert f'data-item="{first["item"]}"' in page
    assert "<del>Femke Duinmeijer</del>" in page
    assert "<ins>[" in page
    assert "<script>alert" not in page
    for told in (
        "F-2026-0001",
        "D-2026-0117",
        "probably a name",
        "EXP-06",
        "0 of 4",
        "4 to review",
        "1 Mar 2026 · To review PENDING_REVIEW",
    ):
        assert told in text_of(page), told


def test_what_waits_is_counted_anew_with_each_decision(asking: Asking, signed_in: Callable[..., Browser]) -> None:
    browser, (first, *_) = signed_in(Role.DPO), waiting(asking)
    path = f"/requests/{asking.id}/review"
    page = browser.page(path)
    form = {"do": "approve", "since": since(page), "csrf": browser.token}
    reply = browser.client.post(f"{path}/{first['item']}", data=form, headers={"Sec-Fetch-Site": "same-origin", "HX-Request": "true"})
    assert ("To review (4)" in page, "To review (3)" in reply.text) == (True, True)


def test_a_decision_is_stored_at_once_and_leads_to_the_next(asking: Asking, signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.DPO)
    first, second, third, fourth = (item["item"] for item in waiting(asking))
    path = f"/requests/{asking.id}/review"
    answer = browser.post(f"{path}/{first}", do="approve", since=since(browser.page(path)))
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}/{second}")
    assert status_of(asking, first) == ("APPROVED", None, None)
    answer = browser.post(f"{path}/{second}", do="withhold", code="RF-03", since=since(browser.page(f"{path}/{second}")))
    assert status_of(asking, second) == ("WITHHELD", "RF-03", None)
    browser.post(f"{path}/{third}", do="not_person", since=since(browser.page(f"{path}/{third}")))
    assert status_of(asking, third) == ("WITHHELD", "NOT_THE_PERSON", None)
    assert f'data-item="{fourth}"' in signed_in(Role.DPO).page(path), "another day, at the first that waits"
    assert f'data-item="{second}"' in browser.page(f"{path}?show=withheld")
    entries = [entry.data for entry in asking_entries(asking)]
    assert [entry["decisions"] for entry in entries if entry.get("step") == "review"] == [1, 1, 1]


def asking_entries(asking: Asking) -> list[Any]:
    from crm_compliance.wiring.clock import clock_of
    from crm_compliance.wiring.store import store_of

    settings = asking.typist.settings
    with store_of(settings, clock_of(settings)) as store:
        return [entry for entry in store.ledger.entries() if entry.kind == "request"]


def test_what_was_on_the_screen_may_be_approved_after_a_restart(
    asking: Asking, services: Services, signed_in: Callable[..., Browser]
) -> None:
    browser, path = signed_in(Role.DPO), f"/requests/{asking.id}/review"
    first = waiting(asking)[0]["item"]
    version = since(browser.page(f"{path}/{first}"))
    again = Services(services.settings, services.store, services.clock, services.sessions)
    after = Browser(app_of(Downloads(again.store, again.clock), console=routes(again)))
    after.client.cookies.update(browser.client.cookies)
    assert after.post(f"{path}/{first}", do="approve", since=version).status_code == 303
    assert status_of(asking, first) == ("APPROVED", None, None)


def test_nothing_is_approved_that_was_not_on_this_screen_in_this_session(asking: Asking, signed_in: Callable[..., Browser]) -> None:
    """EXP-07: neither an item that nobody asked for, nor one that was only fetched ahead, nor one that
    another session has seen."""
    browser = signed_in(Role.DPO)
    first, second = (item["item"] for item in waiting(asking)[:2])
    path = f"/requests/{asking.id}/review"
    ahead = part(browser, f"{path}/{second}")
    before = asking.items()
    answer = browser.post(f"{path}/{second}", do="approve", since=since(ahead))
    assert (answer.status_code, "not_shown" in answer.text) == (409, True)
    version = since(signed_in(Role.DPO).page(f"{path}/{first}"))
    assert browser.client.head(f"{path}/{first}").status_code == 200, "which shows nothing to anybody"
    assert browser.post(f"{path}/{first}", do="approve", since=version).status_code == 409
    assert browser.post(f"{path}/{first}/shown", since=version).status_code == 409, "what was not sent cannot be shown"
    assert asking.items() == before
    assert browser.post(f"{path}/{second}/shown").status_code == 204
    assert browser.post(f"{path}/{second}", do="approve", since=since(ahead)).status_code == 303


def test_there_is_no_word_for_several_items(asking: Asking, signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.DPO)
    path = f"/requests/{asking.id}/review"
    version = since(browser.page(path))
    for name in ("all", "*", ",".join(item["item"] for item in waiting(asking))):
        assert browser.post(f"{path}/{name}", do="approve", since=version).status_code == 404
    assert len(waiting(asking)) == len(TEXTS)


def test_what_somebody_else_decided_meanwhile_is_not_overwritten(asking: Asking, signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.DPO)
    first = waiting(asking)[0]["item"]
    path = f"/requests/{asking.id}/review"
    version = since(browser.page(path))
    asking.decide({"item": first, "status": "WITHHELD", "code": "RF-03"})
    answer = browser.post(f"{path}/{first}", do="not_person", since=version)
    assert (answer.status_code, "changed" in answer.text) == (400, True)
    assert status_of(asking, first) == ("WITHHELD", "RF-03", None)


def test_two_who_decide_at_the_same_instant_are_both_heard(
    asking: Asking, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer is stored whole: what one has withheld is not let out by the other's word on another item."""
    one, other = signed_in(Role.DPO), signed_in(Role.DPO)
    first, second = (item["item"] for item in waiting(asking)[:2])
    path = f"/requests/{asking.id}/review"
    version, of_other = since(one.page(f"{path}/{first}")), since(other.page(f"{path}/{second}"))

    def meanwhile() -> None:
        assert other.post(f"{path}/{second}", do="withhold", code="RF-03", since=of_other).status_code == 303

    between(monkeypatch, "jobs.requests.answer.review.read_decisions", meanwhile)
    assert one.post(f"{path}/{first}", do="approve", since=version).status_code == 303
    assert status_of(asking, first)[:2] == ("APPROVED", None)
    assert status_of(asking, second)[:2] == ("WITHHELD", "RF-03")


def test_an_answer_that_changes_while_it_is_approved_is_not_approved(
    asking: Asking, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = signed_in(Role.DPO), signed_in(Role.DPO)
    names = [item["item"] for item in waiting(asking)]
    asking.decide(*({"item": name, "status": "APPROVED"} for name in names))
    path = f"/requests/{asking.id}/review/{names[0]}"
    version = since(other.page(path))

    def meanwhile() -> None:
        assert other.post(path, do="reopen", since=version).status_code == 303

    between(monkeypatch, "jobs.requests.answer.release.unfinished", meanwhile)
    answer = one.post(f"/requests/{asking.id}/approve")
    assert (answer.status_code, "changed" in answer.text) == (409, True)
    assert asking.row().state.value == "reviewing"


def test_a_text_is_kept_at_once_and_goes_out_only_once_it_is_approved(asking: Asking, signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.DPO)
    first = waiting(asking)[0]["item"]
    path = f"/requests/{asking.id}/review/{first}"
    browser.post(path, do="draft", text="Lotte vertelt.\r\nMeer niet.", since=since(browser.page(path)))
    assert status_of(asking, first) == ("PENDING_REVIEW", None, "Lotte vertelt.\nMeer niet.")
    page = browser.page(path)
    assert "Your text, to be approved" in page
    browser.post(path, do="approve", since=since(page))
    assert status_of(asking, first) == ("APPROVED_REDACTED", None, "Lotte vertelt.\nMeer niet.")
    browser.post(path, do="reopen", since=since(browser.page(path)))
    assert status_of(asking, first) == ("PENDING_REVIEW", None, None)


def test_a_text_with_somebodys_name_is_refused_and_not_repeated(asking: Asking, signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.DPO)
    first = waiting(asking)[0]["item"]
    path = f"/requests/{asking.id}/review/{first}"
    browser.post(path, do="draft", text="Lotte vertelt over mevrouw Zonneveld.", since=since(browser.page(path)))
    version = since(browser.page(path))
    answer = browser.post(path, do="approve", since=version)
    assert (answer.status_code, "near_name" in answer.text, "Zonneveld" in answer.text) == (400, True, False)
    assert browser.post(path, do="approve", no_name="1", since=version).status_code == 303
    assert status_of(asking, first)[:2] == ("APPROVED_REDACTED", "NOT_A_NAME")


def test_the_second_person_looks_and_decides_nothing_and_others_see_nothing(asking: Asking, signed_in: Callable[..., Browser]) -> None:
    first = waiting(asking)[0]["item"]
    path = f"/requests/{asking.id}/review"
    approver = signed_in(Role.APPROVER)
    page = approver.page(path)
    assert "Femke Duinmeijer" in page
    assert "data-review-form" not in page
    assert approver.post(f"{path}/{first}", do="not_person", since=since(page)).status_code == 403
    for role in (Role.AUDITOR, Role.CRM_ADMIN):
        for address in (path, f"{path}/{first}", f"{path}/{first}/file"):
            answer = signed_in(role).get(address)
            assert (answer.status_code, "Femke" in answer.text, "F-2026" in answer.text) == (403, False, False)


def test_a_file_is_opened_before_it_is_approved_and_shown_without_what_is_noted_in_it(
    with_picture: Asking, signed_in: Callable[..., Browser]
) -> None:
    browser = signed_in(Role.DPO)
    item, unread = (each["item"] for each in sorted(with_picture.items(), key=lambda each: bool(each["unread"])) if each["attachment"])
    path = f"/requests/{with_picture.id}/review/{item}"
    version = since(browser.page(path))
    answer = browser.post(path, do="approve", since=version)
    assert (answer.status_code, "file_not_shown" in answer.text) == (409, True)
    assert f'src="{path}/file/content"' in part(browser, f"{path}/file")
    shown = browser.get(f"{path}/file/content")
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert b"Femke" not in shown.content
    taken = browser.get(f"{path}/file/content?as=download")
    assert taken.headers["Content-Disposition"].startswith("attachment")
    assert b"Femke" in taken.content, "the file as it is, for whoever has to look"
    assert browser.post(path, do="approve", since=version).status_code == 303
    assert status_of(with_picture, item)[0] == "APPROVED"
    assert "Open the file" in browser.page(path)
    path = f"/requests/{with_picture.id}/review/{unread}"
    page = browser.page(path)
    assert ("Open the file" in page, "Download" in page) == (False, True), "to open it shows nothing, and is no look at it"
    answer = browser.post(path, do="approve", looked="1", since=since(page))
    assert "Read it to its end where it is shown, or download it, then decide." in text_of(answer.text)
    browser.get(f"{path}/file/content?as=download")
    assert browser.post(path, do="approve", looked="1", since=since(page)).status_code == 303


def test_of_another_right_items_are_looked_at_and_no_text_is_written(typist: Typist, org: Night, signed_in: Callable[..., Browser]) -> None:
    """What an erasure proposes is decided elsewhere; here somebody looks, puts aside, and takes that back."""
    child, dossier = lotte(org), org.dossier("grooming", closed=False, fiches=0)
    org.fiche("grooming", dossier=dossier, cf_summary="Lotte belt.")
    org.party(child, "child", dossier=dossier)
    given = LOTTE | {"birthdate": "2012-03-04"}
    asking = Asking(typist).open(given, kind="child", right="erasure").identify().confirm(child)
    asking.compile()
    browser = signed_in(Role.DPO)
    path = f"/requests/{asking.id}/review"
    for item in asking.items():
        address = f"{path}/{item['item']}?show=all"
        page = browser.page(address)
        assert "data-review-redact" not in page
        assert browser.post(address, do="withhold", code="RF-03", since=since(page)).status_code == 303
        assert status_of(asking, item["item"])[0] == "WITHHELD"
        assert browser.post(address, do="approve", since=since(browser.page(address))).status_code == 303
        assert status_of(asking, item["item"])[0] == "APPROVED"


@pytest.mark.parametrize("query", ["?show=nothing", "?mark=%3Cb%3E&kind=x&in=context-99"])
def test_a_filter_that_leaves_nothing_says_so(asking: Asking, signed_in: Callable[..., Browser], query: str) -> None:
    page = signed_in(Role.DPO).page(f"/requests/{asking.id}/review{query}")
    assert "<b>" not in re.findall(r"<main.*?</main>", page, re.DOTALL)[0].replace("<b>4 to review</b>", "")
    assert ("No item fits this filter" in page) is (query != "?show=nothing")


def test_an_own_table_and_its_fields_are_called_as_the_crm_calls_them() -> None:
    visit: Any = SimpleNamespace(
        language="nl", word=lambda _, kind: kind, services=SimpleNamespace(organisation=organisation_of(Settings()))
    )
    words = {"cf_visit": "Huisbezoek", "cf_visit.cf_place": "Plaats van bezoek", "cf_visit.birthdate": "Iets"}
    answer: Any = SimpleNamespace(compilation=SimpleNamespace(words=words), visit=visit)
    assert (kind_words(answer, "cf_visit"), kind_words(answer, "fiche")) == ("Huisbezoek", "fiche")
    item: Any = SimpleNamespace(kind="cf_visit")
    assert field_words(visit, answer.compilation, item, Field("cf_place", "x")) == "Plaats van bezoek"
    assert field_words(visit, answer.compilation, item, Field("cf_reason", "x")) == "cf reason"
    assert field_words(visit, answer.compilation, item, Field("birthdate", "x")) == "Geboortedatum"


def test_categories_and_fields_are_called_what_the_organisation_calls_them() -> None:
    settings = Settings()
    services = SimpleNamespace(organisation=organisation_of(settings), policy_shown=lambda: policy_of(settings))
    visit: Any = SimpleNamespace(language="nl", services=services)
    item: Any = SimpleNamespace(kind="contact")
    compilation: Any = SimpleNamespace(words={})
    assert field_words(visit, compilation, item, Field("national_number", "x")) == "Rijksregisternummer"
    assert value_words(visit, Field("categories", "social_card, grooming, of_nobody")) == "Sociale kaart, Grooming, of_nobody"
    assert value_words(visit, Field("is_active", True)) == "ja"


def test_a_day_that_no_clock_here_shows_stands_as_it_was_written() -> None:
    services = SimpleNamespace(organisation=organisation_of(Settings()))
    visit: Any = SimpleNamespace(language="nl", services=services, formats=Formats.of("nl", Calendar()))
    assert value_words(visit, Field("cf_ends_on", "9999-12-31T23:59:59Z")) == "9999-12-31T23:59:59Z"
    assert value_words(visit, Field("cf_ends_on", "2026-12-31T22:59:59Z")) == "31 dec 2026 23:59"
