"""What a copy of the product does that has one more masking technique, job, report format and table.

`test_seams.py` makes the copy and runs this file in it; here is nothing about how they were added.
"""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import requests

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.changes import ChangeSet, ChangeStatus, Operation, OperationKind
from crm_compliance.cli.app import run as type_in
from crm_compliance.cli.docs_pages import pages
from crm_compliance.configuration.hours import crons_of
from crm_compliance.configuration.settings import load_settings
from crm_compliance.service.health import Health
from crm_compliance.service.scheduler import run_job
from crm_compliance.wiring.store import store_of
from jobs.model.answer import ItemStatus
from jobs.requests.answer.compile import compile_request
from jobs.requests.search.search import search_everywhere
from rules.dates.calendar import BRUSSELS
from rules.model.kinds import ROW_KINDS
from rules.model.records import KINDS, Dossier
from rules.model.requests import Right
from tests.drivers.connecting import connect
from tests.drivers.deciding import ask
from tests.drivers.fixtures import make_night
from tests.drivers.holding import place
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN
from tests.known_definitions import KNOWN

HERE = Path(__file__).parent
LONG_AGO = date(2010, 1, 10)
__all__ = ["make_night"]


@pytest.fixture(scope="module")
def crm(without_sockets: None) -> Iterator[RunningEmulator]:
    """A CRM with the new table, and one more column on its dossiers."""
    with running(token=TOKEN, limits=False, environment=HERE / "environment.yaml") as started, KNOWN.of(started, TOKEN):
        yield started


@pytest.fixture
def emulator(crm: RunningEmulator) -> RunningEmulator:
    requests.post(f"{crm.root}/_emulator/reset", json={"empty": True}, timeout=10).raise_for_status()
    return crm


@pytest.fixture
def environ(emulator: RunningEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The settings of commands on that CRM."""
    found = {"CRM_URL": emulator.url, "CRM_TOKEN": TOKEN, "DATA_DIR": str(tmp_path / "data"), "GREETING_CRON": "5 4 * * *"}
    given = {f"CRM_COMPLIANCE_{name}": value for name, value in found.items()}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


def test_the_documents_say_so() -> None:
    """What `make docs` writes."""
    for path, content in pages(HERE / "product"):
        path.write_text(content, encoding="utf-8")


def test_the_technique_masks_and_is_known_again(emulator: RunningEmulator, make_night: Callable[..., Night]) -> None:
    night = make_night()
    night.create("teams", "teamid", name="Geanonimiseerd")
    row = night.create("cf_dossiers", "cf_dossierid", cf_name="Kanarie (fictief)", cf_decade="vandaag")
    etag = str((night.get("cf_dossiers", row) or {})["@odata.etag"])
    text = REFERENCE.read_text("utf-8").replace("        cf_name: constant\n", "        cf_name: constant\n        cf_decade: decade\n", 1)
    tokens = StaticToken(TOKEN, emulator.url)
    with connect(url=emulator.url, tokens=tokens, mapping_text=text, mapping_source="m.yaml", sleep=lambda _: None) as connector:
        assert [each.message for each in connector.check(in_place=True) if each.is_error] == []
        values = {"anonymised_on": datetime(2026, 11, 25, tzinfo=UTC), "is_common": True, "year": 2019}
        operation = Operation(OperationKind.MASK, Dossier, row, etag, values)
        assert connector.unmasked([operation]) == {row}
        (result,) = connector.change([ChangeSet("unit", (operation,))])
        assert result.status is ChangeStatus.DONE
        assert connector.unmasked([operation]) == set()
    assert (night.get("cf_dossiers", row) or {})["cf_decade"] == "2010s"


def test_the_job_is_listed_runs_and_has_its_setting(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert type_in(["run", "--help"]) == 0
    assert "GREETING_CRON" in capsys.readouterr().out
    settings = load_settings(None, environ)
    assert crons_of(settings)["greeting"] == "5 4 * * *"
    assert type_in(["run", "greeting", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["state"], answer["greeted"]) == ("done", 0)
    assert type_in(["run", "greeting"]) == 0
    assert "greeted: 0" in capsys.readouterr().out
    run_job(settings, "greeting", threading.Event())
    assert "job ended" in capsys.readouterr().err
    assert type_in(["history", "list", "--json"]) == 0
    assert [made["kind"] for made in json.loads(capsys.readouterr().out)] == ["greeting"] * 3
    with store_of(settings, lambda: datetime.now(UTC)) as store:
        health = Health(settings, store.runs, lambda: datetime.now(UTC), datetime.now(UTC), BRUSSELS)
        assert not [code for code in health.why_not() if code.startswith("GREETING")]


def test_the_format_is_written(environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert type_in(["plan", "--help"]) == 0
    assert ".txt" in capsys.readouterr().out
    file = tmp_path / "plan.txt"
    assert type_in(["plan", "--output", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == "0 units\n"


def test_the_rows_of_the_table_are_read_searched_held_told_and_go_with_their_file(make_night: Callable[..., Night]) -> None:
    night = make_night()
    known = night.contact(firstname="Noelle", lastname="Verzonnen", emailaddress1="noelle@voorbeeld.example", birthdate="2000-03-04")
    mine, other = (night.dossier("social_card", spoken=LONG_AGO) for _ in range(2))
    night.party(known, "child", dossier=mine)
    visits = [
        night.create("cf_visits", "cf_visitid", **{"cf_summary": text, "cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
        for dossier, text in ((mine, "Bezoek."), (other, "Bezoek van noelle@voorbeeld.example."))
    ]
    read = [row for page in night.connector.read(KINDS["visit"], ("dossier",)) for row in page]
    assert {(row.id, owner) for row in read for _, owner in ROW_KINDS["visit"].owners(row)} == {(visits[0], mine), (visits[1], other)}
    found = search_everywhere(night.context, [known])
    assert set(found.rows("visit")) == set(visits)
    assert [(each.kind, each.id, each.field) for each in found.mentions] == [("visit", visits[1], "summary")]
    place(night, table="cf_visit", row=visits[0])
    held = night.plan()
    assert (night.lines(held)[mine].outcome, night.lines(held)[other].outcome) == ("retain", "dispose")
    night.apply(held)
    assert (night.get("cf_visits", visits[1]), night.get("cf_dossiers", other)) == (None, None)
    assert night.get("cf_visits", visits[0]) is not None
    answer = compile_request(night.context, ask(night, Right.ACCESS, known).id, "dora", "dpo")
    assert ("visit", visits[0]) in [item.source for item in answer.items if item.status is ItemStatus.PENDING_REVIEW]
