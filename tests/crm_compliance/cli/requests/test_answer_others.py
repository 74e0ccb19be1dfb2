"""What an answer does not tell of other files, other people and those to whom something was passed on.
Everybody is fictitious."""

import re
from datetime import date
from typing import Any

import pytest

from crm_compliance.wiring.mapping import mapping_text
from rules.errors import Refused
from rules.model.requests import Outcome
from tests.crm_compliance.answer_package.pages import text_of
from tests.crm_compliance.cli.requests.family import ELS, LOTTE, els, lotte, on_behalf
from tests.crm_compliance.cli.requests.suspects import JAN, asked_by, jan, suspect
from tests.crm_compliance.worlds import Worlds
from tests.drivers.asking import Asking, told
from tests.drivers.night import Night
from tests.drivers.typist import DORA, Typist


def a_report(org: Night, person: str, summary: str, **columns: Any) -> tuple[str, str]:
    """A dossier with one fiche, of which the person is the reporter."""
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0111")
    fiche = org.fiche("grooming", dossier=dossier, cf_name="F-2026-0112", cf_summary=summary, **columns)
    org.party(person, "reporter", fiche=fiche)
    return dossier, fiche


@pytest.mark.parametrize("is_suspect", [True, False])
def test_the_numbers_of_all_other_files_are_replaced_alike(typist: Typist, org: Night, is_suspect: bool) -> None:
    """SUS-05, EXP-09: the file of a suspicion, one in which the person has no part, a fiche, and proceedings;
    the own numbers stay."""
    person = jan(org)
    a_report(org, person, "Zie D-2026-0111, F-2026-0112, d 2026/0666, D-2026-0777, F-2026-7771, BR.20.L7.001234 van 2026.")
    closed = org.dossier("sexting", closed=False, fiches=0, cf_name="D-2026-0666")
    other = org.dossier("sexting", closed=False, fiches=0, cf_name="D-2026-0777", cf_courtreference="BR.20.L7.001234")
    org.fiche("sexting", dossier=other, cf_name="F-2026-7771")
    if is_suspect:
        suspect(org, person, closed)
    (item,) = [item for item in asked_by(typist, JAN, person, kind="witness").items() if item["proposal"]]
    assert item["proposal"] == "Zie D-2026-0111, F-2026-0112, […], […], […], […] van 2026."


@pytest.mark.parametrize(
    ("summary", "proposal"),
    [
        ("Eerst \u202edit. Femke Duinmeijer belde.", "Eerst dit. [getuige 1] belde."),
        ("Eerst &#8238;dit. Bel 0470 12 34 56 terug.", "Eerst dit. Bel [telefoonnummer] terug."),
        ("\u202erejiemniuD ekmeF\u202c belde.", "[getuige 1] belde."),
        ("\u202erejiemniuD ekmeF\u202c zag \u202eFemke Duinmeijer.", "[\u2026]"),
        ("Zij zei \u202eein\u202c meer.", "Zij zei nie meer."),
    ],
)
def test_a_sign_that_turns_the_direction_of_reading_hides_nobody(typist: Typist, org: Night, summary: str, proposal: str) -> None:
    """EXP-06: what follows such a sign is seen backwards, and anybody can read it so."""
    person = jan(org)
    dossier, _ = a_report(org, person, summary)
    org.party(org.contact(firstname="Femke", lastname="Duinmeijer"), "witness", dossier=dossier)
    (item,) = [item for item in asked_by(typist, JAN, person, kind="witness").items() if item["proposal"]]
    assert item["proposal"] == proposal


