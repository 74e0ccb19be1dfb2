"""Documents in SharePoint in the answer to a subject request: listed, read and redacted as files on notes
are, and named as not searched where they are out of reach (EXP-03, EXP-06, EXP-07)."""

import pytest

from connectors.interface.errors import ObjectError
from jobs.model.answer import Compilation, Item, ItemStatus
from jobs.register.request_steps import actor_of
from jobs.requests.answer.attachments import attachments_of
from jobs.requests.answer.compile import compile_request
from jobs.requests.answer.release import approve_content, outcome_of
from jobs.requests.answer.release_check import for_release
from jobs.requests.answer.review import completeness, decide_items
from jobs.requests.search.gaps import places_not_searched
from rules.model.requests import Outcome, Right
from tests.drivers.deciding import ask
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.integration.documents import LOCATION, Documents, documents, emulator

__all__ = ["documents", "emulator"]  # fixtures

PLANTED = "kwikstaartje"
TABLE = f"table:{LOCATION}"


@pytest.fixture
def child(night: Night) -> str:
    return night.contact(lastname="Zandstra (fictief)", birthdate="2012-03-04", telephone1="+32470000001")


@pytest.fixture
def dossier(documents: Documents, child: str) -> str:
    found = documents.night.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0117")
    documents.night.party(child, "child", dossier=found)
    documents.location(("cf_dossier", found), "D-1")
    return found


def compiled(documents: Documents, contact: str) -> tuple[str, Compilation]:
    request = ask(documents.night, Right.ACCESS, contact).id
    return request, compile_request(documents.context, request, "dora", "dpo")


def of_documents(answer: Compilation) -> list[Item]:
    return [item for item in answer.items if item.source[1].startswith("document:")]


def test_a_planted_word_in_a_document_comes_up_and_others_are_left_out(documents: Documents, child: str, dossier: str) -> None:
    mother = documents.night.contact(firstname="Mina", lastname="Verstraeten (fictief)")
    documents.night.party(mother, "parent", dossier=dossier)
    text = f"Het {PLANTED} werd gezien. Mina Verstraeten belde."
    documents.library.put("D-1/verslagen/verslag #1.txt", text.encode())
    request, answer = compiled(documents, child)
    (text_item,) = [item for item in of_documents(answer) if PLANTED in item.proposal]
    assert "Verstraeten" not in text_item.proposal
    assert (text_item.status, text_item.needs_review) == (ItemStatus.PENDING_REVIEW, True)
    assert any("verslag #1.txt" in item.proposal for item in of_documents(answer)), "its name is told like that of a file on a note"
    assert not {"documents", TABLE}.intersection(answer.not_searched)
    actor = actor_of(documents.context, "dora", "dpo")
    assert completeness(documents.context, actor, request)["complete"] is True


def test_a_document_that_is_no_text_is_handed_over_as_a_file(documents: Documents, child: str, dossier: str) -> None:
    picture = b"RIFF verzonnen geluid"
    documents.library.put("D-1/foto.bin", picture, media_type="application/octet-stream")
    request, answer = compiled(documents, child)
    (item,) = [item for item in of_documents(answer) if item.attachment is not None]
    assert item.attachment is not None
    assert attachments_of(documents.context, answer, working_copy=True) == {item.attachment.name: picture}
    waiting = [item.item for item in answer.items if item.status is ItemStatus.PENDING_REVIEW]
    lines = "\n".join(f'{{"item": "{item}", "status": "APPROVED"}}' for item in waiting)
    decide_items(actor_of(documents.context, "dora", "dpo"), request, lines)
    approve_content(documents.context, request, "dora", "dpo")
    assert outcome_of(for_release(documents.context, request, "erik", "approver")[1])[0] is Outcome.DELIVERED


def test_documents_of_the_person_and_of_a_fiche_are_found(documents: Documents, child: str, dossier: str) -> None:
    night = documents.night
    fiche = night.fiche("grooming", dossier=dossier)
    documents.location(("cf_fiche", fiche), "F-1")
    documents.location(("contact", child), "P-1")
    for path in ("F-1/a.txt", "P-1/b.txt"):
        documents.library.put(path, path.encode())
    _, answer = compiled(documents, child)
    told = " ".join(item.proposal for item in of_documents(answer))
    assert ("F-1/a.txt" in told, "P-1/b.txt" in told) == (True, True)


