"""An answer that is sent back at its release, by a leak term, by what is nearly a name or by a file that
nobody vouches for, and the way from there. Everybody is fictitious."""

import base64
import json
import re
from typing import Any

import msgspec
import pytest

from jobs.model.request import COMPILATION
from rules.model.requests import RequestState
from rules.redaction.leak_terms import name_leak_term
from tests.crm_compliance.cli.requests.family import lotte
from tests.crm_compliance.cli.requests.releases import LOTTE_ASKS, release
from tests.crm_compliance.worlds import Worlds
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import DORA, ERIK, Typist


def with_a_leak(typist: Typist, org: Night) -> tuple[str, str]:
    """An approved answer in which only now a word is known for a name: the request, and the item with the
    word. Another item was rewritten."""
    person = lotte(org)
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0117")
    org.party(person, "child", dossier=dossier)
    for summary in ("Lotte belde.", "Lotte zag Zwaluwvanger.", "Lotte belde opnieuw."):
        org.fiche("grooming", dossier=dossier, cf_summary=summary)
    asking = Asking(typist).open(LOTTE_ASKS, kind="child").identify().confirm(person)
    asking.compile()
    waiting = [item["item"] for item in asking.items() if item["status"] == "PENDING_REVIEW"]
    texts = {item.item: item.proposal for item in asking.compilation.items}
    (bad,) = [item for item in waiting if "Zwaluwvanger" in texts[item]]
    rewritten = next(item for item in waiting if item != bad)
    asking.decide({"item": rewritten, "status": "APPROVED_REDACTED", "text": "Zij belde (verzonnen)."})
    asking.approve_all()
    _is_somebody_after_all(asking, "Zwaluwvanger")
    return asking.id, bad


@pytest.fixture
def leak_term(worlds: Worlds, request: pytest.FixtureRequest, typist: Typist) -> tuple[Asking, str]:
    name, bad = worlds.begin(request, with_a_leak)
    return Asking(typist, name), bad


