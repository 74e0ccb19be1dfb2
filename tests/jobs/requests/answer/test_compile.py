"""From a confirmed person to an answer that two people let go: what of others is not shown, and what stops a
release.

R-117 to R-122, R-126 to R-128, R-157; EXP-06 to EXP-14, IDV-05. Everybody is fictitious.
"""

import base64
import json
from collections.abc import Callable
from datetime import UTC, date, datetime

import msgspec
import pytest

from jobs.model.answer import ItemStatus
from jobs.model.request import Details
from jobs.requests.answer.compile import compile_request
from jobs.requests.answer.release import approve_content
from jobs.requests.answer.release_check import for_release
from rules.errors import Refused, UsageError
from rules.model.requests import IdentityMethod, Outcome, RequestState, Right
from rules.redaction.leak_terms import LeakTerms
from tests.drivers.asking import told
from tests.drivers.deciding import ask
from tests.drivers.night import Night
from tests.jobs.requests.answer.answers import Answer

NUMBER = "+32470112233"


@pytest.fixture
def child(night: Night) -> str:
    return night.contact(lastname="Zandstra (fictief)", birthdate="2012-03-04", telephone1="+32470000001")


@pytest.fixture
def dossier(night: Night, child: str) -> str:
    found = night.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0117")
    night.party(child, "child", dossier=found)
    return found


def test_a_package_with_a_pending_item_is_not_approved_and_not_released(night: Night, child: str, dossier: str) -> None:
    """R-117, EXP-07."""
    night.fiche("grooming", dossier=dossier)
    answer = Answer(night, child)
    assert answer.compile().pending == 1
    with pytest.raises(Refused) as refusal:
        approve_content(answer.context, answer.id, "dora", "dpo")
    assert refusal.value.code == "pending_item"
    assert answer.refused() == "state"
    answer.approve()
    assert answer.row.state is RequestState.APPROVED
    assert answer.release() is Outcome.DELIVERED


@pytest.mark.parametrize("is_suspected", [False, True])
def test_sus05_a_label_tells_nothing_of_a_file_that_is_closed(night: Night, is_suspected: bool) -> None:
    """EXP-06: neither the role that somebody has there, nor that there is one of several."""
    witness, child = night.contact(lastname="Zandstra (fictief)"), night.contact(firstname="Fien", lastname="Voorbeeld (fictief)")
    elsewhere, aunt = (
        night.contact(firstname="Kim", lastname="Anders (fictief)"),
        night.contact(firstname="Mina", lastname="Maes (fictief)"),
    )
    dossier, closed = night.dossier("grooming", closed=False, fiches=0), night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    night.party(elsewhere, "child", dossier=closed)
    for each in (aunt, night.contact(firstname="Els", lastname="Ouder (fictief)")):
        night.party(each, "parent", dossier=closed)
    fiche = night.fiche("grooming", dossier=dossier, cf_summary="Gezien met Kim Anders en met mevrouw Mina Maes.")
    night.party(witness, "witness", fiche=fiche)
    if is_suspected:
        night.party(witness, "suspect", dossier=closed)
    (item,) = [each for each in Answer(night, witness).compile().items if each.kind == "fiche"]
    assert item.proposal == "Gezien met [derde 1] en met mevrouw [derde 2]."


@pytest.mark.parametrize("right", [Right.ACCESS, Right.ERASURE])
def test_sus05_what_is_told_of_a_suspect_may_mention_them(night: Night, right: Right) -> None:
    """EXP-14: the own call of somebody who is suspected elsewhere is told, and excluded nowhere."""
    caller = night.contact(firstname="Robin", lastname="Zandstra (fictief)", telephone1=NUMBER)
    dossier = night.dossier("grooming", closed=False, fiches=0)
    night.fiche("grooming", dossier=dossier, cf_callernumber=NUMBER, cf_summary="Robin Zandstra belde.")
    night.party(caller, "suspect", dossier=night.dossier("sexting", closed=False))
    assert compile_request(night.context, ask(night, right, caller).id, "dora", "dpo").is_complete


