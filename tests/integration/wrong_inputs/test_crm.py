"""A CRM that is not there, refuses, lapses, is busy or dies: what the commands say, and what they leave."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
import responses

from connectors.emulator.serving.server import RunningEmulator
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.typist import Typist, without_first_look
from tests.integration.wrong_inputs.refusing import nothing_happens

pytestmark = pytest.mark.usefixtures("naps", "real_definitions")  # each of them may be refused

GET = {"method": "GET"}
ENTRA = re.compile(r"https://login\.microsoftonline\.com/.*")
FICHES = {"method": "GET", "path": "*/cf_fiches*"}


def test_a_crm_that_is_not_there(typist: Typist, org: Night) -> None:
    typist.set(CRM_URL="http://127.0.0.1:9/api/data/v9.2/")
    for arguments in (["plan"], ["run", "retention"], ["doctor", "--read", "cf_fiches"]):
        error = nothing_happens(org, typist, 4, *arguments)
        assert "cannot be connected" in error["message"]
        assert error["hint"]


@pytest.mark.parametrize("command", ["plan", "run retention", "why cf_dossier 00000000-0000-0000-0000-000000000001"])
def test_a_wrong_token(typist: Typist, org: Night, command: str) -> None:
    typist.set(CRM_TOKEN="wrong")
    error = nothing_happens(org, typist, 4, *command.split())
    assert error["code"] == "crm_unauthorised"
    assert "wrong" not in str(error)


@pytest.mark.parametrize("nth", [1, 5, 12])
def test_a_static_token_that_lapses_cannot_be_renewed(typist: Typist, org: Night, emulator: RunningEmulator, nth: int) -> None:
    set_faults(emulator, {"match": {"path": "/api/data/", "nth": nth}, "do": "expire_token"})
    assert nothing_happens(org, typist, 4, "plan")["code"] == "crm_unauthorised"


def test_a_token_of_entra_id_that_lapses_in_the_middle_of_a_night_is_renewed(typist: Typist, org: Night, emulator: RunningEmulator) -> None:
    """Sign-in through MSAL at the emulator's own token endpoint, in the place of Entra ID's; each request may
    find the token lapsed."""
    typist.unset("CRM_TOKEN")
    typist.set(CRM_TENANT_ID="tenant", CRM_CLIENT_ID="00000000-1111-2222-3333-444444444444", CRM_CLIENT_SECRET="secret")
    asked: list[str] = []

    def forwarded(request: Any) -> tuple[int, dict[str, str], bytes]:
        path = request.url.split("login.microsoftonline.com", 1)[1]
        asked.append(path)
        body = request.body.encode() if isinstance(request.body, str) else request.body
        with urlopen(Request(emulator.root + path, data=body, method=request.method), timeout=10) as answer:
            return (
                answer.status,
                {"Content-Type": "application/json"},
                answer.read().replace(emulator.root.encode(), b"https://login.microsoftonline.com"),
            )

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_passthru(emulator.root)
        for method in ("GET", "POST"):
            mock.add_callback(method, url=ENTRA, callback=forwarded)
        plan = typist.ask("plan")["plan"]
        set_faults(emulator, *({"match": {"path": "/api/data/", "nth": nth}, "do": "expire_token"} for nth in (2, 40)))
        tokens = len(asked)
        done = typist.ask("apply", plan)
    assert (done["state"], done["deleted"], done["anonymised"]) == ("done", 4, 1)
    assert len(asked) > tokens


@pytest.mark.parametrize(
    ("fault", "part"),
    [
        ({"match": FICHES, "do": "status", "status": 403}, "refuses access"),
        ({"match": FICHES, "do": "status", "status": 404}, "404"),
        ({"match": FICHES, "do": "status", "status": 500}, "500"),
        ({"match": FICHES, "do": "status", "status": 503, "html": True}, "503"),
        ({"match": FICHES, "do": "truncate"}, "broke off"),
        ({"match": FICHES, "do": "lose_row"}, "rows"),
        ({"match": FICHES, "do": "duplicate_row"}, "twice"),
        ({"match": FICHES, "do": "cut_after"}, "broke off"),
        ({"match": {"method": "GET", "path": "*EntityDefinitions*"}, "do": "status", "status": 403}, "refuses access"),
    ],
    ids=["403", "404", "500", "503", "truncate", "lose_row", "duplicate_row", "cut_after", "metadata 403"],
)
def test_a_table_that_cannot_be_read_whole(typist: Typist, org: Night, emulator: RunningEmulator, fault: dict[str, Any], part: str) -> None:
    """A read that failed is never taken for "nothing there"."""
    set_faults(emulator, fault)
    error = nothing_happens(org, typist, 4, "plan")
    assert part in error["message"]
    assert error["where"] == "cf_fiche" or fault["match"] != FICHES
    assert nothing_happens(org, typist, 4, "run", "retention")["message"]
    set_faults(emulator)
    without_first_look(typist)
    assert typist.ask("run", "retention")["deleted"] == 3


@pytest.mark.parametrize("do", ["lose_row", "duplicate_row", "truncate", "cut_after", "cut_before"])
def test_trouble_that_passes_is_read_over(typist: Typist, org: Night, emulator: RunningEmulator, do: str) -> None:
    expected = lines_of_a_plan(typist)
    set_faults(emulator, {"match": FICHES, "times": 1, "do": do})
    assert lines_of_a_plan(typist) == expected


def lines_of_a_plan(typist: Typist) -> str:
    file = typist.folder / "plan.jsonl"
    typist.ask("plan", "--output", file)
    return file.read_text(encoding="utf-8")


def test_a_crm_that_is_busy_is_waited_for(typist: Typist, org: Night, emulator: RunningEmulator, naps: list[float]) -> None:
    set_faults(emulator, {"match": {"path": "/api/data/", "every": 4}, "times": 6, "do": "status", "status": 429, "retry_after": 7})
    plan = typist.ask("plan")
    assert plan["dispose"] == {"delete": 4, "anonymise": 1}
    assert 7.0 in naps
    assert typist.ask("apply", plan["plan"])["state"] == "done"


def test_a_crm_that_stays_busy_ends_the_night(typist: Typist, org: Night, emulator: RunningEmulator, naps: list[float]) -> None:
    set_faults(emulator, {"match": FICHES, "do": "status", "status": 429, "retry_after": 100_000})
    assert nothing_happens(org, typist, 4, "plan")["code"] == "crm_throttled"
    assert sum(naps) <= 1800


def test_rows_that_a_missing_privilege_hides(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account without organisation-wide read sees empty tables and gets no error; the CRM's own count
    tells."""
    from connectors.dynamics.reading.reader import Reader

    before = Reader.pages

    def blind(self: Reader[Any], condition: str = "") -> Iterator[Any]:
        yield from (page for page in before(self, condition) if self._table != "cf_dossier")

    monkeypatch.setattr(Reader, "pages", blind)
    error = nothing_happens(org, typist, 4, "plan")
    assert "read access" in error["hint"]
    checks = typist.type("doctor", "--json")
    assert (checks.code, [check["name"] for check in checks.document["checks"] if not check["ok"]]) == (4, ["visibility"])


def test_a_crm_that_dies_in_the_middle_of_applying_leaves_a_run_to_go_on_with(
    typist: Typist, org: Night, emulator: RunningEmulator
) -> None:
    plan = typist.ask("plan")["plan"]
    set_faults(emulator, {"match": {"method": "GET", "path": "*/contacts*"}, "do": "status", "status": 403})
    assert typist.refused("apply", plan, code=4)["message"]
    (unfinished,) = typist.ask("history", "list")
    assert (unfinished["state"], unfinished["ended_at"]) == ("interrupted", None)
    set_faults(emulator)
    done = typist.ask("apply", plan)
    assert (done["run"], done["state"], done["deleted"], done["anonymised"]) == (unfinished["run"], "done", 4, 1)
