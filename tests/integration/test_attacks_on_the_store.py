"""Whoever can write the store and has not got the keys changes nothing unseen: `apply` believes the ledger
(ACC-06, ACC-09).

Each attack writes to the database directly, and does what it can to look right: it drops triggers, and
computes digests and chains again.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, create_engine, inspect, text

from crm_compliance.configuration.settings import Settings
from crm_compliance.hints import in_words
from crm_compliance.keys.checkpoint_signer import audit_store
from crm_compliance.keys.head_signer import NAME, FileWitness, remembers_a_ledger
from crm_compliance.store.rows.heads import Heads
from jobs.checks.kill_switch import stop
from jobs.checks.ledger_drift import about_schedules, refuse_altered
from jobs.ledger.entries import FIRST, StoreAltered, hash_of
from jobs.ledger.plan_lines import digest_head
from jobs.model.plan import Approval, Kind, Plan
from jobs.model.request import PRESERVED
from jobs.model.run import Run, RunState
from jobs.plans.approve import approve_plan
from jobs.plans.lines.pages import lines_of, paged
from jobs.register.maintenance import maintain_register
from jobs.register.transitions import close
from jobs.requests.search.preserve import preserve
from jobs.runs.apply import apply_plan
from tests.drivers.holding import place, release
from tests.drivers.night import Night, references_of
from tests.integration.asking import ASKER, dpo, registered
from tests.integration.test_in_place import a_runaway

LONG_AGO = date(2020, 1, 10)
TRIGGERS = ("ledger_no_update", "ledger_no_delete", "ledger_no_replace")


@pytest.fixture(params=["sqlite", "postgresql"])
def attacked(request: pytest.FixtureRequest, make_night: Callable[..., Night]) -> Night:
    """A night over each database, with a dossier that is due."""
    night = make_night(
        url=str(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else None,
        first_look=True,
        register="erasures.jsonl",
    )
    night.dossier("social_card", spoken=LONG_AGO)
    return night


def attack(night: Night, *statements: str, with_connection: Callable[[Connection], None] | None = None, **values: Any) -> None:
    """Write to the database, past everything that guards it."""
    engine = create_engine(night.store.database.engine.url)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            for trigger in TRIGGERS:
                connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
        else:
            connection.execute(text("ALTER TABLE ledger DISABLE TRIGGER ALL"))
            connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement), values)
        if with_connection is not None:
            with_connection(connection)
    engine.dispose()


def with_pages(night: Night, plan: Plan, lines: list[Any], **head: Any) -> None:
    """Give a stored plan other lines, and the digest that goes with them."""
    start = digest_head(plan.kind, plan.as_of, plan.crm, plan.policy_digest, plan.mapping_digest)
    (page,), digest = paged(lines, plan.trims, start)
    changed = msgspec.structs.replace(plan, digest=digest, given=(), **head)
    attack(night, "DELETE FROM plan_pages", "UPDATE plans SET doc = :doc, pages = 1", doc=msgspec.json.encode(changed).decode())
    attack(
        night,
        "INSERT INTO plan_pages (plan, page, content) VALUES (:plan, 0, :content)",
        plan=plan.id,
        content=page,
    )


def slip_in_a_line(night: Night, plan: Plan) -> None:
    kept = night.dossier("sexting", spoken=date(2026, 10, 1))
    line = next(lines_of(night.store.plans.pages(plan.id)))
    row = night.get("cf_dossiers", kept)
    assert row is not None
    with_pages(night, plan, [line, msgspec.structs.replace(line, id=kept, etag=row["@odata.etag"])])


def need_nobody(night: Night, plan: Plan) -> None:
    doc = msgspec.json.encode(msgspec.structs.replace(plan, needed=(), why=(), given=())).decode()
    attack(night, "UPDATE plans SET doc = :doc", doc=doc)


def add_approvals(night: Night, plan: Plan, *, but_first: str = "SELECT 1") -> None:
    words = [Approval(f"fictief-{role}", role, night.clock(), True) for role in ("crm_admin", "dpo")]
    for word in words:
        attack(
            night,
            but_first,
            "INSERT INTO approvals (plan, who, role, approves, doc) VALUES (:plan, :who, :role, :yes, :doc)",
            plan=plan.id,
            who=word.who,
            role=word.role,
            yes=True,
            doc=msgspec.json.encode(word).decode(),
        )


def replace_a_rejection(night: Night, plan: Plan) -> None:
    approve_plan(night.store, plan.id, "fictief-r", "dpo", "no", approves=False, now=night.clock(), **references_of(night.key))
    add_approvals(night, plan, but_first="DELETE FROM approvals WHERE who = 'fictief-r'")


def keep_old_approvals(night: Night, plan: Plan) -> None:
    night.approved(plan)
    slip_in_a_line(night, plan)


def renew_an_approval(night: Night, plan: Plan) -> None:
    night.approved(plan)
    night.clock.now += timedelta(hours=71, minutes=30)
    words = [msgspec.structs.replace(word, at=night.clock()) for word in night.store.plans.get(plan.id).given]
    for word in words:
        attack(night, "UPDATE approvals SET doc = :doc WHERE who = :who", doc=msgspec.json.encode(word).decode(), who=word.who)


def empty_the_pages(night: Night, plan: Plan) -> None:
    night.approved(plan)
    attack(night, "DELETE FROM plan_pages")


def damage_a_page(night: Night, plan: Plan) -> None:
    night.approved(plan)
    attack(night, "UPDATE plan_pages SET content = :noise", noise=bytes(range(40)))


def lose_one_page(night: Night, plan: Plan) -> None:
    night.approved(plan)
    attack(night, "UPDATE plans SET pages = 2")


def make_a_run_up(night: Night, plan: Plan) -> None:
    night.approved(plan)
    run = (
        f'{{"id":"run-forged","kind":"all","plan":"{plan.id}","state":"running","as_of":"2026-11-25T11:00:00Z",'
        '"started_at":"2026-11-25T11:00:00Z"}'
    )
    attack(
        night,
        "INSERT INTO runs (id, plan, doc) VALUES ('run-forged', :plan, :doc)",
        plan=plan.id,
        doc=run,
    )


@pytest.mark.parametrize(
    "how",
    [
        slip_in_a_line,
        need_nobody,
        add_approvals,
        replace_a_rejection,
        keep_old_approvals,
        renew_an_approval,
        empty_the_pages,
        damage_a_page,
        lose_one_page,
        make_a_run_up,
    ],
)
def test_an_altered_plan_is_neither_applied_nor_approved(attacked: Night, how: Callable[[Night, Plan], None]) -> None:
    """RET-24, ACC-09: what is applied is what two people have seen, and the ledger says what that was."""
    plan = attacked.plan()
    assert plan.needed
    how(attacked, plan)
    before = attacked.writes()
    with pytest.raises(StoreAltered) as caught:
        apply_plan(attacked.context, plan.id)
    assert (caught.value.exit_code, caught.value.code) == (7, "store_altered")
    assert attacked.writes() == before
    with pytest.raises(StoreAltered):
        approve_plan(attacked.store, plan.id, "fictief-x", "dpo", "", approves=True, now=attacked.clock(), **references_of(attacked.key))


def delete_it(night: Night, hold: str) -> None:
    attack(night, "DELETE FROM holds")


def mark_it_released(night: Night, hold: str) -> None:
    attack(night, "UPDATE holds SET released = :yes", yes=True)


def release_it_in_its_document(night: Night, hold: str) -> None:
    _with(night, released_by="fictief", released_at=night.clock())


def end_it(night: Night, hold: str) -> None:
    _with(night, ends_on=date(2026, 1, 1))


def move_it(night: Night, hold: str) -> None:
    _with(night, row="00000000-0000-0000-0000-000000000001")


def _with(night: Night, **changes: Any) -> None:
    (hold,) = night.store.holds.all()
    attack(night, "UPDATE holds SET doc = :doc", doc=msgspec.json.encode(msgspec.structs.replace(hold, **changes)).decode())


@pytest.mark.parametrize("how", [delete_it, mark_it_released, release_it_in_its_document, end_it, move_it])
def test_a_hold_that_the_ledger_knows_stops_plan_and_run_where_the_table_lacks_it(
    attacked: Night, how: Callable[[Night, str], None]
) -> None:
    """HLD-02, HLD-07: two people release a hold, not whoever can write a table."""
    dossier = attacked.dossier("social_card", spoken=LONG_AGO)
    ready = attacked.approved(attacked.plan())
    hold = place(attacked, "cf_dossier", dossier)
    how(attacked, hold.id)
    for act in (attacked.plan, lambda: apply_plan(attacked.context, ready.id)):
        with pytest.raises(StoreAltered, match=hold.id):
            act()
    assert attacked.get("cf_dossiers", dossier) is not None
    assert any(hold.id in problem.where for problem in audited(attacked))


def test_a_hold_that_two_people_released_may_leave_the_table_when_it_has_had_its_day(attacked: Night) -> None:
    dossier = attacked.dossier("social_card", spoken=LONG_AGO)
    hold = place(attacked, "cf_dossier", dossier)
    release(attacked, hold)
    attack(attacked, "DELETE FROM holds")
    assert attacked.plan().dispose["delete"] == 2
    assert audited(attacked) == []


@pytest.mark.parametrize("is_known", [True, False])
def test_what_a_closed_request_keeps_cannot_be_taken_away_unseen(attacked: Night, is_known: bool) -> None:
    """R-073, SUS-07: the entry of the closing is the same for somebody who is in the CRM and somebody who is
    not; the missing part too."""
    if is_known:
        attacked.contact(**ASKER)
    request = registered(attacked)
    preserve(attacked.context, request)
    close(dpo(attacked), request.id, "WITHDRAWN")
    (entry,) = [entry for entry in attacked.store.ledger.entries() if entry.data.get("step") == "close"]
    assert set(entry.data) == {"request", "step", "outcome", "refusal", "keeps", "kept", "role", "by"}
    assert entry.data["keeps"] is True
    refuse_altered(attacked.context)
    attack(attacked, "DELETE FROM request_parts WHERE name = 'frozen'")
    with pytest.raises(StoreAltered) as caught:
        refuse_altered(attacked.context)
    assert caught.value.where == f"request {request.id}"


@pytest.mark.parametrize("is_known", [True, False])
def test_an_older_copy_of_what_a_closed_request_keeps_is_told(attacked: Night, is_known: bool) -> None:
    """R-073, HLD-08, SUS-07: it is sealed with the same key for the same request, and may name fewer people
    than were found since."""
    if is_known:
        attacked.contact(**ASKER)
    request = registered(attacked)
    preserve(attacked.context, request)

    def sealed() -> bytes:
        with attacked.store.database.reading() as connection:
            return bytes(connection.execute(text("SELECT content FROM request_parts WHERE name = 'frozen'")).scalar_one())

    older = sealed()
    attacked.contact(**ASKER)
    preserve(attacked.context, request)
    newer = sealed()
    close(dpo(attacked), request.id, "WITHDRAWN")
    refuse_altered(attacked.context)
    attack(attacked, "UPDATE request_parts SET content = :older WHERE name = 'frozen'", older=older)
    assert attacked.store.requests.part(request.id, PRESERVED) is not None  # it opens
    with pytest.raises(StoreAltered, match="another part") as caught:
        refuse_altered(attacked.context)
    assert caught.value.where == f"request {request.id}"
    assert [problem.where for problem in audited(attacked)] == [f"request {request.id}"]
    attack(attacked, "UPDATE request_parts SET content = :newer WHERE name = 'frozen'", newer=newer)
    refuse_altered(attacked.context)


def test_what_is_looked_up_while_somebody_closes_a_request_is_what_it_keeps(attacked: Night) -> None:
    """Whoever comes second stores it beside the closed row, and the ledger says so."""
    request = registered(attacked)
    preserve(attacked.context, request)
    attacked.contact(**ASKER)
    close(dpo(attacked), request.id, "WITHDRAWN")
    assert preserve(attacked.context, request).contacts  # by the row as it was before
    assert list(attacked.store.ledger.entries())[-1].data.keys() == {"request", "step", "kept"}
    refuse_altered(attacked.context)


def test_what_a_closed_request_kept_may_leave_the_database_when_it_has_had_its_day(attacked: Night) -> None:
    request = registered(attacked)
    preserve(attacked.context, request)
    close(dpo(attacked), request.id, "WITHDRAWN")
    attacked.clock.now += timedelta(days=40)
    maintain_register(attacked.store, attacked.policy, attacked.clock(), attacked.key.references)
    assert not attacked.store.requests.has_part(request.id, PRESERVED)
    refuse_altered(attacked.context)


def test_a_lifted_kill_switch_is_noticed(attacked: Night) -> None:
    plan = attacked.approved(attacked.plan())
    stop(attacked.store, attacked.clock())
    attack(attacked, "DELETE FROM switches")
    with pytest.raises(StoreAltered, match="kill switch"):
        apply_plan(attacked.context, plan.id)


def rewrite(night: Night, *, until: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Change entries of the ledger, or drop them, and compute the whole chain again."""

    def again(connection: Connection) -> None:
        rows = [dict(row._mapping) for row in connection.execute(text("SELECT * FROM ledger ORDER BY seq"))]
        connection.execute(text("DELETE FROM ledger"))
        last, seq = FIRST, 0
        for row in rows:
            changed = until(row | {"data": msgspec.json.decode(row["data"])})
            if changed is None:
                continue
            seq += 1
            own = hash_of(seq, changed["at"], changed["kind"], changed["run"], changed["data"], last)
            values = changed | {
                "seq": seq,
                "data": msgspec.json.encode(changed["data"], order="sorted").decode(),
                "prev_hash": last,
                "hash": own,
            }
            columns = ", ".join(values)
            connection.execute(text(f"INSERT INTO ledger ({columns}) VALUES ({', '.join(':' + name for name in values)})"), values)
            last = own

    attack(night, with_connection=again)