def test_a_number_of_a_file_that_is_not_there_is_replaced_like_one_that_is(typist: Typist, org: Night) -> None:
    """SUS-05, EXP-09: in clear beside a gap it would tell that the gap is a file. Own numbers, days, plates
    and amounts stay."""
    person = jan(org)
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0111")
    elsewhere = ("D-2025-0042", "d 2019/7", "D2026.01234", "f-2024-0009", "D20250042", "f20260777", "2025-0042", "2026/0777")
    for named in elsewhere:
        summary = f"Zie {named}, D-2026-0777 en D-2026-111 (2026-03-04, CD-20 en 2026 0042, B-1000)."
        summary += " Ook D20260111, 2026/0111, schooljaar 2025-2026, D-10115, 2026-0042-1."
        fiche = org.fiche("grooming", dossier=dossier, cf_name="F-2026-0112", cf_summary=summary)
        org.party(person, "reporter", fiche=fiche)
    org.dossier("sexting", closed=False, fiches=0, cf_name="D-2026-0777")
    asking = asked_by(typist, JAN, person, kind="witness")
    items = [item for item in asking.items() if item["proposal"]]
    told = "Zie […], […] en D-2026-111 (2026-03-04, CD-20 en 2026 0042, B-1000)."
    told += " Ook D20260111, 2026/0111, schooljaar 2025-2026, D-10115, 2026-0042-1."
    assert [item["proposal"] for item in items] == [told] * len(elsewhere)
    for item in items:
        (named,) = [each for each in elsewhere if f"Zie {each}," in str(item["original"])]
        if not named[0].isdigit():  # digits alone may be an amount
            asking.decide({"item": item["item"], "status": "APPROVED_REDACTED", "text": f"Zie {named}."}, code=2)
    assert asking.approve_all().release().outcome is Outcome.DELIVERED


def test_who_shares_a_telephone_is_told_no_report_of_somebody_else(typist: Typist, org: Night) -> None:
    """IDN-17, EXP-05: a child called by the telephone of a parent, in a file of both and in one of the child
    alone. A number says who called where nobody is named as the reporter."""
    shared = "+32470112233"
    parent, child = jan(org, telephone1=shared), org.contact(firstname="Lotte", lastname="Zandstra (fictief)", telephone1=shared)
    dossier = org.dossier("grooming", closed=False, fiches=0)
    org.party(parent, "parent", dossier=dossier)
    org.party(child, "child", dossier=dossier)
    for where in (dossier, None):
        fiche = org.fiche("grooming", dossier=where, cf_callernumber=shared, cf_summary="Dit vertelt het kind.")
        org.party(child, "reporter", fiche=fiche)
        org.recording(date(2026, 11, 1), fiche=fiche, cf_callernumber=shared, cf_transcript="Dit zegt het kind.")
    org.fiche("grooming", dossier=dossier, cf_callernumber=shared, cf_summary="Dit vertelt wie ernaar vraagt.")
    items = asked_by(typist, JAN, parent, kind="parent_self").items()
    asked = [item["proposal"] for item in items if item["kind"] in ("fiche", "recording")]
    assert asked == ["Dit vertelt wie ernaar vraagt."]


CHILD, PARENT = 100000000, 100000001  # kinds of reporters


def a_family(org: Night, line: str) -> tuple[str, str, str]:
    """A parent and a child who share a telephone and an address, with a dossier of both."""
    parent = jan(org, telephone1=line, emailaddress2="thuis@example.org")
    child = lotte(org, telephone1=line, emailaddress2="thuis@example.org")
    dossier = org.dossier("grooming", closed=False, fiches=0)
    org.party(parent, "parent", dossier=dossier)
    org.party(child, "child", dossier=dossier)
    return parent, child, dossier


def test_a_shared_line_does_not_make_a_childs_report_the_parents(typist: Typist, org: Night) -> None:
    """IDN-11, EXP-05: the fiche says that a child reported, the child is the reporter of the dossier, or the
    one who takes part in a call or wrote the e-mail. What nothing of this says is told to a person first."""
    line = "+32470112233"
    parent, child, dossier = a_family(org, line)
    for where in (dossier, None):
        fiche = org.fiche("grooming", dossier=where, cf_callernumber=line, cf_reporterkind=CHILD, cf_summary="Dit vertelt het kind.")
        org.recording(date(2026, 11, 1), fiche=fiche, cf_callernumber=line, cf_transcript="Dit zegt het kind.")
    org.fiche("grooming", dossier=dossier, cf_callernumber=line, cf_reporterkind=PARENT, cf_summary="Dit vertelt wie ernaar vraagt.")
    reported = org.dossier("sexting", closed=False, fiches=0)
    org.party(parent, "parent", dossier=reported)
    org.party(child, "reporter", dossier=reported)
    org.fiche("sexting", dossier=reported, cf_calleremail="thuis@example.org", cf_summary="Dit schrijft het kind.")
    for target, row in (("cf_dossier", dossier), ("contact", child)):
        org.patch("phonecalls", org.call(target, row, [child]), phonenumber=line)
    wrote = [{"partyid_contact@odata.bind": f"/contacts({one})", "participationtypemask": mask} for one, mask in ((child, 1),)]
    org.create("emails", "activityid", subject="Van het kind", sender="thuis@example.org", email_activity_parties=wrote)
    copied = [wrote[0] | {"participationtypemask": 3}]
    org.create("emails", "activityid", subject="Van de ouder", sender="thuis@example.org", email_activity_parties=copied)
    items = asked_by(typist, JAN, parent, kind="parent_self").items()
    asked = {item["kind"]: item["proposal"] for item in items if item["kind"] in ("fiche", "recording", "call", "email")}
    assert asked == {"fiche": "Dit vertelt wie ernaar vraagt.", "email": "Van de ouder"}


