"""How often one client may fail."""

from structlog.testing import capture_logs

from crm_compliance.console.access.failed_tries import FailedTries

TRIES = 5


def test_the_limit_is_for_a_minute_and_for_one_client() -> None:
    now = [0.0]
    failed = FailedTries(lambda: now[0], TRIES, "sign-in")
    assert [failed.allows("one") for _ in range(TRIES + 1)] == [True] * TRIES + [False]
    assert failed.allows("other")
    now[0] = 60.5
    assert failed.allows("one")
    assert [failed.allows(f"2001:db8::{number:x}") for number in range(TRIES + 1)] == [True] * TRIES + [False], "one network"


def test_whoever_runs_the_service_is_told_once_a_minute_and_of_no_address() -> None:
    now = [0.0]
    failed = FailedTries(lambda: now[0], TRIES, "sign-in")
    with capture_logs() as logs:
        for now[0] in (0.0, 60.5):
            for _ in range(TRIES + 3):
                failed.allows("192.0.2.7")
    assert [(line["log_level"], line["at"]) for line in logs] == [("warning", "sign-in")] * 2
    assert "192.0.2.7" not in repr(logs)
