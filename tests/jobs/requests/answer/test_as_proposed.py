"""Whatever the machine proposes can go out as it is: nobody has to find out what the last look would refuse
(EXP-06, EXP-07).

Everybody is fictitious.
"""

import base64
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest
import typst

from connectors.emulator.serving.server import RunningEmulator, SeedSpec
from crm_compliance.answer_package.outbox import FileOutbox
from crm_compliance.answer_package.package import PackageBroken, package_of
from jobs.files.supervisor import SHARED
from jobs.model.answer import SEEN_UNCHECKED, Item, ItemStatus
from jobs.ports.outbox import LeakFound, Unchecked
from jobs.requests.answer.attachments import attachments_of
from jobs.requests.answer.release import release_answer
from rules.errors import UsageError
from rules.model.languages import LANGUAGES
from rules.model.personal_records import FullContact, FullDonation, FullParty
from rules.model.requests import RequestState
from tests.drivers.asking import told
from tests.drivers.night import Night
from tests.jobs.files.made import a_compound_file, a_document, a_message, a_pdf, a_picture, packed
from tests.jobs.requests.answer.answers import Answer

DAY = date(2026, 11, 25)


def people(night: Night, role: str) -> list[str]:
    """Grown-ups with a role, those with most roles first; a suspect would get the neutral answer."""
    contacts = {row.id: row for page in night.connector.read(FullContact, ["birth_on"]) for row in page}
    parties = [row for page in night.connector.read(FullParty, ["contact", "role"]) for row in page]
    suspects = {row.contact for row in parties if row.role == "suspect"}
    found = [row.contact for row in parties if row.role == role and row.contact in contacts and row.contact not in suspects]
    grown_up = [one for one in found if one and (born := contacts[one].birth_on) is not None and born < date(2005, 1, 1)]
    return sorted(set(grown_up or filter(None, found)), key=lambda one: (-found.count(one), one))


def donors(night: Night) -> list[str]:
    return sorted({row.contact for page in night.connector.read(FullDonation, ["contact"]) for row in page if row.contact})


def test_every_proposal_of_a_seeded_organisation_can_be_released(
    emulator: RunningEmulator, make_night: Callable[..., Night], tmp_path: Path
) -> None:
    """R-118, R-119: children, witnesses, reporters and donors, in every language, with the texts, messages
    and files of the seed."""
    emulator.load(SeedSpec(60, 7, DAY).rows())
    night = make_night()
    asking = [*people(night, "child")[:5], *people(night, "witness")[:2], *people(night, "reporter")[:2], *donors(night)[:2]]
    packages = texts = 0
    for number, contact in enumerate(asking):
        answer = Answer(night, contact, language=LANGUAGES[number % len(LANGUAGES)])
        compilation = answer.compile()
        if compilation.answer == "dpo_review":
            continue
        answer.approve()
        zipped, secret = tmp_path / f"{number}.zip", tmp_path / f"{number}.txt"
        outbox = FileOutbox(night.context.organisation, archive=zipped, passphrase_file=secret, public_url="https://example.org")
        release_answer(answer.context, answer.id, "erik", "approver", outbox)
        assert answer.row.state is RequestState.RELEASED
        packages += compilation.answer == "package"
        texts += sum(item.needs_review for item in compilation.items)
    assert (packages >= 7, texts >= 20) == (True, True), (packages, texts)


@pytest.fixture
def child(night: Night) -> str:
    return night.contact(firstname="Lotte", lastname="Zandstra (fictief)", birthdate="1990-03-04")


@pytest.fixture
def dossier(night: Night, child: str) -> str:
    found = night.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0117")
    night.party(child, "child", dossier=found)
    night.party(night.contact(firstname="Mina", lastname="Verstraeten (fictief)"), "parent", dossier=found)
    return found


def attach(night: Night, dossier: str, name: str, media_type: str, body: bytes) -> None:
    encoded = base64.b64encode(body).decode()
    night.note("cf_dossier", dossier, isdocument=True, filename=name, mimetype=media_type, documentbody=encoded)


def files_in(answer: Answer) -> list[Item]:
    return [item for item in answer.compile().items if item.title == "attachment"]


MESSAGE = (
    b"From: Mina Verstraeten <mina@example.org>\r\nTo: hulp@example.org\r\nSubject: =?utf-8?q?Vraag_van_Mina?=\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.b64encode(b"Dag, Mina Verstraeten hier. Zij is er.")
)


