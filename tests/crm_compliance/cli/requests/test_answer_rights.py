"""What an answer tells, by who asks: children, parents, reporters, donors (R-094 to R-100, R-159). Everybody
is fictitious."""

from datetime import date
from typing import Any

import pytest

from crm_compliance.answer_package.content.particulars import recipient_lines
from rules.errors import Refused
from rules.model.languages import LANGUAGES
from rules.model.requests import Outcome, RequestState
from tests.crm_compliance.cli.requests.family import ELS, LOTTE, els, lotte, on_behalf
from tests.drivers.asking import Asking, told
from tests.drivers.night import Night
from tests.drivers.typist import DORA, Typist
from tests.saying import texts_in


def test_a_child_of_fourteen_asks_without_a_parent(typist: Typist, org: Night) -> None:
    """R-094, EXP-05: everything about the child in the dossier."""
    child = lotte(org)
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0117")
    org.fiche("grooming", dossier=dossier, cf_summary="Lotte vertelt over een chatgroep.")
    org.party(child, "child", dossier=dossier)
    asking = Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child").identify().confirm(child)
    answer = asking.compile()
    assert {key: answer[key] for key in ("request", "answer", "scope", "items", "pending")} == {
        "request": asking.id,
        "answer": "package",
        "scope": "own",
        "items": 4,
        "pending": 1,
    }
    asking.approve_all()
    assert "Lotte vertelt over een chatgroep." in told(asking.compilation)
    assert "D-2026-0117" in told(asking.compilation)
    row = asking.release()
    assert (row.state, row.outcome, [word.step for word in row.approvals]) == (
        RequestState.RELEASED,
        Outcome.DELIVERED,
        ["content", "release"],
    )


def test_without_the_agreement_of_a_child_of_fourteen_there_is_no_package(typist: Typist, org: Night) -> None:
    """R-095, RGT-05: the DPO decides; two people may set the rule aside."""
    child, parent = lotte(org), els(org)
    dossier = org.dossier("grooming", closed=False)
    org.party(child, "child", dossier=dossier)
    org.party(parent, "parent", dossier=dossier)
    asking = on_behalf(typist, child, parent)
    assert asking.compile()["answer"] == "dpo_review"
    lines = [{"item": item["item"], "status": "APPROVED"} for item in asking.items() if item["status"] == "PENDING_REVIEW"]
    asking.decide(*lines)
    assert typist.refused("requests", "approve", asking.id, *DORA, code=5)["code"] == "dpo_review"
    asking.override("RGT-05")
    assert asking.compile()["answer"] == "package"
    asking.approve_all()
    assert asking.release().outcome is Outcome.DELIVERED


@pytest.mark.parametrize(
    ("stated", "answer", "scope"),
    [("2005-03-04", "package", "own"), ("2019-03-04", "dpo_review", "on_behalf"), ("1900-01-01", "dpo_review", "on_behalf")],
)
def test_an_age_that_the_crm_does_not_have_closes_an_answer_as_it_was_stated_and_opens_none(
    typist: Typist, org: Night, stated: str, answer: str, scope: str
) -> None:
    """RGT-05, RGT-07: nobody acts for an adult; a child may be older than a parent says."""
    child, parent = lotte(org, birthdate=None), els(org)
    dossier = org.dossier("grooming", closed=False)
    org.party(child, "child", dossier=dossier)
    org.party(parent, "parent", dossier=dossier)
    asking = on_behalf(typist, child, parent, "--mandate", "shown", "--child-agrees", born=stated)
    found = asking.compile()
    assert (found["answer"], found["scope"]) == (answer, scope)
    assert ("lotte@example.org" in told(asking.compilation)) == (scope == "on_behalf")


def test_a_child_that_says_to_be_nine_is_looked_at_first_where_the_crm_has_no_age(typist: Typist, org: Night) -> None:
    """RGT-05: whoever it says to be."""
    child = lotte(org, birthdate=None)
    org.party(child, "child", dossier=org.dossier("grooming", closed=False))
    asking = Asking(typist).open(LOTTE | {"birthdate": "2017-03-04"}, requester_kind="former_child").identify("eid").confirm(child)
    assert (asking.compile()["answer"], asking.compilation.blocks) == ("dpo_review", ("RGT-05",))


