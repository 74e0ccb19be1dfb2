"""Whatever the machine proposes can go out as it is: nobody has to find out what the last look would refuse (EXP-06, EXP-07).

Everybody is fictitious.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from connectors.emulator.server import RunningEmulator, SeedSpec
from crm_compliance.packages.package import package_of, sender_of
from crm_compliance.releasing import attachments_of, release_request
from jobs.compiling import LANGUAGES
from jobs.disclosure import Item, ItemStatus
from rules.full_records import FullContact, FullDonation, FullParty
from rules.subject_requests import RequestState
from tests.crm_compliance.asking import told
from tests.integration.night import Night
from tests.integration.test_requests_answer import Answer

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
    """R-118, R-119: children, witnesses, reporters and donors, in every language, with the texts, messages and files of the seed."""
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
        release_request(
            answer.context, answer.id, "erik", "approver", archive=tmp_path / f"{number}.zip",
            passphrase_file=tmp_path / f"{number}.txt", public_url="https://example.org",
        )  # fmt: skip
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
    assert package_of(compilation, sender_of(night.policy), {})


@pytest.mark.parametrize(
    ("name", "media_type", "body"),
    [
        ("scan.pdf", "application/pdf", b"Verzonnen."),
        ("foto.png", "image/png", b"\x89PNG\r\n\x1a\n\0"),
        ("nep.txt", "text/plain", b"\0\1\2\3"),
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
    assert package_of(answer.now, sender_of(night.policy), contents)


def test_a_pdf_that_names_somebody_else_is_withheld_unless_a_person_writes_what_it_says(night: Night, child: str, dossier: str) -> None:
    """R-119: a name cannot be taken out of it, so that as a file it would stop the release."""
    import typst

    attach(night, dossier, "verslag.pdf", "application/pdf", bytes(typst.compile(b"Mina Verstraeten was er.", format="pdf")))
    answer = Answer(night, child)
    (item,) = files_in(answer)
    assert (item.status, item.code, item.withholds) == (ItemStatus.WITHHELD, "RF-03", "attachment")
    answer.decide({"item": item.item, "status": "APPROVED_REDACTED", "text": "[ouder] was er."})
    answer.approve()
    assert package_of(answer.now, sender_of(night.policy), {})


def test_an_id_of_the_crm_in_a_text_is_left_out(night: Night, child: str, dossier: str) -> None:
    """EXP-13, R-123."""
    night.fiche("grooming", dossier=dossier, cf_summary=f"Zie rij {dossier} of {{{dossier.upper()}}}.")
    answer = Answer(night, child)
    answer.compile()
    answer.approve()
    assert package_of(answer.now, sender_of(night.policy), {})
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
    known = " ".join(answer.now.needles)
    assert "Verbruggenaere" in known
    assert "Vandersteenkiste" in known
    assert "Nergensgenoemd" not in known
