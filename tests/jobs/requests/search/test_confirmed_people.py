"""Whom a request is about, once somebody has said so."""

from __future__ import annotations

import pytest

from jobs.register.confirmed_people import confirmed_people
from jobs.register.transitions import close
from rules.errors import Refused
from rules.model.requests import Right
from tests.drivers.deciding import ask, dora
from tests.drivers.night import Night


def test_who_works_on_a_request_that_somebody_else_closes_is_told_that_it_is_closed(night: Night) -> None:
    request = ask(night, Right.ACCESS, "00000000-0000-4000-8000-000000000001")
    assert confirmed_people(night.store, request.id).requester == {"00000000-0000-4000-8000-000000000001"}
    close(dora(night), request.id, "WITHDRAWN")
    with pytest.raises(Refused, match="is closed") as told:
        confirmed_people(night.store, request.id)
    assert told.value.code == "state"