def test_a_document_in_the_folder_of_somebody_else_is_theirs(documents: Documents, child: str, dossier: str) -> None:
    """The folder nearest around a document says whose it is."""
    other = documents.night.contact(lastname="Iemand (fictief)")
    documents.location(("contact", other), "D-1/iemand")
    documents.library.put("D-1/iemand/van iemand.txt", b"Van iemand anders.")
    documents.library.put("D-1/eigen.txt", b"Eigen verslag.")
    _, answer = compiled(documents, child)
    told = " ".join(item.proposal for item in of_documents(answer))
    assert "Eigen verslag." in told
    assert "Van iemand anders." not in told


def test_a_document_beside_a_text_that_speaks_of_the_person_is_searched(documents: Documents, child: str, dossier: str) -> None:
    """EXP-03: in a dossier of others, where a row names a number of the person's."""
    other = documents.night.dossier("sexting", closed=False, fiches=0)
    documents.night.fiche("sexting", dossier=other, cf_summary="Gebeld met 0470 00 00 01.")
    documents.location(("cf_dossier", other), "D-2")
    documents.library.put("D-2/a.txt", f"Een {PLANTED}. Terug te bellen: +32 470 000 001.".encode())
    documents.library.put("D-2/b.txt", b"Niets.")
    _, answer = compiled(documents, child)
    assert [(item.title, item.proposal) for item in of_documents(answer)] == [("mention", "Terug te bellen: +32 470 000 001.")]


def test_what_a_closed_file_shares_stays_closed(documents: Documents, child: str, dossier: str) -> None:
    """SUS-05: the same folder is named by a file in which the person is a suspect."""
    closed = documents.night.dossier("sexting", closed=False, fiches=0)
    documents.night.party(child, "suspect", dossier=closed)
    documents.location(("cf_dossier", closed), "d-1")
    documents.library.put("D-1/gedeeld.txt", b"Gedeeld verslag.")
    _, answer = compiled(documents, child)
    assert of_documents(answer) == []


def test_a_notebook_and_a_shortcut_are_listed_and_withheld(documents: Documents, child: str, dossier: str) -> None:
    """Nobody can look into them: never silently left out, and never handed over."""
    documents.library.put("D-1/notities", kind="package")
    _, answer = compiled(documents, child)
    (item,) = [item for item in of_documents(answer) if item.attachment is not None]
    assert item.status is ItemStatus.WITHHELD
    assert item.attachment is not None
    assert item.attachment.unread


def test_without_the_setting_documents_are_named_as_not_searched(night: Night) -> None:
    documents = Documents(night, configured=False)
    child = night.contact(lastname="Zandstra (fictief)", birthdate="2012-03-04")
    dossier = night.dossier("grooming", closed=False, fiches=0)
    night.party(child, "child", dossier=dossier)
    documents.location(("cf_dossier", dossier), "D-1")
    documents.library.put("D-1/a.txt", PLANTED.encode())
    request, answer = compiled(documents, child)
    assert {"documents", TABLE} <= set(answer.not_searched)
    assert of_documents(answer) == []
    found = completeness(documents.context, actor_of(documents.context, "dora", "dpo"), request)
    assert (found["complete"], "documents" in found["not_searched"]) == (False, True)


def test_a_sharepoint_that_fails_is_named_and_the_same_for_everybody(documents: Documents, child: str, dossier: str) -> None:
    """SUS-04: whether anybody has documents shows in no list."""
    documents.library.put("D-1/a.txt", PLANTED.encode())
    set_faults(documents.night.emulator, {"match": {"path": "/v1.0/"}, "do": "status", "status": 403})
    stranger = documents.night.contact(lastname="Onbekende (fictief)")
    assert "documents" in compiled(documents, child)[1].not_searched
    assert "documents" in compiled(documents, stranger)[1].not_searched
    set_faults(documents.night.emulator)


def test_one_folder_that_cannot_be_read_stops_the_answer(documents: Documents, child: str, dossier: str) -> None:
    """A partial answer is none."""
    documents.library.put("D-1/a.txt", PLANTED.encode())
    set_faults(documents.night.emulator, {"match": {"path": "/children"}, "do": "status", "status": 500})
    with pytest.raises(ObjectError):
        compiled(documents, child)
    set_faults(documents.night.emulator)


def test_locations_outside_the_settings_are_a_gap_for_everybody(documents: Documents, child: str) -> None:
    assert not {"documents", TABLE}.intersection(places_not_searched(documents.context))
    other = documents._row("sharepointsite", name="Andere", absoluteurl="https://fictief.sharepoint.com/sites/Elders")
    documents.location(("contact", child), "x/D-1", below=("sharepointsite", other))
    assert "documents" in places_not_searched(documents.context)
