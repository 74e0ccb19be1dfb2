"""A store remembers the CRMs that it has served: what is believed on this machine is never believed near a
real one (section 9.4)."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crm_compliance.identity import signin
from crm_compliance.keys.request_seals import Sealing
from crm_compliance.store.sql.tables import HEAD
from crm_compliance.store.store import SqlStore
from jobs.model.request import SubjectRequest
from rules.holds.placements import HoldType, PlacedHold
from rules.model.requests import Channel, RequesterKind, Right
from rules.model.roles import HUMAN_ROLES
from tests.crm_compliance.store.values import a_plan
from tests.drivers.clock import NOW
from tests.drivers.night import Night, witness_of
from tests.drivers.typist import Typist

REAL = "https://org.crm4.dynamics.com/api/data/v9.2/"
OTHER = "https://ander.crm4.dynamics.com/api/data/v9.2/"
ROW = "00000000-0000-0000-0000-000000000001"
ACTS = (
    ("plans", "approve", "plan-1", "--as", "anna", "--role", "crm_admin"),
    ("plans", "reject", "plan-1", "--as", "anna", "--role", "dpo", "--comment", "no"),
    ("holds", "release", "hold-1", "--asked-by", "carl", "--as", "erik", "--role", "approver", "--reason", "over"),
    ("requests", "identify", "request-1", "--method", "eid", "--as", "dora", "--role", "dpo"),
    ("requests", "override", "request-1", "--rule", "RGT-05", "--reason", "CODE", "--as", "dora", "--role", "dpo"),
    ("requests", "close", "request-1", "--outcome", "WITHDRAWN", "--as", "dora", "--role", "dpo"),
    ("requests", "review", "request-1"),
    ("requests", "notices", "request-1"),
    ("quarantine", "undo", "cf_dossier", ROW, "--as", "ben", "--role", "dpo"),
    ("keys", "destroy", "r-1", "--as", "dora", "--role", "dpo"),
    ("apply", "plan-1"),
    ("plan",),
    ("run", "requests"),
    ("plans", "list"),
)


def database(typist: Typist) -> Path:
    return typist.folder / "data" / "state.db"


def store_of(typist: Typist, crm: str = "") -> SqlStore:
    data_dir = typist.settings.make_data_dir()
    witness = witness_of(data_dir, data_dir, lambda: NOW)
    store = SqlStore.open(f"sqlite:///{database(typist)}", clock=lambda: NOW, sealer=Sealing(data_dir), witness=witness)
    store.crms.serve(crm)
    return store


def sql(typist: Typist, *statements: str) -> list[Any]:
    """What the last of these statements finds in the database."""
    found: list[Any] = []
    with closing(sqlite3.connect(database(typist))) as connection, connection:
        for statement in statements:
            found = connection.execute(statement).fetchall()
    return found


def fill(store: SqlStore, crm: str) -> None:
    """A plan that waits for two people, a hold and a request of this CRM."""
    planned(store, crm)
    hold = PlacedHold(
        id="hold-1",
        type=HoldType.LEGAL,
        kind="dossier",
        table="cf_dossier",
        row=ROW,
        reason_code="R",
        basis="letter",
        placed_by="dora",
        placed_at=NOW,
        review_on=date(2027, 1, 1),
        crm=crm,
    )
    store.holds.place(hold, ("hold_placed", {"hold": hold.id}))
    request = SubjectRequest(
        id="request-1",
        right=Right.ACCESS,
        requester_kind=RequesterKind.UNKNOWN,
        channel=Channel.FORM,
        received_at=NOW,
        received_on=NOW.date(),
        language="nl",
        on_behalf=False,
        crm=crm,
    )
    store.requests.add(request, {}, ("request", {"request": request.id, "step": "open"}))


def planned(store: SqlStore, crm: str) -> None:
    plan = msgspec.structs.replace(a_plan(), id="plan-1", crm=crm, created_at=NOW, valid_until=datetime(2026, 11, 28, tzinfo=UTC))
    store.plans.save(plan, [], ("plan", {"plan": plan.id}))


def kinds(store: SqlStore) -> list[str]:
    return [entry.kind for entry in store.ledger.entries()]


@pytest.mark.parametrize("words", ACTS, ids=lambda words: " ".join(words[:2]))
def test_nobody_is_believed_and_no_clock_is_set_once_a_real_crm_was_served(typist: Typist, words: tuple[str, ...]) -> None:
    with store_of(typist, REAL) as store:
        fill(store, REAL)
        before = kinds(store)
    error = typist.refused(*words, code=5)
    assert error["code"] == "other_crm"
    with store_of(typist) as store:
        assert kinds(store) == before
        assert store.plans.get("plan-1").given == ()
        assert store.holds.get("hold-1").released_at is None


def test_a_row_that_somebody_removed_is_still_known_and_stays_away(typist: Typist) -> None:
    """The table alone can be rewritten; the ledger says the same."""
    store_of(typist, REAL).close()
    sql(typist, "DELETE FROM served_crms")
    assert typist.refused("plans", "list", code=5)["code"] == "other_crm"
    store_of(typist, REAL).close()
    assert sql(typist, "SELECT count(*) FROM served_crms") == [(0,)]
    assert sql(typist, "SELECT count(*) FROM ledger WHERE kind = 'crm_seen'") == [(1,)]


def test_each_crm_is_told_once_by_the_ledger(typist: Typist) -> None:
    for crm in (REAL, "https://org.api.crm4.dynamics.com/api/data/v9.1", "https://ORG.crm4.dynamics.com:443/api/data/v9.2", OTHER):
        store_of(typist, crm).close()
    with store_of(typist) as store:
        told = [entry.data["crm"] for entry in store.ledger.entries() if entry.kind == "crm_seen"]
    assert told == ["org.crm4.dynamics.com:443", "ander.crm4.dynamics.com:443"]


def test_all_addresses_of_this_machine_are_one_crm(typist: Typist, org: Night) -> None:
    """An emulator takes whatever port is free."""
    plan = typist.ask("plan")["plan"]
    for url in ("http://localhost:1/api/data/v9.2/", "http://[::1]:2/api/data/v9.2/", "http://127.200.0.9/api/data/v9.2/"):
        typist.set(CRM_URL=url)
        typist.ask("plans", "show", plan)
    with store_of(typist) as store:
        assert [entry.data["crm"] for entry in store.ledger.entries() if entry.kind == "crm_seen"] == ["this machine"]


LATER = ("served_crms", "sessions", "crm_use", "told", "alert_channels", "seen", "works", "verification", "sent_forms", "colleagues")


def older(typist: Typist) -> None:
    """Take the store back to the version before it remembered CRMs, and signed the end of its ledger."""
    (typist.settings.data_dir / "keys" / "ledger.head").unlink()
    sql(
        typist,
        *(f"DROP TABLE {table}" for table in LATER),
        "DROP INDEX ix_plans_applied",
        "DROP INDEX ix_holds_listed",
        *(f"ALTER TABLE holds DROP COLUMN {column}" for column in ("type", "held", "row", "ends_on", "review_on", "unseen")),
        "DROP INDEX ix_ledger_kind",
        "DROP TABLE ledger_head",
        "DROP TABLE undecided",
        "ALTER TABLE actions DROP COLUMN seal",
        "DROP INDEX ix_erasures_key",
        "ALTER TABLE erasures DROP COLUMN key",
        "ALTER TABLE erasures DROP COLUMN seal",
        *(f"ALTER TABLE runs ADD COLUMN {column} VARCHAR" for column in ("kind", "state", "units", "recordings")),
        "CREATE INDEX ix_runs_kind ON runs (kind)",
        "UPDATE crm_compliance_version SET version_num = '0004'",
    )


def test_an_older_store_is_judged_by_its_plans(typist: Typist) -> None:
    with store_of(typist) as store:
        fill(store, REAL)
    older(typist)
    assert typist.refused("plans", "list", code=5)["code"] == "other_crm"
    assert sql(typist, "SELECT version_num FROM crm_compliance_version") == [(HEAD,)]


def test_an_older_store_of_this_machine_goes_on_once_a_person_has_said_so(typist: Typist, org: Night) -> None:
    """ACC-06: that the end of its ledger was never signed, and that the signed end was removed, look the
    same."""
    with store_of(typist) as store:
        planned(store, "http://127.0.0.1:1/api/data/v9.2/")
    older(typist)
    assert typist.refused("plans", "list", code=7)["code"] == "head_missing"
    assert typist.ask("recover")["recovered"] is True
    assert [plan["plan"] for plan in typist.ask("plans", "list")] == ["plan-1"]


def test_an_older_store_that_does_not_say_whom_it_served_believes_nobody(typist: Typist) -> None:
    with store_of(typist) as store:
        store.ledger.append([("hold_placed", {"hold": "hold-1"})])
    older(typist)
    assert typist.refused("holds", "list", code=5)["code"] == "other_crm"


def test_a_store_whose_runs_nobody_signed_is_refused_as_it_is(typist: Typist, org: Night) -> None:
    """ACC-06: it is told what it is and not taken for altered, and its own version can go on with it."""
    org.dossier("social_card", spoken=date(2020, 1, 10))
    typist.ask("apply", typist.ask("plan")["plan"])
    older(typist)
    for words in (("plan",), ("ledger", "verify"), ("recover",), ("history", "list")):
        error = typist.refused(*words, code=2)
        assert (error["code"], "version 0004" in error["message"]) == ("store", True)
    assert sql(typist, "SELECT version_num FROM crm_compliance_version") == [("0004",)]


@pytest.fixture
def signed_in(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> Typist:
    """Somebody who signs in for another CRM than the one that everything belongs to."""
    with store_of(typist, REAL) as store:
        fill(store, REAL)
    claims: dict[str, Any] = {"oid": "5c1d2f60-0000-4000-8000-00000000d0ba", "roles": list(HUMAN_ROLES)}
    monkeypatch.setattr(signin, "_claims", lambda *_: claims)
    typist.unset("CRM_TOKEN", "CLOCK")
    typist.set(CRM_URL=OTHER, CRM_TENANT_ID="tenant", CRM_CLIENT_ID="client", CRM_CLIENT_SECRET="s")
    return typist


@pytest.mark.parametrize("words", ACTS[:8], ids=lambda words: " ".join(words[:2]))
def test_an_act_is_held_against_the_crm_that_it_is_about(signed_in: Typist, words: tuple[str, ...]) -> None:
    if words[1] in ("review", "notices"):
        words = (*words, "--role", "dpo")
    assert signed_in.refused(*words, code=5)["code"] == "other_crm"
    with store_of(signed_in) as store:
        last = list(store.ledger.entries())[-1]
        assert (last.kind, last.data["code"]) == ("denied", "other_crm")
        assert store.plans.get("plan-1").given == ()
        assert store.holds.get("hold-1").released_at is None
    signed_in.set(CRM_URL="https://org.api.crm4.dynamics.com/api/data/v9.2/")
    done = signed_in.type(*words)
    assert '"other_crm"' not in done.err + done.out


def test_an_act_needs_a_crm(signed_in: Typist) -> None:
    signed_in.unset("CRM_URL")
    assert signed_in.refused(*ACTS[0], code=2)["where"] == "crm_url"


def test_a_row_that_somebody_removed_is_seen_by_the_ledger(typist: Typist, org: Night) -> None:
    typist.ask("plan")
    assert typist.ask("ledger", "verify")["ok"] is True
    sql(typist, "DELETE FROM served_crms")
    said = typist.type("ledger", "verify", "--json")
    assert said.code == 7
    assert "this machine" in said.out + said.err