@pytest.mark.parametrize(
    ("name", "media_type", "body"),
    [
        ("notitie.txt", "text/plain", "Volgens Mina Verstraeten was zij er."),
        ("lijst.csv", "application/octet-stream", "naam;bericht\nMina Verstraeten;zij was er\n"),
        ("pagina.html", "text/html", "<p>Mina <b>Verstraeten</b> zei: zij was er.</p>"),
        ("bericht.eml", "message/rfc822", MESSAGE),
        ("venster.txt", "text/plain", "Mina Verstraeten: zij was er, één keer.".encode("utf-16")),
        ("oud.txt", "text/plain", "Mina Verstraeten: zij was er, één keer.".encode("cp1252")),
    ],
)  # fmt: skip
def test_a_file_that_is_a_text_is_told_as_one(
    night: Night, child: str, dossier: str, name: str, media_type: str, body: str | bytes
) -> None:
    """EXP-06, EXP-07: redacted, and read by a person, like every other text."""
    attach(night, dossier, name, media_type, body.encode() if isinstance(body, str) else body)
    answer = Answer(night, child)
    (item,) = files_in(answer)
    assert (item.status, item.attachment) == (ItemStatus.PENDING_REVIEW, None)
    assert "[ouder]" in item.proposal
    assert "zij" in item.proposal.lower()
    assert "erstraeten" not in item.proposal
    answer.approve()
    compilation = answer.now
    assert attachments_of(answer.context, compilation) == {}
    assert "[ouder]" in told(compilation)
    assert package_of(compilation, night.context.organisation, {})


def test_an_e_mail_with_files_in_it_is_told_as_a_text_and_is_a_file_that_waits_for_a_word(night: Night, child: str, dossier: str) -> None:
    """EXP-06, EXP-07: nobody takes the text for all there is. The file still has what was redacted in the
    text, and a picture that no program reads; the e-mail in it is told with it, redacted."""
    body = a_message(("door.eml", MESSAGE), ("foto.png", a_picture(size=(120, 90))), sender="onbekend@example.org")
    attach(night, dossier, "bericht.eml", "message/rfc822", body)
    answer = Answer(night, child)
    text, file = files_in(answer)
    assert (text.status, text.attachment) == (ItemStatus.PENDING_REVIEW, None)
    assert ("Zij is er." in text.proposal, "[ouder]" in text.proposal) == (True, True)
    assert not [name for name in ("erstraeten", "mina@", "onbekend@") if name in text.proposal]
    assert (file.status, file.withholds, file.told_code, file.unread) == (ItemStatus.WITHHELD, "attachment", "RF-03", "pictures_of_text")
    with pytest.raises(UsageError, match="cannot be checked"):
        answer.decide({"item": file.item, "status": "APPROVED"})
    answer.approve()
    assert attachments_of(answer.context, answer.now) == {}
    assert package_of(answer.now, night.context.organisation, {})


@pytest.mark.parametrize("sender", ["onbekend@example.org", ""])
def test_the_file_of_an_e_mail_is_withheld_where_its_text_was_redacted(night: Night, child: str, dossier: str, sender: str) -> None:
    """An address that is nobody's here is no leak-check term: the text has a label for it, the file not."""
    to = b"From: %s\n" % sender.encode() if sender else b""
    body = to + b"Subject: Vraag\nMIME-Version: 1.0\nContent-Type: application/octet-stream\n\nVerzonnen."
    attach(night, dossier, "bericht.eml", "message/rfc822", body)
    _, file = files_in(Answer(night, child))
    assert file.status is (ItemStatus.WITHHELD if sender else ItemStatus.PENDING_REVIEW)


@pytest.mark.parametrize(
    ("name", "media_type", "body"),
    [
        ("scan.pdf", "application/pdf", b"Verzonnen."),
        ("verslag.pdf", "application/pdf", bytes(typst.compile(b"Verzonnen.", format="pdf"))),
    ],
)
def test_any_other_file_goes_along_once_a_person_has_looked_at_it(
    night: Night, child: str, dossier: str, name: str, media_type: str, body: bytes
) -> None:
    attach(night, dossier, name, media_type, body)
    answer = Answer(night, child)
    (item,) = files_in(answer)
    assert item.status is ItemStatus.PENDING_REVIEW
    answer.approve()
    contents = attachments_of(answer.context, answer.now)
    assert list(contents.values()) == [body]
    assert package_of(answer.now, night.context.organisation, contents)


@pytest.mark.parametrize("said", ["application/octet-stream", "Application/Octet-Stream; name=x", ""])
def test_a_voice_note_that_is_called_nothing_but_bytes_is_a_sound_by_its_name(night: Night, child: str, dossier: str, said: str) -> None:
    """Programs that attach files often say no more; somebody's voice may be in it all the same."""
    attach(night, dossier, "Bericht.MP3", said, b"\xff\xfb\x90\x00" + bytes(4000))
    (item,) = files_in(Answer(night, child))
    assert item.attachment is not None
    assert (item.attachment.media_type, item.withheld_class) == ("audio/mpeg", "voice")