def test_a_third_person_has_one_label_in_three_fiches(night: Night, child: str, dossier: str) -> None:
    """R-118: the same label three times, and the name nowhere."""
    witness = night.contact(firstname="Mina", lastname="Verstraeten (fictief)")
    night.party(witness, "parent", dossier=dossier)
    for text in ("Mina Verstraeten belde.", "VERSTRAETEN M. kwam langs.", "Volgens Mina is het waar."):
        night.fiche("grooming", dossier=dossier, cf_summary=text)
    compilation = Answer(night, child).compile()
    texts = [item.proposal for item in compilation.items if item.kind == "fiche"]
    assert len([text for text in texts if "[ouder]" in text]) == 3
    assert not [name for name in ("Mina", "erstraeten") if name in "".join(texts)]


def test_nothing_of_a_reporter_is_in_the_package_of_the_child(night: Night, child: str, dossier: str) -> None:
    """R-119, EXP-08: name, number, e-mail and voice; the source is a third party. No session is offered to
    listen to a reporter's call, also where the sound was asked for."""
    reporter = night.contact(firstname="Karel", lastname="Melderman (fictief)", telephone1=NUMBER, emailaddress1="karel@example.org")
    fiche = night.fiche(
        "grooming", dossier=dossier, cf_callernumber="0470/11.22.33", cf_calleremail="karel@example.org", cf_reporterkind=100000003,
        cf_ipaddress="192.0.2.7", cf_summary="Karel Melderman (0470 11 22 33, karel@example.org) zag haar.",
    )  # fmt: skip
    night.party(reporter, "reporter", fiche=fiche)
    night.recording(date(2026, 11, 20), fiche=fiche, cf_transcript="Met Karel Melderman.", cf_callernumber=NUMBER)
    answer = Answer(night, child)
    answer.compile()
    answer.approve()
    text = told(answer.now)
    assert not [word for word in ("Karel", "Melderman", "karel@", "0470", "112233", "192.0.2.7", "reporter_kind") if word in text]
    assert LeakTerms(answer.now.leak_terms).found_in(text) == ()
    (context,) = [each for each in answer.now.contexts if each.kind == "dossier"]
    assert context.sources == ("third_party",)
    voices = [item for item in answer.now.items if item.withholds == "voice"]
    assert [(item.status, item.code) for item in voices] == [(ItemStatus.WITHHELD, "RF-03")]
    assert not answer.now.offers_listening
    assert answer.release() is Outcome.DELIVERED_PARTLY
    asked = Answer(night, child, details=Details(audio=True)).compile()
    assert [item.status for item in asked.items if item.withholds == "voice"] == [ItemStatus.WITHHELD]


@pytest.mark.parametrize("media_type", ["audio/mpeg", "Audio/MPEG", " audio/mpeg; codecs=mp3"])
def test_a_voice_in_a_file_is_withheld_however_its_media_type_is_written(night: Night, child: str, dossier: str, media_type: str) -> None:
    """EXP-08, R-119: what is a recording to the schedule is a voice to an answer too."""
    fiche = night.fiche("grooming", dossier=dossier)
    night.note("cf_fiche", fiche, isdocument=True, filename="gesprek.mp3", mimetype=media_type, documentbody="SUQz")
    answer = Answer(night, child)
    (voice,) = [item for item in answer.compile().items if item.attachment is not None]
    assert (voice.status, voice.code, voice.withheld_class) == (ItemStatus.WITHHELD, "VOICE", "voice")


@pytest.mark.parametrize(("name", "media_type"), [("leeg.pdf", "application/pdf"), ("leeg.txt", "text/plain"), ("leeg.mp3", "audio/mpeg")])
def test_an_empty_file_is_no_item(night: Night, child: str, dossier: str, name: str, media_type: str) -> None:
    """EXP-07: there is nothing to look at, to hear or to hand out; the note that names it is told."""
    fiche = night.fiche("grooming", dossier=dossier)
    note = night.note("cf_fiche", fiche, isdocument=True, filename=name, mimetype=media_type)
    items = Answer(night, child).compile().items
    assert [item.title for item in items if item.source == ("note", note)] == [""]


@pytest.mark.parametrize("media_type", ["audio/mpeg", "Audio/MPEG"])
def test_a_voice_in_a_file_belongs_to_who_was_heard_however_its_media_type_is_written(night: Night, media_type: str) -> None:
    """RET-05: on a fiche it is a recording, and theirs as one is."""
    reporter, fiche = night.contact(), night.fiche("grooming")
    night.party(reporter, "reporter", fiche=fiche)
    note = night.note("cf_fiche", fiche, isdocument=True, filename="gesprek.mp3", mimetype=media_type, documentbody="SUQz")
    items = Answer(night, reporter).compile().items
    assert [item.withheld_class for item in items if item.attachment is not None] == ["voice"]
    assert ("note", note) in {item.source for item in items}


