"""How often one client may fail."""

from crm_compliance.console.access.failed_tries import FailedTries

TRIES = 5


def test_the_limit_is_for_a_minute_and_for_one_client() -> None:
    now = [0.0]
    failed = FailedTries(lambda: now[0], TRIES)
    assert [failed.allows("one") for _ in range(TRIES + 1)] == [True] * TRIES + [False]
    assert failed.allows("other")
    now[0] = 60.5
    assert failed.allows("one")
    assert [failed.allows(f"2001:db8::{number:x}") for number in range(TRIES + 1)] == [True] * TRIES + [False], "one network"