@pytest.mark.parametrize(
    ("name", "said", "media_type", "called"),
    [
        ("Foto.JPG", "application/octet-stream", "image/jpeg", "attachment-1.jpg"),
        ("bericht.msg", "", "application/vnd.ms-outlook", "attachment-1.msg"),
        ("brief.odt", "application/octet-stream", "application/vnd.oasis.opendocument.text", "attachment-1.odt"),
        ("van Mina.verstraeten", "application/octet-stream", "application/octet-stream", "attachment-1.bin"),
    ],
)
def test_a_file_that_is_called_nothing_but_bytes_can_be_opened_by_whoever_gets_it(
    night: Night, child: str, dossier: str, name: str, said: str, media_type: str, called: str
) -> None:
    """By an ending of ours for what its name says it is; of its name itself nothing is told."""
    attach(night, dossier, name, said, a_picture("JPEG") if name == "Foto.JPG" else a_compound_file("Verzonnen."))
    (item,) = files_in(Answer(night, child))
    assert item.attachment is not None
    assert (item.attachment.media_type, item.attachment.name) == (media_type, called)


UNREADABLE = {
    "foto.png": ("image/png", b"\x89PNG\r\n\x1a\n\0", "damaged"),
    "nep.txt": ("text/plain", b"\0\1\2\3", "unknown_kind"),
    "bericht.msg": ("application/vnd.ms-outlook", a_compound_file("Verzonnen."), "unknown_kind"),
    "half.docx": ("application/octet-stream", a_document("Verzonnen.")[:-40], "damaged"),
    "bom.zip": ("application/zip", packed(*[packed(b"a" * 40_000_000)] * 3), "too_large"),
    "los.pdf": ("application/pdf", a_pdf("Verzonnen.").replace(b"/Count 1", b"/Count 9"), "damaged"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_no_program_can_read_goes_along_on_a_persons_word_on_that_very_file(
    night: Night, child: str, dossier: str, name: str
) -> None:
    """EXP-07: no content of a file stops an answer, and APPROVED alone lets no file go that nobody could
    check."""
    media_type, body, why = UNREADABLE[name]
    attach(night, dossier, name, media_type, body)
    answer = Answer(night, child)
    (item,) = files_in(answer)
    assert (item.status, item.unread, item.shown_attachment) == (ItemStatus.PENDING_REVIEW, why, None)
    with pytest.raises(UsageError, match="cannot be checked") as refused:
        answer.decide({"item": item.item, "status": "APPROVED"})
    assert SEEN_UNCHECKED in refused.value.hint
    assert answer.now.pending
    answer.decide({"item": item.item, "status": "APPROVED", "code": SEEN_UNCHECKED})
    answer.approve()
    contents = attachments_of(answer.context, answer.now)
    assert list(contents.values()) == [body]
    assert package_of(answer.now, night.context.organisation, contents)
    another = {name: content + b"." for name, content in contents.items()}
    with pytest.raises(PackageBroken, match="another file"):
        package_of(answer.now, night.context.organisation, another)


def test_a_file_that_names_somebody_else_among_its_bytes_is_withheld_and_stops_the_release(night: Night, child: str, dossier: str) -> None:
    attach(night, dossier, "bericht.msg", "application/vnd.ms-outlook", a_compound_file("Mina Verstraeten was er."))
    answer = Answer(night, child)
    (item,) = files_in(answer)
    assert (item.status, item.withholds, item.unread) == (ItemStatus.WITHHELD, "attachment", "unknown_kind")
    answer.decide({"item": item.item, "status": "APPROVED", "code": SEEN_UNCHECKED})
    answer.approve()
    with pytest.raises(LeakFound):
        package_of(answer.now, night.context.organisation, attachments_of(answer.context, answer.now))


@pytest.mark.parametrize("said", ["Mina Verstreaten was er.", "Mina V. was er."])
def test_a_file_with_what_is_nearly_a_name_is_withheld_until_a_person_lets_it_go(night: Night, child: str, dossier: str, said: str) -> None:
    """R-118: a slip of the pen, or an initial; whoever looks at it may say that it is nobody."""
    attach(night, dossier, "verslag.docx", "application/octet-stream", a_document(said))
    answer = Answer(night, child)
    (item,) = files_in(answer)
    assert (item.status, item.withholds) == (ItemStatus.WITHHELD, "attachment")
    answer.decide({"item": item.item, "status": "APPROVED"})
    answer.approve()
    assert package_of(answer.now, night.context.organisation, attachments_of(answer.context, answer.now))


def test_a_file_with_digits_for_letters_names_somebody(night: Night, child: str, dossier: str) -> None:
    attach(night, dossier, "verslag.docx", "application/octet-stream", a_document("M1na V3rstr43t3n was er."))
    answer = Answer(night, child)
    (item,) = files_in(answer)
    assert item.withholds == "attachment"
    answer.decide({"item": item.item, "status": "APPROVED"})
    answer.approve()
    with pytest.raises(LeakFound):
        package_of(answer.now, night.context.organisation, attachments_of(answer.context, answer.now))


def test_the_word_on_a_file_is_asked_for_again_where_it_is_missing_at_the_release(night: Night, child: str, dossier: str) -> None:
    """An answer that was compiled and approved before files were looked into like this."""
    attach(night, dossier, "a.txt", "text/plain", b"\0\1\2\3")
    answer = Answer(night, child)
    (item,) = files_in(answer)
    answer.decide({"item": item.item, "status": "APPROVED", "code": SEEN_UNCHECKED})
    answer.approve()
    items = tuple(msgspec.structs.replace(each, code="") for each in answer.now.items)
    compilation = msgspec.structs.replace(answer.now, items=items)
    with pytest.raises(Unchecked) as refused:
        package_of(compilation, night.context.organisation, attachments_of(answer.context, compilation))
    assert (refused.value.code, item.item in str(refused.value), SEEN_UNCHECKED in refused.value.hint) == ("unchecked", True, True)


def test_a_picture_goes_along_without_what_is_noted_in_it(night: Night, child: str, dossier: str) -> None:
    """R-119: nobody who looks at it sees who took it."""
    attach(night, dossier, "foto.jpg", "image/jpeg", a_picture("JPEG", author="Mina Verstraeten"))
    answer = Answer(night, child)
    (item,) = files_in(answer)
    assert (item.status, item.unread) == (ItemStatus.PENDING_REVIEW, "")
    answer.approve()
    package = package_of(answer.now, night.context.organisation, attachments_of(answer.context, answer.now))
    picture = package["attachments/attachment-1.jpg"]
    assert picture.startswith(b"\xff\xd8\xff")
    assert b"Exif" not in picture
    assert "Verstraeten" not in "".join(SHARED.read(picture).texts)


def test_a_pdf_that_names_somebody_else_is_withheld_unless_a_person_writes_what_it_says(night: Night, child: str, dossier: str) -> None:
    """R-119: a name cannot be taken out of it, so that as a file it would stop the release."""
    attach(night, dossier, "verslag.pdf", "application/pdf", bytes(typst.compile(b"Mina Verstraeten was er.", format="pdf")))
    answer = Answer(night, child)
    (item,) = files_in(answer)
    assert (item.status, item.code, item.withholds) == (ItemStatus.WITHHELD, "RF-03", "attachment")
    answer.decide({"item": item.item, "status": "APPROVED_REDACTED", "text": "[ouder] was er."})
    answer.approve()
    assert package_of(answer.now, night.context.organisation, {})


def test_an_id_of_the_crm_in_a_text_is_left_out(night: Night, child: str, dossier: str) -> None:
    """EXP-13, R-123."""
    night.fiche("grooming", dossier=dossier, cf_summary=f"Zie rij {dossier} of {{{dossier.upper()}}}.")
    answer = Answer(night, child)
    answer.compile()
    answer.approve()
    assert package_of(answer.now, night.context.organisation, {})
    assert "[…]" in "".join(item.proposal for item in answer.now.items)


def test_r123_staff_and_others_who_are_named_and_in_no_file_are_labels(night: Night, child: str, dossier: str) -> None:
    """R-123, EXP-06: of staff the function; of another contact a label; and the last look finds both."""
    night.create("systemusers", "systemuserid", firstname="Godelieve", lastname="Verbruggenaere", fullname="Godelieve Verbruggenaere")
    night.create("systemusers", "systemuserid", firstname="Lies", lastname="Nergensgenoemd", fullname="Lies Nergensgenoemd")
    night.contact(firstname="Theofiel", lastname="Vandersteenkiste (fictief)")
    night.contact(firstname="Ergens", lastname="Anders")
    text = "Godelieve Verbruggenaere belde terug. Volgens de buurvrouw was Vandersteenkiste Theofiel daar, ergens. Lies was anders."
    night.fiche("grooming", dossier=dossier, cf_summary=text)
    answer = Answer(night, child)
    (proposal,) = [item.proposal for item in answer.compile().items if item.kind == "fiche"]
    assert "[medewerker] belde terug" in proposal
    assert not [name for name in ("Godelieve", "erbruggenaere", "Theofiel", "andersteenkiste") if name in proposal]
    assert "ergens" in proposal
    assert "anders" in proposal
    known = " ".join(answer.now.leak_terms)
    assert "Verbruggenaere" in known
    assert "Vandersteenkiste" in known
    assert "Nergensgenoemd" not in known
