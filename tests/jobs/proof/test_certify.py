"""Certificates of real nights: one for each unit that is gone and was read back, none before, none twice
(9.2, ERA-15)."""

import dataclasses
import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.keys.checkpoint_signer import audit_store
from crm_compliance.keys.public_keys import PublicKeys
from jobs.model.plan import Kind
from jobs.model.run import ActionState, RunState
from jobs.plans.approve import approve_plan
from jobs.plans.lines.pages import lines_of
from jobs.proof.run_reckoning import reckon
from jobs.proof.verify_document import verify_document
from jobs.runs.apply import apply_plan
from rules.model.residual_data import ResidualPlace
from tests.drivers.beginnings import Beginning
from tests.drivers.night import Night, references_of
from tests.drivers.organisation import set_faults
from tests.integration.in_place.anonymised import in_place
from tests.jobs.proof.certified import certificates, document, of_unit, problems
from tests.jobs.runs.kill_points import Killed, Points, fragile_store

LONG_AGO = date(2018, 3, 1)
NAME = "Wouter Verzonnen"
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def fault(night: Night, *rules: dict[str, Any]) -> None:
    set_faults(night.emulator, *rules)


def test_a_dossier_gets_a_certificate_that_leads_back_to_its_rule_and_tells_no_birthday(night: Night) -> None:
    """R-140, ACC-02."""
    child = night.contact(birthdate="2000-02-17", lastname=NAME)
    dossier = night.dossier("sexting", spoken=date(2016, 3, 1), fiches=2)
    night.party(child, "child", dossier=dossier)
    night.note("cf_dossier", dossier)
    night.call("cf_fiche", night.fiches_of(dossier)[0], [child])
    plan = night.plan()
    for role in ("dpo", "crm_admin"):
        approve_plan(night.store, plan.id, f"fictief-{role}", role, NAME, approves=True, now=night.clock(), **references_of(night.key))
    run = night.apply(plan)
    certificate = of_unit(night, run, "cf_dossier", dossier)
    assert (certificate.unit_type, certificate.disposition, certificate.retention_end) == ("dossier", "ANONYMISED", "2018-02")
    assert (certificate.rule_id, certificate.reason, certificate.category_keys) == ("RET-08", "EXPIRED", ("exploitation_ict",))
    assert (certificate.run_id, certificate.schedule_version) == (run.id, night.policy.version)
    counts = {name: n for name, n in certificate.objects.items() if name != "audit_entries"}
    assert counts == {"fiches": 2, "notes": 1, "attachments": 0, "activities": 1, "recordings": 0}
    assert certificate.objects["audit_entries"] > 0
    assert set(certificate.method) == {place.value for place in ResidualPlace}
    assert certificate.actor.approvers == ("crm_admin", "dpo")
    assert re.fullmatch("[0-9a-f]{64}", certificate.actor.service)
    contact = of_unit(night, run, "contact", child)
    assert (contact.unit_type, contact.rule_id, contact.retention_end, contact.disposition) == ("contact", "RET-20", None, "DELETED")
    text = document(night, run).decode()
    assert NAME not in text
    assert GUID.findall(text) == []
    assert "2018-02-17" not in text


def test_every_unit_that_is_gone_has_one_certificate_and_the_document_verifies(night: Night, subtests: pytest.Subtests) -> None:
    """And says of the places what the journal says; R-141, for certificates: whoever changes one changes what
    was signed into the ledger."""
    for category in ("social_card", "e_safety"):
        night.dossier(category, spoken=LONG_AGO)
    night.dossier("grooming", spoken=LONG_AGO, closed=False)
    night.dossier("unexplained_disappearance", spoken=LONG_AGO)
    night.fiche("social_card", spoken=LONG_AGO)
    night.recording(LONG_AGO)
    run = night.apply(night.plan())
    done = [action for action in night.store.journal.of_run(run.id) if action.state is ActionState.DONE]
    assert {each.unit_ref for each in certificates(night, run)} == {night.key.reference(one.table, one.id) for one in done}
    assert len(certificates(night, run)) == 4
    assert sorted(each.unit_type for each in certificates(night, run)) == ["dossier", "dossier", "fiche", "recording"]
    written = document(night, run)
    assert problems(night, written) == []
    with subtests.test("places"):
        by_reference = {each.unit_ref: each for each in certificates(night, run)}
        for action in done:
            certificate = by_reference[night.key.reference(action.table, action.id)]
            assert certificate.method == action.places
            assert (certificate.disposed_at, certificate.verified_at) == (action.removed_at, action.verified_at)
            assert certificate.objects["audit_entries"] == action.audit_entries
    with subtests.test("an altered certificate is named"):
        content = json.loads(written)
        content["certificates"][1]["rule_id"] = "RET-99"
        found = problems(night, msgspec.json.encode(content))
        assert any("certificate 2" in problem and "was changed" in problem for problem in found)
    with subtests.test("whoever does not know the key is told so"):
        _, told = verify_document(written, PublicKeys([]).check)
        assert {problem.where for problem in told} == {"checkpoint", "signature"}


