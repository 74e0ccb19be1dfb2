"""The reference environment with rows to mask, and mappings that say otherwise how."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.changes import ChangeSet, ChangeStatus, Operation, OperationKind
from rules.model.records import Dossier, Record
from tests.drivers.connecting import connect
from tests.known_definitions import KNOWN

ENVIRONMENT = Path(__file__).parents[4] / "connectors/emulator/schema/environment.yaml"
TEXT = REFERENCE.read_text("utf-8")
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
CANARY = "Fictieve Lotte Kanarie"
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
TEAM = "11111111-2222-4333-8444-555555555555"
Change = Callable[[str], str]


def send(method: str, url: str, **options: Any) -> requests.Response:
    """One plain request, as somebody else than the product sends it."""
    return requests.request(method, url, **options | {"headers": {"Authorization": "Bearer t"} | options.get("headers", {})})


@contextmanager
def crm(tmp_path: Path, *more: str) -> Iterator[RunningEmulator]:
    """The reference environment with more columns on the dossier, each as the environment file has them."""
    text = ENVIRONMENT.read_text("utf-8")
    mark = "      cf_legalholdreason: {type: string(200), pii: true}\n"
    path = tmp_path / "environment.yaml"
    path.write_text(text.replace(mark, mark + "".join(f"      {line}\n" for line in more)), encoding="utf-8")
    with running(environment=path) as emulator, KNOWN.of(emulator, "t"):
        answer = send("POST", f"{emulator.url}teams", json={"teamid": TEAM, "name": "Geanonimiseerd"})
        assert answer.status_code == 204, answer.text
        yield emulator


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """The reference environment as it is, for all whose rows are their own."""
    with crm(tmp_path_factory.mktemp("reference")) as emulator:
        yield emulator


def client(emulator: RunningEmulator, mapping: str = TEXT, **options: Any) -> DynamicsConnector:
    return connect(
        url=emulator.url,
        tokens=StaticToken("t", emulator.url),
        mapping_text=mapping,
        mapping_source="m.yaml",
        sleep=lambda _: None,
        **options,
    )


def named(*lines: str) -> str:
    """The reference mapping with more under the dossier's masked columns."""
    return TEXT.replace("        cf_legalholdreason: drop_text\n", "        cf_legalholdreason: drop_text\n" + "".join(lines), 1)


def kept(*columns: str) -> str:
    """The reference mapping with these columns of the dossier under keeps."""
    text = TEXT
    for column in columns:
        for technique in ("null", "drop_text"):
            text = text.replace(f"        {column}: {technique}\n", "", 1)
    return text.replace(
        "        cf_legalholdreason: drop_text\n", f"        cf_legalholdreason: drop_text\n      keeps: [{', '.join(columns)}]\n", 1
    )


def errors(emulator: RunningEmulator, mapping: str) -> list[str]:
    with client(emulator, mapping) as connector:
        return [f"{each.where}: {each.message}" for each in connector.check(in_place=True) if each.is_error]


def line_of(mapping: str, part: str) -> int:
    return mapping[: mapping.index(part)].count("\n") + 1


def a_dossier(emulator: RunningEmulator, **columns: Any) -> tuple[str, str]:
    """Id and version of a new dossier."""
    answer = send(
        "POST",
        f"{emulator.url}cf_dossiers",
        json={"cf_name": CANARY, "cf_categories": "100000030", "cf_outcome": 100000001, "cf_summary": CANARY} | columns,
        headers={"Prefer": "return=representation"},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["cf_dossierid"], answer.json()["@odata.etag"]


def masking(row: str, etag: str, record: type[Record] = Dossier, **results: object) -> Operation:
    return Operation(OperationKind.MASK, record, row, etag, {"anonymised_on": NOW, "is_common": False, **results})


def carried_out(connector: DynamicsConnector, *operations: Operation) -> ChangeStatus:
    (result,) = connector.change([ChangeSet("unit", operations)])
    return result.status


def shown(emulator: RunningEmulator, row: str, table: str = "cf_dossiers") -> dict[str, Any]:
    found: dict[str, Any] = send("GET", f"{emulator.url}{table}({row})").json()
    return found