def test_a_session_to_listen_is_offered_until_a_person_withholds_the_sound_for_another_reason(
    night: Night, child: str, dossier: str
) -> None:
    """EXP-08."""
    night.recording(date(2026, 11, 20), fiche=night.fiche("grooming", dossier=dossier), cf_transcript="Verzonnen.")
    answer = Answer(night, child)
    (voice,) = [item for item in answer.compile().items if item.withholds == "voice"]
    assert (voice.status, voice.code, answer.now.offers_listening) == (ItemStatus.WITHHELD, "VOICE", True)
    answer.decide({"item": voice.item, "status": "WITHHELD", "code": "RF-03"})
    assert not answer.now.offers_listening


def test_sound_waits_for_a_person_where_it_was_asked_for(night: Night, child: str, dossier: str) -> None:
    """EXP-08: only if the requester asks."""
    night.recording(date(2026, 11, 20), fiche=night.fiche("grooming", dossier=dossier))
    for audio, status in ((False, ItemStatus.WITHHELD), (True, ItemStatus.PENDING_REVIEW)):
        compilation = Answer(night, child, details=Details(audio=audio)).compile()
        assert [item.status for item in compilation.items if item.attachment is not None] == [status]


def test_files_wait_for_a_person_and_go_along_under_a_name_that_tells_nothing(night: Night, child: str, dossier: str) -> None:
    """EXP-07: a document has an item of its own."""
    body = base64.b64encode(b"Verzonnen.").decode()
    night.note("cf_dossier", dossier, isdocument=True, filename="brief van Karel.pdf", mimetype="application/pdf", documentbody=body)
    answer = Answer(night, child)
    (item,) = [item for item in answer.compile().items if item.attachment is not None]
    assert (item.status, item.needs_review) == (ItemStatus.PENDING_REVIEW, True)
    answer.approve()
    (shown,) = [item for item in answer.now.shown if item.shown_attachment is not None]
    assert shown.shown_attachment is not None
    assert shown.shown_attachment.name == "attachment-1.pdf"


def test_whoever_is_only_written_to_about_a_dossier_is_not_told_which_one_it_is(night: Night, child: str, dossier: str) -> None:
    """EXP-05: own data and own contacts; of somebody with a role the number of the dossier is told as
    well."""
    reader, witness = night.contact(lastname="Lezer (fictief)"), night.contact(lastname="Getuige (fictief)")
    night.party(witness, "reporter", dossier=dossier)
    for contact in (reader, witness):
        night.create(
            "emails", "activityid",
            **{
                "subject": "Vraag", "description": "Kunt u bellen?",
                "regardingobjectid_cf_dossier_email@odata.bind": f"/cf_dossiers({dossier})",
                "email_activity_parties": [{"participationtypemask": 2, "partyid_contact@odata.bind": f"/contacts({contact})"}],
            },
        )  # fmt: skip
    kinds = {contact: [item.kind for item in Answer(night, contact).compile().items] for contact in (reader, witness)}
    assert ("dossier" in kinds[reader], "email" in kinds[reader]) == (False, True)
    assert ("dossier" in kinds[witness], "email" in kinds[witness]) == (True, True)


def test_a_named_recipient_is_told_by_name(night: Night, child: str, dossier: str) -> None:
    """R-120: and not only as police services; inside the EEA a country needs no ground."""
    night.fiche("grooming", dossier=dossier, cf_transmittedto="Politiezone Noord (fictief)", cf_transmittedon="2026-10-01")
    night.fiche("grooming", dossier=dossier, cf_transmittedto="Dienst Utrecht (fictief)", cf_transmittedcountry="NL")
    (context,) = [each for each in Answer(night, child).compile().contexts if each.kind == "dossier"]
    named = [(each.name, each.on) for each in context.recipients if not each.is_category]
    assert sorted(named) == [("Dienst Utrecht (fictief)", ""), ("Politiezone Noord (fictief)", "2026-10-01")]


