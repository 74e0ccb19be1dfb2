"""Signing in once for several commands, at an authority that speaks as Entra ID and AD FS do; the people are
fictitious."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.emulator.serving.server import RunningEmulator, running
from crm_compliance.configuration.settings import Settings
from crm_compliance.identity import signin
from crm_compliance.identity.signin import NotSignedIn, Person, person
from crm_compliance.identity.token_cache import SignedIn, sign_out
from crm_compliance.store.store import SqlStore
from rules.errors import Refused

REAL = "https://org.crm4.dynamics.com/api/data/v9.2/"
DORA: dict[str, Any] = {"oid": "5c1d2f60-0000-4000-8000-00000000d0ba", "preferred_username": "dora@example.org", "roles": ["dpo"]}
ERIK: dict[str, Any] = {"oid": "5c1d2f60-0000-4000-8000-00000000e61c", "preferred_username": "erik@example.org", "roles": ["approver"]}
NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authority") / "CA.pem"


@pytest.fixture(scope="module")
def server(ca: Path) -> Iterator[RunningEmulator]:
    with running(tls=ca) as started:
        yield started


class Counter:
    """Who types the codes, and how many were asked for."""

    def __init__(self, server: RunningEmulator, ca: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server, self.ca, self.codes = server, ca, 0
        asked = signin._by_device_code

        def counted(application: Any) -> dict[str, Any]:
            self.codes += 1
            return asked(application)

        monkeypatch.setattr(signin, "_by_device_code", counted)

    def types(self, claims: dict[str, Any] | None) -> None:
        answer = requests.put(f"{self.server.root}/_emulator/authority", json={"person": claims}, verify=str(self.ca), timeout=10)
        answer.raise_for_status()


@pytest.fixture
def people(server: RunningEmulator, ca: Path, monkeypatch: pytest.MonkeyPatch) -> Counter:
    monkeypatch.setattr(signin, "_at_a_terminal", lambda: True)
    return Counter(server, ca, monkeypatch)


@pytest.fixture(params=["tenant", "adfs"])
def settings(request: pytest.FixtureRequest, server: RunningEmulator, ca: Path, tmp_path: Path) -> Settings:
    root = f"{server.root}/{request.param}"
    return Settings(crm_url=REAL, crm_authority=root, crm_client_id="client", crm_ca_file=ca, data_dir=tmp_path / "data")


def test_one_sign_in_is_enough_for_the_commands_of_a_login(settings: Settings, people: Counter) -> None:
    people.types(DORA)
    for _ in range(3):
        assert person(settings, "dora", "dpo") == Person(DORA["oid"], "dpo")
    assert people.codes == 1


def test_a_role_that_was_taken_away_is_gone_at_the_next_command(settings: Settings, people: Counter) -> None:
    people.types(DORA)
    person(settings, "dora", "dpo")
    people.types(DORA | {"roles": ["auditor"]})
    with pytest.raises(NotSignedIn, match="app role dpo"):
        person(settings, "dora", "dpo")
    assert people.codes == 1


def test_as_chooses_among_those_who_are_signed_in(settings: Settings, people: Counter) -> None:
    people.types(DORA)
    person(settings, "dora", "dpo")
    people.types(ERIK)
    assert person(settings, "erik@example.org", "approver").who == ERIK["oid"]
    assert people.codes == 2
    assert person(settings, "dora", "dpo").who == DORA["oid"]
    assert person(settings, "", "approver").who == ERIK["oid"], "without --as it is the one who signed in last"
    assert people.codes == 2


@pytest.mark.parametrize("settings", ["tenant"], indirect=True)
def test_two_accounts_with_one_name_are_two_people_and_one_account_with_two_names_is_one(settings: Settings, people: Counter) -> None:
    people.types(DORA)
    first = person(settings, "dora", "dpo")
    sign_out(settings.data_dir)
    people.types(DORA | {"oid": ERIK["oid"]})
    second = person(settings, "dora", "dpo")
    sign_out(settings.data_dir)
    people.types(DORA | {"preferred_username": "d.ora@example.org"})
    assert first.who != second.who
    assert person(settings, "d.ora", "dpo") == first


def test_without_an_object_id_the_subject_of_the_token_is_the_person(settings: Settings, people: Counter) -> None:
    people.types({"sub": "subject-1", "upn": "dora@example.org", "roles": "dpo"})
    assert person(settings, "dora", "dpo") == Person("subject-1", "dpo")
    assert person(settings, "", "dpo") == Person("subject-1", "dpo")
    assert people.codes == 1


@pytest.mark.parametrize("settings", ["tenant"], indirect=True)
def test_a_sign_in_lasts_for_the_minutes_of_the_setting(settings: Settings, people: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [NOW]
    monkeypatch.setattr(signin, "clock_of", lambda _: lambda: now[0])
    people.types(DORA)
    for minutes, codes in ((0, 1), (59, 1), (61, 2), (100, 2), (-200, 3)):
        now[0] = NOW + timedelta(minutes=minutes)
        person(settings, "dora", "dpo")
        assert people.codes == codes, minutes
    never = settings.model_copy(update={"signin_minutes": 0, "data_dir": settings.data_dir.parent / "other"})
    person(never, "dora", "dpo")
    person(never, "dora", "dpo")
    assert people.codes == 5
    assert not (never.data_dir / "signed-in").exists()


@pytest.mark.parametrize("settings", ["tenant"], indirect=True)
def test_another_login_of_the_same_account_signs_in_for_itself(
    settings: Settings, people: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.types(DORA)
    person(settings, "dora", "dpo")
    monkeypatch.setattr("crm_compliance.identity.token_cache.login_session", lambda: "another login")
    people.types(ERIK)
    with pytest.raises(NotSignedIn, match="dpo"):
        person(settings, "dora", "dpo")
    assert people.codes == 2


@pytest.mark.parametrize("settings", ["tenant"], indirect=True)
def test_what_is_kept_is_encrypted_and_nobody_elses(settings: Settings, people: Counter) -> None:
    people.types(DORA)
    person(settings, "dora", "dpo")
    (file,) = (settings.data_dir / "signed-in").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = file.read_bytes()
    assert not any(word in content for word in (b"dora", DORA["oid"].encode(), b"refresh", b"secret"))
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    person(settings, "dora", "dpo")
    assert people.codes == 2, "a damaged file is worth nothing"
    assert sign_out(settings.data_dir) == 1
    person(settings, "dora", "dpo")
    assert people.codes == 3


@pytest.mark.parametrize("settings", ["tenant"], indirect=True)
def test_a_sign_in_service_of_ones_own_is_refused_once_people_have_signed_in_elsewhere(
    settings: Settings, people: Counter, server: RunningEmulator
) -> None:
    people.types(DORA)
    person(settings, "dora", "dpo")
    for elsewhere in (f"{server.root}/my-own", f"{server.root}/adfs"):
        with pytest.raises(Refused) as refused:
            person(settings.model_copy(update={"crm_authority": elsewhere}), "dora", "dpo")
        assert (refused.value.code, refused.value.exit_code) == ("other_authority", 5)
    person(settings.model_copy(update={"crm_client_id": "another"}), "dora", "dpo")
    with SqlStore.open(settings.store_url, clock=lambda: NOW) as store:
        told = [entry.data for entry in store.ledger.entries() if entry.kind == "authority_seen"]
    assert [(each["crm"], each["client"]) for each in told] == [("org.crm4.dynamics.com:443", name) for name in ("client", "another")]


def test_a_name_that_fits_two_accounts_chooses_none(tmp_path: Path) -> None:
    kept = SignedIn(tmp_path, authority="a", client="c", minutes=60, now=NOW)
    kept.keep(json.dumps({}), "one", is_new=True)
    kept.keep(json.dumps({}), "two", is_new=True)
    known = [{"home_account_id": id, "local_account_id": id, "username": f"dora@{id}.example.org"} for id in ("one", "two")]
    assert kept.accounts(known, "dora") is None
    assert kept.accounts(known, "dora@one.example.org") == known[0]
    assert kept.accounts(known, "TWO") == kept.accounts(known, "") == known[1]