@pytest.mark.parametrize("also", [(), ("DELETE FROM checkpoints",), ("DELETE FROM checkpoints", "DELETE FROM ledger_head")])
def test_a_chain_that_was_computed_anew_is_noticed_without_any_anchor(attacked: Night, also: tuple[str, ...]) -> None:
    """ACC-06: checkpoints and the anchor at its default place are within reach of whoever writes the store;
    the keys are not."""
    dossier = attacked.dossier("social_card", spoken=LONG_AGO)
    attacked.apply(attacked.plan())
    attacked.dossier("social_card", spoken=LONG_AGO)
    place(attacked, "cf_fiche", attacked.fiche("social_card", spoken=LONG_AGO))
    assert attacked.get("cf_dossiers", dossier) is None
    (attacked.key.folder.parent / "anchor.jsonl").unlink(missing_ok=True)
    rewrite(attacked, until=lambda row: None if row["kind"] == "hold_placed" else row)
    attack(attacked, "DELETE FROM holds", *also)
    with pytest.raises(StoreAltered):
        attacked.plan()
    assert audited(attacked)


def test_a_ledger_with_runs_and_without_a_checkpoint_is_not_well(attacked: Night) -> None:
    attacked.apply(attacked.plan())
    attack(attacked, "DELETE FROM checkpoints")
    (attacked.key.folder.parent / "anchor.jsonl").unlink(missing_ok=True)
    assert any("not a single checkpoint" in problem.what for problem in audited(attacked))