def test_a_parent_who_reported_the_dossier_is_not_told_what_a_child_said_by_their_telephone(typist: Typist, org: Night) -> None:
    """IDN-11, EXP-05: that somebody is the reporter of a dossier says less of a call than its own fiche."""
    line = "+32470112233"
    parent, _, dossier = a_family(org, line)
    org.party(parent, "reporter", dossier=dossier)
    for kind, text in ((CHILD, "Dit vertelt het kind."), (PARENT, "Dit vertelt wie ernaar vraagt.")):
        org.fiche("grooming", dossier=dossier, cf_callernumber=line, cf_reporterkind=kind, cf_summary=text)
    items = asked_by(typist, JAN, parent, kind="parent_self").items()
    assert [item["proposal"] for item in items if item["kind"] == "fiche"] == ["Dit vertelt wie ernaar vraagt."]


def test_what_either_of_two_may_have_said_waits_until_a_person_says_whose_it_is(typist: Typist, org: Night) -> None:
    """IDN-11: nothing but the line says who called; that something is left out is told."""
    line = "+32470112233"
    parent, _, dossier = a_family(org, line)
    fiche = org.fiche("grooming", dossier=dossier, cf_callernumber=line, cf_summary="Dit vertelt iemand.")
    org.party(parent, "parent", fiche=fiche)
    org.recording(date(2026, 11, 1), fiche=fiche, cf_transcript="Dit zegt iemand.")
    org.recording(date(2026, 11, 1), cf_callernumber=line, cf_transcript="Dit zegt iemand.")
    asking = asked_by(typist, JAN, parent, kind="parent_self")
    spoken = [item for item in asking.items() if item["kind"] in ("fiche", "recording")]
    assert [item["status"] for item in asking.items() if item["kind"] == "party"] == ["APPROVED", "APPROVED"]
    assert {(item["status"], item["code"]) for item in spoken} == {("WITHHELD", "RF-03")}
    asking.decide({"item": spoken[0]["item"], "status": "APPROVED"})
    asking.approve_all()
    assert [item.proposal for item in asking.compilation.shown if item.kind in ("fiche", "recording")] == ["Dit vertelt iemand."]
    assert asking.release().outcome is Outcome.DELIVERED_PARTLY


def test_a_shared_line_does_not_make_a_parents_report_the_childs(typist: Typist, org: Night) -> None:
    """R-119: to the child it is told without what tells of the parent, and alone not at all."""
    line = "+32470112233"
    _, child, dossier = a_family(org, line)
    for where in (dossier, None):
        org.fiche("grooming", dossier=where, cf_callernumber=line, cf_reporterkind=PARENT, cf_language=100000001)
    items = asked_by(typist, LOTTE, child, kind="child").items()
    (fields,) = [item["fields"] for item in items if item["kind"] == "fiche"]
    assert {"reporter_kind", "language"}.isdisjoint(fields)