@pytest.mark.parametrize("way", ["withheld", "rewritten"])
def test_the_way_back_from_a_leak_term_is_one_step_and_loses_no_decision(leak_term: tuple[Asking, str], typist: Typist, way: str) -> None:
    """The refusal names file, item and kind; the hint is a command that works from the state in which it
    leaves the request (R-118)."""
    asking, bad = leak_term
    files = ("--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "a.txt")
    error = typist.refused("requests", "release", asking.id, *files, *ERIK, code=5)
    assert (error["code"], error["where"]) == ("needle", f"data.json {bad}")
    assert bad in error["message"]
    assert "name" in error["message"]
    assert "Zwaluwvanger" not in json.dumps(error)
    assert error["hint"].startswith(f"crm-compliance requests review {asking.id} --decisions FILE with the line ")
    assert not list(typist.folder.glob("a.*"))
    assert (asking.row().state, asking.row().approvals) == (RequestState.REVIEWING, ())

    line = json.loads(re.search(r"\{.*\}", error["hint"])[0])  # type: ignore[index]
    asking.decide(line if way == "withheld" else {"item": bad, "status": "APPROVED_REDACTED", "text": "Lotte zag iemand."})
    typist.ask("requests", "approve", asking.id, *DORA)
    _, released = release(asking)
    told = released["data.json"].decode()
    assert "Zwaluwvanger" not in told
    assert "Zij belde (verzonnen)." in told
    assert ("Lotte zag iemand." in told) is (way == "rewritten")


def test_whoever_has_another_name_by_the_day_of_the_release_is_looked_for_by_that_too(typist: Typist, org: Night) -> None:
    """EXP-14: what stood in the texts was nobody's name when they were redacted and approved."""
    person, witness = lotte(org), org.contact(firstname="Jo", lastname="Onbekend (fictief)")
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0117")
    org.party(person, "child", dossier=dossier)
    org.party(witness, "witness", dossier=dossier)
    org.fiche("grooming", dossier=dossier, cf_summary="Lotte zag Zwaluwvanger.")
    asking = Asking(typist).open(LOTTE_ASKS, kind="child").identify().confirm(person)
    asking.compile()
    asking.approve_all()
    org.patch("contacts", witness, lastname="Zwaluwvanger")

    error = _refused_release(asking, typist)
    assert error["code"] == "needle"
    asking.decide(json.loads(re.search(r"\{.*\}", error["hint"])[0]))  # type: ignore[index]
    typist.ask("requests", "approve", asking.id, *DORA)
    _, released = release(asking)
    assert "Zwaluwvanger" not in released["data.json"].decode()


def test_what_is_nearly_a_name_sends_back_until_a_person_says_that_it_is_none(typist: Typist, org: Night) -> None:
    """R-118, EXP-07: a slip of the pen proves nothing, and no ordinary word stops an answer for good."""
    person = lotte(org)
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0117")
    org.party(person, "child", dossier=dossier)
    org.fiche("grooming", dossier=dossier, cf_summary="Lotte zag Zwaluwvangre.")
    asking = Asking(typist).open(LOTTE_ASKS, kind="child").identify().confirm(person)
    asking.compile()
    (bad,) = [item["item"] for item in asking.items() if item["status"] == "PENDING_REVIEW"]
    asking.approve_all()
    _is_somebody_after_all(asking, "Zwaluwvanger")

    error = _refused_release(asking, typist)
    assert (error["code"], error["where"]) == ("needle", f"data.json {bad}")
    assert "near_name" in error["message"]
    assert "NOT_A_NAME" in error["hint"]
    assert asking.row().state is RequestState.REVIEWING

    other = {"item": bad, "status": "APPROVED_REDACTED", "text": "Zij zag Zwaluwvangre (verzonnen)."}
    assert "nearly the name" in asking.decide(other, code=2)["message"]
    asking.decide(other | {"code": "NOT_A_NAME"})
    typist.ask("requests", "approve", asking.id, *DORA)
    _, released = release(asking)
    assert "Zij zag Zwaluwvangre (verzonnen)." in released["data.json"].decode()


def _is_somebody_after_all(asking: Asking, surname: str) -> None:
    """As if it were known only now that this is a name."""
    with asking.context() as context:
        row, found = context.store.requests.get(asking.id), asking.compilation
        known = msgspec.structs.replace(found, leak_terms=(*found.leak_terms, name_leak_term("Jo", surname)))
        context.store.requests.save(row, [], since=row, parts={COMPILATION: msgspec.json.encode(known)})


def with_an_unreadable_file(typist: Typist, org: Night) -> tuple[str, str, str]:
    """A child's answer with a file that nothing here reads: the request, the row of the file, and its
    item."""
    person = lotte(org)
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0117")
    org.party(person, "child", dossier=dossier)
    org.fiche("grooming", dossier=dossier, cf_summary="Lotte belde.")
    row = org.note(
        "cf_dossier", dossier, filename="a.bin", mimetype="application/octet-stream", isdocument=True, documentbody=_base64(b"\0\1")
    )
    asking = Asking(typist).open(LOTTE_ASKS, kind="child").identify().confirm(person)
    asking.compile()
    return asking.id, row, _file_of(asking)["item"]


@pytest.fixture
def unreadable(worlds: Worlds, request: pytest.FixtureRequest, typist: Typist) -> tuple[Asking, str, str]:
    name, row, item = worlds.begin(request, with_an_unreadable_file)
    return Asking(typist, name), row, item


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _file_of(asking: Asking) -> dict[str, Any]:
    (found,) = [item for item in asking.items() if item.get("unread")]
    return found


def _refused_release(asking: Asking, typist: Typist) -> dict[str, Any]:
    error = typist.refused("requests", "release", asking.id, "--output", typist.folder / "a.zip", "--passphrase-file",
                           typist.folder / "a.txt", *ERIK, code=5)  # fmt: skip
    assert not list(typist.folder.glob("a.*"))
    return error


def _seen(item: str) -> dict[str, Any]:
    return {"item": item, "status": "APPROVED", "code": "SEEN_UNCHECKED"}


def test_a_file_that_nothing_reads_goes_out_on_a_word_on_that_very_content(
    unreadable: tuple[Asking, str, str], typist: Typist, org: Night
) -> None:
    """EXP-07: the word is on what was looked at; where the content is another, it is asked for again."""
    asking, row, item = unreadable
    assert "cannot be checked" in asking.decide({"item": item, "status": "APPROVED"}, code=2)["message"]
    asking.decide(_seen(item))
    asking.approve_all()
    org.patch("annotations", row, documentbody=_base64(b"\0\1\2"))
    error = _refused_release(asking, typist)
    assert (error["code"], error["where"]) == ("attachment", "attachment-1.bin")
    assert "compile" in error["hint"]

    asking.compile()
    waiting = _file_of(asking)
    assert (waiting["status"], waiting["unread"]) == ("PENDING_REVIEW", "unknown_kind")
    asking.decide(_seen(waiting["item"]))
    asking.approve_all()
    _, files = release(asking)
    assert files["attachments/attachment-1.bin"] == b"\0\1\2"


@pytest.mark.parametrize("way", ["seen", "withheld"])
def test_the_way_back_from_a_file_that_nobody_vouches_for(unreadable: tuple[Asking, str, str], typist: Typist, way: str) -> None:
    """As of an answer that was approved before such a word was asked for: the hint works from the state in
    which the request is left."""
    asking, _, item = unreadable
    asking.decide(_seen(item))
    other = next(each["item"] for each in asking.items() if each["status"] == "PENDING_REVIEW")
    asking.decide({"item": other, "status": "APPROVED_REDACTED", "text": "Zij belde (verzonnen)."})
    asking.approve_all()
    _without_its_word(asking, item)

    error = _refused_release(asking, typist)
    assert (error["code"], error["where"]) == ("unchecked", "attachment-1.bin")
    assert item in error["message"]
    assert "unknown_kind" in error["message"]
    assert "SEEN_UNCHECKED" in error["hint"]
    assert (asking.row().state, asking.row().approvals) == (RequestState.REVIEWING, ())

    asking.decide(_seen(item) if way == "seen" else {"item": item, "status": "WITHHELD", "code": "RF-03"})
    typist.ask("requests", "approve", asking.id, *DORA)
    _, files = release(asking)
    assert ("attachments/attachment-1.bin" in files) is (way == "seen")
    assert "Zij belde (verzonnen)." in files["data.json"].decode()


def _without_its_word(asking: Asking, item: str) -> None:
    with asking.context() as context:
        row, found = context.store.requests.get(asking.id), asking.compilation
        items = tuple(msgspec.structs.replace(each, code="" if each.item == item else each.code) for each in found.items)
        changed = msgspec.json.encode(msgspec.structs.replace(found, items=items))
        context.store.requests.save(row, [], since=row, parts={COMPILATION: changed})
