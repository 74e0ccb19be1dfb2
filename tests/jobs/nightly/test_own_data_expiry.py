"""What this product recorded itself goes after its term, and the proof of a run stays (ACC-06, ACC-07)."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.console.access.sessions import Sessions, digest_of
from crm_compliance.keys.checkpoint_signer import audit_store
from crm_compliance.reports.documents import plan_document
from crm_compliance.store.rows.console.works import StoredWork
from jobs.checks.ledger_drift import refuse_altered
from jobs.ledger.verification import Problem
from jobs.model.plan import Kind, LinesRemoved
from jobs.model.run import Action, ActionState
from jobs.nightly.housekeeping import run_housekeeping
from jobs.plans.approve import approve_plan
from jobs.ports.context import JobContext
from jobs.ports.store.own_data import Expired, PastTerms
from jobs.proof.attestation import LedgerIndex, attest
from jobs.proof.run_reckoning import reckoning_of
from jobs.runs.verify import verify_run
from rules.errors import UsageError
from tests.drivers.holding import place
from tests.drivers.holding import release as release_hold
from tests.drivers.night import Night, references_of
from tests.jobs.chains import verdict_of

RECENT = date(2026, 11, 1)


def audited(night: Night) -> list[Problem]:
    return audit_store(Settings(data_dir=night.key.folder.parent), night.store, night.policy.calendar).problems


def expired(context: JobContext) -> Expired:
    """What a run removed of our own data."""
    return msgspec.convert(run_housekeeping(context).document["expired"], Expired)


def test_acc07_the_lines_of_old_plans_go_after_thirty_days_and_their_totals_stay(night: Night, context: JobContext) -> None:
    """ACC-04: they are the report with links to records. The plan stays; its lines do not look like nothing
    to do."""
    night.fiche("social_card", spoken=date(2018, 1, 1))
    night.recording(RECENT)
    left, applied = night.plan(Kind.RECORDINGS), night.plan()
    run = night.apply(applied)
    before = reckoning_of(night.store, run, night.policy.calendar)
    night.clock.now += timedelta(days=30)
    assert expired(context).plans == 0
    night.clock.now += timedelta(seconds=1)
    assert expired(context).plans == 2
    assert expired(context).plans == 0
    for plan in (left, applied):
        assert night.store.plans.get(plan.id).digest == plan.digest
        with pytest.raises(LinesRemoved):
            list(night.store.plans.pages(plan.id))
    assert reckoning_of(night.store, night.store.runs.get(run.id), night.policy.calendar) == before
    assert before.adds_up


def test_a_plan_that_may_still_be_applied_keeps_its_lines(night: Night, context: JobContext) -> None:
    """Where the policy lets plans live longer than reports, and where a run of it was cut off."""
    night.recording(RECENT)
    plan = night.plan()
    past = PastTerms(lines_before=plan.created_at + timedelta(days=1))
    assert night.store.own_data.expire(past, plan.valid_until - timedelta(seconds=1)).plans == 0
    assert list(night.store.plans.pages(plan.id))
    assert night.store.own_data.expire(past, plan.valid_until).plans == 1


def test_acc07_the_journal_of_a_run_goes_after_24_months_and_its_certificates_stay(night: Night, context: JobContext) -> None:
    fiche = night.fiche("social_card", spoken=date(2018, 1, 1))
    run = night.apply(night.plan())
    certificates = night.store.certificates.of_run(run.id)
    night.clock.now = datetime(2028, 11, 25, 12, tzinfo=UTC)
    assert expired(context).journals == 0, "the last day is still kept"
    night.clock.now += timedelta(days=1)
    assert expired(context) == Expired(journals=1, units=1)
    assert expired(context) == Expired()
    assert night.store.journal.of_run(run.id) == []
    assert fiche not in "".join(str(action) for _, action in night.store.journal.last_done(100))
    assert night.store.certificates.of_run(run.id) == certificates
    after = night.store.runs.get(run.id)
    assert after.counts == run.counts
    assert reckoning_of(night.store, after, night.policy.calendar).outcomes == {"disposed": 1}
    with pytest.raises(UsageError):
        verify_run(context, run.id)
    told = [entry.data for entry in night.store.ledger.entries() if entry.kind == "expired"]
    assert told[-1] == {"plans": 0, "journals": 1, "units": 1, "holds": []}
    assert verdict_of(night.store.ledger.entries()).ok


def test_acc07_the_heads_of_old_plans_name_no_row_any_more(night: Night, context: JobContext) -> None:
    """Their numbers stay, and the ledger knows the head as it is then, so that nothing else of it can be
    changed unseen."""
    held = night.dossier("social_card", spoken=date(2018, 1, 1))
    night.plan()
    night.patch("cf_dossiers", held, cf_legalhold=True)
    plan = night.plan()
    assert (plan.crm_holds, [change.id for change in plan.hold_changes]) == ((("cf_dossier", held),), [held])
    night.clock.now += timedelta(days=31)
    assert expired(context).heads == 1
    found = night.store.plans.get(plan.id)
    assert (found.crm_holds, found.hold_changes) == (plan.crm_holds, ()), "the last plan is asked for the flags of then (HLD-14)"
    newer = night.plan()
    assert newer.hold_changes == ()
    assert expired(context).heads == 1
    assert expired(context) == Expired()
    found = night.store.plans.get(plan.id)
    assert (found.crm_holds, found.cleared) == ((), {"hold_changes": 1, "crm_holds": 1})
    assert held not in found.document
    assert (found.digest, found.units, found.to_trim) == (plan.digest, plan.units, 0)
    assert plan_document(found, night.clock())["cleared"] == found.cleared
    refuse_altered(context)
    assert audited(night) == []
    with night.store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE plans SET doc = replace(doc, 'cleared', 'cleaned')")
    assert [problem.where for problem in audited(night)] == [f"plan {each.id}" for each in night.store.plans.all()]


def test_acc07_who_approved_or_rejected_a_plan_goes_ten_years_after_its_run(night: Night, context: JobContext) -> None:
    """What they said, in which role and when stays, and is held against the ledger, as is that it names
    nobody."""
    night.fiche("social_card", spoken=date(2018, 1, 1))
    applied, left = night.plan(proposer="petra.example"), night.plan(proposer="petra.example")
    for plan, who, role, approves in ((applied, "anna", "dpo", True), (applied, "bert", "crm_admin", True), (left, "anna", "dpo", False)):
        comment = "as Karel Voorbeeld (fictitious) says"
        approve_plan(night.store, plan.id, who, role, comment, approves=approves, now=night.clock(), **references_of(night.key))
    night.clock.now += timedelta(days=1)
    night.apply(applied)
    night.clock.now = datetime(2036, 11, 26, 12, tzinfo=UTC)
    run_housekeeping(context)
    assert [each.who for each in night.store.plans.get(applied.id).given] == ["anna", "bert"], "the last day is still kept"
    night.clock.now += timedelta(days=10)
    assert expired(context).heads == 2
    assert expired(context) == Expired()
    given = [night.store.plans.get(plan.id).given for plan in (applied, left)]
    assert [[(each.role, each.approves) for each in said] for said in given] == [[("dpo", True), ("crm_admin", True)], [("dpo", False)]]
    with night.store.database.reading() as connection:
        rows = [*connection.exec_driver_sql("SELECT doc FROM plans"), *connection.exec_driver_sql("SELECT who, doc FROM approvals")]
    assert not any(name in str(rows) for name in ("petra", "anna", "bert", "Karel"))
    refuse_altered(context)
    assert audited(night) == []
    with night.store.database.writing() as connection:
        connection.exec_driver_sql('UPDATE approvals SET doc = replace(doc, \'"who":""\', \'"who":"bert"\')')
    assert {problem.where for problem in audited(night)} == {f"plan {plan.id}" for plan in (applied, left)}


def test_acc07_who_used_the_console_last_goes_after_a_week(night: Night, context: JobContext) -> None:
    """Also where nobody signs in again, which ends sessions at once."""
    now = night.clock()
    people = Sessions(night.store.sessions, timedelta(minutes=30), timedelta(hours=10))
    token = people.begin("anna", ("dpo",), "Anna (fictitious)", now)
    night.store.sessions.note_seen(digest_of(token), ["plan-1"])
    night.store.works.put("plan-1", StoredWork(act="plan", who="anna", started_at=now, is_over=True))
    for days, left in ((7, 1), (1, 0)):
        night.clock.now += timedelta(days=days)
        run_housekeeping(context)
        with night.store.database.reading() as connection:
            found = [connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() for table in ("sessions", "seen", "works")]
        assert found == [left] * 3


def test_acc07_a_name_goes_a_year_after_somebody_has_signed_in_last(night: Night, context: JobContext) -> None:
    night.store.colleagues.put("oid-1", b"sealed", night.clock())
    for days, left in ((365, b"sealed"), (1, None)):
        night.clock.now += timedelta(days=days)
        run_housekeeping(context)
        assert night.store.colleagues.name("oid-1") == left


def test_acc06_a_head_that_somebody_has_changed_is_not_cleared(night: Night, context: JobContext) -> None:
    """The entry about what is left of it would make it look right."""
    night.patch("cf_dossiers", night.dossier("social_card", spoken=date(2018, 1, 1)), cf_legalhold=True)
    plan = night.plan()
    night.clock.now += timedelta(days=31)
    night.plan()
    with night.store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE plans SET doc = replace(doc, 'service', 'servant') WHERE id = ?", (plan.id,))
    assert expired(context).heads == 0
    assert [problem.where for problem in audited(night)] == [f"plan {plan.id}"]


def test_acc07_certificates_go_after_ten_years_and_their_root_stays(night: Night, context: JobContext) -> None:
    """What is left follows from the last that went, and the ledger says which runs these were of; no
    reference of a unit stays."""
    night.fiche("social_card", spoken=date(2018, 1, 1))
    first = night.apply(night.plan())
    (gone,) = night.store.certificates.of_run(first.id)
    night.clock.now += timedelta(days=1)
    night.fiche("social_card", spoken=date(2018, 1, 1))
    second = night.apply(night.plan())
    kept = night.store.certificates.of_run(second.id)
    night.clock.now = datetime(2036, 11, 25, 12, tzinfo=UTC)
    assert expired(context).certificates == 0, "the last day is still kept"
    night.clock.now += timedelta(days=1)
    assert expired(context).certificates == 1
    assert expired(context) == Expired()
    assert (night.store.certificates.of_run(first.id), night.store.certificates.of_run(second.id)) == ([], kept)
    (told,) = [entry.data for entry in night.store.ledger.entries() if entry.kind == "certificates_expired"]
    assert told == {"count": 1, "last": gone.certificate.hash, "runs": [first.id]}
    assert gone.certificate.unit_ref not in str(told)
    assert audited(night) == []
    after = night.store.runs.get(first.id)
    assert after.are_certificates_gone
    assert night.context.notary is not None
    with pytest.raises(UsageError, match="had expired"):
        attest(night.store, night.context.notary, after, LedgerIndex.read(night.store), night.policy.calendar)
    night.clock.now += timedelta(days=4000)
    assert expired(context).certificates == 0, "the next one follows from the last"
    night.fiche("social_card", spoken=date(2018, 1, 1))
    night.apply(night.plan())
    assert expired(context).certificates == 1
    assert audited(night) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM certificates WHERE position = (SELECT min(position) FROM certificates)",
        "UPDATE certificates SET doc = replace(doc, 'DELETED', 'ANONYMISED')",
    ],
)
def test_acc06_what_is_left_of_the_certificates_is_held_against_the_ledger(night: Night, context: JobContext, statement: str) -> None:
    for _ in range(3):
        night.fiche("social_card", spoken=date(2018, 1, 1))
        night.apply(night.plan())
        night.clock.now += timedelta(days=1)
    night.clock.now = datetime(2036, 11, 26, 12, tzinfo=UTC)
    assert expired(context).certificates == 1
    assert audited(night) == []
    with night.store.database.writing() as connection:
        connection.exec_driver_sql(statement)
    assert audited(night) != []


def test_acc06_a_term_counts_by_the_ledger(night: Night, context: JobContext) -> None:
    """Whoever sets an old day in the table of runs makes no journal and no certificate go."""
    night.fiche("social_card", spoken=date(2018, 1, 1))
    night.apply(night.plan())
    night.clock.now += timedelta(days=1)
    night.fiche("social_card", spoken=date(2018, 1, 1))
    night.apply(night.plan())
    with night.store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE runs SET doc = replace(doc, '2026-', '2001-')")
    assert expired(context) == Expired()


def test_acc07_a_schedule_goes_ten_years_after_it_was_last_used(night: Night, context: JobContext) -> None:
    night.plan()
    night.store.policies.remember(night.policy.digest, night.policy.version, "in force")
    night.store.policies.remember("0" * 64, "2015-01-01", "of long ago")
    night.clock.now = datetime(2036, 11, 25, 12, tzinfo=UTC)
    assert expired(context).policies == 0
    night.clock.now += timedelta(days=1)
    assert expired(context).policies == 1
    assert [version.digest for version in night.store.policies.all()] == [night.policy.digest], "the one in force stays"
    assert [entry.data["policies"] for entry in night.store.ledger.entries() if entry.kind == "expired"][-1:] == [["0" * 64]]


def test_acc07_what_is_half_done_stays_in_the_journal_until_it_is_done(night: Night, context: JobContext) -> None:
    night.fiche("social_card", spoken=date(2018, 1, 1))
    run, later = night.apply(night.plan()), night.apply(night.plan())
    (action,) = night.store.journal.of_run(run.id)
    night.store.journal.record(run.id, [msgspec.structs.replace(action, state=ActionState.PARTIAL, code="PLACES_LEFT")])
    night.store.journal.record(later.id, [Action(*action.key, action.disposition, ActionState.SKIPPED, "PLAN_EXPIRED")])
    night.clock.now += timedelta(days=900)
    run_housekeeping(context)
    assert [one.id for _, one in night.store.journal.partials()] == [action.id]


def test_acc07_a_hold_goes_five_years_after_its_release_or_its_last_day(night: Night, context: JobContext) -> None:
    dossier = night.dossier("sexting", closed=False)
    released, ended, stays = (place(night, "cf_dossier", dossier, ends_on=end) for end in (None, date(2026, 11, 30), None))
    release_hold(night, released)
    night.clock.now = datetime(2031, 11, 25, 12, tzinfo=UTC)
    assert expired(context).holds == 0
    night.clock.now += timedelta(days=1)
    assert expired(context).holds == 1
    night.clock.now += timedelta(days=10)
    assert expired(context).holds == 1
    assert [hold.id for hold in night.store.holds.all()] == [stays.id]
    named = [entry.data["holds"] for entry in night.store.ledger.entries() if entry.kind == "expired"]
    assert [each for each in named if each] == [[released.id], [ended.id]]
