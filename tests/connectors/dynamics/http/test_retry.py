"""What is sent again after what: one loop, and four policies. Nothing that may have happened is sent twice,
unless twice is once."""

from __future__ import annotations

import pytest

from connectors.dynamics.http import faults
from connectors.dynamics.http.answers import Answer, CertificateRefused, NotSent
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.retry import ONCE, REPEATABLE, UNTIL_CONNECTED, WHILE_THROTTLED, Again, Retry
from connectors.dynamics.pace.gate import Timeline
from connectors.interface.errors import ConnectorError, Forbidden, ReadIncomplete, Throttled, Unauthorised, Unreachable

ROOT = "http://127.0.0.1:9/api/data/v9.2/"
DEADLOCK = b'{"error": {"code": "0x80044150"}}'
OUTCOMES: dict[str, Answer | ConnectorError] = {
    "no connection": NotSent("refused"),
    "a connection that is cut": Unreachable("cut"),
    "an answer that breaks off": ReadIncomplete("broken"),
    "a certificate that we refuse": CertificateRefused("whose?"),
    "no token": Unauthorised("no"),
    "no privilege": Forbidden("no"),
    "a pause that is too long": Throttled("later"),
    "429": Answer(429, {"Retry-After": "7"}, b"", ""),
    "503": Answer(503, {}, b"", ""),
    "503 with a wait": Answer(503, {"Retry-After": "9"}, b"", ""),
    "408": Answer(408, {}, b"", ""),
    "a deadlock": Answer(500, {}, DEADLOCK, ""),
    "500": Answer(500, {}, b"", ""),
    "403": Answer(403, {}, b"", ""),
    "404": Answer(404, {}, b"", ""),
    "200": Answer(200, {}, b"", ""),
}
PASSING = {"503", "503 with a wait", "408", "a deadlock"}
SENT_AGAIN: dict[str, tuple[Again, set[str]]] = {
    "once": (ONCE, set()),
    "a batch, until there is a connection": (UNTIL_CONNECTED, {"no connection"}),
    "the start of a job, while it is throttled": (WHILE_THROTTLED, {"429"}),
    "what may be done twice": (REPEATABLE, {"no connection", "a connection that is cut", "an answer that breaks off", "429", *PASSING}),
}
DONE = Answer(204, {}, b"", "")


def looped(outcomes: list[Answer | ConnectorError], again: Again, naps: list[float], **settings: float) -> Answer | ConnectorError:
    """How something ends that is sent and comes to these in turn; the last one stays."""
    left = iter(outcomes)

    def attempt() -> Answer:
        outcome = next(left, outcomes[-1])
        if isinstance(outcome, ConnectorError):
            raise outcome
        return outcome

    environment = Environment(ROOT, **settings)  # type: ignore[arg-type]
    retry = Retry(environment, Timeline(naps.append, lambda: 0.0), lambda: 1.0, lambda **counts: None)
    try:
        return retry.until_answered(attempt, again)
    except ConnectorError as failure:
        return failure


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("policy", SENT_AGAIN)
def test_what_is_sent_again_is_what_the_policy_says(policy: str, outcome: str) -> None:
    again, after = SENT_AGAIN[policy]
    naps: list[float] = []
    end = looped([OUTCOMES[outcome], DONE], again, naps)
    assert (end is DONE, len(naps)) == ((True, 1) if outcome in after else (False, 0))
    if outcome not in after:
        assert end is OUTCOMES[outcome]


def test_an_answer_that_is_no_fault_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of rows would be decoded once more for nothing, which costs a third of reading it."""
    monkeypatch.setattr(faults, "fault", lambda status, body: pytest.fail("looked into"))
    assert not REPEATABLE.after_answer(Answer(200, {}, DEADLOCK, ""))


@pytest.mark.parametrize(("outcome", "nap"), [("429", 7.0), ("503 with a wait", 9.0), ("503", 0.5), ("no connection", 0.5)])
def test_the_crm_says_how_long_or_the_waits_double(outcome: str, nap: float) -> None:
    naps: list[float] = []
    looped([OUTCOMES[outcome], DONE], REPEATABLE, naps)
    assert naps == [nap]


def test_a_batch_has_a_few_tries_even_while_an_outage_lasts() -> None:
    """HLD-07: whoever decided on it looks again first."""
    naps: list[float] = []
    end = looped([OUTCOMES["no connection"]], UNTIL_CONNECTED, naps, is_known=True, retries=4, patience_s=1_800.0)
    assert isinstance(end, NotSent)
    assert naps == [0.5, 1.0, 2.0, 4.0]


def test_what_is_throttled_for_longer_than_may_be_waited_ends_with_the_answer() -> None:
    naps: list[float] = []
    end = looped([OUTCOMES["429"]], WHILE_THROTTLED, naps, max_wait_s=15.0)
    assert end is OUTCOMES["429"]
    assert naps == [7.0, 7.0]