def test_data_sent_out_of_the_eea_without_a_ground_stop_the_release(night: Night, child: str, dossier: str) -> None:
    """R-121: until the ground is on record; nobody may set it aside."""
    fiche = night.fiche("grooming", dossier=dossier, cf_transmittedto="Service Rabat (fictief)", cf_transmittedcountry="MA")
    answer = Answer(night, child)
    assert answer.compile().blocks == ("TRANSFER_BASIS_MISSING",)
    answer.approve()
    assert answer.refused() == "TRANSFER_BASIS_MISSING"
    night.patch("cf_fiches", fiche, cf_transferbasis="Art. 49(1)(f)")
    assert answer.refused() == "standing_changed"
    assert answer.compile().blocks == ()
    answer.approve()
    (context,) = [each for each in answer.now.contexts if each.kind == "dossier"]
    assert [(each.country, each.safeguard) for each in context.recipients if each.country] == [("MA", "Art. 49(1)(f)")]
    assert answer.release() is Outcome.DELIVERED


def test_what_is_kept_of_a_person_rests_on_what_it_is_needed_for(night: Night, child: str, dossier: str) -> None:
    """EXP-01(a): a contact has no purpose of its own; alone, nobody has laid down on what it rests."""
    assert {each.kind: each.basis for each in Answer(night, child).compile().contexts}["contact"] == "of_the_others"
    (alone,) = Answer(night, night.contact(emailaddress1="alone@example.org")).compile().contexts
    assert (alone.kind, alone.basis) == ("contact", "not_decided")


def test_fields_stand_in_the_order_in_which_people_name_them(night: Night) -> None:
    person = night.contact(lastname="Peeters (fictief)", birthdate="2010-03-04", firstname="Lotte", address1_city="Gent (fictief)")
    item = next(item for item in Answer(night, person).compile().items if item.kind == "contact")
    assert [field.name for field in item.fields][:4] == ["first_name", "last_name", "birth_on", "city"]


@pytest.mark.parametrize(("asked", "preferred", "language"), [("es", 100000001, "fr"), ("es", None, "nl"), ("de", 100000001, "de")])
def test_the_language_of_an_answer(night: Night, asked: str, preferred: int | None, language: str) -> None:
    """R-122, EXP-11: that of the request, else the preferred one, else Dutch."""
    person = night.contact(cf_language=preferred)
    night.donation(person)
    assert Answer(night, person, language=asked).compile().language == language


def test_two_people_and_the_right_roles(night: Night, child: str, dossier: str) -> None:
    """R-126, R-127, ACC-09, ACC-10: an attempt is on record with role and action, and says nothing about
    anybody."""
    answer = Answer(night, child)
    with pytest.raises(Refused) as refusal:
        compile_request(answer.context, answer.id, "anna", "crm_admin")
    assert refusal.value.code == "role"
    answer.compile()
    answer.approve()
    assert answer.refused("DORA") == "same_person"
    assert answer.refused("anna", "crm_admin") == "role"
    assert answer.refused("iris", "dpo") == "role"
    denied = [entry.data for entry in night.store.ledger.entries() if entry.kind == "denied"]
    assert [(entry["action"], entry["step"], entry["role"]) for entry in denied] == [
        ("handle_request", "compile", "crm_admin"),
        ("release_answer", "release", "crm_admin"),
        ("release_answer", "release", "dpo"),
    ]
    assert answer.id not in json.dumps(denied)
    assert answer.release("erik") is Outcome.DELIVERED


def test_a_row_that_turned_up_after_the_approval_sends_the_answer_back(night: Night, child: str, dossier: str) -> None:
    """R-128, EXP-14: it is neither included nor withheld nor excluded; what was decided on the others
    stands."""
    night.fiche("grooming", dossier=dossier, cf_summary="Eerste gesprek.")
    answer = Answer(night, child)
    answer.compile()
    answer.approve()
    night.fiche("grooming", dossier=dossier, cf_summary="Later gesprek.")
    assert answer.refused() == "incomplete"
    assert (answer.row.state, answer.row.approvals) == (RequestState.SEARCHING, ())
    assert answer.compile().pending == 1
    answer.approve()
    assert answer.release() is Outcome.DELIVERED


@pytest.mark.parametrize("born", ["2008-11-25", "2008-11-26", "2008-11-27"])
def test_exp10_whoever_comes_of_age_between_approval_and_release_has_no_page_for_minors(night: Night, born: str) -> None:
    contact = night.contact(birthdate=born)
    night.party(contact, "child", dossier=night.dossier("sexting", closed=False))
    answer = Answer(night, contact)
    assert answer.compile().addressee.is_minor == (born > "2008-11-25")
    answer.approve()
    night.clock.advance(days=1)
    _, released = for_release(answer.context, answer.id, "erik", "approver")
    assert released.addressee.is_minor == (born > "2008-11-26")


