"""The one rule by which things are asked for again: in virtual time, an outage costs time and nothing
else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import requests
import responses
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.retry import REPEATABLE
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.pace.backoff import BACKOFF_CAP_S, Patience
from connectors.dynamics.pace.gate import Timeline
from connectors.interface.errors import Unreachable

ROOT = "http://127.0.0.1:9/api/data/v9.2/"
OUTAGE_S = 600.0  # as long as an update of Dynamics takes


@dataclass
class Outage:
    """A CRM that does not work until so many seconds were slept."""

    until_s: float
    naps: list[float] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return sum(self.naps) >= self.until_s

    def answer(self, request: object) -> tuple[int, dict[str, str], str]:
        return (200, {}, "{}") if self.is_over else (503, {}, "")


@contextmanager
def client(outage: Outage, chance: float = 1.0, **settings: float | bool) -> Iterator[Transport]:
    environment = Environment(ROOT, **{"patience_s": 1_800.0, **settings})  # type: ignore[arg-type]
    with Transport(
        environment, StaticToken("t", ROOT), timeline=Timeline(outage.naps.append, lambda: 0.0), chance=lambda: chance
    ) as opened:
        yield opened


@given(st.lists(st.floats(0, 1), min_size=1), st.floats(0, 3_600), st.integers(0, 9))
def test_patience_makes_its_tries_lasts_as_long_as_it_should_and_ends(chances: list[float], lasting_s: float, tries: int) -> None:
    now, waits = [0.0], list[float]()
    drawn = iter(chances * 2_000)
    patience = Patience(lambda: now[0], lambda: next(drawn), tries=tries, lasting_s=lasting_s)
    while (wait_s := patience.wait_s()) is not None:
        now[0] += wait_s
        waits.append(wait_s)
    assert len(waits) >= tries
    assert lasting_s <= now[0] or len(waits) == tries
    assert now[0] <= lasting_s + BACKOFF_CAP_S * max(tries, 1)
    assert all(0.25 <= wait_s <= BACKOFF_CAP_S for wait_s in waits)


@responses.activate
@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_an_outage_of_ten_minutes_costs_a_read_ten_minutes_and_no_more(chance: float) -> None:
    outage = Outage(OUTAGE_S)
    responses.add_callback("GET", f"{ROOT}contacts", outage.answer)
    with client(outage, chance) as transport:
        assert transport.get("contacts").status == 200
    assert OUTAGE_S <= sum(outage.naps) <= OUTAGE_S + BACKOFF_CAP_S


@responses.activate
@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_sixty_answers_of_503_are_survived(chance: float) -> None:
    outage = Outage(0)
    for _ in range(60):
        responses.get(f"{ROOT}contacts", status=503)
    responses.get(f"{ROOT}contacts", json={})
    with client(outage, chance) as transport:
        assert transport.get("contacts").status == 200
    assert (len(outage.naps), sum(outage.naps) < 1_800) == (60, True)


@responses.activate
@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_writes_that_may_be_repeated_have_the_same_patience(method: str) -> None:
    outage = Outage(OUTAGE_S)
    responses.add_callback(method, f"{ROOT}rows(1)", outage.answer)
    with client(outage) as transport:
        assert transport.send(method, "rows(1)", again=REPEATABLE).status == 200
    assert sum(outage.naps) >= OUTAGE_S


@responses.activate
def test_connections_that_are_cut_are_waited_out_once_the_crm_has_answered() -> None:
    outage = Outage(OUTAGE_S)
    responses.get(f"{ROOT}first", json={})

    def cut(request: object) -> tuple[int, dict[str, str], str]:
        if not outage.is_over:
            raise requests.ConnectionError
        return 200, {}, "{}"

    responses.add_callback("GET", f"{ROOT}contacts", cut)
    with client(outage) as transport, pytest.raises(Unreachable):
        transport.get("contacts")  # nothing has ever answered there: the address is wrong
    assert sum(outage.naps) < 30
    outage.naps.clear()
    with client(outage) as transport:
        transport.get("first")
        assert transport.get("contacts").status == 200
    outage.naps.clear()
    with client(outage, is_known=True) as transport:
        assert transport.get("contacts").status == 200


@responses.activate
def test_a_crm_that_is_really_dead_is_given_up_after_the_patience_and_one_wait() -> None:
    outage = Outage(float("inf"))
    responses.add_callback("GET", f"{ROOT}contacts", outage.answer)
    with client(outage) as transport, pytest.raises(Unreachable):
        transport.get("contacts")
    assert 1_800 <= sum(outage.naps) <= 1_800 + BACKOFF_CAP_S
    outage.naps.clear()
    with client(outage, patience_s=60.0) as transport, pytest.raises(Unreachable):  # a person waits for the answer
        transport.get("contacts")
    assert sum(outage.naps) <= 60 + BACKOFF_CAP_S


@responses.activate
def test_a_program_on_this_machine_that_is_not_there_any_more_is_given_up_after_a_minute() -> None:
    outage = Outage(float("inf"))
    responses.get(f"{ROOT}first", json={})
    refused = requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "", urllib3.exceptions.NewConnectionError(None, "")))  # type: ignore[arg-type]
    responses.get(f"{ROOT}contacts", body=refused)
    with client(outage) as transport:
        transport.get("first")
        with pytest.raises(Unreachable):
            transport.get("contacts")
    assert 60 <= sum(outage.naps) <= 60 + BACKOFF_CAP_S
