"""An organisation whose dossiers, fiches and people have documents in SharePoint, and a night that reaches
them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.storage.sharepoint import SharePoint
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from jobs.model.plan import Kind, Plan
from jobs.model.run import Action, ActionState, Run
from jobs.plans.make import make_plan
from jobs.ports.context import JobContext
from jobs.runs.apply import apply_plan
from tests.connectors.storage.sharepoint import LIBRARY, SITE, Library
from tests.drivers.connecting import connect
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN
from tests.known_definitions import KNOWN
from tests.yaml_files import read_yaml, yaml_text

REFERENCE = Path(__file__).parents[2] / "connectors/emulator/schema/environment.yaml"
LONG_AGO = date(2025, 1, 10)  # the night is of 25 November 2026
OWNERS = ("contact", "cf_dossier", "cf_fiche")
LOCATION = "sharepointdocumentlocation"


def environment_with_sharepoint(folder: Path, on_delete: str = "cascade") -> Path:
    """The reference environment with the two tables that say where documents are."""
    path = folder / "environment.yaml"
    path.write_text(_environment(on_delete), encoding="utf-8")
    return path


@cache
def _environment(on_delete: str) -> str:
    document: dict[str, Any] = read_yaml(REFERENCE)
    document["tables"] |= {
        "sharepointsite": {
            "set": "sharepointsites",
            "columns": {
                "sharepointsiteid": {"type": "guid", "key": True},
                "name": {"type": "string(160)", "primary_name": True},
                "relativeurl": {"type": "string(255)"},
                "absoluteurl": {"type": "string(4000)"},
                "parentsite": {"type": "lookup sharepointsite"},
            },
        },
        LOCATION: {
            "set": "sharepointdocumentlocations",
            "columns": {
                "sharepointdocumentlocationid": {"type": "guid", "key": True},
                "name": {"type": "string(160)", "primary_name": True},
                "relativeurl": {"type": "string(255)"},
                "absoluteurl": {"type": "string(4000)"},
                "parentsiteorlocation": {"type": f"lookup sharepointsite|{LOCATION}"},
                "regardingobjectid": {"type": f"lookup {'|'.join(OWNERS)}"},
            },
        },
    }
    document["relationships"] += [
        {
            "name": f"{owner}_SharepointDocumentLocations",
            "parent": owner,
            "child": LOCATION,
            "column": "regardingobjectid",
            "on_delete": on_delete,
        }
        for owner in OWNERS
    ]
    return yaml_text(document)


class Documents:
    """A night over such an organisation, with one site, one library in it, and what is there."""

    def __init__(self, night: Night, *, configured: bool = True, places: tuple[str, ...] = (SITE,)) -> None:
        self.night = night
        self.library = Library(night.emulator)
        self.library.put("van niemand/blijft.txt")
        self.site = self._row("sharepointsite", name="Standaard", absoluteurl=SITE)
        self.root = self.location(None, LIBRARY, below=("sharepointsite", self.site))
        self.stores: list[SharePoint] = [self.library.open(*places, token=TOKEN)] if configured else []
        night.connector.close()
        night.connector = self._connector(sees_to_documents=configured)

    def close(self) -> None:
        for store in self.stores:
            store.close()

    def _connector(self, *, sees_to_documents: bool) -> DynamicsConnector:
        text, source = mapping_text(Settings())
        url = self.night.emulator.url
        return connect(
            url=url,
            tokens=StaticToken(TOKEN, url),
            mapping_text=text,
            mapping_source=source,
            sleep=lambda _: None,
            sees_to_documents=sees_to_documents,
        )

    def _row(self, table: str, **columns: Any) -> str:
        row = str(self.night.ids.getrandbits(128).to_bytes(16, "big").hex())
        row = f"{row[:8]}-{row[8:12]}-4{row[13:16]}-a{row[17:20]}-{row[20:]}"
        self.night.emulator.load([(table, {f"{table}id": row, **columns})])
        return row

    def location(self, owner: tuple[str, str] | None, name: str, *, below: tuple[str, str] | None = None) -> str:
        """A row that says that the documents of another row are in the folder of this name."""
        about = {"regardingobjectid": owner} if owner is not None else {}
        where = below or (LOCATION, self.root)
        return self._row(LOCATION, name="Documenten", relativeurl=name, parentsiteorlocation=where, **about)

    def dossier_with(self, *files: str, folder: str = "D-1", **more: Any) -> str:
        """A dossier whose time has come, with files in a folder of its own."""
        dossier = self.night.dossier("social_card", spoken=LONG_AGO, **more)
        self.location(("cf_dossier", dossier), folder)
        for name in files:
            self.library.put(f"{folder}/{name}")
        return dossier

    @property
    def context(self) -> JobContext:
        return replace(self.night.context, documents=tuple(self.stores))

    def plan(self) -> Plan:
        return make_plan(self.context, Kind.ALL)

    def apply(self, plan: Plan | None = None) -> Run:
        plan = plan or self.plan()
        self.night.approved(plan)
        return apply_plan(self.context, plan.id)

    def outcome(self, run: Run, row: str) -> tuple[ActionState, str]:
        found = self.action(run, row)
        return found.state, found.code

    def action(self, run: Run, row: str) -> Action:
        return next(action for action in self.night.store.journal.of_run(run.id) if action.id == row)

    def locations(self, owner: str) -> int:
        """How many locations a row has."""
        return len(self.night.rows(f"sharepointdocumentlocations?$filter=_regardingobjectid_value eq {owner}"))


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[RunningEmulator]:
    with running(environment=environment_with_sharepoint(tmp_path), token=TOKEN) as started, KNOWN.of(started, TOKEN):
        yield started


@pytest.fixture
def documents(night: Night) -> Iterator[Documents]:
    made = Documents(night)
    yield made
    made.close()