@pytest.mark.parametrize("seq", [-(2**62) - 5, -1, 0, 10_000])
def test_an_entry_slipped_in_anywhere_is_noticed(attacked: Night, seq: int) -> None:
    attacked.plan()
    attack(
        attacked,
        "INSERT INTO ledger (seq, at, kind, data, prev_hash, hash) VALUES (:seq, '2026-01-01T00:00:00.000Z', 'note', '{}', :hash, :hash)",
        seq=seq,
        hash=FIRST,
    )
    assert audited(attacked)


@pytest.mark.parametrize("change", ["unit_ref = 'x'", "id = 'x'", 'doc = replace(doc, \'"register_key":"r-\', \'"register_key":"r-x\')'])
def test_a_changed_column_of_a_certificate_is_noticed(attacked: Night, change: str) -> None:
    attacked.apply(attacked.plan())
    assert audited(attacked) == []
    attack(attacked, f"UPDATE certificates SET {change}")
    assert any("certificate" in problem.where for problem in audited(attacked))


def test_an_older_copy_of_the_whole_database_is_noticed(night: Night, tmp_path: Path) -> None:
    """The end of the ledger is remembered beside the keys. What it cannot tell is an older copy of database
    and keys together."""
    file = tmp_path / "state.db"
    night.dossier("social_card", spoken=LONG_AGO)
    night.apply(night.plan())
    night.store.close()
    shutil.copy(file, tmp_path / "old.db")
    place(night, "cf_dossier", night.dossier("social_card", spoken=LONG_AGO))
    night.store.close()
    for left in tmp_path.glob("state.db-*"):
        left.unlink()
    shutil.copy(tmp_path / "old.db", file)
    with pytest.raises(StoreAltered, match="older day"):
        night.plan()
    with pytest.raises(StoreAltered):
        night.store.ledger.append([("note", {})])


