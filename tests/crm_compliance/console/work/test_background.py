"""What goes on for people: one act for a subject, told whatever becomes of the service."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from crm_compliance.console.work.act_under_way import Ended, Work
from crm_compliance.console.work.background import KEPT, Background
from rules.errors import Refused
from tests.drivers.night import Night

NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)


def work(subject: str = "request-1", at: datetime = NOW) -> Work:
    return Work(subject, "match", "demo-ben", at)


def fails() -> Ended:
    raise Refused("nothing is left", hint="begin again", where="request-1", code="erased")


def test_how_an_act_ended_is_still_known_after_a_restart(org: Night) -> None:
    before, after = Background(org.store.works), Background(org.store.works)
    assert before.begin(work(), lambda: Ended("request_searched"), patience_s=20).is_over
    before.begin(work("request-2"), fails, patience_s=20)
    first, second = after.of("request-1"), after.of("request-2")
    assert first is not None
    assert (first.is_over, first.note, first.who, first.error) == (True, "request_searched", "demo-ben", None)
    assert second is not None
    assert second.error is not None
    assert (str(second.error), second.error.code, second.error.exit_code) == ("nothing is left", "erased", 5)
    after.forget(first)
    assert Background(org.store.works).of("request-1") is None


def test_what_a_restart_has_cut_off_is_told_and_may_begin_again(org: Night) -> None:
    before, after, go_on = Background(org.store.works), Background(org.store.works), threading.Event()
    going = before.begin(work(), lambda: Ended(str(go_on.wait(60))), patience_s=0)
    with pytest.raises(Refused) as refused:
        before.begin(work(), Ended)
    assert refused.value.code == "busy"
    found = after.of("request-1")
    assert found is not None
    assert (found.is_over, getattr(found.error, "code", None)) == (True, "cut_off")
    assert after.begin(work(), lambda: Ended("again"), patience_s=20).note == "again"
    go_on.set()
    assert going.wait(20)


def test_what_nobody_comes_to_look_at_is_not_kept_for_ever(org: Night) -> None:
    background = Background(org.store.works)
    background.begin(work(), Ended, patience_s=20)
    background.begin(work("request-2", NOW + KEPT + timedelta(seconds=1)), Ended, patience_s=20)
    assert org.store.works.get("request-1") is None
