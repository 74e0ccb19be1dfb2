"""A CRM in which rows leave something behind, and an account that may clean it."""

import uuid
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.remains import ResidualKind, RowKey
from jobs.model.privileges import NEEDS
from tests.connectors.emulator.client import Client
from tests.drivers.connecting import connect
from tests.known_definitions import KNOWN
from tests.yaml_files import read_yaml, yaml_text

ENVIRONMENT = Path(__file__).parents[4] / "connectors/emulator/schema/environment.yaml"
EXTRA = Path(__file__).parents[3] / "data" / "extra-tables.yaml"
TOKEN = "any"


def environment_with_more(folder: Path) -> Path:
    """The reference environment with tables that no mapping names."""
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    more: dict[str, Any] = read_yaml(EXTRA)
    document["tables"] |= more["tables"]
    document["relationships"] += more["relationships"]
    path = folder / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    return path


class Crm(Client):
    """An emulator with rows, and the client under test; its clock goes on by what the client sleeps."""

    def __init__(self, emulator: RunningEmulator, **changes: str) -> None:
        super().__init__(emulator)
        self.switch(bulk_delete_queue_s=0.0, bulk_delete_run_s=0.0)
        text = REFERENCE.read_text("utf-8")
        for old, new in changes.items():
            text = text.replace(f"{old}: []", f"{old}: {new}") if f"{old}: []" in text else f"{old}: {new}\n{text}"
        self.connector: DynamicsConnector = connect(
            url=emulator.url,
            tokens=StaticToken(TOKEN, emulator.url),
            mapping_text=text,
            mapping_source="test.yaml",
            sleep=lambda seconds: self.control("PUT", "clock", {"advance_s": seconds}) and None,
        )

    def close(self) -> None:
        self.connector.close()
        self.http.close()

    def remove(self, table_set: str, row: str) -> None:
        assert self.send("DELETE", f"{table_set}({row})").status_code == 204

    def point(self, table: str, key: str, column: str, at: RowKey, **columns: Any) -> str:
        """A row that points to another by a lookup of many tables."""
        row = str(uuid.uuid4())
        self.emulator.load([(table, {key: row, column: at, **columns})])
        return row

    def may(self, *but: str, **more: str) -> None:
        """Grant the user the least role and all of the cleaning role but these, and `more`, by depth."""
        lines = [*self.connector.least_role(NEEDS), *self.connector.cleaning_role()]
        privileges = {line.name: line.depth for line in lines if line.name not in but} | more
        user = self.connector.whoami()
        answer = requests.put(f"{self.root}/_emulator/privileges", json={"user": user, "set": privileges}, timeout=30)
        assert answer.status_code == 200, answer.text

    @property
    def job_rows(self) -> int:
        return sum(len(self.rows(name)) for name in ("asyncoperations", "bulkdeleteoperations", "bulkdeletefailures"))

    def counts(self, residual: ResidualKind, rows: Collection[RowKey]) -> Mapping[RowKey, int]:
        return {row: left.count for row, left in self.connector.residual_data(residual, rows).left.items()}


@pytest.fixture
def crm() -> Iterator[Crm]:
    with running() as emulator, KNOWN.of(emulator, TOKEN):
        made = Crm(emulator)
        yield made
        made.close()


@pytest.fixture
def more(tmp_path: Path) -> Iterator[Crm]:
    with running(environment=environment_with_more(tmp_path)) as emulator, KNOWN.of(emulator, TOKEN):
        made = Crm(emulator)
        yield made
        made.close()


def gone_fiche(crm: Crm, **columns: Any) -> RowKey:
    fiche = crm.fiche(**{"cf_name": "F"} | columns)
    crm.send("PATCH", f"cf_fiches({fiche})", {"cf_name": "G"})
    crm.remove("cf_fiches", fiche)
    return ("cf_fiche", fiche)


def call_about(crm: Crm, fiche: str) -> str:
    return crm.create(
        "phonecalls",
        subject="c",
        phonecall_activity_parties=[{"partyid_contact@odata.bind": f"/contacts({crm.contact()})", "participationtypemask": 1}],
        **{"regardingobjectid_cf_fiche_phonecall@odata.bind": f"/cf_fiches({fiche})"},
    )