@pytest.mark.parametrize("other", [{"disposed": {"units": 9000, "recordings": 0}}, {"deleted": 9}, {"failed": 1}, {"rows": {}}])
def test_counts_of_runs_are_those_of_the_ledger(attacked: Night, other: dict[str, object]) -> None:
    """RET-24, ACC-03: who makes earlier runs larger lets a large plan through, and tells an auditor of what
    never was."""
    run = attacked.apply(attacked.plan())
    counts = run.counts | other
    attack(attacked, "UPDATE runs SET doc = :doc", doc=msgspec.json.encode(msgspec.structs.replace(run, counts=counts)).decode())
    with pytest.raises(StoreAltered, match=run.id):
        refuse_altered(attacked.context)


def test_a_run_that_failed_has_not_ended_well(attacked: Night) -> None:
    run = attacked.apply(attacked.plan())
    attack(attacked, """UPDATE runs SET doc = replace(doc, '"state":"done"', '"state":"done_with_failures"')""")
    with pytest.raises(StoreAltered, match=run.id):
        refuse_altered(attacked.context)


def test_a_schedule_that_was_kept_is_the_one_that_decided(attacked: Night) -> None:
    """ACC-01."""
    attacked.store.policies.remember(hashlib.sha256(b"version: 1").hexdigest(), "1", "version: 1")
    assert audited(attacked) == []
    attack(attacked, "UPDATE policies SET text = text || '# anders'")
    assert [place for place in audited(attacked) if "schedule" in str(place)]