@pytest.mark.parametrize("who", ["the fiche says", "the child", "a sister"])
def test_who_asks_for_a_child_is_not_told_that_it_called_by_their_telephone(typist: Typist, org: Night, who: str) -> None:
    """RGT-09: neither by which channel nor what, until the DPO releases it; nor where somebody else in the
    file has the same number, and it may have been them."""
    line = {"telephone1": "+32470112233"}
    child, mother = lotte(org, born="2018-03-04", **(line if who == "the child" else {})), els(org, **line)
    sister = org.contact(firstname="Mina", lastname="Zandstra (fictief)", **(line if who == "a sister" else {}))
    dossier = org.dossier("runaway", closed=False, fiches=0)
    for person, role in ((mother, "parent"), (child, "child"), (sister, "witness")):
        org.party(person, role, dossier=dossier)
    says: dict[str, Any] = {"cf_reporterkind": CHILD} if who == "the fiche says" else {}
    org.fiche("runaway", dossier=dossier, cf_callernumber="+32470112233", cf_channel=100000001, cf_summary="Dit vertelt een kind.", **says)
    asking = on_behalf(typist, child, mother, born="2018-03-04")
    asking.compile()
    fiches = [item for item in asking.items() if item["kind"] == "fiche"]
    assert [item["status"] for item in fiches if {"channel", "reporter_kind"} & item["fields"].keys() or item["proposal"]] == ["WITHHELD"]


def test_who_asks_for_a_child_and_is_told_own_data_is_not_told_what_it_said_by_their_telephone(typist: Typist, org: Night) -> None:
    """RGT-08, IDN-11: that the child was a minor when it called says nothing of a relative."""
    line = "+32470112233"
    child, aunt = lotte(org), els(org, telephone1=line, birthdate="1975-03-04")
    dossier = org.dossier("grooming", closed=False, fiches=0)
    org.party(child, "child", dossier=dossier)
    org.party(aunt, "witness", dossier=dossier)
    org.fiche("grooming", dossier=dossier, cf_callernumber=line, cf_reporterkind=CHILD, cf_summary="Dit vertelt het kind.")
    asking = Asking(typist).open(ELS, LOTTE | {"birthdate": "2012-03-04"}).identify("eid", "--mandate", "not_shown")
    assert asking.confirm(aunt, child).compile()["scope"] == "own"
    assert [item["kind"] for item in asking.items()] == ["contact", "dossier", "party"]


def test_who_is_confirmed_as_both_is_the_child_also_where_the_parent_is_told_own_data(typist: Typist, org: Night) -> None:
    """RGT-08, EXP-05: a child with the telephone of a parent is on the list of both."""
    line = "+32470112233"
    child, mother = lotte(org, telephone1=line, address1_city="Schuilplaats"), els(org, telephone1=line)
    dossier = org.dossier("grooming", closed=False)
    org.party(child, "child", dossier=dossier)
    org.party(mother, "parent", dossier=dossier)
    org.donation(child)
    behalf = LOTTE | {"birthdate": "2012-03-04", "phones": [line]}
    asking = Asking(typist).open(ELS | {"phones": [line]}, behalf).identify("eid", "--mandate", "not_shown")
    listed = typist.ask("requests", "match", asking.id)["candidates"]
    chosen = [each for each in listed if each["id"] == child or each["for"] == "requester"]
    assert sorted((each["for"], each["id"] == child) for each in chosen) == [("child", True), ("requester", False), ("requester", True)]
    typist.ask("requests", "confirm", asking.id, *(each["candidate"] for each in chosen), *DORA)
    assert asking.compile()["scope"] == "own"
    assert [item["kind"] for item in asking.items()] == ["contact", "dossier", "party"]
    assert "Schuilplaats" not in told(asking.compilation)


def test_of_a_report_that_may_be_the_childs_not_even_what_it_is_about_is_told(typist: Typist, org: Night) -> None:
    """IDN-11: that there is one on exploitation by this telephone would tell a parent enough."""
    line = "+32470112233"
    parent, *_ = a_family(org, line)
    lone = org.fiche("sexting", cf_callernumber=line, cf_summary="Dit vertelt iemand.")
    org.recording(date(2026, 11, 1), fiche=lone, cf_callernumber=line, cf_transcript="Dit zegt iemand.")
    asking = asked_by(typist, JAN, parent, kind="parent_self")
    (item,) = [item for item in asking.items() if item["kind"] == "fiche"]
    told = asking.compilation.told_contexts()
    assert [(each.kind, each.roles, "communication" in each.data_categories) for each in told] == [
        ("contact", ("parent",), False),
        ("dossier", ("parent",), False),
    ]
    asking.decide({"item": item["item"], "status": "APPROVED"})
    assert [each.kind for each in asking.approve_all().compilation.told_contexts()] == ["contact", "dossier", "fiche"]
    assert asking.release().outcome is Outcome.DELIVERED_PARTLY


