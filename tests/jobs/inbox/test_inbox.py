"""What waits for whom: each thing once, for the roles whose work it is, and nothing of anybody in it.
Everybody is fictitious."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest

from crm_compliance.console.language.item_words import why_of
from crm_compliance.keys.request_seals import Sealing
from crm_compliance.store.store import SqlStore
from jobs.inbox.inbox import waiting, waiting_for
from jobs.inbox.item import InboxItem, ItemKind, Stage
from jobs.ledger.entries import StoreAltered
from jobs.model.answer import Addressee, Compilation, Item, ItemStatus
from jobs.model.plan import Alarm, Approval, Kind, Plan
from jobs.model.request import COMPILATION, DECISIONS, HANDOVER, RequestApproval, SubjectRequest
from jobs.model.run import RunState
from jobs.model.work_queue import QueueMoves, Waiting
from jobs.register.decision import Decision, Notice
from jobs.restores.detect import RESTORED
from rules.holds.placements import HoldType, PlacedHold
from rules.model.requests import RequestState, Right
from rules.model.roles import Role
from rules.policy.limits import Quarantine
from rules.retention.quarantine import Mark
from tests.crm_compliance.store.rows.request_values import OPEN, a_request
from tests.crm_compliance.store.values import ENTRY, a_plan, a_run, a_word
from tests.drivers.clock import Clock
from tests.rules.builders import shipped_policy
from tests.rules.holds.placed_holds import a_hold

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TODAY = date(2026, 3, 2)
CRM = "http://127.0.0.1:8765/api/data/v9.2/"
POLICY = shipped_policy()


@pytest.fixture
def store(sqlite_url: str, clock: Clock, tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(sqlite_url, clock=clock, sealer=Sealing(tmp_path / "keys-of-test"), folder=tmp_path)
    yield opened
    opened.close()


def found(store: SqlStore, now: datetime = NOW) -> list[InboxItem]:
    return waiting(store, POLICY, now, crm=CRM)


def kinds(items: list[InboxItem]) -> list[tuple[str, str]]:
    return [(item.kind.value, item.subject) for item in items]


def save(store: SqlStore, *plans: Plan) -> None:
    for plan in plans:
        store.plans.save(plan, [], ENTRY)


def add(store: SqlStore, request: SubjectRequest, **parts: bytes) -> None:
    store.requests.add(request, parts, OPEN)


def test_nothing_waits_in_a_new_store(store: SqlStore) -> None:
    assert found(store) == []


def test_a_plan_waits_for_the_roles_that_are_missing_and_not_for_who_has_spoken(store: SqlStore) -> None:
    """ACC-09: the proposer, and who has approved in one role, do not approve in the other."""
    save(store, a_plan(proposer="paul", given=(a_word("anna"),)))
    (item,) = found(store)
    assert (item.kind, item.roles, item.stage, item.count) == (ItemKind.PLAN_TO_APPROVE, (Role.DPO,), Stage.WAITS, 1)
    assert item.due_on == date(2026, 3, 5)
    assert item.hint is not None
    assert item.hint.facts == {"plan": "plan-1"}
    assert waiting_for([item], "dora", ["dpo"]) == [item]
    assert waiting_for([item], "ANNA", ["dpo"]) == waiting_for([item], "paul", ["dpo"]) == waiting_for([item], "ben", ["crm_admin"]) == []


def test_a_plan_that_is_about_to_expire_is_more_urgent_than_before(store: SqlStore) -> None:
    save(store, a_plan())
    before, soon = found(store)[0], found(store, datetime(2026, 3, 4, 12, tzinfo=UTC))[0]
    assert (soon.stage, soon.code) == (Stage.SOON, "EXPIRES_SOON")
    assert before.key != soon.key
    assert found(store, datetime(2026, 3, 5, 1, 30, tzinfo=UTC)) == []


def test_an_approved_plan_that_nobody_has_carried_out_waits_to_be_applied(store: SqlStore) -> None:
    save(store, a_plan(given=(a_word("anna"), a_word("dora", "dpo"))))
    (item,) = found(store)
    assert (item.kind, item.roles) == (ItemKind.PLAN_TO_APPLY, (Role.CRM_ADMIN, Role.DPO))


@pytest.mark.parametrize("changes", [{"as_of_given": True}, {"given": (a_word("dora", "dpo", approves=False),)}, {"needed": ()}])
def test_a_plan_on_which_nobody_can_act_does_not_wait(store: SqlStore, changes: dict[str, Any]) -> None:
    """DAT-12: a plan for another day is never applied."""
    save(store, a_plan(**changes))
    assert found(store) == []


def test_a_plan_that_a_newer_run_has_replaced_waits_no_more(store: SqlStore) -> None:
    save(store, a_plan("plan-1"), a_plan("plan-2", needed=()))
    store.runs.start(a_run(plan="plan-2"), ENTRY)
    store.runs.save(a_run(plan="plan-2", state=RunState.DONE, ended_at=NOW))
    assert found(store) == []


def test_of_plans_of_several_nights_to_which_nobody_has_said_anything_the_newest_waits(store: SqlStore) -> None:
    """Each is of the same units once more; one that somebody has approved waits for the second person."""
    said = a_plan("plan-1", given=(a_word("anna"),))
    save(store, said, *(a_plan(f"plan-{number}") for number in (2, 3)))
    assert {item.subject for item in found(store)} == {"plan-1", "plan-3"}
    save(store, *(a_plan(f"plan-{number}", kind=Kind.REPLAY) for number in (4, 5)))
    assert {item.subject for item in found(store)} == {"plan-1", "plan-3", "plan-4", "plan-5"}, "only nights make the same plan again"


@pytest.mark.parametrize("given", [(), (a_word("anna"), a_word("dora", "dpo"))])
def test_a_plan_that_no_night_carries_out_since_a_later_one_was_rejected_waits_for_nobody(
    store: SqlStore, given: tuple[Approval, ...]
) -> None:
    """One of everything waits until a night of each kind passes it over."""
    waits = []
    rejected = (a_word("ben", "dpo", approves=False),)
    save(store, a_plan("plan-1", kind=Kind.ALL, given=given), a_plan("plan-2", given=given))
    for plan in (a_plan("plan-3", kind=Kind.REPLAY, given=rejected), a_plan("plan-4", given=rejected)):
        save(store, plan)
        waits.append({item.subject for item in found(store)})
    save(store, a_plan("plan-5", kind=Kind.RECORDINGS, given=rejected))
    waits.append({item.subject for item in found(store)})
    save(store, a_plan("plan-6"))
    waits.append({item.subject for item in found(store)})
    assert waits == [{"plan-1", "plan-2"}, {"plan-1"}, set(), {"plan-6"}]


def test_a_plan_of_everything_is_replaced_by_the_two_nights_together(store: SqlStore) -> None:
    save(store, a_plan("plan-1", kind=Kind.ALL), a_plan("plan-2", needed=()), a_plan("plan-3", kind=Kind.RECORDINGS, needed=()))
    waits = []
    for number, kind in ((2, Kind.RETENTION), (3, Kind.RECORDINGS)):
        store.runs.start(a_run(f"run-{number}", f"plan-{number}", kind=kind), ENTRY)
        store.runs.save(a_run(f"run-{number}", f"plan-{number}", kind=kind, state=RunState.DONE, ended_at=NOW))
        waits.append(kinds(found(store)))
    assert waits == [[("plan_to_approve", "plan-1")], []]


@pytest.mark.parametrize(
    ("kind", "counts", "more", "is_old"),
    [
        (Kind.RETENTION, {"deleted": 3}, {}, True),
        (Kind.ALL, {"anonymised": 1}, {}, True),
        (Kind.RETENTION, {"deleted": 0, "skipped": {"HELD": 2}}, {}, False),
        (Kind.RECORDINGS, {"deleted": 3}, {}, False),
        (Kind.REQUEST, {"deleted": 3}, {"request": "request-1"}, False),
        (Kind.RETENTION, {"deleted": 3}, {"crm": "http://127.0.0.1:9/other/"}, False),
    ],
)
def test_a_plan_says_that_another_was_carried_out_after_it_was_made(
    store: SqlStore, kind: Kind, counts: dict[str, object], more: dict[str, Any], *, is_old: bool
) -> None:
    """Its numbers are those of before; who is asked for approval sees that."""
    save(store, a_plan("plan-1", kind=kind, needed=(), **more), a_plan("plan-2", created_at=NOW - timedelta(minutes=30)))
    store.runs.start(a_run("run-0", "plan-1", kind=kind), ENTRY)
    before = NOW - timedelta(hours=1)
    done = a_run("run-0", "plan-1", kind=kind, state=RunState.DONE, ended_at=before, counts=counts)
    store.runs.save(done)
    assert found(store)[0].facts["overtaken_by"] == "", "it was made when that had ended"
    store.runs.save(msgspec.structs.replace(done, ended_at=NOW))
    (item,) = found(store)
    assert (item.kind, item.subject, item.facts["overtaken_by"]) == (ItemKind.PLAN_TO_APPROVE, "plan-2", "run-0" if is_old else "")


def test_a_run_that_was_cut_off_and_a_kill_switch_wait_for_an_operator(store: SqlStore) -> None:
    save(store, a_plan(needed=()))
    store.runs.start(a_run(), ENTRY)
    store.kill_switch.stop(NOW, ENTRY)
    assert kinds(found(store)) == [("run_interrupted", "run-1"), ("stopped", "")]


def test_a_run_at_work_does_not_wait(store: SqlStore) -> None:
    save(store, a_plan(needed=()))
    with store.leases.exclusive() as lease:
        store.runs.start(a_run(), ENTRY)
        lease.work_on("run-1")
        assert found(store) == []


def test_the_alarms_of_the_last_night_wait_until_a_night_without_them(store: SqlStore) -> None:
    alarms = (Alarm("UNACCOUNTED", "tables with rows that nothing accounts for: new_table"), Alarm("QUEUE_OLD", "told by itself"))
    save(store, a_plan("plan-1", needed=(), alarms=alarms), a_plan("plan-2", needed=()))
    store.runs.start(a_run(plan="plan-2"), ENTRY)
    counts = {"alarms": [{"code": "BACKLOG", "message": "3 units are late"}]}
    store.runs.save(a_run(plan="plan-2", state=RunState.DONE_WITH_FAILURES, ended_at=NOW, counts=counts))
    (item,) = found(store)
    assert (item.kind, item.code, item.subject, item.message) == (ItemKind.ALARM, "BACKLOG", "retention", "3 units are late")
    save(store, a_plan("plan-3", needed=(), alarms=alarms))
    (item,) = found(store)
    assert (item.kind, item.code, item.roles) == (ItemKind.TABLES_UNACCOUNTED, "UNACCOUNTED", (Role.CRM_ADMIN, Role.DPO))
    save(store, a_plan("plan-4", needed=()))
    assert found(store) == []


def test_tables_that_both_kinds_of_night_have_found_wait_once(store: SqlStore) -> None:
    alarms = (Alarm("UNACCOUNTED", "tables: new_table"),)
    save(store, *(a_plan(f"plan-{kind}", needed=(), kind=kind, alarms=alarms) for kind in (Kind.RETENTION, Kind.RECORDINGS)))
    assert [item.code for item in found(store)] == ["UNACCOUNTED"]


def test_one_more_unaccounted_table_is_something_new(store: SqlStore) -> None:
    save(store, a_plan("plan-1", needed=(), alarms=(Alarm("UNACCOUNTED", "tables: new_table"),)))
    before = found(store)[0]
    save(store, a_plan("plan-2", needed=(), alarms=(Alarm("UNACCOUNTED", "tables: new_table, new_other"),)))
    assert found(store)[0].key != before.key


def test_a_request_waits_for_its_next_step_with_the_days_that_are_left(store: SqlStore) -> None:
    add(store, a_request())
    (item,) = found(store)
    assert (item.kind, item.roles, item.stage, item.code) == (ItemKind.REQUEST_STEP, (Role.DPO,), Stage.WAITS, "")
    assert (item.due_on, item.days_left(TODAY)) == (date(2026, 4, 2), 31)
    assert item.hint is not None
    assert item.hint.code == "next_identify"


@pytest.mark.parametrize(
    ("days", "code", "stage"),
    [(10, "DUE_IN_10", Stage.SOON), (5, "DUE_IN_5", Stage.SOON), (1, "DUE_IN_1", Stage.SOON), (-1, "OVERDUE", Stage.OVERDUE)],
)
def test_a_request_grows_urgent_as_its_date_comes(store: SqlStore, days: int, code: str, stage: Stage) -> None:
    """DDL-10, DDL-11."""
    add(store, a_request())
    (item,) = found(store, datetime(2026, 4, 2, 9, tzinfo=UTC) - timedelta(days=days))
    assert (item.code, item.stage) == (code, stage)


@pytest.mark.parametrize(
    ("state", "target"), [("received", date(2026, 3, 9)), ("searching", date(2026, 3, 12)), ("reviewing", date(2026, 3, 22))]
)
def test_a_step_that_is_past_its_internal_target_is_soon(store: SqlStore, state: str, target: date) -> None:
    """DDL-10."""
    add(store, a_request(state=RequestState(state), right=Right.ERASURE))
    at = datetime(target.year, target.month, target.day, 9, tzinfo=UTC)
    assert [item.code for item in found(store, at)] == [""]
    (late,) = found(store, at + timedelta(days=1))
    assert (late.code, late.stage) == (("STEP_LATE", Stage.SOON) if state != "reviewing" else ("DUE_IN_10", Stage.SOON))


def compiled(*statuses: ItemStatus) -> bytes:
    items = tuple(
        Item(f"item-{n}", "c", "note", ("note", str(n)), "", "", (), needs_review=True, status=each) for n, each in enumerate(statuses)
    )
    addressee = Addressee(name="Voorbeeld (fictief)")
    return msgspec.json.encode(
        Compilation(
            request="request-1",
            reference="R",
            right="access",
            answer="package",
            scope="own",
            language="nl",
            generated_at=NOW,
            received_on=TODAY,
            addressee=addressee,
            about="Voorbeeld (fictief)",
            items=items,
        )
    )


def test_texts_to_review_are_counted_for_the_dpo_and_a_neutral_answer_looks_the_same(store: SqlStore) -> None:
    """SUS-07: kind, role, urgency and next step are those of any answer."""
    add(store, a_request("request-1", state=RequestState.REVIEWING, answer="package"), **{COMPILATION: compiled(ItemStatus.PENDING_REVIEW)})
    add(store, a_request("request-2", state=RequestState.REVIEWING, answer="neutral"))
    told = {item.subject: item for item in found(store)}
    assert (told["request-1"].count, told["request-2"].count) == (1, 0)
    alike = [msgspec.structs.replace(item, subject="", count=None, hint=None) for item in told.values()]
    assert alike[0] == alike[1]
    assert alike[0].roles == (Role.DPO,)


def test_an_approved_answer_waits_for_a_second_person(store: SqlStore) -> None:
    """ACC-09: whoever approved the content does not release it; the DPO hears of it once its date is near."""
    add(store, a_request(state=RequestState.APPROVED, approvals=(RequestApproval("content", "dora", "dpo", NOW),)))
    (item,) = found(store)
    assert (item.kind, item.roles, item.not_for, item.since) == (ItemKind.ANSWER_TO_RELEASE, (Role.APPROVER,), ("dora",), NOW)
    late = found(store, datetime(2026, 4, 3, 9, tzinfo=UTC))
    assert {each.kind: each.roles for each in late} == {ItemKind.ANSWER_TO_RELEASE: (Role.APPROVER,), ItemKind.REQUEST_STEP: (Role.DPO,)}


def test_a_released_answer_waits_to_be_closed_and_a_closed_one_for_nobody(store: SqlStore) -> None:
    add(store, a_request("request-1", state=RequestState.RELEASED, released_at=NOW))
    add(store, a_request("request-2", state=RequestState.CLOSED, closed_at=NOW))
    assert kinds(found(store)) == [("request_to_close", "request-1")]


def test_a_released_answer_waits_to_be_handed_over_before_it_is_to_be_closed(store: SqlStore) -> None:
    """EXP-16: closing removes link and passphrase, and then nobody can open what was released."""
    add(store, a_request("request-1", state=RequestState.RELEASED, released_at=NOW), **{HANDOVER: b"{}"})
    (item,) = found(store)
    assert (item.kind, item.roles, item.since) == (ItemKind.ANSWER_TO_HAND_OVER, (Role.APPROVER, Role.DPO), NOW)
    assert (item.stage, item.due_on) == (Stage.WAITS, date(2026, 4, 2))
    (last,) = found(store, datetime(2026, 4, 2, 21, 59, 59, tzinfo=UTC))
    (late,) = found(store, datetime(2026, 4, 2, 22, tzinfo=UTC))
    assert (last.stage, late.kind, late.stage) == (Stage.WAITS, ItemKind.ANSWER_TO_HAND_OVER, Stage.OVERDUE)


def test_recipients_to_be_told_wait_also_once_a_request_is_closed(store: SqlStore) -> None:
    """GDPR art. 19, ERA-14."""
    notice = Notice("Politiezone Voorbeeld (fictief)", due_on=TODAY)
    decision = Decision(right=Right.ERASURE, who="dora", at=NOW, notices=(notice,))
    row = a_request(right=Right.ERASURE, state=RequestState.CLOSED, closed_at=NOW, answer="package")
    add(store, row, **{DECISIONS: msgspec.json.encode(decision)})
    (item,) = found(store)
    assert (item.kind, item.count, item.stage, item.due_on) == (ItemKind.NOTICES_TO_GIVE, 1, Stage.WAITS, date(2026, 3, 16))
    (late,) = found(store, NOW + timedelta(days=15))
    assert (late.stage, late.code) == (Stage.OVERDUE, "NOTICE_DUE")
    assert "Voorbeeld" not in repr(late)


def test_a_hold_past_its_review_waits_for_the_dpo(store: SqlStore) -> None:
    """HLD-03."""
    hold = PlacedHold(
        id="hold-1",
        type=HoldType.LEGAL,
        kind="dossier",
        table="cf_dossier",
        row="0001",
        reason_code="LIT-1",
        basis="claim before the court",
        placed_by="dora",
        placed_at=NOW,
        review_on=TODAY,
    )
    store.holds.place(hold, ENTRY)
    assert found(store) == []
    (item,) = found(store, NOW + timedelta(days=1))
    assert (item.kind, item.subject, item.roles, item.stage) == (ItemKind.HOLD_TO_REVIEW, "hold-1", (Role.DPO,), Stage.OVERDUE)


def test_replaced_keys_wait_for_a_backup_for_two_weeks(store: SqlStore, clock: Clock) -> None:
    """A night replaces them once a year, when nobody looks on: with a backup from before alone nothing could
    go on (`keys_missing`)."""
    store.ledger.append([("key_made", {"kind": "register", "key": "r-2026-03-0a1b2c3d"})])
    assert found(store, clock()) == []
    store.ledger.append([("key_rotated", {"kind": "register", "from": "r-2026-03-0a1b2c3d", "to": "r-2027-03-0a1b2c3d"})])
    (item,) = found(store, clock() + timedelta(days=13))
    assert (item.kind, item.roles, item.stage) == (ItemKind.KEYS_REPLACED, (Role.CRM_ADMIN, Role.DPO), Stage.WAITS)
    assert found(store, clock() + timedelta(days=14, seconds=1)) == []


def test_a_restore_of_the_crm_is_told_once_for_two_weeks(store: SqlStore, clock: Clock) -> None:
    """ERA-13: it is noticed again night after night until its replay is approved, and that is one thing."""
    noticed = [("alarm", {"code": RESTORED, "rows": 7})]
    keys = []
    for replay in ("", "run-1", ""):
        if replay:
            save(store, a_plan("plan-1", kind=Kind.REPLAY))
            store.runs.start(a_run(replay, "plan-1", kind=Kind.REPLAY, started_at=clock()), ENTRY)
            store.runs.save(a_run(replay, "plan-1", kind=Kind.REPLAY, started_at=clock(), state=RunState.DONE, ended_at=clock()))
        else:
            store.ledger.append(noticed)
        clock.now += timedelta(days=1)
        (item,) = found(store, clock())
        assert (item.kind, item.code, item.count, item.roles) == (ItemKind.ALARM, RESTORED, 7, (Role.CRM_ADMIN, Role.DPO))
        assert "back" in why_of(item, "en")
        keys.append(item.key)
    assert keys[0] == keys[1] != keys[2], "another restore, after the replay of the first, is another thing"
    assert found(store, clock() + timedelta(days=14)) == []


def test_a_ledger_that_is_not_as_it_was_keeps_nothing_from_being_told(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def strand(_: str) -> NoReturn:
        raise StoreAltered("the database was put back to an older day")

    monkeypatch.setattr(store.ledger, "strand", strand)
    (item,) = waiting(store, POLICY, NOW, not_well=("LEDGER_BROKEN",))
    assert (item.kind, item.code) == (ItemKind.NOT_WELL, "LEDGER_BROKEN")


def test_a_hold_that_is_on_nothing_waits_for_the_dpo(store: SqlStore) -> None:
    for hold in (a_hold(placed_at=NOW, is_unseen=True), a_hold(id="hold-2", placed_at=NOW, is_unseen=True, looked_up_at=NOW)):
        store.holds.place(hold, ENTRY)
    (item,) = found(store)  # nobody has looked for the other one yet
    assert (item.kind, item.subject, item.roles, item.stage) == (ItemKind.HOLD_NOT_FOUND, "hold-2", (Role.DPO,), Stage.OVERDUE)


def test_units_in_quarantine_wait_in_batches_and_are_not_named(store: SqlStore) -> None:
    policy = POLICY.model_copy(update={"quarantine": Quarantine()})
    days = {"0001": 5, "0002": 5, "0003": 1, "0004": -1}
    marks = [Mark("cf_dossier", row, TODAY, TODAY + timedelta(days=left), told=True) for row, left in days.items()]
    store.quarantine.put([*marks, Mark("cf_dossier", "0005", TODAY, TODAY + timedelta(days=5), told=True, undone=True)])
    items = waiting(store, policy, NOW, crm=CRM)
    assert [(item.subject, item.count, item.stage) for item in items] == [("2026-03-03", 1, Stage.SOON), ("2026-03-07", 2, Stage.WAITS)]
    assert "000" not in repr(items)
    assert found(store) == []  # this schedule knows no quarantine


def test_units_that_nothing_in_force_decides_on_wait_for_the_owner_of_the_queue(store: SqlStore) -> None:
    """RET-14."""
    units = {ref: Waiting("cf_dossier", TODAY - timedelta(days=ago)) for ref, ago in (("a" * 64, 3), ("b" * 64, 30))}
    store.plans.save(a_plan(needed=()), [], ENTRY, QueueMoves(CRM, come=units))
    (item,) = found(store)
    assert (item.kind, item.roles, item.count, item.stage) == (ItemKind.UNDECIDED, (Role.DPO,), 2, Stage.WAITS)
    (late,) = found(store, NOW + timedelta(days=1))
    assert (late.code, late.stage, late.facts["overdue"]) == ("QUEUE_OLD", Stage.OVERDUE, "1")


def test_what_is_overdue_comes_first_and_then_what_is_due_first(store: SqlStore) -> None:
    add(store, a_request("request-1", received_on=date(2026, 2, 27)))
    add(store, a_request("request-2", received_on=date(2026, 1, 2)))
    add(store, a_request("request-3"))
    items = waiting(store, POLICY, NOW, crm=CRM, not_well=["RETENTION_LATE"])
    assert [item.subject or item.code for item in items] == ["request-2", "RETENTION_LATE", "request-1", "request-3"]
    store.kill_switch.stop(NOW, ENTRY)
    items = waiting(store, POLICY, NOW, crm=CRM, not_well=["RETENTION_LATE"])
    told = [item.subject or item.code or item.kind.value for item in items]
    assert told == ["request-2", "RETENTION_LATE", "stopped", "request-1", "request-3"], "before what has days left"


def test_what_waits_is_the_same_thing_tomorrow(store: SqlStore) -> None:
    save(store, a_plan())
    add(store, a_request())
    assert [item.key for item in found(store)] == [item.key for item in found(store, NOW + timedelta(hours=5))]