def test_a_schedule_that_is_kept_during_the_look_is_not_missed(attacked: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process keeps one while the tables are compared."""
    policies, real = attacked.store.policies, attacked.store.policies.all

    def kept_meanwhile() -> object:
        before = real()
        policies.remember(hashlib.sha256(b"version: 1").hexdigest(), "1", "version: 1")
        return before

    monkeypatch.setattr(policies, "all", kept_meanwhile)
    assert list(about_schedules(attacked.store)) == []


def test_a_schedule_that_decided_is_missed(attacked: Night) -> None:
    """ACC-01, ACC-02: a certificate leads to a text that must be there."""
    attacked.store.policies.remember(hashlib.sha256(b"version: 1").hexdigest(), "1", "version: 1")
    attack(attacked, "DELETE FROM policies")
    assert [place for place in audited(attacked) if "schedule" in str(place)]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM runs WHERE id = :first",
        "UPDATE runs SET position = position + 100 WHERE id = :first",
        """UPDATE runs SET doc = replace(doc, '"kind":"all"', '"kind":"recordings"') WHERE id = :first""",
    ],
)
def test_the_runs_by_which_the_breaker_goes_are_those_of_the_ledger_in_its_order(night: Night, statement: str) -> None:
    """RET-24: the median is that of the last runs of a kind, so none may be missing, moved or of another
    kind."""
    first = night.apply(night.plan())
    night.apply(night.plan())
    assert audited(night) == []
    attack(night, "PRAGMA foreign_keys = OFF", statement, first=first.id)
    with pytest.raises(StoreAltered, match="run"):
        refuse_altered(night.context)


def test_what_a_run_is_stands_in_no_column_beside_its_document(night: Night) -> None:
    """RET-24: the documents are held against the ledger; a column that nothing signs could make an earlier
    run larger."""
    assert {column["name"] for column in inspect(night.store.database.engine).get_columns("runs")} == {"position", "id", "plan", "doc"}
    night.apply(night.plan())
    assert night.store.runs.disposals(Kind.ALL, "units", 10) == [0]


def without_the_row(night: Night) -> None:
    attack(night, "DELETE FROM ledger_head")


def without_the_file(night: Night) -> None:
    remembered(night).unlink()


def remembered(night: Night) -> Path:
    head = night.store.ledger._heads
    assert isinstance(head, Heads)
    witness = head._witness
    assert isinstance(witness, FileWitness)
    return witness._file


def without_either(night: Night) -> None:
    without_the_row(night)
    without_the_file(night)


@pytest.mark.parametrize("how", [without_the_file, without_either])
def test_a_removed_record_of_the_last_head_is_missed(attacked: Night, how: Callable[[Night], None]) -> None:
    """ACC-06: without it, nobody could tell an older copy of the database from the newest one; and no next
    entry covers that up."""
    ready = attacked.approved(attacked.plan())
    how(attacked)
    for act in (attacked.plan, lambda: apply_plan(attacked.context, ready.id), lambda: attacked.store.ledger.append([("note", {})])):
        with pytest.raises(StoreAltered, match="last head of the ledger is missing") as caught:
            act()
        assert (caught.value.exit_code, caught.value.code, "recover" in in_words(caught.value.hint)) == (7, "head_missing", True)
    assert [problem.code for problem in audited(attacked)] == ["head_missing"]


def test_a_removed_head_whose_end_is_remembered_is_missed(attacked: Night) -> None:
    attacked.plan()
    without_the_row(attacked)
    with pytest.raises(StoreAltered, match="lost the head"):
        attacked.plan()
    assert audited(attacked)


def test_a_first_transaction_that_was_cut_off_leaves_a_new_store(make_night: Callable[..., Night], tmp_path: Path) -> None:
    """What will remember the head is there before the head is, so that a file that is not there was removed;
    nothing is remembered yet."""
    night = make_night(register="erasures.jsonl")
    witness = FileWitness(tmp_path / "new", lambda: night.key)
    assert witness.known() is None
    witness.expect()
    assert witness.known() == (0, FIRST)
    assert not remembers_a_ledger(tmp_path / "new" / "keys" / NAME)
    night.plan()
    assert remembers_a_ledger(remembered(night))


def monthly(text: str) -> str:
    return text.replace("statistics:\n", "statistics:\n  batch: monthly\n", 1)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO waiting_statistics (crm, month, facts, units) SELECT crm, '2026-10', facts, 7 FROM waiting_statistics",
        "UPDATE waiting_statistics SET units = units + 1",
        "UPDATE waiting_statistics SET crm = 'http://127.0.0.1:1/'",
        "DELETE FROM waiting_statistics",
    ],
)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_waits_to_be_counted_is_what_runs_have_counted(
    request: pytest.FixtureRequest, make_night: Callable[..., Night], statement: str, database: str
) -> None:
    """ERA-16, ACC-06: what is slipped in would be published next month, and nobody could tell any more."""
    night = make_night(
        url=str(request.getfixturevalue("postgres_url")) if database == "postgresql" else None, policy=monthly, register="erasures.jsonl"
    )
    a_runaway(night)
    night.apply(night.plan())
    assert list(night.store.statistics.waiting(night.emulator.url).values()) == [1]
    ready = night.plan()
    assert audited(night) == []
    attack(night, statement)
    for act in (night.plan, lambda: apply_plan(night.context, ready.id)):
        with pytest.raises(StoreAltered, match="wait for their month"):
            act()
    assert [problem for problem in audited(night) if "wait for their month" in problem.what]


def test_what_was_slipped_in_while_a_run_works_is_not_sealed_with_what_it_counts(make_night: Callable[..., Night]) -> None:
    night = make_night(policy=monthly, register="erasures.jsonl")
    a_runaway(night)
    plan = night.plan()
    row = "INSERT INTO waiting_statistics (crm, month, facts, units) VALUES (:crm, '2026-10', '{}', 7)"
    attack(night, row, crm=night.emulator.url)
    counted = {("2026-11", "{}"): 1}
    run = Run("run-1", Kind.ALL, plan.id, RunState.RUNNING, night.clock(), night.clock())
    night.store.runs.start(run, ("run_started", {"plan": plan.id}))
    with pytest.raises(StoreAltered, match="wait for their month"):
        night.store.statistics.fix(run, [], crm=night.emulator.url, taken=(), counted=counted, forgotten=())
    assert sum(night.store.statistics.waiting(night.emulator.url).values()) == 7


def test_what_waits_is_sealed_anew_before_its_key_is_destroyed(make_night: Callable[..., Night]) -> None:
    """9.2: the term of a key says nothing about what waits to be counted."""
    night = make_night(policy=monthly, register="erasures.jsonl")
    a_runaway(night)
    night.apply(night.plan())
    before = night.key.register_key
    head = night.store.ledger.head()
    assert head is not None
    assert str(head.waiting).startswith(f"{before}:")
    rotated, entries = night.key.rotate(night.clock())
    night.store.ledger.append([("key_rotated", entry) for entry in entries])
    night.store.journal.forget_key(before, ("key_destroyed", {"key": before}))
    head = night.store.ledger.head()
    assert head is not None
    assert str(head.waiting).startswith(f"{rotated.register_key}:")
    night.store.statistics.check()


def audited(night: Night) -> list[Any]:
    return audit_store(Settings(data_dir=night.key.folder.parent), night.store, night.policy.calendar).problems