@pytest.mark.parametrize("is_lone", [True, False])
def test_a_report_that_may_be_somebody_elses_by_the_day_of_the_release_goes_back(typist: Typist, org: Night, is_lone: bool) -> None:
    """SUS-08, IDN-11: what was released before it was known that they share a telephone waits again."""
    line = "+32470112233"
    parent, child, dossier = a_family(org, line)
    org.patch("contacts", child, telephone1=None)
    org.fiche("sexting", dossier=None if is_lone else dossier, cf_callernumber=line, cf_summary="Dit vertelt iemand.")
    asking = asked_by(typist, JAN, parent, kind="parent_self").approve_all()
    org.patch("contacts", child, telephone1=line)
    with pytest.raises(Refused) as refusal:
        asking.release()
    assert refusal.value.code == "standing_changed"
    asking.compile()
    assert [item["status"] for item in asking.items() if item["kind"] == "fiche"] == ["WITHHELD"]


@pytest.mark.parametrize(
    ("fiches", "is_told"),
    [
        ([{}], True),
        ([{"cf_callernumber": "+32470112233"}], True),
        ([{"cf_callernumber": "+32470998877"}], False),
        ([{"cf_reporterkind": CHILD}], False),
        ([{}, {}], False),
    ],
)
def test_the_only_report_of_a_dossier_is_that_of_its_only_reporter(
    typist: Typist, org: Night, fiches: list[dict[str, Any]], is_told: bool
) -> None:
    """EXP-05: own statements, also where the role is on the dossier."""
    person = jan(org, telephone1="+32470112233", birthdate="1980-05-06")
    dossier = org.dossier("grooming", closed=False, fiches=0)
    org.party(person, "reporter", dossier=dossier)
    for columns in fiches:
        org.fiche("grooming", dossier=dossier, cf_summary="Dit vertelt wie ernaar vraagt.", **columns)
    items = asked_by(typist, JAN, person, kind="reporter").items()
    assert [item["status"] for item in items if item["kind"] == "fiche"] == (["PENDING_REVIEW"] if is_told else [])


def test_a_call_without_a_file_is_that_of_its_number_whoever_reported_some_dossier(typist: Typist, org: Night) -> None:
    """Nobody is named as the reporter of the call itself."""
    caller = jan(org, telephone1="+32470112233")
    dossier = org.dossier("grooming", closed=False)
    org.party(caller, "parent", dossier=dossier)
    org.party(org.contact(lastname="Zandstra (fictief)"), "reporter", dossier=dossier)
    org.recording(date(2026, 11, 1), cf_callernumber="+32470112233", cf_transcript="Dit zegt wie ernaar vraagt.")
    items = asked_by(typist, JAN, caller, kind="parent_self").items()
    told = [item["proposal"] for item in items if item["kind"] == "recording"]
    assert any("Dit zegt wie ernaar vraagt." in each for each in told)


@pytest.mark.parametrize("there", ["suspect", "reporter"])
def test_who_is_suspected_or_reports_in_another_file_only_is_labelled_by_their_role_in_this_one(
    typist: Typist, org: Night, there: str
) -> None:
    """SUS-01, SUS-05, R-119: the witness in the file of one child is a suspect in that of another, of whom
    the same mother is a parent, or has reported it; somebody without a role here is a third person."""
    child, mother = lotte(org, born="2018-03-04"), els(org)
    seen, named = (org.contact(firstname="Jos", lastname=f"{name} (fictief)") for name in ("Quintens", "Ottevaere"))
    dossier, other = (org.dossier("grooming", closed=False, fiches=0) for _ in range(2))
    for person, role in ((child, "child"), (mother, "parent"), (seen, "witness")):
        org.party(person, role, dossier=dossier)
    for person, role in ((mother, "parent"), (seen, there), (named, there)):
        org.party(person, role, dossier=other)
    org.fiche("grooming", dossier=dossier, cf_summary="Jos Quintens zag Jos Ottevaere.")
    asking = on_behalf(typist, child, mother, born="2018-03-04")
    asking.compile()
    assert [item["proposal"] for item in asking.items() if item["kind"] == "fiche"] == ["[getuige 1] zag [derde 1]."]


