"""A fictitious organisation that keeps roles in connections, and whoever types commands there."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.dynamics.http.auth import StaticToken
from connectors.emulator.serving.server import RunningEmulator, running
from jobs.model.privileges import NEEDS
from tests.drivers.connecting import connect
from tests.drivers.organisation import TOKEN, Organisation
from tests.drivers.typist import Typist
from tests.known_definitions import KNOWN

DATA = Path(__file__).parents[1] / "data"
LONG_AGO = "2020-01-10"
SETS = {"contact": "contacts", "account": "accounts", "incident": "incidents", "cc_melding": "cc_meldingen"}
KEYS = {"contacts": "contactid", "accounts": "accountid", "incidents": "incidentid", "cc_meldingen": "cc_meldingid"}


class House(Organisation):
    """A fictitious organisation that keeps roles in connections."""

    def __init__(self, emulator: RunningEmulator) -> None:
        super().__init__(emulator, seed=7)
        emulator.emulator.switches.incident_by_action = False
        self.categories = {
            code: self.create("cc_categorieen", "cc_categorieid", cc_naam=code, cc_code=code) for code in ("SOC", "SEX", "GRO")
        }
        self.roles: dict[str, str] = {}

    def create(self, table_set: str, key: str = "", **columns: Any) -> str:
        return super().create(table_set, key or KEYS[table_set], **columns)

    def delete(self, path: str) -> None:
        assert self.http.delete(self.emulator.url + path).status_code == 204

    def there(self, table_set: str, *rows: str) -> list[bool]:
        found = {row[KEYS[table_set]] for row in self.rows(table_set)}
        return [row in found for row in rows]

    def pair(self, relation: str, incident: str, table: str, row: str) -> None:
        link = {"@odata.id": f"{self.emulator.url}{SETS.get(table, table)}({row})"}
        assert self.http.post(f"{self.emulator.url}incidents({incident})/{relation}/$ref", json=link).status_code == 204

    def person(self, born: str = "2000-02-01", first: str = "Lotte", last: str = "Peeters (fictief)") -> str:
        return self.create("contacts", birthdate=born, firstname=first, lastname=last)

    def case(self, code: str, *, closed: bool = True, **more: Any) -> str:
        bound = {"cc_CategorieId@odata.bind": f"/cc_categorieen({self.categories[code]})"}
        row = self.create("incidents", title="Z", cc_geopend=LONG_AGO, **bound, **more)
        if closed:
            self.patch("incidents", row, statecode=1, statuscode=5)
        return row

    def report(self, code: str, case: str | None, **more: Any) -> str:
        bound = {"cc_CategorieId@odata.bind": f"/cc_categorieen({self.categories[code]})"}
        bound |= {"cc_DossierId@odata.bind": f"/incidents({case})"} if case else {}
        return self.create("cc_meldingen", cc_naam="M", cc_datum=LONG_AGO, **bound, **more)

    def connect(self, role: str, one: tuple[str, str], two: tuple[str, str], *, role_of: int = 2) -> str:
        """A connection of two rows, in which one has a role; the platform makes the other half."""
        if role not in self.roles:
            self.roles[role] = self.create("connectionroles", "connectionroleid", name=role)
        bound = {f"record{at}id_{table}@odata.bind": f"/{SETS[table]}({row})" for at, (table, row) in ((1, one), (2, two))}
        bound[f"record{role_of}roleid@odata.bind"] = f"/connectionroles({self.roles[role]})"
        return self.create("connections", "connectionid", **bound)


@pytest.fixture
def house() -> Iterator[House]:
    with running(environment=DATA / "connected-environment.yaml", token=TOKEN) as emulator, KNOWN.of(emulator, TOKEN):
        found = House(emulator)
        yield found
        found.close()


@pytest.fixture
def typist(house: House, typist_at: Callable[..., Typist]) -> Typist:
    """Whoever types commands there, with the mapping of roles in connections."""
    return typist_at(house.emulator.url, MAPPING=str(DATA / "connected-mapping.yaml"))


LOTTE: dict[str, Any] = {"firstname": "Lotte", "lastname": "Peeters (fictief)", "emails": ["lotte@example.org"]}


def lotte(house: House, born: str = "2008-01-02") -> str:
    return house.create("contacts", birthdate=born, firstname="Lotte", lastname="Peeters (fictief)", emailaddress1="lotte@example.org")


def restrict(house: House, typist: Typist) -> set[str]:
    """Grant the application user the least role and nothing else; return its privileges."""
    path = typist.settings.mapping
    assert path is not None
    text = Path(path).read_text("utf-8")
    url = house.emulator.url
    with connect(url=url, tokens=StaticToken(TOKEN, url), mapping_text=text, mapping_source="m") as connector:
        lines, user = connector.least_role(NEEDS), connector.whoami()
    body = {"user": user, "set": {line.name: line.depth for line in lines}}
    requests.put(f"{house.emulator.root}/_emulator/privileges", json=body, timeout=10).raise_for_status()
    return {line.name for line in lines}
