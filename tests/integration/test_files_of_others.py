"""What is in a file that depends on somebody else's dossier is read where that dossier mentions the person,
and by nobody where it does not, and that is said wherever somebody asks what was searched; what depends on
the own dossier is read and told (EXP-03, EXP-06). Everybody is fictitious."""

import base64
from typing import Any

import msgspec
import pytest

from crm_compliance.answer_package.package import package_of
from jobs.model.answer import Compilation, ItemStatus
from jobs.requests.answer.review import completeness
from jobs.requests.search import files_of_others
from jobs.requests.search.confirm import match_request
from tests.drivers.night import Night
from tests.jobs.requests.answer.answers import Answer

SAID = "Lotte Peeters (fictief) liep langs de vaart, een kwikstaartje vloog op."


def attached(night: Night, dossier: str, text: str | bytes, *, kind: str = "cf_dossier", media_type: str = "text/plain") -> str:
    """A file on a row; its note says nothing of anybody."""
    body = base64.b64encode(text.encode() if isinstance(text, str) else text).decode()
    file = {"isdocument": True, "filename": "scan.txt", "mimetype": media_type, "documentbody": body}
    return night.note(kind, dossier, subject="Bijlage", notetext=None, **file)


def speaking(night: Night, text: str = "Ook Lotte Peeters (fictief) werd genoemd.") -> tuple[str, str]:
    """A dossier of others with a fiche whose text mentions somebody."""
    other = night.dossier("grooming", closed=False, fiches=0)
    night.party(night.contact(firstname="Karel", lastname="Vandenbossche (fictief)"), "child", dossier=other)
    return other, night.fiche("grooming", dossier=other, cf_summary=text)


def lotte_of(night: Night) -> str:
    """A person with a role of her own: mentions are told to nobody who is known for relations alone."""
    found = night.contact(firstname="Lotte", lastname="Peeters (fictief)", birthdate="2000-03-04", mobilephone="+32470112233")
    night.party(found, "reporter", dossier=night.dossier("grooming", closed=False, fiches=0))
    return found


def told_of_files(compilation: Compilation, *notes: str) -> list[tuple[str, ItemStatus, str]]:
    return [(item.title, item.status, item.proposal) for item in compilation.items if item.source[1] in notes]


def page_of(night: Night, compilation: Compilation) -> str:
    return package_of(compilation, night.context.organisation, {})["index.html"].decode()


NOT_LINKED = {
    "nl": "de inhoud van bijlagen die niet aan u gekoppeld zijn",
    "fr": "contenu des annexes qui ne vous sont pas liées",
    "de": "der Inhalt von Anlagen, die nicht mit Ihnen verknüpft sind",
    "en": "the contents of attachments that are not linked to you",
}


def test_a_file_of_somebody_elses_dossier_is_named_as_not_searched(night: Night, subtests: pytest.Subtests) -> None:
    """In the search for candidates, in the count of what is complete, and in the letter."""
    lotte = night.contact(firstname="Lotte", lastname="Peeters (fictief)", birthdate="2000-03-04")
    night.donation(lotte)
    other = night.dossier("grooming", closed=False, fiches=0)
    night.party(night.contact(), "child", dossier=other)
    note = attached(night, other, SAID)
    answer = Answer(night, lotte)
    compilation = answer.compile()
    assert note not in {item.source[1] for item in compilation.items}
    assert "attachments_content" in compilation.not_searched
    counts = completeness(night.context, answer.actor(), answer.id)
    assert ("attachments_content" in counts["unread"], counts["complete"]) == (True, True)
    assert "attachments_content" in match_request(night.context, answer.id, answer.actor()).not_searched
    for language, said in NOT_LINKED.items():
        with subtests.test(language):
            assert said in page_of(night, msgspec.structs.replace(compilation, language=language))


def test_a_file_of_the_own_dossier_is_read_and_told_without_the_others(night: Night) -> None:
    lotte = night.contact(firstname="Lotte", lastname="Peeters (fictief)", birthdate="2000-03-04")
    mina = night.contact(firstname="Mina", lastname="Verstraeten (fictief)")
    dossier = night.dossier("grooming", closed=False, fiches=0)
    night.party(lotte, "child", dossier=dossier)
    night.party(mina, "witness", dossier=dossier)
    note = attached(night, dossier, f"{SAID} Mina Verstraeten (fictief) keek toe.")
    (read,) = [item for item in Answer(night, lotte).compile().items if item.source == ("note", note) and item.title == "attachment"]
    assert (read.status, read.proposal) == (ItemStatus.PENDING_REVIEW, f"{SAID} [getuige 1] (fictief) keek toe.")