def test_the_counts_of_a_run_add_up_to_the_units_read(night: Night) -> None:
    """R-143."""
    for n in range(3):
        night.dossier("social_card", spoken=LONG_AGO, fiches=n + 1)
    held = night.dossier("social_card", spoken=LONG_AGO)
    night.patch("cf_dossiers", held, cf_legalhold=True)
    night.dossier("runaway", spoken=LONG_AGO, closed=False)
    changed = night.dossier("e_safety", spoken=LONG_AGO)
    night.dossier("unexplained_disappearance", spoken=LONG_AGO)
    plan = night.plan()
    night.patch("cf_dossiers", changed, cf_name="D-other")
    run = night.apply(plan)
    found = reckon(plan, lines_of(night.store.plans.pages(plan.id)), night.store.journal.of_run(run.id), night.policy.calendar)
    assert (found.units, found.adds_up) == (plan.units, True)
    past = found.past_end
    assert past["units"] == past["disposed"] + past["partial"] + past["skipped"] + past["held"] + past["open"]
    assert (past["disposed"], past["skipped"], past["held"]) == (3, 1, 1)
    assert run.counts["deleted"] == len(certificates(night, run)) == 3


def test_a_trimmed_contact_was_not_disposed_of_and_gets_no_certificate(night: Night) -> None:
    donor = night.contact(birthdate="2000-02-01")
    night.donation(donor)
    night.party(donor, "child", dossier=night.dossier("sexting", spoken=LONG_AGO))
    run = night.apply(night.plan())
    assert run.counts["trimmed"] == 1
    assert [each.unit_type for each in certificates(night, run)] == ["dossier"]