def test_somebody_confirmed_who_is_gone_makes_the_answer_incomplete(night: Night, child: str, dossier: str) -> None:
    """R-128: a confirmed row must not vanish from the sum in silence."""
    other = night.contact()
    answer = Answer(night, other)
    night.http.delete(f"{night.emulator.url}contacts({other})", headers={"If-Match": "*"})
    assert not answer.compile().is_complete
    with pytest.raises(Refused) as refusal:
        approve_content(answer.context, answer.id, "dora", "dpo")
    assert refusal.value.code == "incomplete"


@pytest.mark.parametrize("flagged", ["requester", "child"])
def test_a_place_of_safety_stops_the_release_until_two_people_set_it_aside(night: Night, flagged: str) -> None:
    """R-157, IDV-05: of whoever asks, and of the child of whom the answer tells."""
    child, parent = night.contact(birthdate="2017-03-04"), night.contact(firstname="Els")
    dossier = night.dossier("grooming", closed=False, fiches=0)
    night.party(child, "child", dossier=dossier)
    night.party(parent, "parent", dossier=dossier)
    night.patch("contacts", parent if flagged == "requester" else child, cf_nocontact=True)
    answer = Answer(night, parent, child=child)
    assert answer.compile().blocks == ("NO_CONTACT",)
    answer.approve()
    assert answer.refused() == "NO_CONTACT"
    answer.override("NO_CONTACT")
    assert answer.release() is Outcome.DELIVERED


def test_a_place_of_safety_gets_no_neutral_letter_either(night: Night) -> None:
    """R-157, IDV-05: a letter might reach those from whom the person hides."""
    person = night.contact(cf_nocontact=True)
    night.party(person, "suspect", dossier=night.dossier("grooming", closed=False))
    answer = Answer(night, person)
    assert answer.compile().answer == "neutral"
    answer.approve()
    assert answer.refused() == "NO_CONTACT"


def test_sus04_a_neutral_answer_is_not_held_back_because_the_child_is_in_a_place_of_safety(night: Night) -> None:
    """A parent who is suspected hears as soon as one whose child is unknown: silence tells them apart."""
    child, parent = night.contact(birthdate="2017-03-04", cf_nocontact=True), night.contact(firstname="Els")
    dossier = night.dossier("grooming", closed=False)
    night.party(child, "child", dossier=dossier)
    night.party(parent, "suspect", dossier=dossier)
    answer = Answer(night, parent, child=child)
    assert (answer.compile().answer, answer.now.blocks) == ("neutral", ())
    answer.approve()
    assert answer.release() is Outcome.NEUTRAL


@pytest.mark.parametrize(("method", "blocks"), [(IdentityMethod.KNOWN_CHANNEL, ("CHANNEL_CHANGED",)), (IdentityMethod.EID, ())])
def test_a_channel_that_was_changed_lately_needs_a_new_check(
    make_night: Callable[..., Night], method: IdentityMethod, blocks: tuple[str, ...]
) -> None:
    """IDV-05: within 30 days, where nothing but that channel shows who it is."""
    night = make_night(datetime.now(UTC))
    person = night.contact(telephone1="+32470000001")
    night.donation(person)
    night.patch("contacts", person, telephone1="+32470000002")
    answer = Answer(night, person)
    row = answer.row
    assert row.identity is not None
    night.store.requests.save(msgspec.structs.replace(row, identity=msgspec.structs.replace(row.identity, method=method)), since=row)
    assert answer.compile().blocks == blocks


