"""Objection and withdrawn consent: what stops at once, and what is not deleted by it (6.2)."""

import base64
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
import pytest

from crm_compliance.answer_package.content.make_answer import answer_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from jobs.model.answer import Compilation
from jobs.model.request import COMPILATION, Details
from jobs.register.decision import What
from jobs.register.transitions import close
from jobs.requests.answer.compile import compiled
from jobs.requests.decisions.carry_out import fulfil_all
from jobs.requests.decisions.decide import as_it_stands
from rules.decoders import decoder_of
from rules.model.requests import Outcome, Right
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.deciding import (
    ask,
    compile_,
    context_of,
    decide,
    decision,
    decline,
    dora,
    granted,
    release,
    whats,
)
from tests.drivers.holding import place
from tests.drivers.holding import release as release_hold
from tests.drivers.night import Night, night_in
from tests.drivers.organisation import set_faults
from tests.saying import texts_in


def test_r101_direct_marketing_stops_at_once_and_the_suppression_stays(night: Night) -> None:
    """R-101, DDL-13: at the decision, not at the release."""
    donor = night.contact(cf_newsletter=True, cf_newsletterconsenton="2025-01-01")
    night.donation(donor)
    request = ask(night, Right.OBJECTION, donor)
    assert whats(compile_(night, request)) == [("unsubscribe", "contact")]
    assert decide(night, request).done == ("item-1",)
    row = night.get("contacts", donor)
    assert row is not None
    assert (row["cf_newsletter"], row["cf_newsletterconsenton"], row["donotbulkemail"]) == (False, None, True)
    before = night.writes()
    release(night, request)
    assert night.writes() == before


def test_the_newsletter_alone_says_that_somebody_objected_where_no_other_column_does(tmp_path: Path) -> None:
    """Nothing waits for a column that the mapping does not name."""
    mapping = mapping_text(Settings())[0].replace("      no_bulk_email: donotbulkemail\n", "")
    with night_in(ENVIRONMENT, tmp_path, kind=Night, mapping=mapping) as night:
        donor = night.contact(cf_newsletter=True)
        night.donation(donor)
        request = ask(night, Right.OBJECTION, donor)
        compile_(night, request)
        decided = decide(night, request)
        assert (decided.done, decided.waiting) == (("item-1",), {})
        assert (night.get("contacts", donor) or {})["cf_newsletter"] is False


def test_what_the_crm_does_not_take_is_not_told_as_done(night: Night) -> None:
    donor = night.contact(cf_newsletter=True)
    night.donation(donor)
    request = ask(night, Right.OBJECTION, donor)
    compile_(night, request)
    set_faults(night.emulator, {"match": {"method": "PATCH", "path": "contacts"}, "times": 99, "do": "status", "status": 403})
    assert decide(night, request).waiting == {"item-1": "SKIPPED_TECHNICAL"}
    part = night.store.requests.part(request.id, COMPILATION)
    assert part is not None
    stored = decoder_of(Compilation).decode(part)
    answer = as_it_stands(night.context, night.store.requests.get(request.id), stored)
    letter, texts = answer_of(answer, night.context.organisation), texts_in("nl")
    titles = [section.title for section in letter.sections]
    assert (texts.say("outcome", "delayed_title") in titles, texts.say("outcome", "done_title") in titles) == (True, False)


def test_a_picture_of_which_the_mapping_has_lost_the_column_is_not_told_as_gone(night: Night) -> None:
    """It could not go when that was granted, and stands in the CRM all the same."""
    donor = night.contact(entityimage=base64.b64encode(b"\x89PNG\r\n\x1a\nverzonnen").decode())
    night.donation(donor)
    request = ask(night, Right.CONSENT_WITHDRAWAL, donor, details=Details(about="image"))
    compile_(night, request)
    set_faults(night.emulator, {"match": {"method": "PATCH", "path": "contacts"}, "times": 99, "do": "status", "status": 403})
    decide(night, request)
    set_faults(night.emulator)
    remapped = replace(night, mapping=mapping_text(Settings())[0].replace("      image: entityimage\n", ""))
    release(remapped, request)
    remapped.close()
    assert [task.what for task in decision(night, request).tasks] == [What.NO_IMAGE]


