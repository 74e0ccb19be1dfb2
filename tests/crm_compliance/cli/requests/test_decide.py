"""`requests decide`, and what becomes of a decision at the release (contract 3.6). Everybody is
fictitious."""

import json

import pytest

from crm_compliance.cli.requests.answer import RELEASED
from tests.crm_compliance.cli.requests.decided import (
    LOTTE,
    asking_for,
    child_with_a_file,
    decide,
    letter_at_release,
    lotte,
    released,
    shown,
)
from tests.crm_compliance.worlds import Worlds
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import DORA, ERIK, Typist

RESTRICTION, ERASURE = (pytest.mark.parametrize("right", [right]) for right in ("restriction", "erasure"))
KEYS = {"request", "right", "state", "granted", "refusal", "done", "waiting", "notices"}


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


def test_who_interrupts_what_was_granted_is_told_that_the_answer_is_released(
    erasure: tuple[Asking, str, str], typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DDL-12: the letter says that it is done or under way; the night does it."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    asking, child, dossier = erasure
    decide(typist, asking, "--grant", asking.items()[0]["item"])
    typist.ask("requests", "approve", asking.id, *DORA)
    files = ("--output", typist.folder / "answer.zip", "--passphrase-file", typist.folder / "answer.txt")
    with monkeypatch.context() as patch:
        patch.setattr("jobs.requests.decisions.carry_out.apply_plan", interrupted)
        said = typist.type("requests", "release", asking.id, *files, *ERIK)
    assert said.code == 130
    assert f"warning: {RELEASED}" in said.err
    assert (shown(typist, asking)["state"], org.get("cf_dossiers", dossier) is not None) == ("released", True)
    typist.ask("run", "requests", code=6)  # it is to be closed
    assert (org.get("cf_dossiers", dossier), org.get("contacts", child)) == (None, None)


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


def test_an_address_is_corrected_from_the_form_to_the_crm_and_told(typist: Typist, org: Night) -> None:
    """GDPR art. 16: also of somebody who is in no file."""
    donor = lotte(org, address1_line1="Kerkstraat 12", address1_city="Aalst")
    org.donation(donor)
    new = {"street": "Dorpsstraat 1", "postcode": "9000", "city": "Gent", "country": "België", "birthplace": "Namen"}
    asking = asking_for(typist, "rectification", donor, details={"corrections": new})
    assert "write what the person says (city: Gent)" in " ".join(typist.type("requests", "review", asking.id).out.split())
    decide(typist, asking, "--grant")
    typist.ask("requests", "approve", asking.id, *DORA)
    letter, archive, secret = letter_at_release(typist, asking), typist.folder / "answer.zip", typist.folder / "answer.txt"
    typist.ask("requests", "release", asking.id, "--output", archive, "--passphrase-file", secret, *ERIK)
    columns = ("address1_line1", "address1_postalcode", "address1_city", "address1_country", "cf_birthplace")
    row = org.get("contacts", donor)
    assert row is not None
    assert [row[column] for column in columns] == list(new.values())
    assert [value for value in new.values() if value not in letter] == []


def test_a_file_that_is_held_since_the_decision_is_not_told_as_erased(erasure: tuple[Asking, str, str], typist: Typist, org: Night) -> None:
    """R-079, section 7.1(d): it is told among what stays, without detail."""
    asking, _, dossier = erasure
    decide(typist, asking, "--grant")
    typist.ask("requests", "approve", asking.id, *DORA)
    org.patch("cf_dossiers", dossier, cf_legalhold=True)
    letter = letter_at_release(typist, asking)
    assert ("What we have done" in letter, "What we are keeping, and why" in letter) == (False, True)
    assert "because of a legal obligation or claim" in letter


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
    assert typist.ask("requests", "show", asking.id, *DORA)["waits_for"] == "HOLD_REQUEST"
    assert "waits_for" not in shown(typist, asking)
    access.approve_all()
    out = ("--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "a.txt")
    typist.ask("requests", "release", access.id, *out, *ERIK)
    typist.ask("run", "requests", code=6)
    assert org.get("cf_dossiers", dossier) is None
    assert "waits_for" not in typist.ask("requests", "show", asking.id, *DORA)


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
    assert "item-1 is dossier erase 2025-01-10: erase it with all rows that depend on it." in said.out
    assert "Politiezone Verzonnen" in said.out
    assert "RF-02" in typist.type("requests", "decide", asking.id, "--refuse", "RF-02", *DORA).out
    assert typist.refused("requests", "decide", asking.id, "--grant", *ERIK, code=5)["code"] == "role"
