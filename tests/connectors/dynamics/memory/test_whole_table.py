"""Tables in ranges side by side: the rows of a read in one go, none lost and none doubled, whatever people do
meanwhile; and one go wherever the CRM does not show that it keeps to ranges."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
import requests

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.dynamics.memory.table_cache import Memory
from connectors.dynamics.pace.governor import ONE_AT_A_TIME
from connectors.dynamics.reading import ranges
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.errors import ConnectorError, ReadIncomplete, Unreachable
from connectors.interface.id_numbers import as_texts
from rules.model.records import ActivityParty, Contact, Dossier, Email, Record
from tests.drivers.connecting import connect
from tests.known_definitions import KNOWN

NOW = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
BEGAN = datetime(2019, 1, 1, tzinfo=UTC)
FIELDS: dict[type[Record], tuple[str, ...]] = {
    Dossier: ("legal_hold", "opened_on"),
    Contact: ("birth_year",),
    Email: ("regarding", "created_on"),
    ActivityParty: ("activity", "party"),
}


@pytest.fixture(scope="module", autouse=True)
def short_way(without_sockets: None) -> None:
    """Emulators are asked without sockets."""


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running(token="t", limits=False) as started, KNOWN.of(started, "t"):
        yield started


class Organisation:
    """An emulator, and what is kept of it; the people are fictitious."""

    def __init__(self, emulator: RunningEmulator, folder: Path, seed: int = 1) -> None:
        self.emulator, self.random = emulator, Random(seed)
        emulator.emulator.reset(empty=True)  # of what other tests have left
        self.memory = Memory(folder, lambda: bytes(32), now=lambda: NOW, keeps_rows=False)
        self.http = requests.Session()
        self.http.headers["Authorization"] = "Bearer t"
        self.conditions: list[str] = []  # of the reads that were cut

    def load(self, table: str, rows: int, **columns: Any) -> list[str]:
        """Rows that were made over some years, a few at the same second."""
        key = "activityid" if table in ("email", "phonecall") else f"{table}id"
        ids = [self.id() for _ in range(rows)]
        made = [BEGAN + timedelta(hours=self.random.randrange(20_000)) for _ in ids]
        self.emulator.load(
            (table, {key: row, "createdon": f"{at:%Y-%m-%dT%H:%M:%SZ}", **columns}) for row, at in zip(ids, made, strict=True)
        )
        return ids

    def id(self) -> str:
        text = f"{self.random.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"

    @contextmanager
    def connector(self, *, reads: int = 4, memory: Memory | None = None, page_size: int = 10) -> Iterator[DynamicsConnector]:
        url, text = self.emulator.url, REFERENCE.read_text("utf-8")
        with connect(
            url=url, tokens=StaticToken("t", url), mapping_text=text, mapping_source="m.yaml", memory=memory or self.memory,
            page_size=page_size, pace=replace(ONE_AT_A_TIME, reads=reads), sleep=lambda _: None,
        ) as connector:  # fmt: skip
            yield connector

    def read(self, *records: type[Record], meanwhile: Callable[[str], None] | None = None, **options: Any) -> list[list[Any]]:
        """Read some kinds as a plan does; before each request `meanwhile` happens, with its address."""
        with self.connector(**options) as connector:
            asked = self._watched(connector, meanwhile)
            with connector.read_ahead([(record, FIELDS[record]) for record in records]):
                found = [rows_of(connector, record) for record in records]
            self.conditions = [each for each in asked if " lt " in each or " ge " in each]
        return found

    def _watched(self, connector: DynamicsConnector, meanwhile: Callable[[str], None] | None) -> list[str]:
        asked: list[str] = []
        inner, alone = connector._transport.get, threading.Lock()

        def get(address: str, **more: Any) -> Any:
            with alone:
                asked.append(dict(parse_qsl(unquote(address).partition("?")[2])).get("$filter", ""))
                if meanwhile is not None:
                    meanwhile(address)
            return inner(address, **more)

        connector._transport.get = get  # type: ignore[method-assign]
        return asked


@pytest.fixture
def organisation(emulator: RunningEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Organisation:
    monkeypatch.setattr(ranges, "RANGE_ROWS", 25)
    return Organisation(emulator, tmp_path)


def rows_of(connector: DynamicsConnector, record: type[Record]) -> list[SimpleNamespace]:
    """All rows of a kind, as a plan reads them."""
    return [SimpleNamespace(**row) for frame in connector.columns(record, FIELDS[record]) for row in as_texts(frame).iter_rows(named=True)]


def ids(rows: Sequence[Any]) -> list[str]:
    return sorted(row.id for row in rows)


def test_the_second_read_is_in_ranges_and_gives_the_rows_of_the_first(organisation: Organisation) -> None:
    there = sorted(organisation.load("contact", 130))
    (first,) = organisation.read(Contact)
    assert organisation.conditions == []
    (second,) = organisation.read(Contact)
    assert len(organisation.conditions) >= 5
    assert ids(first) == ids(second) == there
    assert {row.id: (row.etag, row.birth_year) for row in first} == {row.id: (row.etag, row.birth_year) for row in second}


def test_one_read_at_once_is_never_cut(organisation: Organisation) -> None:
    organisation.load("contact", 130)
    for _ in range(2):
        organisation.read(Contact, reads=1)
        assert organisation.conditions == []


@pytest.mark.parametrize("seed", range(6))
def test_rows_that_come_go_and_change_meanwhile_lose_and_double_none(
    emulator: RunningEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(ranges, "RANGE_ROWS", 20)
    organisation = Organisation(emulator, tmp_path, seed)
    there = organisation.load("cf_dossier", 150)
    organisation.read(Dossier)
    touched: set[str] = set()
    seen: set[str] = set()
    url = emulator.url

    def meanwhile(address: str) -> None:
        if address in seen:  # what is asked for again because it was written into meanwhile comes in peace
            return
        seen.add(address)
        act, row = organisation.random.choice(("create", "delete", "change", "nothing")), organisation.random.choice(there)
        if act == "create":
            organisation.http.post(f"{url}cf_dossiers", json={"cf_name": "nieuw"}).raise_for_status()
        elif act == "delete" and row not in touched:
            touched.add(row)
            organisation.http.delete(f"{url}cf_dossiers({row})").raise_for_status()
        elif act == "change" and row not in touched:
            organisation.http.patch(f"{url}cf_dossiers({row})", json={"cf_legalhold": True}, headers={"If-Match": "*"}).raise_for_status()

    for _ in range(5):
        try:
            (found,) = organisation.read(Dossier, meanwhile=meanwhile)
            break
        except ReadIncomplete:  # a range was written into twice, which is never taken for a whole answer
            continue
    assert organisation.conditions
    assert len(set(ids(found))) == len(found)
    assert set(there) - touched <= set(ids(found))
    (after,) = organisation.read(Dossier)
    assert ids(after) == ids(organisation.read(Dossier, reads=1)[0])


def test_a_table_without_the_instant_of_creation_is_cut_by_its_key(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Participants of activities have none in a real CRM."""
    monkeypatch.setattr("connectors.dynamics.reading.row_layout.CREATED_ON", "nothing of the kind")
    mails = organisation.load("email", 60)
    parties = [(mail, organisation.id()) for mail in mails for _ in range(2)]
    organisation.emulator.load(("activityparty", {"activitypartyid": row, "activityid": mail}) for mail, row in parties)
    first, second = organisation.read(ActivityParty), organisation.read(ActivityParty)
    assert any("activitypartyid ge" in each for each in organisation.conditions)
    assert ids(first[0]) == ids(second[0]) == sorted(row for _, row in parties)