def test_a_parent_in_a_runaway_dossier_gets_nothing_by_which_the_child_could_be_found(typist: Typist, org: Night) -> None:
    """R-096, RGT-09: no shelter, address, confidant or statement, unless released item by item."""
    child, parent = lotte(org, "2017-03-04", address1_line1="Schuilstraat 7", mobilephone="+32470000009"), els(org)
    dossier = org.dossier("runaway", closed=False, fiches=0, cf_summary="Verblijft in opvanghuis Zonnedal.")
    org.fiche("runaway", dossier=dossier, cf_summary="Zij vertrouwt juf Annemie en wil niet naar huis.")
    org.party(child, "child", dossier=dossier)
    org.party(parent, "parent", dossier=dossier)
    asking = on_behalf(typist, child, parent, born="2017-03-04")
    answer = asking.compile()
    assert (answer["answer"], answer["scope"], answer["pending"]) == ("package", "on_behalf_limited", 0)
    hidden = ("Zonnedal", "Annemie", "niet naar huis", "Schuilstraat", "0000009")
    assert not [word for word in hidden if word in told(asking.compilation)]
    (shelter,) = [item for item in asking.items() if "Zonnedal" in item["proposal"]]
    assert (shelter["status"], shelter["withholds"]) == ("WITHHELD", "child_statements")
    asking.decide({"item": shelter["item"], "status": "APPROVED"})
    assert [word for word in hidden if word in told(asking.compilation)] == ["Zonnedal"]
    asking.approve_all()
    assert asking.release().outcome is Outcome.DELIVERED_PARTLY


def test_what_a_parent_may_be_told_of_a_runaway_stays_beside_what_is_withheld(typist: Typist, org: Night) -> None:
    """RGT-09: number and day of every fiche, the own report once it was read, and the own name; the reason is
    the child's protection."""
    child, parent = lotte(org, "2017-03-04"), els(org, telephone1="+32470000002")
    dossier = org.dossier("runaway", closed=False, fiches=0)
    org.fiche("runaway", dossier=dossier, cf_name="F-0001", cf_summary="Zij wil niet naar huis.", cf_channel=100000001)
    theirs: dict[str, Any] = {"cf_name": "F-0002", "cf_summary": "Els Vermeulen belt ongerust op.", "cf_callernumber": "0470 00 00 02"}
    org.fiche("runaway", dossier=dossier, **theirs, cf_transmittedto="Opvanghuis Zonnedal", cf_transmittedon="2026-11-02")
    for contact, role in ((child, "child"), (parent, "parent")):
        org.party(contact, role, dossier=dossier)
    asking = on_behalf(typist, child, parent, born="2017-03-04")
    assert asking.compile()["pending"] == 1
    asking.approve_all()
    text = told(asking.compilation)
    assert not [word for word in ("niet naar huis", "Zonnedal", "[ouder", "[derde", "chat") if word in text]
    assert not [word for word in ("F-0001", "F-0002", "ongerust", "Els Vermeulen", "0470 00 00 02") if word not in text]
    fiches = [item for item in asking.compilation.shown if item.kind == "fiche"]
    assert {len(item.at) for item in fiches} == {len("2026-11-02")}
    assert {each.code for each in asking.compilation.told_withheld} == {"RGT-09"}


def test_a_parent_in_a_runaway_dossier_is_not_told_that_the_child_itself_reported(typist: Typist, org: Night) -> None:
    """RGT-09, R-096: neither by its role nor by the source; to the child itself both are told."""
    child, parent = lotte(org, "2012-03-04"), els(org)
    dossier = org.dossier("runaway", closed=False, fiches=0)
    fiche = org.fiche("runaway", dossier=dossier, cf_reporterkind=100000000)
    org.party(child, "child", dossier=dossier)
    org.party(child, "reporter", fiche=fiche)
    org.party(parent, "parent", dossier=dossier)
    asking = on_behalf(typist, child, parent, "--mandate", "shown", "--child-agrees")
    asking.compile()
    roles = [
        item["fields"]["role"]
        for item in asking.items()
        if item["kind"] == "party" and item["status"] == "APPROVED" and item["fields"].get("role")
    ]
    assert sorted(roles) == ["child", "parent"]  # the own role is no secret to the parent
    (withheld,) = [item for item in asking.items() if item["kind"] == "party" and item["status"] == "WITHHELD"]
    assert withheld["withholds"] == "child_statements"
    assert {context.sources for context in asking.compilation.contexts} == {("contacts",)}
    own = Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child").identify().confirm(child)
    own.compile()
    assert [context.sources for context in own.compilation.contexts if context.kind == "dossier"] == [("self",)]