def test_direct_marketing_stops_whatever_hold_there_is(night: Night) -> None:
    """GDPR art. 21(3): a hold keeps data, and no use of them."""
    donor = night.contact(cf_newsletter=True)
    night.donation(donor)
    place(night, person=donor, kind="legal")
    request = ask(night, Right.OBJECTION, donor)
    compile_(night, request)
    decide(night, request)
    assert (night.get("contacts", donor) or {})["cf_newsletter"] is False


def test_an_objection_that_is_refused_keeps_nothing_any_longer_once_the_request_is_closed(night: Night) -> None:
    """HLD-10: HOLD_OBJECTION while it is assessed; what is decided has no grace."""
    from tests.drivers.deciding import close

    witness = night.contact()
    dossier = night.dossier("social_card", spoken=date(2020, 1, 10))
    night.party(witness, "reporter", dossier=dossier)
    request = ask(night, Right.OBJECTION, witness, details=Details(about="processing"))
    compile_(night, request)
    assert night.lines(night.plan())[dossier].reason == "HOLD_OBJECTION"
    decline(night, request, "RF-05")
    assert release(night, request) is None
    close(night, request)
    assert night.lines(night.plan())[dossier].is_disposal


def test_a_caller_whose_objection_is_granted_has_the_recording_deleted(night: Night) -> None:
    """6.2: a recording rests on a legitimate interest; GDPR art. 17(1)(c)."""
    caller = night.contact()
    fiche = night.fiche("e_safety", spoken=date(2026, 11, 20))
    night.party(caller, "reporter", fiche=fiche)
    recording = night.recording(date(2026, 11, 20), fiche=fiche)
    request = ask(night, Right.OBJECTION, caller, details=Details(about="recording"))
    assert whats(compile_(night, request)) == [("erase", "recording")]
    decide(night, request)
    release(night, request)
    assert night.get("cf_recordings", recording) is None
    assert night.get("cf_fiches", fiche) is not None


def test_who_withdraws_the_only_consent_there_is_leaves_nothing_behind(night: Night) -> None:
    """6.2: data without another basis are disposed of, with CONSENT_WITHDRAWN on the certificate."""
    subscriber = night.contact(cf_newsletter=True)
    request = ask(night, Right.CONSENT_WITHDRAWAL, subscriber)
    compile_(night, request)
    decide(night, request)
    assert (night.get("contacts", subscriber) or {})["cf_newsletter"] is False
    run = release(night, request)
    assert run is not None
    assert night.get("contacts", subscriber) is None
    assert {issued.certificate.reason for issued in night.store.certificates.of_run(run.id)} == {"CONSENT_WITHDRAWN"}


@pytest.mark.parametrize("gives", [False, True])
def test_a_hold_puts_off_that_whoever_withdrew_the_only_consent_goes_and_not_the_end_of_the_newsletter(night: Night, gives: bool) -> None:
    """6.2, RGT-12: the letter tells the newsletter as ended. Who has a gift stays after the hold, too."""
    subscriber = night.contact(cf_newsletter=True)
    if gives:
        night.donation(subscriber)
    hold = place(night, person=subscriber)
    request = ask(night, Right.CONSENT_WITHDRAWAL, subscriber)
    compile_(night, request)
    assert decide(night, request).waiting == {}
    answer = as_it_stands(context_of(night), request, compiled(night.store, request))
    assert (answer.granted, answer.held, answer.delayed) == (("item-1",), (), ())
    release(night, request)
    assert [task.what for task in decision(night, request).tasks] == ([] if gives else [What.PROFILE])
    release_hold(night, hold)
    assert (fulfil_all(context_of(night)), decision(night, request).tasks) == ({}, ())
    assert (night.get("contacts", subscriber) is not None) is gives


def test_who_does_not_want_to_go_any_more_after_a_hold_has_had_the_newsletter_ended(night: Night) -> None:
    subscriber = night.contact(cf_newsletter=True)
    place(night, person=subscriber)
    request = ask(night, Right.CONSENT_WITHDRAWAL, subscriber)
    granted(night, request)
    now = night.store.requests.get(request.id)
    night.store.requests.save(msgspec.structs.replace(now, outcome=Outcome.DONE), since=now)
    assert close(dora(night), request.id, "WITHDRAWN").outcome is Outcome.DONE
    assert decision(night, request).tasks == ()