def test_several_tables_are_read_at_once_and_come_in_their_order(organisation: Organisation) -> None:
    there = [organisation.load(table, 60) for table in ("contact", "cf_dossier", "email")]
    for _ in range(2):
        assert [ids(rows) for rows in organisation.read(Contact, Dossier, Email)] == [sorted(each) for each in there]


def test_what_is_begun_and_asked_for_in_another_order_is_the_same(organisation: Organisation) -> None:
    there = {Contact: organisation.load("contact", 130), Dossier: organisation.load("cf_dossier", 130)}
    organisation.read(Contact, Dossier)
    with organisation.connector() as connector, connector.read_ahead([(each, FIELDS[each]) for each in (Contact, Dossier)]):
        for record in (Dossier, Contact, Contact):
            rows = rows_of(connector, record)
            assert ids(rows) == sorted(there[record])


def _unfiltered(address: str) -> str:
    base, _, query = address.partition("?")
    return f"{base}?{'&'.join(part for part in query.split('&') if not part.startswith('$filter'))}"


@pytest.mark.parametrize("service", ["leaves filters out", "refuses them"])
def test_a_service_that_takes_no_ranges_is_read_in_one_go(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    from connectors.dynamics.http.transport import Transport

    there = organisation.load("contact", 130)
    organisation.read(Contact)
    inner = Transport.get

    def get(self: Transport, address: str, **more: Any) -> Any:
        if "createdon" in address.partition("$filter")[2]:
            if service == "refuses them":
                raise ConnectorError("no such operator", status=400)
            address = _unfiltered(address)
        return inner(self, address, **more)

    monkeypatch.setattr(Transport, "get", get)
    assert ids(organisation.read(Contact)[0]) == sorted(there)


def test_rows_of_another_range_void_the_read_and_the_next_is_in_one_go(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    from connectors.dynamics.http.transport import Transport

    there = organisation.load("contact", 130)
    organisation.read(Contact)
    inner = Transport.get
    lies = [True]

    def get(self: Transport, address: str, **more: Any) -> Any:
        plain = unquote(address)
        if lies[0] and "createdon eq null" in plain:  # the first range; the look at what nothing meets is answered well
            address = _unfiltered(address)
        return inner(self, address, **more)

    monkeypatch.setattr(Transport, "get", get)
    try:
        rows = organisation.read(Contact)[0]
    except ReadIncomplete:
        rows = organisation.read(Contact)[0]
        assert organisation.conditions == []
    assert ids(rows) == sorted(there)


def test_rows_without_an_instant_are_in_the_first_range(organisation: Organisation) -> None:
    there = organisation.load("contact", 130)
    organisation.read(Contact)
    database = organisation.emulator.emulator.tables.connection
    assert database is not None
    lost = there[7]
    database.execute("UPDATE contact SET createdon = NULL WHERE contactid = ?", [lost])
    assert ids(organisation.read(Contact)[0]) == sorted(there)
    assert organisation.conditions


def test_a_range_that_fails_fails_the_read(organisation: Organisation) -> None:
    organisation.load("contact", 130)
    organisation.load("cf_dossier", 130)
    organisation.read(Contact, Dossier)

    def meanwhile(address: str) -> None:
        if "createdon eq null" in unquote(address) and address.startswith("cf_dossiers"):
            raise Unreachable("no answer")

    with pytest.raises(Unreachable):
        organisation.read(Contact, Dossier, meanwhile=meanwhile)
    assert [each for each in threading.enumerate() if each.name.startswith(("table", "read"))] == []


def test_a_full_read_in_ranges_leaves_a_memory_that_changes_bring_up_to_date(
    organisation: Organisation, tmp_path: Path, emulator: RunningEmulator
) -> None:
    """What changes while ranges are read, of which the CRM tells no changes, the next night still sees."""
    there = organisation.load("cf_dossier", 130)
    now = [NOW]
    memory = Memory(tmp_path / "rows", lambda: bytes(32), now=lambda: now[0])
    organisation.read(Dossier, memory=memory)
    now[0] += timedelta(days=8)
    left = iter(there[:20])

    def meanwhile(_: str) -> None:
        if (row := next(left, None)) is not None:
            organisation.http.patch(f"{emulator.url}cf_dossiers({row})", json={"cf_legalhold": True}, headers={"If-Match": "*"})

    organisation.read(Dossier, memory=memory, meanwhile=meanwhile)
    assert organisation.conditions
    now[0] += timedelta(days=1)
    with organisation.connector(memory=memory) as connector, connector.read_ahead([(Dossier, FIELDS[Dossier])]):
        rows = rows_of(connector, Dossier)
        assert connector.stats.remembered > 100
    (fresh,) = organisation.read(Dossier, reads=1)
    assert {row.id: (row.etag, row.legal_hold) for row in rows} == {row.id: (row.etag, row.legal_hold) for row in fresh}