def test_a_failure_leaves_no_certificate_and_the_next_run_gives_exactly_one(night: Night) -> None:
    """R-089: the unit is half done, then done; R-088: no certificate before everything is gone."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    night.note("cf_dossier", dossier)
    reference = night.key.reference("cf_dossier", dossier)
    plan = night.plan()
    fault(night, {"match": {"method": "DELETE", "path": f"cf_dossiers({dossier})", "nth": 1}, "times": 1, "do": "keep_row"})
    first = night.apply(plan)
    assert first.state is RunState.DONE_WITH_FAILURES
    assert first.counts["partial"] == 1
    assert certificates(night, first) == []
    fault(night)
    second = night.apply(night.plan())
    assert [each.unit_ref for each in certificates(night, second)] == [reference]
    assert problems(night, document(night, second)) == []
    third = night.apply(night.plan())
    assert certificates(night, third) == []


def test_a_unit_that_was_not_read_back_yet_gets_no_certificate(night: Night) -> None:
    """R-089; once it was, it gets one."""
    from jobs.proof.certify import certify

    night.dossier("social_card", spoken=LONG_AGO)
    plan = night.plan()
    run = apply_plan(dataclasses.replace(night.context, notary=None), plan.id)
    (action,) = night.store.journal.of_run(run.id)
    assert (action.state, bool(action.verified_at)) == (ActionState.DONE, True)
    certify(night.context, run, plan, [msgspec.structs.replace(action, verified_at="")])
    assert certificates(night, run) == []
    certify(night.context, run, plan, [action])
    assert len(certificates(night, run)) == 1


def test_the_certificate_of_a_lone_fiche_anonymised_in_place_counts_the_row_that_stays(make_night: Callable[..., Night]) -> None:
    """The fiche is masked, and its note deleted: nothing personal is left of either."""
    night = make_night(policy=in_place())
    night.create("teams", "teamid", name="Geanonimiseerd")
    fiche = night.fiche("sexting", spoken=LONG_AGO)
    night.party(night.contact(birthdate="2000-02-17"), "child", fiche=fiche)
    night.note("cf_fiche", fiche)
    run = night.apply(night.plan())
    certificate = of_unit(night, run, "cf_fiche", fiche)
    assert (certificate.unit_type, certificate.disposition) == ("fiche", "ANONYMISED")
    assert (certificate.objects["fiches"], certificate.objects["notes"]) == (1, 1)
    assert night.get("cf_fiches", fiche) is not None


def test_applying_again_issues_nothing(night: Night) -> None:
    night.dossier("social_card", spoken=LONG_AGO)
    plan = night.plan()
    run = night.apply(plan)
    before, entries = certificates(night, run), len(list(night.store.ledger.entries()))
    night.apply(plan)
    assert (certificates(night, run), len(list(night.store.ledger.entries()))) == (before, entries)


def test_a_run_killed_anywhere_ends_with_one_certificate_a_unit(make_night: Callable[..., Night], database_file: Callable[[], str]) -> None:
    """The journal of each run is cut off after each of its steps in turn; the same plan is then applied
    again."""
    url = database_file()
    first = make_night(url=url)
    dossier = first.dossier("social_card", spoken=LONG_AGO)
    plan = first.approved(first.plan(Kind.RETENTION))
    beginning = Beginning(first, url)
    killed = 0
    for at in range(1, 40):
        night = beginning.again(make_night, database_file())
        store = fragile_store(night.store, Points(at), journal=("record",), certificates=("issue",), runs=("save",), checkpoints=("add",))
        try:
            run = apply_plan(dataclasses.replace(night.context, store=store), plan.id)
        except Killed:
            killed += 1
            run = night.apply(plan)
        assert [each.unit_ref for each in certificates(night, run)] == [night.key.reference("cf_dossier", dossier)]
        assert problems(night, document(night, run)) == []
        night.close()
        night.store.close()
        if killed < at:
            break
    beginning.close()
    assert killed >= 12


def test_each_run_ends_with_a_checkpoint_in_database_and_anchor(night: Night) -> None:
    night.dossier("social_card", spoken=LONG_AGO)
    for _ in range(2):
        night.apply(night.plan())
    settings = Settings(data_dir=night.key.folder.parent)
    audit = audit_store(settings, night.store, night.policy.calendar)
    assert (audit.ok, audit.checkpoints, audit.verdict.entries) == (True, 2, night.store.checkpoints.all()[-1].entries)
    assert night.warnings == []


def test_an_anchor_that_cannot_be_written_is_told_and_fails_no_run(night: Night) -> None:
    night.dossier("social_card", spoken=LONG_AGO)
    anchor = night.key.folder.parent / "anchor.jsonl"
    anchor.mkdir()
    run = night.apply(night.plan())
    assert run.state is RunState.DONE
    assert "anchor" in night.warnings[0]
    anchor.rmdir()
    night.apply(night.plan())
    assert audit_store(Settings(data_dir=anchor.parent), night.store, night.policy.calendar).checkpoints == 2


def test_a_destroyed_register_key_makes_references_lead_nowhere_while_everything_still_verifies(night: Night) -> None:
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    run = night.apply(night.plan())
    certificate = of_unit(night, run, "cf_dossier", dossier)
    old = night.store.certificates.of_run(run.id)[0].register_key
    ring, _ = night.key.rotate(night.clock().replace(year=2027))
    assert certificate.unit_ref in ring.references("cf_dossier", dossier)
    night.store.journal.forget_key(old, ("key_destroyed", {"key": old}))
    night.key = ring.destroy(old, 10, night.clock().replace(year=2038))
    assert certificate.unit_ref not in night.key.references("cf_dossier", dossier)
    assert problems(night, document(night, run)) == []
    assert audit_store(Settings(data_dir=night.key.folder.parent), night.store, night.policy.calendar).ok


def test_a_unit_is_not_certified_twice_by_a_run_that_goes_on_after_the_keys_were_replaced(night: Night) -> None:
    from jobs.proof.certify import certify

    night.dossier("social_card", spoken=LONG_AGO)
    plan = night.plan()
    run = night.apply(plan)
    night.key, _ = night.key.rotate(night.clock())
    certify(night.context, run, plan, night.store.journal.of_run(run.id))
    assert len(certificates(night, run)) == 1