def test_a_recipient_that_is_withheld_from_a_parent_is_not_denied(typist: Typist, org: Night) -> None:
    """Section 7.1(c), RGT-09: the same words as where nobody received anything, and true of both."""
    said = []
    child, parent = lotte(org, "2017-03-04"), els(org)
    dossier = org.dossier("runaway", closed=False, fiches=0)
    for contact, role in ((child, "child"), (parent, "parent")):
        org.party(contact, role, dossier=dossier)
    shelter: dict[str, Any] = {"cf_transmittedto": "Opvanghuis Zonnedal", "cf_transmittedon": "2026-11-02"}
    for passed_on in ({}, shelter):
        org.fiche("runaway", dossier=dossier, **passed_on)
        asking = on_behalf(typist, child, parent, born="2017-03-04")
        asking.compile()
        (context,) = [each for each in asking.compilation.told_contexts() if each.kind == "dossier"]
        named = tuple(each for each in context.recipients if each.name != "processor")
        said.append({language: recipient_lines(named, texts_in(language)) for language in LANGUAGES})
    assert said[0] == said[1]
    assert not [word for word in ("niet genoteerd", "Zonnedal") if word in said[1]["nl"][0]]
    assert said[1]["en"] == ("No recipients are named here. We name only recipients that are recorded and that we may disclose.",)


def test_a_parent_who_was_the_only_reporter_is_told_of_no_other_source(typist: Typist, org: Night) -> None:
    """RGT-09, R-119: neither the child itself nor a third party is told as a source where no row says so, nor
    of recordings."""
    child, parent = lotte(org, "2017-03-04"), els(org)
    dossier = org.dossier("runaway", closed=False, fiches=0)
    fiche = org.fiche("runaway", dossier=dossier, cf_reporterkind=100000001)
    org.recording(date(2026, 11, 20), fiche=fiche)
    org.create("cf_enrolments", "cf_enrolmentid", **{"cf_ContactId@odata.bind": f"/contacts({child})"}, cf_name="Vorming")
    for contact, role in ((child, "child"), (parent, "parent")):
        org.party(contact, role, dossier=dossier)
    asking = on_behalf(typist, child, parent, born="2017-03-04")
    asking.compile()
    found = {each.kind: each.sources for each in asking.compilation.contexts}
    assert found == dict.fromkeys(("contact", "dossier", "recording", "enrolment"), ("contacts",))


def test_a_mandate_that_has_lapsed_before_the_release_stops_it(typist: Typist, org: Night) -> None:
    """R-097, RGT-07: the child has become of age between receipt and delivery."""
    typist.set(CLOCK="2026-05-08T09:00:00Z")
    child, parent = lotte(org, "2008-05-10"), els(org)
    dossier = org.dossier("grooming", closed=False)
    org.party(child, "child", dossier=dossier)
    org.party(parent, "parent", dossier=dossier)
    asked = {"received_at": "2026-05-08T08:00:00Z", "born": "2008-05-10"}
    asking = on_behalf(typist, child, parent, "--mandate", "shown", "--child-agrees", **asked)
    assert (asking.compile()["answer"], asking.answer["scope"]) == ("package", "on_behalf")
    asking.approve_all()
    typist.set(CLOCK="2026-05-20T09:00:00Z")
    with pytest.raises(Refused) as refusal:
        asking.release()
    assert refusal.value.code == "MANDATE_LAPSED"
    row = asking.row()
    assert (row.state, row.outcome, row.approvals) == (RequestState.REVIEWING, Outcome.MANDATE_LAPSED, ())
    closing = f"crm-compliance requests close {asking.id} --outcome MANDATE_LAPSED"
    assert typist.ask("requests", "show", asking.id)["next"].startswith(closing), "it leads to no release any more"
    assert typist.refused("requests", "approve", asking.id, *DORA, code=5)["code"] == "MANDATE_LAPSED"
    org.patch("contacts", child, birthdate="2012-05-10")  # a slip of the pen
    assert (asking.compile()["answer"], asking.row().outcome) == ("package", None)
    asking.approve_all()


