"""contract 3.1: what the emulator says when it is ready, and what a reset empties."""

import re
from collections.abc import Callable

from tests.independent.conformance.served import Served
from tests.web_api import WebApi


def test_one_line_says_that_it_is_ready(served: Served) -> None:
    """contract: 'Prints one line `emulator ready <Web API root>` on stdout once it accepts requests; --port 0
    picks a free port'."""
    assert re.fullmatch(r"emulator ready http://127\.0\.0\.1:\d+/api/data/v9\.2/\n", served.line)


def test_a_reset_empties_all(crm: WebApi, switches: Callable[[object], object]) -> None:
    """contract: 'POST reset {"empty": true}'; also what was counted a while ago."""
    counted = "RetrieveTotalRecordCount(EntityNames=['cf_engagement'])"
    switches({"stale_counts": True})
    crm.create("cf_engagements", cf_name="weg")
    assert crm.row(counted)["EntityRecordCountCollection"]["Values"] == [1]
    crm.control("POST", "reset", {"empty": True})
    assert crm.row(counted)["EntityRecordCountCollection"]["Values"] == [0]
    assert crm.rows("cf_engagements") == []
    assert crm.rows("audits") == []
    assert crm.get("WhoAmI").status_code == 200
