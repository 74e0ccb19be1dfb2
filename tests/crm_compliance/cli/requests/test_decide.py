"""`requests decide`, and what becomes of a decision at the release (contract 3.6). Everybody is
fictitious."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crm_compliance.answer_package.package import package_of
from jobs.requests.answer.release_check import for_release
from tests.crm_compliance.answer_package.pages import text_of
from tests.crm_compliance.worlds import Worlds
from tests.drivers.asking import DORA, ERIK, Asking
from tests.drivers.night import Night
from tests.drivers.typist import Typist

LOTTE: dict[str, Any] = {"firstname": "Lotte", "lastname": "Peeters (fictief)", "emails": ["lotte@example.org"]}
RESTRICTION, ERASURE = (pytest.mark.parametrize("right", [right]) for right in ("restriction", "erasure"))
KEYS = {"request", "right", "state", "granted", "refusal", "done", "waiting", "notices"}


def lotte(org: Night, **columns: Any) -> str:
    return org.contact(emailaddress1="lotte@example.org", **columns)


def asking_for(typist: Typist, right: str, *contacts: str, given: dict[str, Any] | None = None, **more: Any) -> Asking:
    """Somebody who was identified and confirmed, with a compiled answer."""
    asking = Asking(typist).open(given or LOTTE, right=right, **more).identify().confirm(*contacts)
    asking.compile()
    return asking


def decide(typist: Typist, asking: Asking, *words: str) -> Any:
    return typist.ask("requests", "decide", asking.id, *words, *DORA)


def released(typist: Typist, asking: Asking) -> Any:
    """Dora approves the content, Erik releases it."""
    typist.ask("requests", "approve", asking.id, *DORA)
    out = typist.folder / f"{asking.id}.zip"
    return typist.ask("requests", "release", asking.id, "--output", out, "--passphrase-file", typist.folder / f"{asking.id}.txt", *ERIK)


def shown(typist: Typist, asking: Asking) -> Any:
    return typist.ask("requests", "show", asking.id)


def child_with_a_file(typist: Typist, org: Night) -> tuple[str, str, str]:
    """A child of eighteen who asks, in English, that its one file be erased, with a compiled answer: the
    request, the child and the dossier."""
    child = lotte(org, birthdate="2008-01-02")
    dossier = org.dossier("sexting", closed=False, fiches=0)
    org.fiche("sexting", dossier=dossier, cf_transmittedto="Politiezone Verzonnen")
    org.party(child, "child", dossier=dossier)
    return asking_for(typist, "erasure", child, language="en").id, child, dossier


@pytest.fixture
def erasure(worlds: Worlds, request: pytest.FixtureRequest, typist: Typist) -> tuple[Asking, str, str]:
    """The request for erasure of a child with a file, the child and the dossier; nothing is decided."""
    name, child, dossier = worlds.begin(request, child_with_a_file)
    return Asking(typist, name), child, dossier


def test_an_erasure_from_the_form_to_the_certificate(erasure: tuple[Asking, str, str], typist: Typist, org: Night) -> None:
    """6.2: decided item by item, released by a second person, and then gone; the outcome is DONE."""
    asking, child, dossier = erasure
    (item,) = asking.items()
    assert (item["kind"], item["status"]) == ("dossier", "PENDING_REVIEW")
    assert typist.refused("requests", "approve", asking.id, *DORA, code=5)["code"] == "undecided"
    decided = decide(typist, asking, "--grant", item["item"])
    assert set(decided) == KEYS
    assert (decided["granted"], decided["waiting"], decided["state"]) == ([item["item"]], {}, "reviewing")
    assert released(typist, asking)["waiting"] is None
    assert (shown(typist, asking)["state"], shown(typist, asking)["outcome"]) == ("released", "DONE")
    assert (org.get("cf_dossiers", dossier), org.get("contacts", child)) == (None, None)
    (run,) = typist.ask("history", "list")
    assert (run["kind"], run["state"]) == ("request", "done")
    certificates = typist.folder / "certificates.json"
    typist.ask("certificate", run["run"], "--output", certificates)
    assert "ERASURE_REQUEST" in certificates.read_text(encoding="utf-8")
    assert typist.ask("certificate", "verify", certificates)
    assert typist.ask("ledger", "verify")["ok"]
    (plan,) = typist.ask("plans", "list")
    assert (plan["kind"], plan["state"]) == ("request", "applied")
    assert "Lotte" not in json.dumps([run, plan, typist.ask("history", "show", run["run"])])


def test_r079_r104_a_refusal_says_so_and_changes_nothing(erasure: tuple[Asking, str, str], typist: Typist, org: Night) -> None:
    """RF-02; R-105: an extension is not available for refusing."""
    asking, _, _ = erasure
    decided = decide(typist, asking, "--refuse", "RF-02")
    assert (decided["granted"], decided["refusal"]) == ([], "RF-02")
    extend = ("requests", "extend", asking.id, "--reason", "complexity", "--notified-at", "2026-11-25T11:00:00Z", *DORA)
    assert typist.refused(*extend, code=5)["code"] == "no_extension"
    before = org.writes()
    released(typist, asking)
    assert shown(typist, asking)["outcome"] == "REFUSED"
    assert org.writes() == before


def test_r104_the_letter_of_a_granted_erasure_tells_what_stays_and_why(typist: Typist, org: Night) -> None:
    """R-104, GDPR art. 12(4): a payment stays for its term, which the schedule has or has not yet."""
    donor = lotte(org)
    org.donation(donor)
    asking = asking_for(typist, "erasure", donor, language="en")
    decide(typist, asking, "--grant")
    with asking.context() as context:
        contents = package_of(asking.compilation, context.organisation, {})
    (kept,) = json.loads(contents["data.json"])["kept"]
    assert (kept["type"], kept["last_day"]) == ("donation", None)
    assert "What we are keeping, and why" in text_of(contents["letter.pdf"])


def subscriber(typist: Typist, org: Night, right: str) -> str:
    """The request of a subscriber who asks for a right, with a compiled answer."""
    donor = lotte(org, cf_newsletter=True)
    return asking_for(typist, right, donor, details={"corrections": {"firstname": "Lot"}} if right == "rectification" else {}).id


@pytest.fixture
def subscribed(right: str, worlds: Worlds, request: pytest.FixtureRequest, typist: Typist) -> Asking:
    return Asking(typist, worlds.begin(request, subscriber, right))


@pytest.mark.parametrize("right", ["erasure", "objection", "rectification", "restriction", "consent_withdrawal"])
@pytest.mark.parametrize("reviews", [True, False])
def test_every_right_goes_by_the_same_commands(subscribed: Asking, typist: Typist, reviews: bool) -> None:
    """Contract 3.6: review, decisions on what waits, decide, approve, release; also without the review."""
    asking = subscribed
    if reviews:
        asking.decide()  # a file without a line is fine
        asking.decide(*({"item": item["item"], "status": "APPROVED"} for item in asking.items() if item["status"] == "PENDING_REVIEW"))
        assert {item["status"] for item in asking.items()} == {"APPROVED"}
    decide(typist, asking, "--grant")
    released(typist, asking)
    assert shown(typist, asking)["outcome"] == "DONE"


@ERASURE
def test_what_the_review_withholds_is_not_granted_unless_it_is_named(subscribed: Asking, typist: Typist) -> None:
    asking = subscribed
    first, second = (item["item"] for item in asking.items())
    asking.decide({"item": first, "status": "WITHHELD", "code": "RF-02"})
    assert decide(typist, asking, "--grant")["granted"] == [second]
    asking.decide({"item": second, "status": "APPROVED"})
    asking.decide({"item": second, "status": "WITHHELD", "code": "RF-02"}, code=2)
    assert asking.compilation.granted == (second,)
    assert decide(typist, asking, "--grant", first)["granted"] == [first]
    asking.compile()
    asking.decide(*({"item": item["item"], "status": "WITHHELD", "code": "RF-02"} for item in asking.items()))
    assert typist.refused("requests", "decide", asking.id, "--grant", *DORA, code=5)["code"] == "nothing_to_grant"


def test_r115_withdrawn_consent_of_somebody_who_is_suspected_elsewhere(typist: Typist, org: Night) -> None:
    """R-115: at once; the answer can be released although the CRM knows of no subscription any more, and
    nothing else is in it."""
    person = lotte(org, cf_newsletter=True)
    org.party(person, "suspect", dossier=org.dossier("sexting", closed=False))
    asking = asking_for(typist, "consent_withdrawal", person)
    assert decide(typist, asking, "--grant")["granted"] == ["item-1"]
    assert (org.get("contacts", person) or {})["cf_newsletter"] is False
    asking.compile()  # the CRM knows of no subscription any more, and the person still has an answer
    assert decide(typist, asking, "--grant")["granted"] == ["item-1"]
    released(typist, asking)
    assert shown(typist, asking)["outcome"] == "DONE"
    assert [(item.title, item.kind) for item in asking.compilation.items] == [("unsubscribe", "contact")]
    assert org.get("contacts", person) is not None
    assert (typist.ask("plans", "list"), typist.ask("history", "list")) == ([], [])


def test_r101_an_objection_to_direct_marketing(typist: Typist, org: Night) -> None:
    """R-101: no newsletter from the decision on; the mark stays."""
    donor = lotte(org, cf_newsletter=True)
    asking = asking_for(typist, "objection", donor, kind="donor")
    decide(typist, asking, "--grant")
    row = org.get("contacts", donor)
    assert row is not None
    assert (row["cf_newsletter"], row["donotbulkemail"]) == (False, True)
    released(typist, asking)
    row = org.get("contacts", donor)
    assert row is not None
    assert row["donotbulkemail"] is True


def test_r102_a_corrected_birth_date_from_the_form_to_the_next_plan(typist: Typist, org: Night) -> None:
    """R-102."""
    child = lotte(org, birthdate="2008-05-10")
    dossier = org.dossier("grooming")
    org.party(child, "child", dossier=dossier)
    asking = asking_for(typist, "rectification", child, given=LOTTE | {"birthdate": "2009-05-10"})
    decide(typist, asking, "--grant")
    assert released(typist, asking)["waiting"] is None
    assert (org.get("contacts", child) or {})["birthdate"] == "2009-05-10"
    assert typist.ask("why", "cf_dossier", dossier)["retention_end"] == "2027-05-10"


@pytest.mark.parametrize("is_held", [False, True])
def test_the_letter_calls_a_correction_done_only_where_it_can_be(typist: Typist, org: Night, is_held: bool) -> None:
    """GDPR art. 12(3), 16: a pending request of somebody else in the file does not stop it; a flag for the
    court in the CRM does."""
    witness = lotte(org, mobilephone="0472 12 13 14")
    other = org.contact(lastname="Maes (fictief)", emailaddress1="noor@example.org")
    dossier = org.dossier("grooming", closed=False, cf_legalhold=is_held)
    org.party(witness, "reporter", dossier=dossier)
    org.party(other, "child", dossier=dossier)
    asking_for(typist, "access", other, given={"firstname": "Noor", "lastname": "Maes (fictief)", "emails": ["noor@example.org"]})
    corrections = {"phones": "0472 12 13 99", "lastname": "Pagé (fictief)"}
    asking = asking_for(typist, "rectification", witness, details={"corrections": corrections}, language="en")
    decided = decide(typist, asking, "--grant")
    assert set(decided["waiting"].values()) == ({"HOLD_LEGAL"} if is_held else set())
    with asking.context() as context:
        letter = text_of(package_of(asking.compilation, context.organisation, {})["letter.pdf"])
    assert ("Corrected: " in letter, "not yet carried out" in letter) == (not is_held, is_held)
    released(typist, asking)
    row = org.get("contacts", witness) or {}
    assert (row["lastname"] == "Pagé (fictief)", row["mobilephone"] == "0472 12 13 99") == (not is_held, not is_held)


def letter_at_release(typist: Typist, asking: Asking) -> str:
    """The letter as Erik would release it, once Dora has approved the content."""
    with asking.context() as context:
        _, compilation = for_release(context, asking.id, "erik", "approver")
        return text_of(package_of(compilation, context.organisation, {})["letter.pdf"])


@pytest.mark.parametrize("is_held_later", [True, False])
def test_the_letter_tells_of_a_correction_what_is_so_at_the_release(typist: Typist, org: Night, is_held_later: bool) -> None:
    """GDPR art. 12(3), 16, HLD-09: a hold that comes, or goes, between the decision and the release."""
    witness = lotte(org)
    dossier = org.dossier("grooming", closed=False, cf_legalhold=not is_held_later)
    org.party(witness, "reporter", dossier=dossier)
    asking = asking_for(typist, "rectification", witness, details={"corrections": {"lastname": "Pagé (fictief)"}}, language="en")
    assert bool(decide(typist, asking, "--grant")["waiting"]) == (not is_held_later)
    typist.ask("requests", "approve", asking.id, *DORA)
    org.patch("cf_dossiers", dossier, cf_legalhold=is_held_later)
    letter = letter_at_release(typist, asking)
    assert ("What is still to follow" in letter, "What we have done" in letter) == (is_held_later, not is_held_later)
    out = ("--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "a.txt")
    typist.ask("requests", "release", asking.id, *out, *ERIK)
    assert ((org.get("contacts", witness) or {})["lastname"] == "Pagé (fictief)") == (not is_held_later)


def test_a_file_that_is_held_since_the_decision_is_not_told_as_erased(erasure: tuple[Asking, str, str], typist: Typist, org: Night) -> None:
    """R-079, section 7.1(d): it is told among what stays, without detail."""
    asking, _, dossier = erasure
    decide(typist, asking, "--grant")
    typist.ask("requests", "approve", asking.id, *DORA)
    org.patch("cf_dossiers", dossier, cf_legalhold=True)
    letter = letter_at_release(typist, asking)
    assert ("What we have done" in letter, "What we are keeping, and why" in letter) == (False, True)
    assert "because of a legal obligation or claim" in letter


@pytest.mark.parametrize("is_minor", [True, False])
def test_rf02_a_refused_erasure_tells_what_stays_until_when_and_on_what_basis(typist: Typist, org: Night, is_minor: bool) -> None:
    """RF-02, GDPR art. 12(4), 17(3): also to a child; and nothing of the file in which the person is
    suspected (SUS-05)."""
    child = lotte(org, birthdate="2010-01-02" if is_minor else "1990-01-02")
    org.party(child, "child", dossier=org.dossier("runaway"))
    org.party(child, "suspect", dossier=org.dossier("sexting", closed=False))
    given = LOTTE | {"birthdate": "2010-01-02" if is_minor else "1990-01-02"}
    asking = asking_for(typist, "erasure", child, given=given, language="en")
    decide(typist, asking, "--refuse", "RF-02")
    assert asking.compilation.addressee.is_minor == is_minor
    typist.ask("requests", "approve", asking.id, *DORA)
    letter = letter_at_release(typist, asking)
    kept = letter[letter.index("What we are keeping, and why") :]
    assert "Vital interests" in kept
    assert ("Up to and including 2 January 2035" if is_minor else "10 July 2025") in kept
    assert "exploitation" not in letter.replace("sexually exploited", "")
    decide_again = asking_for(typist, "erasure", child, given=given, language="en")
    decide(typist, decide_again, "--refuse", "RF-01")
    typist.ask("requests", "approve", decide_again.id, *DORA)
    assert "What we are keeping" not in letter_at_release(typist, decide_again)


def test_rf02_a_file_that_is_not_among_what_was_granted_is_told_as_kept(typist: Typist, org: Night) -> None:
    """GDPR art. 12(4): of a refused part as of a refused whole."""
    child = lotte(org, birthdate="2010-01-02")
    for kind in ("runaway", "sexting"):
        org.party(child, "child", dossier=org.dossier(kind, closed=False))
    asking = asking_for(typist, "erasure", child, language="en")
    first, _ = (item["item"] for item in asking.items())
    decide(typist, asking, "--grant", first)
    with asking.context() as context:
        contents = package_of(asking.compilation, context.organisation, {})
    (kept,) = json.loads(contents["data.json"])["kept"]
    assert (kept["type"], bool(kept["term"]), bool(kept["basis"])) == ("dossier", True, True)


def test_a_neutral_answer_that_was_refused_tells_of_nothing_that_stays(typist: Typist, org: Night) -> None:
    """SUS-04, SUS-10."""
    person = lotte(org, birthdate="2010-01-02")
    org.party(person, "suspect", dossier=org.dossier("sexting", closed=False))
    asking = asking_for(typist, "erasure", person, language="en")
    decide(typist, asking, "--refuse", "RF-02")
    typist.ask("requests", "approve", asking.id, *DORA)
    assert "keeping" not in letter_at_release(typist, asking)


@pytest.mark.parametrize("is_awaited", [True, False])
def test_the_letter_of_an_erasure_names_no_technical_reason_alone(typist: Typist, org: Night, is_awaited: bool) -> None:
    """DDL-12, R-078, HLD-12: what may be waited for is said to everybody alike, so that nobody learns of the
    request of somebody else."""
    child, other = lotte(org, birthdate="1990-01-02"), org.contact(lastname="Maes (fictief)", emailaddress1="noor@example.org")
    dossier = org.dossier("sexting", closed=False)
    org.party(child, "child", dossier=dossier)
    org.party(other, "reporter", dossier=dossier)
    if is_awaited:
        asking_for(typist, "access", other, given={"firstname": "Noor", "lastname": "Maes (fictief)", "emails": ["noor@example.org"]})
    asking = asking_for(typist, "erasure", child, language="de")
    assert bool(decide(typist, asking, "--grant")["waiting"]) == is_awaited
    typist.ask("requests", "approve", asking.id, *DORA)
    letter = letter_at_release(typist, asking)
    assert "etwa ein anderer Antrag, der zuerst zu beantworten ist, oder ein technischer Grund" in letter


def test_r078_the_round_of_the_night_goes_on_with_what_waited(typist: Typist, org: Night) -> None:
    """R-078: `run requests` carries out the erasure once the access request is answered."""
    child = lotte(org, birthdate="2008-01-02")
    dossier = org.dossier("sexting", closed=False, fiches=0)
    org.party(child, "child", dossier=dossier)
    access = asking_for(typist, "access", child)
    asking = asking_for(typist, "erasure", child)
    assert decide(typist, asking, "--grant")["waiting"] == {"item-1": "HOLD_REQUEST"}
    released(typist, asking)
    typist.ask("run", "requests", code=6)  # a released request waits to be closed
    assert org.get("cf_dossiers", dossier) is not None
    access.approve_all()
    out = ("--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "a.txt")
    typist.ask("requests", "release", access.id, *out, *ERIK)
    typist.ask("run", "requests", code=6)
    assert org.get("cf_dossiers", dossier) is None


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--grant", "--refuse", "RF-02"),
        ("item-1", "--refuse", "RF-02"),
        ("--refuse", "RF-00"),
        ("--refuse", "RF-03"),
        ("--refuse", "Zonnebloem"),
        ("--grant", "Zonnebloem"),
        ("--grant", "item-1", "item-1"),
    ],
)
def test_what_cannot_be_decided_is_exit_2(erasure: tuple[Asking, str, str], typist: Typist, words: tuple[str, ...]) -> None:
    asking, _, _ = erasure
    error = typist.refused("requests", "decide", asking.id, *words, *DORA, code=2)
    assert "Zonnebloem" not in json.dumps(error)


def test_the_answer_on_a_screen(erasure: tuple[Asking, str, str], typist: Typist) -> None:
    asking, _, _ = erasure
    said = typist.type("requests", "decide", asking.id, "--grant", *DORA)
    assert (said.code, said.last) == (0, f"request {asking.id}")
    assert "Granted: item-1." in said.out
    assert "Politiezone Verzonnen" in said.out
    assert "RF-02" in typist.type("requests", "decide", asking.id, "--refuse", "RF-02", *DORA).out
    assert typist.refused("requests", "decide", asking.id, "--grant", *ERIK, code=5)["code"] == "role"


def two_files(typist: Typist, org: Night, right: str) -> tuple[str, str]:
    """The request of somebody in two files of their own, and the second of the items that can be granted."""
    child = lotte(org, birthdate="2008-01-02")
    for _ in range(2):
        org.party(child, "child", dossier=org.dossier("sexting", closed=False))
    asking = asking_for(typist, right, child)
    return asking.id, asking.items()[1]["item"]


@pytest.fixture
def of_two_files(right: str, worlds: Worlds, request: pytest.FixtureRequest, typist: Typist) -> tuple[Asking, str]:
    name, item = worlds.begin(request, two_files, right)
    return Asking(typist, name), item


def again(typist: Typist, asking: Asking, step: str = "compile", *words: str) -> tuple[Any, str]:
    """What a step says when it is taken again, on both streams."""
    said = typist.type("requests", step, asking.id, *words, *DORA, "--json")
    assert said.code == 0, said
    return said.document, said.err


@RESTRICTION
def test_what_was_granted_is_told_as_undone_when_it_is_compiled_again(of_two_files: tuple[Asking, str], typist: Typist) -> None:
    """The hold of a restriction stays; what was granted has to be granted again, which one word does."""
    asking, item = of_two_files
    decide(typist, asking, "--grant", item)
    holds = typist.ask("holds", "list")
    assert len(holds) == 1
    document, errors = again(typist, asking)
    assert document["undone"] == {"granted": [item], "gone": 0, "refusal": "", "reviewed": 0}
    assert f"what was granted is undone; to grant it again: crm-compliance requests decide {asking.id} --grant {item}" in errors
    assert typist.refused("requests", "approve", asking.id, *DORA, code=5)["code"] == "undecided"
    assert [each["status"] for each in asking.items()] == ["WITHHELD", "APPROVED"]
    assert decide(typist, asking, "--grant")["granted"] == [item]
    assert typist.ask("holds", "list") == holds
    assert released(typist, asking)


@ERASURE
def test_a_refusal_is_told_as_undone_when_it_is_compiled_again(of_two_files: tuple[Asking, str], typist: Typist) -> None:
    asking, item = of_two_files
    decide(typist, asking, "--refuse", "RF-02")
    document, errors = again(typist, asking)
    assert document["undone"] == {"granted": [], "gone": 0, "refusal": "RF-02", "reviewed": 0}
    assert f"to refuse again: crm-compliance requests decide {asking.id} --refuse RF-02" in errors
    assert (document["refusal"], shown(typist, asking)["state"]) == (None, "reviewing")
    assert decide(typist, asking, "--grant", item)["granted"] == [item]


@ERASURE
def test_what_the_review_said_of_a_proposal_stands_when_it_is_compiled_again(of_two_files: tuple[Asking, str], typist: Typist) -> None:
    asking, item = of_two_files
    asking.decide({"item": item, "status": "WITHHELD", "code": "RF-03"})
    document, errors = again(typist, asking)
    assert ("undone" in document, document["pending"]) == (False, 1)
    assert "undone" not in errors
    assert item not in decide(typist, asking, "--grant")["granted"]


@ERASURE
@pytest.mark.parametrize("step", ["identify", "match", "confirm"])
def test_a_step_that_leads_back_behind_the_decision_tells_that_it_is_undone(
    of_two_files: tuple[Asking, str], typist: Typist, step: str
) -> None:
    asking, item = of_two_files
    words = {"identify": ("--method", "eid"), "confirm": ("--none",)}.get(step, ())
    decide(typist, asking, "--grant", item)
    before = typist.ask("requests", "show", asking.id)
    denied = typist.type("requests", step, asking.id, *words, *ERIK, "--json")
    assert (denied.code, denied.out, "undone" in denied.err) == (5, "", False)
    assert typist.ask("requests", "show", asking.id) == before
    document, errors = again(typist, asking, step, *words)
    assert document["undone"] == {"granted": [], "gone": 1, "refusal": "", "reviewed": 0}
    assert "what was granted is undone" in errors


def test_portability_that_was_refused_can_be_granted_once_it_is_compiled_again(typist: Typist, org: Night) -> None:
    """The review of the data begins again."""
    donor = lotte(org)
    org.donation(donor)
    asking = asking_for(typist, "portability", donor)
    decide(typist, asking, "--refuse", "RF-04")
    assert typist.refused("requests", "decide", asking.id, "--grant", *DORA, code=5)["code"] == "nothing_to_grant"
    document, _ = again(typist, asking)
    assert (document["undone"]["refusal"], document["refusal"]) == ("RF-04", None)
    assert decide(typist, asking, "--grant")["refusal"] is None
    released(typist, asking)
    assert shown(typist, asking)["outcome"] == "DELIVERED"