def test_once_a_mandate_has_lapsed_nothing_of_the_child_is_compiled(typist: Typist, org: Night) -> None:
    """RGT-07: the row of the child neither."""
    typist.set(CLOCK="2026-05-20T09:00:00Z")
    child, parent = lotte(org, "2008-05-10"), els(org)
    org.party(child, "child", dossier=org.dossier("grooming", closed=False))
    asked = {"received_at": "2026-05-08T08:00:00Z", "born": "2008-05-10"}
    asking = on_behalf(typist, child, parent, "--mandate", "shown", "--child-agrees", **asked)
    assert (asking.compile()["blocks"], asking.answer["items"]) == (["MANDATE_LAPSED"], 0)
    assert "lotte@example.org" not in told(asking.compilation)
    assert asking.row().outcome is Outcome.MANDATE_LAPSED
    assert typist.refused("requests", "approve", asking.id, *DORA, code=5)["code"] == "MANDATE_LAPSED"


@pytest.mark.parametrize("right", ["erasure", "portability"])
def test_once_a_mandate_has_lapsed_nothing_is_proposed_or_decided(typist: Typist, org: Night, right: str) -> None:
    """RGT-07: the erasure of the row of the child was, and its portability was granted."""
    typist.set(CLOCK="2026-05-20T09:00:00Z")
    child, parent = lotte(org, "2008-05-10"), els(org)
    org.party(child, "child", dossier=org.dossier("grooming", closed=False))
    asked = {"received_at": "2026-05-08T08:00:00Z", "born": "2008-05-10", "right": right}
    asking = on_behalf(typist, child, parent, "--mandate", "shown", "--child-agrees", **asked)
    assert (asking.compile()["blocks"], asking.answer["items"]) == (["MANDATE_LAPSED"], 0)
    for word in (("--grant",), ("--refuse", "RF-08")):
        assert typist.refused("requests", "decide", asking.id, *word, *DORA, code=5)["code"] == "MANDATE_LAPSED"


def test_a_mandate_that_is_found_to_have_lapsed_at_the_decision_leads_to_the_closing(typist: Typist, org: Night) -> None:
    """RGT-07: the child has become of age between the answer and the decision."""
    typist.set(CLOCK="2026-05-08T09:00:00Z")
    child, parent = lotte(org, "2008-05-10"), els(org)
    dossier = org.dossier("grooming", closed=False)
    org.party(child, "child", dossier=dossier)
    org.party(parent, "parent", dossier=dossier)
    asked = {"received_at": "2026-05-08T08:00:00Z", "born": "2008-05-10", "right": "restriction"}
    asking = on_behalf(typist, child, parent, "--mandate", "shown", "--child-agrees", **asked)
    assert asking.compile()["items"] > 0
    typist.set(CLOCK="2026-05-20T09:00:00Z")
    assert typist.refused("requests", "decide", asking.id, "--grant", *DORA, code=5)["code"] == "MANDATE_LAPSED"
    assert (asking.row().state, asking.row().outcome, org.store.holds.all()) == (RequestState.REVIEWING, Outcome.MANDATE_LAPSED, [])
    closing = f"crm-compliance requests close {asking.id} --outcome MANDATE_LAPSED"
    assert typist.ask("requests", "show", asking.id)["next"].startswith(closing)
    assert typist.refused("requests", "decide", asking.id, "--refuse", "RF-10", *DORA, code=5)["code"] == "MANDATE_LAPSED"
    org.patch("contacts", child, birthdate="2012-05-10")  # a slip of the pen
    assert (asking.compile()["answer"], asking.row().outcome) == ("package", None)


def test_a_witness_on_a_fiche_is_not_told_who_called(typist: Typist, org: Night) -> None:
    """EXP-06, R-119: neither address, kind and language of whoever reported, nor what they said on the
    telephone."""
    child, witness, reporter = lotte(org), els(org, mobilephone="+32470000002"), org.contact(firstname="Griet", lastname="Maes (fictief)")
    dossier = org.dossier("grooming", closed=False, fiches=0)
    called: dict[str, Any] = {
        "cf_callernumber": "+32470000001",
        "cf_ipaddress": "192.0.2.7",
        "cf_reporterkind": 100000001,
        "cf_language": 100000001,
    }
    fiche = org.fiche("grooming", dossier=dossier, cf_summary="Els zag het gebeuren.", **called)
    org.recording(date(2026, 11, 1), fiche=fiche, cf_transcript="Met de oma.", cf_callernumber="+32470000001")
    org.party(child, "child", dossier=dossier)
    org.party(reporter, "reporter", fiche=fiche)
    org.patch("cf_parties", org.party(witness, "reporter", fiche=fiche), cf_role=100000004)  # a witness
    asking = Asking(typist).open(ELS, kind="witness").identify().confirm(witness)
    asking.compile()
    asking.approve_all()
    kinds = {item.kind for item in asking.compilation.items}
    (item,) = [item for item in asking.compilation.items if item.kind == "fiche"]
    fields = {field.name: field.value for field in item.fields}
    assert fields["ip_address"] == "[IP-adres]"
    assert not {"reporter_kind", "language"}.intersection(fields)
    assert "recording" not in kinds
    own = Asking(typist).open({"firstname": "Griet", "lastname": "Maes (fictief)"}, kind="reporter").identify().confirm(reporter)
    own.compile()
    own.approve_all()
    assert {item.kind for item in own.compilation.items} == kinds | {"recording"}
    assert "192.0.2.7" in told(own.compilation)


