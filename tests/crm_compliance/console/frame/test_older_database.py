"""A database that was put back to an older day beside newer keys: no list of it says that there is nothing
(ACC-06, HLD-01)."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from starlette.applications import Starlette

from crm_compliance.console.frame import services as console_services
from rules.model.roles import Role
from tests.crm_compliance.console.api.test_calls import Script
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.holding import place
from tests.drivers.night import Night
from tests.drivers.requesting import opened
from tests.drivers.typist import LONG_AGO, Typist

NOBODY = "00000000-0000-0000-0000-0000000000ff"
PAGES = (
    "/",
    "/holds",
    "/plans",
    "/requests",
    "/requests/calendar.ics",
    "/history",
    "/history/audit",
    "/quarantine",
    f"/open?typename=cf_dossier&id={NOBODY}",
)
CALLS = ("/holds", "/plans", "/requests", "/runs")


def copied(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)


def test_no_list_of_an_older_database_is_shown(
    typist: Typist, org: Night, app: Starlette, signed_in: Callable[..., Browser], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_services, "FRESH_S", 0)
    typist.ask("run", "requests")
    request = opened(typist)
    pages, calls = (*PAGES, f"/requests/{request}"), (*CALLS, f"/requests/{request}")
    browser, script = signed_in(Role.DPO), Script(app, Role.DPO)
    for path in pages:
        assert browser.get(path).status_code == 200, path
    state = typist.folder / "data" / "state.db"
    copied(state, tmp_path / "before.db")
    place(org, table="cf_dossier", row=org.dossier("social_card", spoken=LONG_AGO))
    assert "No hold is in force" not in text_of(browser.page("/holds"))
    copied(tmp_path / "before.db", state)
    for path in pages:
        answer = browser.get(path)
        assert (answer.status_code, "Change nothing, keep every file" in text_of(answer.text)) == (500, True), path
    for name in calls:
        answer = script.call("GET", name)
        assert (answer.status_code, "store_altered" in answer.text) == (500, True), name
    assert browser.get("/history/proof").status_code == 200  # where the DPO looks what is wrong
    assert typist.refused("requests", "show", request, code=7)["code"] == "store_altered"
    exported = typist.type("history", "export", "--output", tmp_path / "ledger.jsonl")
    assert (exported.code, "older day" in exported.err) == (0, True)