def a_witness(typist: Typist, org: Night) -> str:
    """The request of a witness with a report of their own, which waits for a person."""
    person = jan(org, telephone1="+32470112233")
    a_report(org, person, "Ik zag op 3 maart een auto. U kunt mij bereiken op +32470112233.")
    return asked_by(typist, JAN, person, kind="witness").id


@pytest.fixture
def witness(worlds: Worlds, request: pytest.FixtureRequest, typist: Typist) -> Asking:
    return Asking(typist, worlds.begin(request, a_witness))


@pytest.mark.parametrize(
    "added", ["mevrouw Quintens", "0471 55 66 77", "quintens@example.com", "Dorpsstraat 12, 9000 Gent", "85.07.30-997.34"]
)
def test_a_reviewer_adds_no_name_or_number_that_the_answer_does_not_have(witness: Asking, added: str) -> None:
    """EXP-06, EXP-07: nobody knows whose it is, so that no later look would find it; where it is nobody else,
    a person says so."""
    asking = witness
    (item,) = [item for item in asking.items() if item["proposal"]]
    line = {"item": item["item"], "status": "APPROVED_REDACTED"}
    refused = asking.decide(line | {"text": f"Ik zag een auto van {added}."}, code=2)
    assert (added in str(refused), "NOT_A_NAME" in refused["hint"]) == (False, True)
    asking.decide(line | {"text": "Jan Wouterlood zag op 3 maart een auto van [derde 1]. Bereikbaar op +32470112233."})
    asking.decide(line | {"text": f"Ik zag een auto van {added}.", "code": "NOT_A_NAME"})
    assert asking.approve_all().release().outcome is Outcome.DELIVERED


def test_no_text_of_a_contact_is_told_to_somebody_who_is_suspected_elsewhere(typist: Typist, org: Night) -> None:
    """SUS-05: it is in no file and may stem from the closed one; to others it is proposed."""
    person = jan(org, description="Zie ook een ander dossier, daar als verdachte genoemd.")
    a_report(org, person, "Ik zag een auto.")
    assert "verdachte" in str(asked_by(typist, JAN, person, kind="witness").items())
    suspect(org, person, org.dossier("sexting", closed=False))
    asking = asked_by(typist, JAN, person, kind="witness")
    assert asking.answer["answer"] == "package"
    assert "verdachte" not in str(asking.items())
    asking.approve_all()
    assert asking.release().outcome is Outcome.DELIVERED


def test_a_recipient_is_decided_about_by_itself(typist: Typist, org: Night) -> None:
    """7.1(c): the police waits for the DPO, and where the fiche or the recipient is withheld neither name,
    day nor class is told."""
    person = jan(org)
    a_report(org, person, "Ik zag een auto.", cf_transmittedto="PZ Zuid (fictief)", cf_transmittedon="2026-02-03")
    asking = asked_by(typist, JAN, person, kind="witness")
    (recipient,) = [item for item in asking.items() if item["kind"] == "recipient"]
    assert (recipient["status"], recipient["code"]) == ("PENDING_REVIEW", "DPO_REVIEW")
    asking.decide({"item": recipient["item"], "status": "WITHHELD", "code": "RF-03"})
    asking.approve_all()
    answer = asking.compilation
    assert "PZ Zuid" not in str([each.recipients for each in answer.told_contexts()])
    assert (answer.told_withheld, asking.release().outcome) == ((), Outcome.DELIVERED)