@pytest.mark.parametrize(("evidence", "kinds"), [(False, ["contact", "dossier", "recording"]), (True, ["contact", "dossier"])])
def test_recordings_have_purposes_and_a_term_of_their_own(typist: Typist, org: Night, evidence: bool, kinds: list[str]) -> None:
    """Section 7.1 (a) and (d), RET-03: six months after the conversation, whatever the dossier's term; RET-05
    with the evidence mark."""
    child = lotte(org)
    dossier = org.dossier("grooming", closed=False, fiches=0)
    fiche = org.fiche("grooming", dossier=dossier)
    org.party(child, "child", dossier=dossier)
    org.recording(date(2026, 10, 1), fiche=fiche, cf_transcript="Een gesprek.", cf_evidence=evidence)
    asking = Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child").identify().confirm(child)
    asking.compile()
    contexts = asking.compilation.contexts
    assert [context.kind for context in contexts] == kinds
    (key,) = {item.context for item in asking.compilation.items if item.kind == "recording"}
    last = contexts[-1]
    assert (last.key, last.retention.last_day) == (key, None if evidence else date(2027, 4, 1))
    assert ("recording" in last.purposes, "objection" in last.rights) == (not evidence, not evidence)


def test_a_parent_without_authority_gets_own_data_only(typist: Typist, org: Night) -> None:
    """R-098, RGT-08: and nothing that the child or anybody else said."""
    child, parent = lotte(org), els(org, telephone1="+32470000002")
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_summary="Over Lotte en Els.")
    org.fiche("grooming", dossier=dossier, cf_summary="Lotte is bang van Els Vermeulen.", cf_callernumber="+32470000001")
    org.fiche("grooming", dossier=dossier, cf_summary="Els belt ongerust op.", cf_callernumber="0470 00 00 02")
    org.party(child, "child", dossier=dossier)
    org.party(parent, "parent", dossier=dossier)
    asking = on_behalf(typist, child, parent, "--mandate", "not_shown")
    assert asking.compile()["scope"] == "own"
    asking.approve_all()
    text = told(asking.compilation)
    assert "ongerust" in text
    assert not [word for word in ("bang", "Lotte en", "2012-03-04", "lotte@example.org") if word in text]
    assert asking.release().outcome is Outcome.DELIVERED


def test_an_age_based_term_does_not_tell_a_birthday(typist: Typist, org: Night) -> None:
    """Section 7.1(d): whoever is not the child gets the criterion, since the day would be the child's
    birthday."""
    child, parent = lotte(org), els(org)
    dossier = org.dossier("grooming")
    org.party(child, "child", dossier=dossier)
    org.party(parent, "parent", dossier=dossier)
    asking = Asking(typist).open(ELS, kind="parent_self").identify().confirm(parent)
    asking.compile()
    (context,) = [each for each in asking.compilation.contexts if each.kind == "dossier"]
    assert (context.retention.criterion, context.retention.age, context.retention.last_day) == ("until_age", 18, None)
    own = Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child").identify().confirm(child)
    own.compile()
    (context,) = [each for each in own.compilation.contexts if each.kind == "dossier"]
    assert str(context.retention.last_day) == "2030-03-04"


