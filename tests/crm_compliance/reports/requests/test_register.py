"""One request on a screen."""

from datetime import date
from io import StringIO

from rich.console import Console

from crm_compliance.reports.requests.register import print_request
from rules.dates.calendar import BELGIAN


def test_hours_are_those_of_the_people_who_read_them() -> None:
    """DAT-01; for programs they stand in UTC, with `--json`."""
    document = {
        "request": "request-0a", "right": "access", "state": "released", "outcome": None, "refusal": None, "due_on": "2026-12-30",
        "received_on": "2026-11-30", "identity": None, "alarms": [], "misdelivered_at": None, "closed_at": None, "downloads": 0,
        "delivered_at": "2026-11-30T23:30:15.126510Z", "link_until": "2026-12-14T23:30:15.126510Z",
        "approvals": [{"step": "release", "as": "erik", "role": "approver", "at": "2026-11-30T23:30:15.126510Z"}],
    }  # fmt: skip
    print_request(document, Console(file=(screen := StringIO())), BELGIAN, following="", today=date(2026, 12, 1))
    assert "release: erik as approver, 2026-12-01 00:30\n" in screen.getvalue()
    assert "the link works until 2026-12-15 00:30; downloads: 0" in screen.getvalue()