def test_a_row_of_a_namesake_is_no_mention(typist: Typist, org: Night) -> None:
    """EXP-04: linked to another contact, or in a file in which somebody of the same name has a role."""
    person = jan(org)
    a_report(org, person, "Ik zag een auto.")
    other = org.contact(firstname="Jan", lastname="Wouterlood (fictief)", emailaddress1="another@example.org")
    elsewhere = org.dossier("sexting", closed=False, fiches=0, cf_name="D-2026-0777", cf_summary="Jan Wouterlood (fictief) is het kind.")
    org.party(other, "child", dossier=elsewhere)
    org.note("contact", other, notetext="Jan Wouterlood (fictief) belde.")
    stranger = org.contact(firstname="Piet", lastname="Vreemde (fictief)")
    third = org.dossier("sexting", closed=False, fiches=0, cf_name="D-2026-0888", cf_summary="Een buur, Jan Wouterlood (fictief).")
    org.party(stranger, "reporter", dossier=third)
    (mention,) = [item for item in asked_by(typist, JAN, person, kind="witness").items() if item["title"] == "mention"]
    assert mention["file"] == {"kind": "dossier", "id": third, "number": "D-2026-0888"}
    assert mention["contacts"] == [{"id": stranger, "name": "Piet Vreemde (fictief)"}]


def mentioned_elsewhere(typist: Typist, org: Night) -> str:
    """The request of a witness who has a namesake in a file, which waits for a person."""
    person = jan(org)
    a_report(org, person, "Ik zag een auto.")
    org.fiche("social_card", cf_summary="Een zekere Jan Wouterlood (fictief).")
    return asked_by(typist, JAN, person, kind="witness").id


@pytest.fixture
def namesake(worlds: Worlds, request: pytest.FixtureRequest, typist: Typist) -> Asking:
    return Asking(typist, worlds.begin(request, mentioned_elsewhere))


@pytest.mark.parametrize(("code", "outcome"), [("NOT_THE_PERSON", Outcome.DELIVERED), ("RF-03", Outcome.DELIVERED_PARTLY)])
def test_what_is_not_about_the_person_leaves_no_trace(namesake: Asking, code: str, outcome: Outcome) -> None:
    """EXP-09: no class, no reason, no outcome in part."""
    asking = namesake
    (mention,) = [item for item in asking.items() if item["title"] == "mention"]
    asking.decide({"item": mention["item"], "status": "WITHHELD", "code": code})
    asking.approve_all()
    assert ("mention" in told(asking.compilation)) is (code == "RF-03")
    assert asking.release().outcome is outcome


def lean_mapping(typist: Typist) -> None:
    """The shipped mapping without gifts and notes."""
    text, _ = mapping_text(typist.settings)
    for kind, following in (("donation", "enrolment"), ("note", "call")):
        text = re.sub(rf"\n  {kind}:\n.*?(?=\n  {following}:)", "", text, flags=re.DOTALL)
    path = typist.folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    typist.set(MAPPING=str(path))


def test_nothing_is_called_searched_that_was_not(typist: Typist, org: Night) -> None:
    """EXP-03: a table that is not mapped and has rows of people is named by match, by the count of rows, and
    in the letter."""
    person = jan(org)
    a_report(org, person, "Ik zag een auto.")
    org.note("contact", person)
    org.donation(person)
    before = asked_by(typist, JAN, person, kind="witness")
    assert typist.ask("requests", "review", before.id, "--completeness", *DORA)["complete"] is True
    lean_mapping(typist)
    asking = asked_by(typist, JAN, person, kind="witness")
    lacking = {"kind:donation", "kind:note", "table:annotation", "table:cf_donation"}
    assert lacking <= set(typist.ask("requests", "match", asking.id)["not_searched"])
    asking.confirm(person)
    asking.compile("--plain-folder", str(typist.folder / "copy"))
    counts = typist.ask("requests", "review", asking.id, "--completeness", *DORA)
    assert (counts["complete"], set(counts["not_searched"])) == (False, lacking)
    said = typist.type("requests", "review", asking.id, "--completeness", *DORA).out
    assert "NOT COMPLETE" in said
    assert "table:cf_donation" in said
    searched, _, rest = " ".join(text_of((typist.folder / "copy" / "letter.pdf").read_bytes()).split()).partition("Niet doorzocht")
    searched = searched.rpartition("Wij hebben gezocht in")[2]
    assert "telefoongesprekken" in searched
    assert [word for word in ("nota’s", "giften") if word in searched] == []
    assert [word for word in ("nota’s", "giften", "annotation", "cf_donation") if word not in rest] == []