@pytest.mark.parametrize("evidence", ["aanstelling als voogd van 2026-01-05", None])
def test_a_guardian_with_an_appointment_acts_for_the_child(typist: Typist, org: Night, evidence: str | None) -> None:
    """R-159: of an unaccompanied minor of ten; without the appointment only own data."""
    child, guardian = lotte(org, "2016-03-04"), els(org)
    dossier = org.dossier("grooming", closed=False)
    org.party(child, "child", dossier=dossier)
    role = org.party(guardian, "parent", dossier=dossier)
    org.patch("cf_parties", role, cf_role=100000002, cf_authorityevidence=evidence)
    word = "shown" if evidence else "not_shown"
    asking = on_behalf(typist, child, guardian, "--mandate", word, born="2016-03-04", kind="guardian")
    asking.compile()
    assert asking.answer["scope"] == ("on_behalf" if evidence else "own")


def test_portability_of_a_mission_dossier_is_refused(typist: Typist, org: Night) -> None:
    """R-099: RF-04, with nothing of the dossier."""
    child = lotte(org)
    org.party(child, "child", dossier=org.dossier("grooming", closed=False))
    asking = Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child", right="portability").identify().confirm(child)
    answer = asking.compile()
    assert (answer["answer"], answer["items"], answer["refusal"]) == ("package", 0, "RF-04")
    asking.approve_all()
    row = asking.release()
    assert (row.outcome, row.refusal) == (Outcome.REFUSED, "RF-04")


def test_a_donor_takes_along_what_the_donor_provided_and_nothing_else(typist: Typist, org: Night) -> None:
    """R-100, EXP-15, RGT-14: of a contact who is also in a dossier."""
    donor = els(org, telephone1="+32470000002", description="Heeft gezondheidsproblemen.", cf_statedage=40)
    org.create(
        "cf_donations", "cf_donationid", cf_name="Interne titel", cf_amount=25.5, cf_bookedon="2026-05-01T11:00:00Z",
        cf_iban="BE68539007547034", **{"cf_ContactId@odata.bind": f"/contacts({donor})"},
    )  # fmt: skip
    org.party(donor, "reporter", dossier=org.dossier("grooming", closed=False))
    asking = Asking(typist).open(ELS, kind="donor", right="portability").identify().confirm(donor)
    assert (asking.compile()["answer"], asking.answer["pending"], asking.answer["items"]) == ("package", 0, 2)
    compilation = asking.compilation
    assert [context.kind for context in compilation.contexts] == ["donation"]
    assert all(field.provided for item in compilation.items for field in item.fields)
    text = told(compilation)
    assert [word for word in ("els@example.org", "25.5", "2026-05-01", "BE68539007547034") if word not in text] == []
    assert [word for word in ("gezondheid", "Interne titel", '"dossier"') if word in text] == []
    asking.approve_all()
    assert asking.release().outcome is Outcome.DELIVERED


def test_a_reporter_gets_own_statements_and_not_the_file(typist: Typist, org: Night) -> None:
    """EXP-05: own identity, own calls and statements; of the file its number."""
    child, reporter = lotte(org), els(org, telephone1="+32470000002")
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0118", cf_summary="Vertrouwelijk verslag.")
    own = org.fiche("grooming", dossier=dossier, cf_summary="Ik zag iets op het plein.", cf_transmittedto="PZ Zuid (fictief)")
    other = org.fiche("grooming", dossier=dossier, cf_summary="Een ander verhaal.", cf_transmittedto="PZ Oost (fictief)")
    org.party(child, "child", dossier=dossier)
    org.party(reporter, "reporter", fiche=own)
    asking = Asking(typist).open(ELS, kind="reporter").identify().confirm(reporter)
    asking.compile()
    asking.approve_all()
    text = told(asking.compilation)
    assert [word for word in ("op het plein", "D-2026-0118", "PZ Zuid (fictief)") if word not in text] == []
    assert [word for word in ("Vertrouwelijk", "ander verhaal", "PZ Oost", "Lotte", child, other) if word in text] == []


def test_a_fiche_that_was_found_by_its_caller_is_told_as_the_callers_own(typist: Typist, org: Night) -> None:
    """Confirmed without a contact: the fiche itself is all that there is of the person."""
    fiche = org.fiche("social_card", cf_summary="Vraag over vakantie.", cf_callernumber="+32470000002")
    asking = Asking(typist).open(ELS | {"phones": ["0470 00 00 02"]}, kind="reporter").identify().confirm(fiche)
    assert asking.compile()["answer"] == "package"
    asking.approve_all()
    text = told(asking.compilation)
    assert "Vraag over vakantie." in text
    assert "+32470000002" in text
