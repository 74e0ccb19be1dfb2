"""contract 3.1: how the emulator is started, and 1.2: on-premises."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.independent.conformance.served import Crm, Served, error, new_id

pytestmark = pytest.mark.row(1, 3, 20)
Start = Callable[..., Served]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def run(*options: str) -> Served:
            process = Served("--empty", *options)
            stack.callback(process.stop)
            return process

        yield run


@pytest.fixture(scope="module")
def guarded(start: Start) -> Served:
    return start("--token", "geheim", "--limits", "off")


@pytest.fixture(scope="module")
def on_premises(start: Start) -> Served:
    return start("--profile", "onprem")


def test_one_line_says_that_it_is_ready(served: Served) -> None:
    """contract: 'Prints one line `emulator ready <Web API root>` on stdout once it accepts requests; --port 0
    picks a free port'."""
    assert re.fullmatch(r"emulator ready http://127\.0\.0\.1:\d+/api/data/v9\.2/\n", served.line)


def test_a_fixed_token_is_the_only_one(guarded: Served) -> None:
    """contract: '--token T: only T and unexpired tokens of its own endpoint are accepted'; '/_emulator/ needs
    no token'."""
    form = {"grant_type": "client_credentials", "client_id": new_id(), "client_secret": "s", "scope": guarded.origin + "/.default"}
    made = requests.post(f"{guarded.origin}/t/oauth2/v2.0/token", data=form, timeout=10).json()["access_token"]
    assert [Crm(guarded.root, token).get("WhoAmI").status_code for token in ("geheim", made, "ander")] == [200, 200, 401]
    control = Crm(guarded.root, "ander")
    control.control("PUT", "clock", {"advance_s": 3700})
    assert [Crm(guarded.root, token).get("WhoAmI").status_code for token in ("geheim", made)] == [200, 401]


def test_a_state_file_keeps_rows_over_a_restart(start: Start, tmp_path: Path) -> None:
    """contract: '--state FILE keeps the rows over a restart'."""
    first = start("--state", str(tmp_path / "org.db"))
    crm = Crm(first.root)
    row = crm.create("contacts", firstname="Lien", lastname="Blijft (fictief)", overriddencreatedon="2011-01-01T00:00:00Z")
    record = crm.create("cf_recordings", cf_name="R")
    crm.send(
        "PATCH",
        f"cf_recordings({record})/cf_media",
        data=b"x",
        headers={"Content-Type": "application/octet-stream", "x-ms-file-name": "a.mp3"},
    )
    before = crm.one(f"contacts({row})")
    first.stop()
    again = Crm(start("--state", str(tmp_path / "org.db")).root)
    after = again.one(f"contacts({row})")
    assert {name: text for name, text in after.items() if name != "@odata.context"} == {
        n: t for n, t in before.items() if n != "@odata.context"
    }
    assert again.get(f"cf_recordings({record})/cf_media/$value").content == b"x"
    again.patch(f"contacts({row})", {"firstname": "Nieuw"})
    assert int(again.one(f"contacts({row})")["versionnumber"]) > int(before["versionnumber"])


def test_limits_may_be_off_from_the_start(guarded: Served) -> None:
    """contract: '--limits on|off'."""
    crm = Crm(guarded.root, "geheim")
    assert crm.control("GET", "limits")["on"] is False
    assert crm.get("WhoAmI").status_code == 200


def test_on_premises_is_another_kind(on_premises: Served) -> None:
    """1.2: 'v9.1 in the on-prem docs; do not send v9.2'; no 429; 'innererror frequently present';
    'IsChunkingSupported false'."""
    assert on_premises.root.endswith("/api/data/v9.1/")
    crm = Crm(on_premises.root)
    answer = crm.get("WhoAmI")
    assert answer.status_code == 200
    assert "x-ms-ratelimit-burst-remaining-xrm-requests" not in answer.headers
    assert crm.get(f"{on_premises.origin}/api/data/v9.2/WhoAmI").status_code >= 400
    inner = crm.get(f"contacts({new_id()})").json()["error"]["innererror"]
    assert {"message", "type", "stacktrace"} <= set(inner)
    record = crm.create("cf_recordings", cf_name="R")
    crm.send(
        "PATCH",
        f"cf_recordings({record})/cf_media",
        data=b"abc",
        headers={"Content-Type": "application/octet-stream", "x-ms-file-name": "a.mp3"},
    )
    assert crm.get(f"cf_recordings({record})/cf_media/$value").content == b"abc"
    assert error(crm.get(f"cf_recordings({record})/cf_media/$value", {"Range": "bytes=0-1"})) == (400, "0x80090017")
    challenges = requests.get(on_premises.root + "WhoAmI", timeout=10).headers["WWW-Authenticate"]
    assert "/adfs/" in challenges


@pytest.mark.parametrize(("name", "status"), [("on_premises", 200), ("served", 400)])
def test_audit_purges_are_to_the_day_on_premises(request: pytest.FixtureRequest, name: str, status: int) -> None:
    """1.2: 'DeleteAuditData … SQL Standard: deletes rows up to EndDate'; online whole quarterly
    partitions."""
    crm = Crm(request.getfixturevalue(name).root)
    crm.control("PUT", "clock", {"now": "2026-05-10T12:00:00Z"})
    row = crm.create("cf_fiches", cf_name="F")
    crm.control("PUT", "clock", {"now": "2026-05-20T12:00:00Z"})
    answer = crm.post("DeleteAuditData", {"EndDate": "2026-05-15T00:00:00Z"})
    crm.control("PUT", "clock", {"real": True})
    assert answer.status_code == status, answer.text
    assert (crm.rows("audits", filter=f"_objectid_value eq {row}") == []) is (name == "on_premises")


def test_a_clock_can_stand_move_and_be_real_again(crm: Crm) -> None:
    """contract: 'PUT clock {"now": INSTANT} | {"advance_s": N} | {"real": true}'."""
    crm.control("PUT", "clock", {"now": "2020-02-29T10:00:00Z"})
    row = crm.create("contacts", lastname="Tijd (fictief)")
    crm.control("PUT", "clock", {"advance_s": 3600})
    crm.patch(f"contacts({row})", {"firstname": "x"})
    told = crm.one(f"contacts({row})")
    crm.control("PUT", "clock", {"real": True})
    assert (told["createdon"][:19], told["modifiedon"][:16]) == ("2020-02-29T10:00:00", "2020-02-29T11:00")


def test_a_reset_empties_all(crm: Crm, switches: Callable[[object], object]) -> None:
    """contract: 'POST reset {"empty": true}'; also what was counted a while ago."""
    counted = "RetrieveTotalRecordCount(EntityNames=['cf_engagement'])"
    switches({"stale_counts": True})
    crm.create("cf_engagements", cf_name="weg")
    assert crm.one(counted)["EntityRecordCountCollection"]["Values"] == [1]
    crm.control("POST", "reset", {"empty": True})
    assert crm.one(counted)["EntityRecordCountCollection"]["Values"] == [0]
    assert crm.rows("cf_engagements") == []
    assert crm.rows("audits") == []
    assert crm.get("WhoAmI").status_code == 200
