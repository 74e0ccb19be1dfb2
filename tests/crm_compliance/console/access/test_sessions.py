"""Sessions: who is signed in, for how long, and what the store knows of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from crm_compliance.console.access.sessions import Sessions, digest_of, name_of
from crm_compliance.console.app import routes
from crm_compliance.console.frame.services import Services
from crm_compliance.service.web.app import app_of
from crm_compliance.service.web.downloads import Downloads
from rules.model.roles import Role
from tests.crm_compliance.console.browser import ROOT, Browser, text_of
from tests.drivers.night import Night

NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)
ROLES = ("dpo", "auditor")


@pytest.fixture
def sessions(org: Night) -> Sessions:
    return Sessions(org.store.sessions, timedelta(minutes=30), timedelta(hours=10))


def test_a_session_that_is_not_used_ends(sessions: Sessions) -> None:
    token = sessions.begin("oid-1", ROLES, "Voorbeeld (fictief)", NOW)
    assert sessions.of(token, NOW + timedelta(minutes=29)) is not None
    assert sessions.of(token, NOW + timedelta(minutes=58)) is not None, "it was used meanwhile"
    assert sessions.of(token, NOW + timedelta(minutes=88)) is None
    assert sessions.of(token, NOW + timedelta(minutes=59)) is None, "what is over stays over"


def test_a_session_ends_however_much_it_is_used(sessions: Sessions) -> None:
    token = sessions.begin("oid-1", ROLES, "", NOW)
    for quarter in range(1, 40):
        assert sessions.of(token, NOW + timedelta(minutes=15 * quarter)) is not None
    assert sessions.of(token, NOW + timedelta(hours=10)) is None


def test_what_has_ended_is_removed_with_the_next_sign_in(org: Night, sessions: Sessions) -> None:
    for number in range(3):
        sessions.begin(f"oid-{number}", ROLES, "", NOW)
    token = sessions.begin("oid-9", ROLES, "", NOW + timedelta(hours=1))
    with org.store.database.reading() as connection:
        assert connection.execute(text("SELECT digest FROM sessions")).scalars().all() == [digest_of(token)]


def test_the_store_knows_neither_token_nor_name(org: Night, sessions: Sessions) -> None:
    token = sessions.begin("oid-1", ROLES, "Mieke Voorbeeld (fictief)", NOW)
    session = sessions.of(token, NOW)
    assert session is not None
    assert name_of(token, session) == "Mieke Voorbeeld (fictief)"
    assert name_of("another", session) == "oid-1"
    with org.store.database.reading() as connection:
        rows = str(connection.execute(text("SELECT * FROM sessions")).all())
    assert token not in rows
    assert "Mieke" not in rows


def test_only_a_role_of_the_token_can_be_taken(sessions: Sessions) -> None:
    token = sessions.begin("oid-1", ROLES, "", NOW)
    for wanted, expected in (("auditor", "auditor"), ("approver", "auditor"), ("service", "auditor"), ("dpo", "dpo")):
        session = sessions.of(token, NOW)
        assert session is not None
        sessions.act_as(token, session, wanted)
        after = sessions.of(token, NOW)
        assert after is not None
        assert after.role == expected


class LosingStore:
    """A store in which a session ends, or changes its role, while somebody else has just read it."""

    def __init__(self, store: Any, meanwhile: Callable[[], None]) -> None:
        self._store, self._meanwhile = store, meanwhile

    def get(self, digest: str) -> Any:
        found = self._store.get(digest)
        self._meanwhile()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_who_signs_out_while_a_page_asks_again_stays_signed_out(org: Night, sessions: Sessions) -> None:
    token = sessions.begin("oid-1", ROLES, "", NOW)
    losing = LosingStore(org.store.sessions, lambda: sessions.end(token))
    polling = Sessions(losing, timedelta(minutes=30), timedelta(hours=10))
    assert polling.of(token, NOW + timedelta(minutes=1)) is None
    assert sessions.of(token, NOW + timedelta(minutes=1)) is None


def test_a_page_that_asks_again_does_not_take_back_a_role(org: Night, sessions: Sessions) -> None:
    token = sessions.begin("oid-1", ROLES, "", NOW)
    before = sessions.of(token, NOW)
    assert before is not None
    losing = LosingStore(org.store.sessions, lambda: sessions.act_as(token, before, "auditor"))
    polled = Sessions(losing, timedelta(minutes=30), timedelta(hours=10)).of(token, NOW + timedelta(minutes=1))
    after = sessions.of(token, NOW + timedelta(minutes=1))
    assert polled is not None
    assert after is not None
    assert (polled.role, after.role, after.seen_at) == ("auditor", "auditor", NOW + timedelta(minutes=1))


def test_signing_in_begins_anew_and_signing_out_ends_it(signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.DPO)
    first = browser.client.cookies["session"]
    browser.sign_in(Role.AUDITOR)
    second = browser.client.cookies["session"]
    assert first != second
    browser.client.cookies.set("session", first, domain="127.0.0.1")
    assert browser.get("/").status_code == 303, "the one of before is over"
    browser.client.cookies.clear()
    browser.client.cookies.set("session", second)
    assert browser.post("/signout").status_code == 303
    browser.client.cookies.clear()
    browser.client.cookies.set("session", second)
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize("forged", ["", "x", "0" * 43, "../../etc", "a" * 9000])
def test_a_token_that_nobody_gave_is_nobodys(browser: Browser, forged: str) -> None:
    browser.client.cookies.set("session", forged)
    assert browser.get("/").status_code == 303


def test_a_token_that_was_fixed_before_is_not_taken(browser: Browser) -> None:
    browser.client.cookies.set("session", "fixed-by-somebody-else", domain="127.0.0.1")
    browser.sign_in(Role.DPO)
    browser.client.cookies.clear()
    browser.client.cookies.set("session", "fixed-by-somebody-else")
    assert browser.get("/").status_code == 303


def test_what_one_session_saw_no_other_has_seen_and_a_restart_forgets_none_of_it(org: Night, sessions: Sessions) -> None:
    one, two = (sessions.begin("oid-1", ROLES, "", NOW) for _ in range(2))
    sessions.note_seen(one, "item", "file")
    sessions.note_seen(one, "item", "more")
    again = Sessions(org.store.sessions, sessions.idle, sessions.longest)
    assert [again.has_seen(one, key) for key in ("item", "file", "more", "other")] == [True, True, True, False]
    assert not again.has_seen(two, "item")


def test_what_was_seen_goes_with_the_session_and_is_kept_for_none_that_has_ended(org: Night, sessions: Sessions) -> None:
    signs_out, lapses = (sessions.begin("oid-1", ROLES, "", NOW) for _ in range(2))
    for token in (signs_out, lapses):
        sessions.note_seen(token, "item")
    sessions.end(signs_out)
    sessions.note_seen(signs_out, "item")
    sessions.begin("oid-1", ROLES, "", NOW + timedelta(hours=1))
    with org.store.database.reading() as connection:
        assert connection.execute(text("SELECT * FROM seen")).all() == []


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(sessions: Sessions) -> None:
    token = sessions.begin("oid-1", ROLES, "", NOW)
    for minutes in (10, 20, 29):
        assert sessions.of(token, NOW + timedelta(minutes=minutes), is_used=False) is not None
    assert sessions.of(token, NOW + timedelta(minutes=30), is_used=False) is None


@pytest.fixture
def day(org: Night, services: Services) -> tuple[Browser, Callable[[timedelta], None]]:
    """A browser of the DPO at the running service, and what has time pass there."""
    now = [services.clock()]
    served = Services(services.settings, org.store, lambda: now[0], services.sessions)

    def passes(time: timedelta) -> None:
        now[0] += time

    return Browser(app_of(Downloads(org.store, served.clock), console=routes(served))).sign_in(Role.DPO), passes


def test_who_works_on_without_a_break_signs_in_again_after_ten_hours(day: tuple[Browser, Callable[[timedelta], None]]) -> None:
    browser, passes = day
    token = browser.token
    for _ in range(29):
        passes(timedelta(minutes=20))
        assert browser.get("/holds").status_code == 200
    passes(timedelta(minutes=20))
    answer = browser.client.post("/stop", data={"csrf": token}, headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/signin")
    assert "what you sent was not taken" in text_of(browser.page("/signin"))
    assert browser.sign_in(Role.DPO).get("/holds").status_code == 200


@pytest.mark.parametrize("headers", [{"HX-Request": "true", "X-Asks-Again": "1"}, {"Accept": "text/event-stream"}], ids=["htmx", "stream"])
def test_a_page_left_open_that_asks_again_is_signed_out(day: tuple[Browser, Callable[[timedelta], None]], headers: dict[str, str]) -> None:
    browser, passes = day
    for _ in range(2):
        passes(timedelta(minutes=14))
        assert browser.get("/plans/making", **headers).status_code == 200
    passes(timedelta(minutes=2))
    assert browser.get("/plans/making", **headers).status_code in (303, 401)
    assert "Your session has ended" in text_of(browser.page("/signin"))


def test_who_signs_out_once_the_session_has_ended_is_signed_out(day: tuple[Browser, Callable[[timedelta], None]]) -> None:
    browser, passes = day
    token = browser.token
    passes(timedelta(minutes=31))
    answer = browser.client.post("/signout", data={"csrf": token}, headers={"Sec-Fetch-Site": "same-origin", "Referer": f"{ROOT}/holds"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/signin")
    assert "You are signed out." in text_of(browser.page("/signin"))
    assert browser.client.post("/signin", data={"who": "demo-ben"}).headers["Location"] == "/", "nobody wanted a page"


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["plain", "htmx"])
def test_a_filter_that_was_chosen_as_the_session_ended_is_there_again(
    day: tuple[Browser, Callable[[timedelta], None]], headers: dict[str, str]
) -> None:
    browser, passes = day
    passes(timedelta(minutes=31))
    browser.get("/history?kind=all&from=2026-11-25", Referer=f"{ROOT}/history?kind=recordings", **headers)
    assert browser.client.post("/signin", data={"who": "demo-ben"}).headers["Location"] == "/history?kind=all&from=2026-11-25"


def test_what_a_page_asks_by_itself_as_the_session_ends_leads_back_to_the_page_as_it_was(
    day: tuple[Browser, Callable[[timedelta], None]],
) -> None:
    browser, passes = day
    passes(timedelta(minutes=31))
    asks = {"HX-Request": "true", "X-Asks-Again": "1"}
    browser.get("/datamap", Referer=f"{ROOT}/datamap?fate=mapped", **asks)
    assert browser.client.post("/signin", data={"who": "demo-ben"}).headers["Location"] == "/datamap?fate=mapped"
