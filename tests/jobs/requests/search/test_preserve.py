"""A pending request keeps all that may be about the person, from the receipt to the end of the grace
(HLD-08)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import event

from connectors.interface.errors import ConnectorError
from jobs.model.plan import Kind
from jobs.model.request import GIVEN, PRESERVED, Preserved
from jobs.plans.make import make_plan
from jobs.register.transitions import close
from jobs.requests.search.preserve import LookedUp, StoredRequests, preserve, preserved_of
from jobs.runs.apply import apply_plan
from rules.errors import Refused
from tests.drivers.deciding import dora
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.requesting import ASKER, changed, person, registered

LONG_AGO = date(2020, 1, 10)


def expired_dossier_of(night: Night, contact: str, role: str = "reporter") -> str:
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    night.party(contact, role, dossier=dossier)
    return dossier


def reasons(night: Night) -> dict[str, str]:
    return {row: line.reason for row, line in night.lines(night.plan()).items() if line.table == "cf_dossier"}


def test_a_request_that_was_only_stored_keeps_what_the_next_plan_finds(night: Night) -> None:
    """A process that was killed between the receipt and the lookup."""
    mine, other = expired_dossier_of(night, night.contact(**ASKER)), night.dossier("social_card", spoken=LONG_AGO)
    request = registered(night)
    assert night.store.requests.part(request.id, PRESERVED) is None
    assert reasons(night) == {mine: "HOLD_REQUEST", other: "EXPIRED"}
    assert night.store.requests.part(request.id, PRESERVED) is not None


def test_what_all_requests_keep_is_read_together(night: Night) -> None:
    """Every group of a run asks, several times: it takes as many statements for one request as for many."""

    def statements(requests: int) -> int:
        made = [registered(night) for _ in range(requests)]
        stored = StoredRequests(night.context)
        assert len(stored.preserving(LONG_AGO)) >= requests
        asked: list[str] = []
        listening = (night.store.database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
        event.listen(*listening)
        kept = {each.request for each in stored.preserving(LONG_AGO)}
        event.remove(*listening)
        assert kept >= {request.id for request in made}
        return len(asked)

    expired_dossier_of(night, night.contact(**ASKER))
    assert statements(1) == statements(6)


def test_a_weak_match_is_kept_and_so_is_a_suspect(night: Night) -> None:
    """Confirmed or not: a name alone is enough, whatever the role."""
    dossier = expired_dossier_of(night, night.contact(**ASKER, birthdate="1985-07-30"), "suspect")
    registered(night, given=person(**ASKER, birthdate="1961-01-01"))
    assert reasons(night) == {dossier: "HOLD_REQUEST"}


def test_the_child_is_kept_too(night: Night) -> None:
    child = person(firstname="Kind", lastname="Voorbeeld (fictief)", birthdate="2012-05-08")
    dossier = expired_dossier_of(night, night.contact(firstname="Kind", lastname="Voorbeeld (fictief)", birthdate="2012-05-08"), "child")
    registered(night, requester_kind="parent_for_child", on_behalf_of=child)
    assert reasons(night) == {dossier: "HOLD_REQUEST"}


def test_r073_the_last_day_is_the_closing_day_and_the_grace(make_night: Callable[..., Night]) -> None:
    """R-073: closed on 2026-04-10, kept on 2026-05-10, due on 2026-05-11."""
    night = make_night(datetime(2026, 4, 10, 9, tzinfo=UTC))
    dossier = expired_dossier_of(night, night.contact(**ASKER))
    request = registered(night)
    preserve(night.context, request)
    close(dora(night), request.id, "WITHDRAWN")
    for moment, reason in (
        (datetime(2026, 5, 10, 21, 59, 59, tzinfo=UTC), "HOLD_REQUEST"),
        (datetime(2026, 5, 10, 22, tzinfo=UTC), "EXPIRED"),
    ):
        night.clock.now = moment
        assert reasons(night) == {dossier: reason}


def test_a_request_that_comes_between_plan_and_apply_wins(night: Night) -> None:
    """HLD-07, R-077."""
    dossier = expired_dossier_of(night, night.contact(**ASKER))
    plan = night.plan()
    registered(night)
    run = night.apply(plan)
    assert run.counts["skipped"] == {"HOLD_REQUEST": 2}  # the dossier and the contact
    assert night.get("cf_dossiers", dossier) is not None


def test_a_request_that_comes_during_a_run_is_looked_up_by_that_run(night: Night) -> None:
    """The same register that has asked once notices a request that was not there yet."""
    night.contact(**ASKER)
    register = StoredRequests(night.context)
    assert register.preserving(date(2026, 10, 1)) == ()
    registered(night)
    (hold,) = register.preserving(date(2026, 10, 1))
    assert len(hold.contacts) == 1


def test_those_who_share_what_was_looked_up_look_again_when_it_is_old(night: Night) -> None:
    """Questions about one unit after another: all contacts are read once in ten minutes, and for a request
    that was not there yet. A plan shares nothing."""
    shared = LookedUp(timedelta(minutes=10))

    def kept() -> list[int]:
        return [len(hold.contacts) for hold in StoredRequests(night.context, shared).preserving(LONG_AGO)]

    night.contact(**ASKER)
    registered(night)
    assert kept() == [1]
    night.contact(**ASKER)
    night.clock.advance(minutes=9)
    assert kept() == [1]
    registered(night)
    assert sorted(kept()) == [1, 2]
    night.clock.advance(minutes=1)
    assert kept() == [2, 2]
    night.contact(**ASKER)
    assert kept() == [2, 2]
    night.clock.advance(minutes=-30)
    assert kept() == [3, 3], "a clock that went back says nothing of how old it is"
    night.contact(**ASKER)
    assert [len(hold.contacts) for hold in StoredRequests(night.context).preserving(LONG_AGO)] == [4, 4]


def test_what_was_kept_once_stays_kept(night: Night) -> None:
    """Doubt keeps: a contact that is called otherwise by now was there at the receipt."""
    contact = night.contact(**ASKER)
    request = registered(night)
    first = preserve(night.context, request)
    night.patch("contacts", contact, firstname="Anders", lastname="Genoemd (fictief)")
    newcomer = night.contact(**ASKER)
    again = preserve(night.context, request)
    assert first.contacts == (contact,)
    assert set(again.contacts) == {contact, newcomer}


def test_a_lookup_that_fails_stops_plan_and_apply(night: Night) -> None:
    """Never an empty hold."""
    expired_dossier_of(night, night.contact(**ASKER))
    plan = night.plan()
    request = registered(night)
    set_faults(night.emulator, {"match": {"path": "contacts"}, "times": 1000, "do": "status", "status": 403})
    writes = night.writes()
    with pytest.raises(ConnectorError):
        make_plan(night.context, Kind.ALL)
    with pytest.raises(ConnectorError):
        apply_plan(night.context, plan.id)
    assert night.writes() == writes
    assert preserved_of(night.context, request.id) is None
    assert [each.id for each in night.store.plans.all()] == [plan.id]


def test_without_what_the_person_said_the_old_lookup_counts_and_without_both_nothing_is_planned(night: Night) -> None:
    contact = night.contact(**ASKER)
    request = registered(night)
    preserve(night.context, request)
    changed(night, request.id, {GIVEN: None})
    assert preserve(night.context, night.store.requests.get(request.id)).contacts == (contact,)
    changed(night, request.id, {PRESERVED: None})
    with pytest.raises(Refused) as caught:
        night.plan()
    assert (caught.value.code, caught.value.where) == ("not_frozen", request.id)


def test_many_requests_are_looked_up_in_one_reading(night: Night) -> None:
    contact = night.contact(**ASKER)
    requests = [registered(night) for _ in range(4)]

    def reads() -> int:
        return int(night.emulator.stats()["operations"]["read"])

    start = reads()
    preserve(night.context, requests[0])
    one = reads() - start
    held = replace(night.context).requests.preserving(night.clock().date())
    assert [hold.contacts for hold in held] == [(contact,)] * 4
    assert reads() - start == 2 * one


def test_a_row_that_somebody_moves_meanwhile_is_kept_all_the_same(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    night.contact(**ASKER)
    request = registered(night)
    stale = msgspec.structs.replace(request, language="fr")
    assert preserve(night.context, stale).contacts
    assert preserved_of(night.context, request.id) is not None
    assert night.store.requests.get(request.id) == request


def test_a_closed_request_is_not_looked_up_any_more(night: Night) -> None:
    """What it kept is all it keeps, and no link to anybody is made again."""
    dossier = expired_dossier_of(night, night.contact(**ASKER))
    request = registered(night)
    preserved = Preserved(contacts=(), rows=(), at=night.clock())
    changed(night, request.id, {PRESERVED: msgspec.json.encode(preserved)})
    close(dora(night), request.id, "WITHDRAWN")
    night.clock.now += timedelta(days=1)
    assert reasons(night) == {dossier: "EXPIRED"}
    assert replace(night.context).requests.preserving(night.clock().date()) == ()
