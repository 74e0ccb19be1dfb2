"""What is told of a request is told with what it tells of, wherever a round is killed. Everybody is
fictitious."""

from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from jobs.register import transitions
from jobs.requests.decisions.carry_out import fulfil_all
from rules.model.requests import Outcome, RequesterKind, Right
from tests.drivers.deciding import ask, close, compile_, context_of, decide, dora, release
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.jobs.runs.kill_points import Killed
from tests.meanwhile import between


def killed_at(night: Night, monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    """A round that is killed before the register or the ledger is written for the n-th time, and the next
    one."""
    passed = count(1)

    def or_die(write: Any) -> Any:
        def written(*what: Any, **more: Any) -> None:
            if next(passed) == moment:
                raise Killed
            write(*what, **more)

        return written

    with monkeypatch.context() as killing:
        killing.setattr(night.store.requests, "save", or_die(night.store.requests.save))
        killing.setattr(night.store.ledger, "append", or_die(night.store.ledger.append))
        with suppress(Killed):  # it may have ended before
            fulfil_all(context_of(night))
    fulfil_all(context_of(night))


def told(night: Night, kind: str, **data: str) -> int:
    """How often the ledger tells this."""
    return sum(entry.kind == kind and data.items() <= entry.data.items() for entry in night.store.ledger.entries())


@pytest.mark.parametrize("moment", range(1, 5))
def test_rgt07_what_has_lapsed_is_told_and_ends_the_request(night: Night, monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    """Nothing had been done, and the register said that it had."""
    child, mother = night.contact(birthdate="2008-11-28"), night.contact(firstname="Ilse", lastname="Wouters (fictief)")
    night.party(child, "child", dossier=night.dossier("sexting", closed=False))
    access = ask(night, Right.ACCESS, child)
    request = ask(night, Right.ERASURE, mother, child=child, kind=RequesterKind.PARENT_FOR_CHILD)
    compile_(night, request)
    decide(night, request)
    assert release(night, request) is None, "the child's own request is answered first (R-078)"
    night.clock.advance(days=3)
    close(night, access)
    killed_at(night, monkeypatch, moment)
    assert night.store.requests.get(request.id).outcome is Outcome.MANDATE_LAPSED
    assert told(night, "request", request=request.id, step="lapse") == 1


@pytest.mark.parametrize("moment", range(1, 7))
def test_what_was_granted_and_is_done_is_told(night: Night, monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    child = night.contact(birthdate="2005-05-05")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    access = ask(night, Right.ACCESS, child)
    request = ask(night, Right.ERASURE, child)
    compile_(night, request)
    decide(night, request)
    assert release(night, request) is None
    close(night, access)
    killed_at(night, monkeypatch, moment)
    assert night.get("cf_dossiers", dossier) is None
    assert told(night, "request_fulfilled", request=request.id) == 1


@pytest.mark.parametrize("moment", range(1, 5))
def test_what_takes_effect_at_once_and_could_not_is_told_once_it_has(night: Night, monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    donor = night.contact(cf_newsletter=True)
    night.donation(donor)
    request = ask(night, Right.OBJECTION, donor)
    compile_(night, request)
    set_faults(night.emulator, {"match": {"method": "PATCH", "path": "contacts"}, "times": 99, "do": "status", "status": 403})
    decide(night, request)
    release(night, request)
    set_faults(night.emulator)
    killed_at(night, monkeypatch, moment)
    assert (night.get("contacts", donor) or {})["cf_newsletter"] is False
    assert told(night, "request_fulfilled", request=request.id) == 1


@pytest.mark.parametrize("looked", ["kept_items", "merged_into"])
def test_what_is_withdrawn_while_the_round_looks_at_it_takes_no_effect(night: Night, monkeypatch: pytest.MonkeyPatch, looked: str) -> None:
    """The CRM was away when it was decided; it is looked at before its release, and after it."""
    donor = night.contact(cf_newsletter=True)
    night.donation(donor)
    request = ask(night, Right.OBJECTION, donor)
    compile_(night, request)
    set_faults(night.emulator, {"match": {"method": "PATCH", "path": "contacts"}, "times": 99, "do": "status", "status": 403})
    decide(night, request)
    if looked == "merged_into":
        release(night, request)
    set_faults(night.emulator)
    between(monkeypatch, f"jobs.requests.decisions.carry_out.{looked}", lambda: transitions.close(dora(night), request.id, "WITHDRAWN"))
    assert fulfil_all(context_of(night)) == {}
    assert night.store.requests.get(request.id).outcome == "WITHDRAWN"
    assert (night.get("contacts", donor) or {})["cf_newsletter"] is True