def test_decisions_are_taken_whole_or_not_at_all(night: Night, child: str, dossier: str) -> None:
    """Contract 3.6: every mistake by its line; a text by which somebody else would be known is one."""
    reporter = night.contact(firstname="Karel", lastname="Melderman (fictief)", telephone1=NUMBER)
    night.party(reporter, "reporter", fiche=night.fiche("grooming", dossier=dossier, cf_summary="Verzonnen."))
    answer = Answer(night, child)
    (item,) = [item for item in answer.compile().items if item.needs_review]
    wrong: list[dict[str, object]] = [
        {"item": "item-99", "status": "APPROVED"},
        {"item": item.item, "status": "PENDING_REVIEW"},
        {"item": item.item, "status": "WITHHELD"},
        {"item": item.item, "status": "WITHHELD", "code": "te lang en te vrij"},
        {"item": item.item, "status": "APPROVED_REDACTED"},
        {"item": item.item, "status": "APPROVED", "text": "iets anders"},
        {"item": item.item, "status": "APPROVED_REDACTED", "text": "Meneer Karel MELDERMAN belde."},
        {"item": item.item, "status": "APPROVED_REDACTED", "text": "Bel 0470 11.22.33."},
        {"item": item.item, "status": "APPROVED", "all": True},
        {"item": "item-1", "status": "APPROVED_REDACTED", "text": "een contact heeft geen tekst"},
    ]
    for line in wrong:
        right = {"item": "item-2" if line["item"] == item.item else item.item, "status": "APPROVED"}
        with pytest.raises(UsageError, match="line 2") as error:
            answer.decide(right, line)
        assert "arel" not in str(error.value)
    with pytest.raises(UsageError, match=r"line 3 .* second time"):
        answer.decide(*[{"item": name, "status": "APPROVED"} for name in (item.item, "item-2", item.item)])
    assert answer.now.pending == 1
    answer.decide({"item": item.item, "status": "APPROVED_REDACTED", "text": "Iemand belde."})
    assert "Iemand belde." in told(answer.now)
    answer.decide({"item": item.item, "status": "WITHHELD", "code": "RF-03"})
    assert "Iemand belde." not in told(answer.now)
    assert [(each.what, each.code) for each in answer.now.told_withheld] == [("text", "RF-03")]
    approve_content(answer.context, answer.id, "dora", "dpo")
    assert answer.release() is Outcome.DELIVERED_PARTLY


def test_what_was_decided_stands_until_the_text_changes(night: Night, child: str, dossier: str) -> None:
    """Compiling again keeps decisions on items that are the same."""
    kept = night.fiche("grooming", dossier=dossier, cf_summary="Blijft zo.")
    changed = night.fiche("grooming", dossier=dossier, cf_summary="Wordt anders.")
    answer = Answer(night, child)
    answer.compile()
    by_source = {item.source: item.item for item in answer.now.items}
    answer.decide(
        {"item": by_source["fiche", kept], "status": "WITHHELD", "code": "RF-03"},
        {"item": by_source["fiche", changed], "status": "APPROVED"},
    )
    night.patch("cf_fiches", changed, cf_summary="Is nu anders.")
    answer.compile()
    status = {item.source: (item.status, item.code) for item in answer.now.items if item.needs_review}
    assert status == {("fiche", kept): (ItemStatus.WITHHELD, "RF-03"), ("fiche", changed): (ItemStatus.PENDING_REVIEW, "")}


def test_a_role_in_another_file_that_speaks_of_the_person_waits_too(night: Night) -> None:
    """EXP-04: of a row that only mentions somebody nothing is told but the text, and that not by itself."""
    person = night.contact(lastname="Zandstra (fictief)", emailaddress1="lotte@example.org")
    night.party(person, "reporter", dossier=night.dossier("grooming", closed=False))
    role = night.party(night.contact(firstname="Karel"), "parent", dossier=night.dossier("sexting", closed=False))
    night.patch("cf_parties", role, cf_notes="Zie ook lotte@example.org.")
    items = [item for item in Answer(night, person).compile().items if item.title == "mention"]
    assert [(item.kind, item.status, item.proposal, item.shown_fields) for item in items] == [
        ("party", ItemStatus.PENDING_REVIEW, "Zie ook lotte@example.org.", ())
    ]


def test_nothing_about_anybody_is_in_the_ledger(night: Night, child: str, dossier: str) -> None:
    """ACC-08, SUS-07: steps, roles and codes; no row, no name, no number of items."""
    night.fiche("grooming", dossier=dossier, cf_summary="Verzonnen.")
    answer = Answer(night, child)
    answer.compile()
    answer.approve()
    entries = [entry.data for entry in night.store.ledger.entries() if entry.kind == "request" and "step" in entry.data]
    assert [entry["step"] for entry in entries] == ["compile", "review", "approve"]
    assert set().union(*entries) == {"request", "step", "role", "by", "answer", "decisions"}
    assert not [word for word in (child, dossier, "Zandstra", "dora") if word in json.dumps(entries)]
