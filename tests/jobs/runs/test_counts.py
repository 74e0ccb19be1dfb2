"""What a run counts: units, which add up to those of its plan, and contacts to trim beside them. Everybody is
fictitious."""

from collections import Counter
from typing import cast

from jobs.model.run import contacts_not_trimmed, of_units_alone
from jobs.proof.run_reckoning import SKIPPED, reckoning_of
from jobs.writing.statistics import written_rows
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO
from tests.jobs.residual.cleaning import expired, fault, kept, there


def test_a_contact_that_was_not_trimmed_is_told_beside_the_units_which_add_up_to_the_plan(night: Night) -> None:
    """RET-20, ACC-03: one dossier changes between plan and run, so that its reporter, who also gives money,
    keeps everything; another one goes."""
    night.dossier("social_card", spoken=LONG_AGO)
    changed, donor = night.dossier("social_card", spoken=LONG_AGO), night.contact(birthdate="1980-05-05")
    night.party(donor, "reporter", dossier=changed)
    night.donation(donor)
    plan = night.plan()
    night.patch("cf_dossiers", changed, cf_name="D-other")
    run = night.apply(plan)
    assert (plan.units, sum(plan.dispose.values()), plan.to_trim) == (2, 2, 1)
    assert run.counts["skipped"] == {"CHANGED": 1, "STILL_REFERRED": 1}
    assert run.counts["not_trimmed"] == {"skipped": {"STILL_REFERRED": 1}}
    units = of_units_alone(run.counts)
    assert (units["deleted"], units["skipped"], units["partial"], units["failed"]) == (1, {"CHANGED": 1}, 0, 0)
    assert contacts_not_trimmed(run.counts) == {"STILL_REFERRED": 1}
    assert reckoning_of(night.store, run, night.context.policy.calendar).outcomes[SKIPPED] == 1
    line = night.store.runs.line(run.id)
    assert line is not None
    assert (line.deleted, line.skipped) == (1, 1)


def test_a_run_that_meets_no_trouble_asks_for_nothing_again_and_waits_for_nothing(night: Night) -> None:
    night.dossier("social_card", spoken=LONG_AGO)
    run = night.apply(night.plan())
    assert (run.counts["deleted"], len(list(written_rows(night.connector)))) == (1, 1)
    assert night.connector.stats.retries == 0


def test_contacts_that_failed_are_taken_off_too_and_counts_of_before_stay_as_they_are() -> None:
    counts = {
        "deleted": 4,
        "skipped": {"SKIPPED_TECHNICAL": 3, "STILL_REFERRED": 1},
        "technical": {"CRM_REFUSED": 3},
        "partial": 1,
        "failed": 2,
        "not_trimmed": {
            "skipped": {"SKIPPED_TECHNICAL": 1, "STILL_REFERRED": 1},
            "technical": {"CRM_REFUSED": 1},
            "partial": {"CRM_REFUSED": 1},
            "failed": {"NO_ANSWER": 1},
        },
    }
    units = of_units_alone(counts)
    assert (units["skipped"], units["technical"]) == ({"SKIPPED_TECHNICAL": 2}, {"CRM_REFUSED": 2})
    assert (units["deleted"], units["partial"], units["failed"]) == (4, 0, 1)
    assert contacts_not_trimmed(counts) == {"SKIPPED_TECHNICAL": 1, "STILL_REFERRED": 1, "partial": 1, "failed": 1}
    before = {"deleted": 4, "skipped": {"STILL_REFERRED": 1}}
    assert (of_units_alone(before), contacts_not_trimmed(before)) == (before, {})


def test_rows_that_an_earlier_run_has_counted_are_not_counted_again_by_the_run_that_goes_on(night: Night) -> None:
    """ACC-03: over all runs together, as many rows of each table are counted as the CRM has lost."""
    dossier, _ = expired(night)
    for_its_fiche, _ = expired(night)
    fiche = night.fiches_of(for_its_fiche)[0]
    before = there(night)
    runs = []
    for faults in ([kept("cf_dossiers", dossier), kept("cf_fiches", fiche)], [kept("cf_dossiers", dossier)], []):
        fault(night, *faults)
        runs.append(night.apply(night.plan()))
    assert [run.counts["partial"] for run in runs] == [2, 1, 0]
    after = there(night)
    lost = {table: len(ids - after[table]) for table, ids in before.items()}
    counted: Counter[str] = Counter()
    for run in runs:
        counted.update(cast("dict[str, int]", run.counts["rows"]))
    assert {table: counted[table] for table in lost} == lost
    assert [cast("dict[str, int]", run.counts["rows"]).get("cf_dossier") for run in runs] == [1, None, 1]