@pytest.mark.parametrize("right", [Right.CONSENT_WITHDRAWAL, Right.ERASURE])
def test_who_subscribes_again_while_a_hold_keeps_their_contact_does_not_go_with_the_consent_before(night: Night, right: Right) -> None:
    subscriber = night.contact(cf_newsletter=True, emailaddress1="lotte@example.org")
    hold, request = place(night, person=subscriber), ask(night, right, subscriber)
    granted(night, request)
    night.patch("contacts", subscriber, cf_newsletter=True)
    release_hold(night, hold)
    assert (fulfil_all(context_of(night)), decision(night, request).tasks) == ({}, ())
    left = night.get("contacts", subscriber) or {}
    assert (left["cf_newsletter"], left["emailaddress1"]) == (True, "lotte@example.org")


def test_a_donor_who_withdraws_from_the_newsletter_loses_nothing_else(night: Night) -> None:
    """RGT-12: data held on another basis stay."""
    donor = night.contact(cf_newsletter=True, birthdate="1966-06-06", description="Verzonnen.")
    night.donation(donor)
    request = ask(night, Right.CONSENT_WITHDRAWAL, donor)
    compile_(night, request)
    decide(night, request)
    release(night, request)
    left = night.get("contacts", donor) or {}
    assert (left["cf_newsletter"], left["birthdate"], left["description"]) == (False, "1966-06-06", "Verzonnen.")


def test_r115_a_suspect_who_withdraws_consent_is_unsubscribed_and_nothing_else_is_told(night: Night) -> None:
    """R-115: the same answer, items and entries as for a subscriber who is known for nothing else; the file
    stays as it is."""
    suspect = night.contact(cf_newsletter=True)
    dossier = night.dossier("sexting", closed=False)
    role = night.party(suspect, "suspect", dossier=dossier)
    donor = night.contact(lastname="Maes (fictief)", cf_newsletter=True)
    night.donation(donor)
    told = []
    for contact in (suspect, donor):
        request = ask(night, Right.CONSENT_WITHDRAWAL, contact)
        answer = compile_(night, request)
        decided = decide(night, request)
        assert release(night, request) is None
        entries = [entry for entry in night.store.ledger.entries() if entry.data.get("request") == request.id]
        told.append(
            (
                whats(answer),
                answer.scope,
                answer.withheld,
                decided.granted,
                decided.waiting,
                decided.notices,
                [each.kind for each in entries],
            )
        )
    assert told[0] == told[1]
    assert (night.get("contacts", suspect) or {})["cf_newsletter"] is False
    assert (night.get("cf_parties", role) or {})["_cf_contactid_value"] == suspect
    assert night.store.plans.all() == []


@pytest.mark.parametrize(
    ("right", "about", "columns"),
    [
        (Right.OBJECTION, "direct_marketing", ("newsletter", "newsletter_consent_on", "no_bulk_email")),
        (Right.CONSENT_WITHDRAWAL, "image", ("image",)),
    ],
)
def test_people_see_to_the_end_of_a_use_of_which_no_column_tells(
    tmp_path: Path, right: Right, about: str, columns: tuple[str, ...]
) -> None:
    """Else the letter would say that it was done, or it would wait for good."""
    before, contact = mapping_text(Settings())[0].split("  contact:\n")
    kept = [line for line in contact.splitlines() if line.strip().partition(":")[0] not in columns]
    mapping = "\n".join([before, "  contact:", *(["    without: [newsletter]"] if "newsletter" in columns else []), *kept])
    with night_in(ENVIRONMENT, tmp_path, kind=Night, mapping=mapping) as night:
        donor = night.contact()
        night.donation(donor)
        night.party(donor, "reporter", dossier=night.dossier("grooming", closed=False))
        request = ask(night, right, donor, details=Details(about=about))
        assert whats(compile_(night, request)) == [("recorded", "contact")]
        assert decide(night, request).waiting == {}