@pytest.mark.parametrize("kind", ["cf_dossier", "cf_fiche"])
def test_a_file_beside_a_text_that_speaks_of_the_person_is_searched(night: Night, kind: str) -> None:
    """Its sentence waits for a person, without the others; a file that does not mention them is not told."""
    lotte = lotte_of(night)
    dossier, fiche = speaking(night, "Belde terug op 0470/11.22.33.")
    row = dossier if kind == "cf_dossier" else fiche
    said = "Het regende. Lotte Peeters (fictief) liep met Karel Vandenbossche langs de vaart. Daarna werd het stil."
    note, silent = attached(night, row, said, kind=kind), attached(night, row, "Een vijver.", kind=kind)
    answer = Answer(night, lotte)
    told = told_of_files(answer.compile(), note, silent)
    assert told == [("mention", ItemStatus.PENDING_REVIEW, "Lotte Peeters (fictief) liep met [derde 1] langs de vaart.")]
    assert completeness(night.context, answer.actor(), answer.id)["files_of_others"] == {"read": 2, "not_read": 0, "dossiers_left_out": 0}


def test_what_no_program_reads_there_and_what_is_beyond_the_bounds_is_counted(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    lotte = lotte_of(night)
    dossier, _ = speaking(night)
    attached(night, dossier, b"ID3 verzonnen", media_type="audio/mpeg")
    attached(night, dossier, b"\xd0\xcf\x11\xe0 verzonnen", media_type="application/msword")
    for _ in range(3):
        attached(night, dossier, SAID)
    answer = Answer(night, lotte)
    answer.compile()
    counted = completeness(night.context, answer.actor(), answer.id)
    assert counted["files_of_others"] == {"read": 3, "not_read": 2, "dossiers_left_out": 0}
    monkeypatch.setattr(files_of_others, "MOST_FILES", 1)
    bounded = completeness(night.context, answer.actor(), answer.id)["files_of_others"]
    assert (bounded["read"] <= 1, sum(bounded.values())) == (True, 5)
    assert "attachments_content" in counted["unread"]


def test_of_many_dossiers_those_with_the_strongest_evidence_are_looked_into(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may be called like many others: what is left out is counted."""
    lotte = lotte_of(night)
    notes = [attached(night, speaking(night)[0], SAID) for _ in range(3)]
    notes.append(attached(night, speaking(night, "Belde terug op 0470/11.22.33.")[0], SAID))
    monkeypatch.setattr(files_of_others, "MOST_DOSSIERS", 1)
    answer = Answer(night, lotte)
    assert [item.source[1] for item in answer.compile().items if item.source[1] in notes] == notes[-1:]
    found = completeness(night.context, answer.actor(), answer.id)["files_of_others"]
    assert found == {"read": 1, "not_read": 0, "dossiers_left_out": 3}


@pytest.mark.parametrize("role", ["suspect", "namesake"])
def test_no_file_is_opened_for_whom_one_is_closed_and_beside_a_namesake(night: Night, monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    """SUS-05, SUS-07: what is opened would tell of it; EXP-04: what is about a namesake is not about the
    person."""
    opened: list[Any] = []
    monkeypatch.setattr(files_of_others, "content_of", lambda *asked: opened.append(asked))
    lotte = lotte_of(night)
    dossier, _ = speaking(night)
    if role == "suspect":
        night.party(lotte, "suspect", dossier=night.dossier("grooming", closed=False, fiches=0))
    else:
        night.party(night.contact(firstname="Lotte", lastname="Peeters (fictief)"), "witness", dossier=dossier)
    note = attached(night, dossier, SAID)
    assert (told_of_files(Answer(night, lotte).compile(), note), opened) == ([], [])


def test_a_role_decides_of_texts_and_files_alike(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """EXP-05: of a dossier in which they are a witness, people are told their own statements."""
    opened: list[Any] = []
    monkeypatch.setattr(files_of_others, "content_of", lambda *asked: opened.append(asked))
    lotte = lotte_of(night)
    dossier, _ = speaking(night)
    night.party(lotte, "witness", dossier=dossier)
    note = attached(night, dossier, SAID)
    assert (told_of_files(Answer(night, lotte).compile(), note), opened) == ([], [])
