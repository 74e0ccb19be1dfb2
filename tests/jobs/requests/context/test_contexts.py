"""What a person is told of the processing is about this person: role, purpose, basis, term and source, for
each kind of person (6.2, 7.1).

Everybody is fictitious.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from crm_compliance.answer_package.content.particulars import basis_lines, retention_lines
from crm_compliance.answer_package.content.view import shown_of
from crm_compliance.answer_package.data import data_json
from jobs.model.answer import Context, Retention
from jobs.model.request import GivenPerson, IdentityCheck
from jobs.requests.answer.compile import compile_request
from jobs.requests.context.earlier_requests import request_context
from rules.model.languages import LANGUAGES
from rules.model.requests import IdentityMethod, Mandate, RequesterKind, Right
from rules.policy.policy import Defaults
from tests.drivers.deciding import ask
from tests.drivers.holding import place
from tests.drivers.night import Night
from tests.saying import texts_in


def told(night: Night, contact: str, **asked: Any) -> dict[str, Context]:
    """The contexts of an access request of this contact, by kind."""
    return {each.kind: each for each in contexts_of(night, contact, **asked)}


def contexts_of(night: Night, contact: str, **asked: Any) -> tuple[Context, ...]:
    """The contexts of an access request of this contact."""
    return compile_request(night.context, ask(night, Right.ACCESS, contact, **asked).id, "dora", "dpo").contexts


def relation(night: Night, table: str, contact: str, **columns: Any) -> None:
    """A course or an agreement of a contact."""
    night.create(f"cf_{table}s", f"cf_{table}id", **{"cf_ContactId@odata.bind": f"/contacts({contact})"} | columns)


def in_a_file(role: str, **fiche: Any) -> Callable[[Night, str], None]:
    """Put a contact in a file with a role, and a conversation in the file."""

    def make(night: Night, contact: str) -> None:
        dossier = night.dossier("grooming", closed=False, fiches=0)
        night.party(contact, role, dossier=dossier)
        night.fiche("grooming", dossier=dossier, **fiche)

    return make


def donor(night: Night, contact: str) -> None:
    night.donation(contact)


def volunteer(night: Night, contact: str) -> None:
    relation(night, "engagement", contact, cf_name="Overeenkomst", cf_kind=100000000)


def employee(night: Night, contact: str) -> None:
    relation(night, "engagement", contact, cf_name="Overeenkomst", cf_kind=100000002)


def trained(night: Night, contact: str) -> None:
    relation(night, "enrolment", contact, cf_name="Vorming", cf_heldon="2026-02-03")


def partner(night: Night, contact: str) -> None:
    account = night.create("accounts", "accountid", name="Dienst Voorbeeld (fictief)")
    night.patch("contacts", contact, **{"parentcustomerid_account@odata.bind": f"/accounts({account})"})


def nothing(night: Night, contact: str) -> None:
    """A namesake, or somebody of whom nothing but the row is left."""


MISSION = ("investigation", "support", "prevention")
VITAL = "Vital interests of the child (Article 6(1)(d) GDPR)"
AGREED = "Contract (Article 6(1)(b) GDPR)"
TAX = "Legal obligation (Article 6(1)(c) GDPR): keeping the tax documents relating to donations"
NOT_YET = "Yet to be determined; the data protection officer can tell you more"
PEOPLE = [
    pytest.param(in_a_file("child"), ("child",), MISSION, [VITAL], "needed", ("third_party",), id="child victim"),
    pytest.param(in_a_file("child", cf_reporterkind=100000000), ("child",), MISSION, [VITAL], "needed", ("self",), id="child reporter"),
    pytest.param(in_a_file("parent"), ("parent",), MISSION, [VITAL], "needed", ("contacts",), id="parent"),
    pytest.param(
        in_a_file("parent", cf_reporterkind=100000001), ("parent",), MISSION, [VITAL],
        "needed", ("contacts",), id="parent who may have reported",
    ),
    pytest.param(in_a_file("reporter"), ("reporter",), MISSION, [VITAL], "needed", ("self",), id="third-party reporter"),
    pytest.param(in_a_file("witness"), ("witness",), MISSION, [VITAL], "needed", ("self",), id="witness"),
    pytest.param(
        donor, ("donor",), ("fundraising", "accounting"), [TAX],
        "needed", ("self",), id="donor",
    ),
    pytest.param(volunteer, ("volunteer",), ("volunteering",), [AGREED], "needed", ("self",), id="volunteer"),
    pytest.param(employee, ("employee",), ("employment",), [AGREED], "needed", ("self",), id="employee"),
    pytest.param(trained, ("participant",), ("training",), [AGREED], "needed", ("self",), id="training participant"),
    pytest.param(partner, ("partner",), ("partnership",), [AGREED], "needed", ("self",), id="partner"),
    pytest.param(nothing, ("no_role",), ("contact",), [NOT_YET], "nothing_needs_them", ("not_recorded",), id="nobody"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "roles", "purposes", "basis", "criterion", "sources"), PEOPLE)
def test_the_own_row_is_told_by_what_needs_it(
    night: Night, make: Callable[[Night, str], None], roles: Any, purposes: Any, basis: Any, criterion: str, sources: Any
) -> None:
    """Section 7.1, RET-20: never the same for everybody."""
    contact = night.contact(lastname="Verzonnen (fictief)", telephone1="+32470112233")
    make(night, contact)
    found = told(night, contact)["contact"]
    assert (found.roles, found.purposes, found.sources) == (roles, purposes, sources)
    assert list(basis_lines(found, texts_in("en"))) == basis
    assert found.retention.criterion == criterion


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("nl", "Zolang de overeenkomst loopt, en daarna nog 5 jaar."),
        ("fr", "Tant que dure le contrat, puis pendant 5 ans."),
        ("de", "Solange der Vertrag läuft, und danach noch 5 Jahre."),
        ("en", "For as long as the agreement is in force, and for 5 years after that."),
    ],
)
def test_the_term_after_an_agreement_is_told_where_the_schedule_has_one(night: Night, language: str, line: str) -> None:
    """Section 7.1(d): the shipped schedule leaves it open, another may not."""
    contact = night.contact()
    volunteer(night, contact)
    assert told(night, contact)["engagement"].retention.criterion == "agreement"
    row = night.policy.categories["volunteer"].model_copy(update={"enabled": True})
    night.policy = night.policy.model_copy(update={"categories": {**night.policy.categories, "volunteer": row}})
    assert retention_lines(told(night, contact)["engagement"], texts_in(language)) == (line,)


def test_what_is_written_of_a_person_is_a_category_of_data(night: Night) -> None:
    contact = night.contact(description="Spreekt Frans.")
    assert "facts" in told(night, contact)["contact"].data_categories
    assert "facts" not in told(night, night.contact())["contact"].data_categories


def test_somebody_with_several_relations_is_told_all_of_them(night: Night) -> None:
    contact = night.contact()
    for make in (in_a_file("witness"), donor, volunteer):
        make(night, contact)
    found = told(night, contact)["contact"]
    assert found.roles == ("witness", "donor", "volunteer")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_day_that_has_passed_is_no_term(night: Night, language: str) -> None:
    """Section 7.1(d), HLD-08: the request keeps what its term would have let go, and that is what the person
    reads."""
    contact = night.contact(birthdate="2001-03-04")
    dossier = night.dossier("social_card", spoken=date(2024, 4, 18))
    night.party(contact, "child", dossier=dossier)
    found = told(night, contact)["dossier"]
    texts = texts_in(language)
    over = texts.say("access", "over_grace", day=texts.day(date(2024, 10, 18)), days="30")
    assert retention_lines(found, texts) == (over,)
    assert not [line for line in retention_lines(found, texts) if line == texts.say("access", "until", day=texts.day(date(2024, 10, 18)))]


@pytest.mark.parametrize("kind", ["legal", "judicial", "complaint", "restriction", "objection"])
def test_a_hold_that_somebody_placed_is_told_without_detail(night: Night, kind: str) -> None:
    """Section 7.1(d): that it is kept longer, and neither why nor until when."""
    contact = night.contact(birthdate="2001-03-04")
    dossier = night.dossier("social_card", spoken=date(2024, 4, 18))
    night.party(contact, "child", dossier=dossier)
    place(night, "cf_dossier", dossier, kind=kind)
    found = told(night, contact)["dossier"]
    assert retention_lines(found, texts_in("en")) == ("The data are being kept for longer because of a legal obligation or claim.",)


def test_the_request_of_somebody_else_is_not_told(night: Night) -> None:
    """SUS-05: a file that a brother's request or objection keeps as well is told as by the own request
    alone."""
    contact, brother = night.contact(birthdate="2001-03-04"), night.contact(birthdate="2003-03-04")
    dossier = night.dossier("social_card", spoken=date(2024, 4, 18))
    for child in (contact, brother):
        night.party(child, "child", dossier=dossier)
    before = told(night, contact)["dossier"].retention
    ask(night, Right.OBJECTION, brother, kind=RequesterKind.CHILD)
    after = told(night, contact)["dossier"].retention
    assert before == after
    assert not after.is_held


def test_whoever_is_not_the_child_is_not_told_whether_the_age_has_come(night: Night) -> None:
    """Section 7.1(d): the same words of a child of ten and of somebody of thirty."""
    said = set()
    for born in ("2016-03-04", "1990-03-04"):
        child, witness = night.contact(birthdate=born), night.contact()
        dossier = night.dossier("grooming")
        night.party(child, "child", dossier=dossier)
        night.party(witness, "witness", dossier=dossier)
        said.add(retention_lines(told(night, witness)["dossier"], texts_in("nl")))
    assert len(said) == 1


def with_other_terms(text: str) -> str:
    """The schedule with other terms."""
    others = {
        "review_months: 60": 24,
        "sealed_days: 30": 90,
        "register_years: 5": 7,
        "rule: RET-21\n    type: months_after\n    months: 6": 3,
    }
    for ours, number in others.items():
        assert ours in text
        text = text.replace(ours, f"{ours.rpartition(' ')[0]} {number}")
    return text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_criterion_has_the_terms_of_the_schedule(make_night: Callable[..., Night], language: str) -> None:
    """Section 7.1(d): of reviews, of a recording whose day is not told, of the register of requests."""
    night, texts = make_night(policy=with_other_terms), texts_in(language)
    child, parent = night.contact(birthdate="2016-03-04"), night.contact()
    missing, runaway = night.dossier("unexplained_disappearance"), night.dossier("runaway", closed=False)
    for dossier in (missing, runaway):
        night.party(child, "child", dossier=dossier)
        night.party(parent, "parent", dossier=dossier)
    night.recording(date(2026, 11, 20), fiche=night.fiche("runaway", dossier=runaway))
    limited = told(night, parent, child=child, kind=RequesterKind.PARENT_FOR_CHILD)["recording"]
    given = GivenPerson(firstname="Lotte", lastname="Peeters (fictief)", birthdate="2016-03-04")
    ask(night, Right.ACCESS, child, given=given, received_at=night.clock() - timedelta(days=9))
    (file,) = [each for each in contexts_of(night, child, given=given) if each.source == ("dossier", missing)]
    (earlier,) = [each for each in contexts_of(night, child, given=given) if each.kind == "request"]
    said = [re.findall(r"\d+", " ".join(retention_lines(each, texts))) for each in (limited, file, earlier)]
    assert said == [["3"], ["2"], ["7", "90"]]


def test_the_code_of_a_criterion_tells_no_term(make_night: Callable[..., Night]) -> None:
    night = make_night(policy=with_other_terms)
    child, parent = night.contact(birthdate="2016-03-04"), night.contact()
    runaway = night.dossier("runaway", closed=False)
    night.party(child, "child", dossier=runaway)
    night.party(parent, "parent", dossier=runaway)
    night.recording(date(2026, 11, 20), fiche=night.fiche("runaway", dossier=runaway))
    request = ask(night, Right.ACCESS, parent, child=child, kind=RequesterKind.PARENT_FOR_CHILD)
    compilation = compile_request(night.context, request.id, "dora", "dpo")
    data = json.loads(data_json(compilation, shown_of(compilation), night.context.speaks_for))
    (recording,) = (each for each in data["contexts"] if each["type"] == "recording")
    assert (recording["retention"]["criterion"], "3" in recording["retention"]["text"]) == ("after_contact", True)


@pytest.mark.parametrize(("criterion", "said"), [("no_term", ["5"]), ("six_months_after_contact", ["6"]), ("request", ["5", "30"])])
def test_an_answer_that_was_compiled_before_its_terms_were_kept_says_what_it_said(criterion: str, said: list[str]) -> None:
    old = msgspec.json.decode(msgspec.json.encode({"category": "", "last_day": None, "criterion": criterion}), type=Retention)
    context = msgspec.structs.replace(request_context("context-1", Defaults()), retention=old)
    assert re.findall(r"\d+", " ".join(retention_lines(context, texts_in("nl")))) == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_people_of_an_open_dossier_are_told_its_term_alike(night: Night, language: str) -> None:
    """RET-08, RET-13, section 7.1(d): it is kept until the age, and as long as it is open; that it is open is
    told by nothing of it."""
    child, witness = night.contact(birthdate="2012-03-04"), night.contact()
    said = set()
    for closed in (False, True):
        dossier = night.dossier("grooming", closed=closed)
        night.party(child, "child", dossier=dossier)
        night.party(witness, "witness", dossier=dossier)
        people = (child, witness) if not closed else (witness,)  # of a closed one the child is told the day
        for person in people:
            request = ask(night, Right.ACCESS, person)
            contexts = compile_request(night.context, request.id, "dora", "dpo").contexts
            said |= {retention_lines(each, texts_in(language)) for each in contexts if each.source == ("dossier", dossier)}
    assert len(said) == 1


@pytest.mark.parametrize("given", ["", "2012-03-04", "1900-01-01"])
def test_whether_a_neutral_answer_goes_to_a_minor_follows_from_what_was_given_alone(night: Night, given: str) -> None:
    """EXP-10, SUS-04: of somebody who may be told nothing, the birth date that is kept decides nothing; one
    that was given and stands for none says nothing (RET-09)."""
    suspected, known = night.contact(birthdate="2012-03-04"), night.contact(birthdate="2012-03-04")
    night.party(suspected, "suspect", dossier=night.dossier("sexting", closed=False))
    night.party(known, "child", dossier=night.dossier("sexting", closed=False))
    person = GivenPerson(firstname="Lotte", lastname="Peeters (fictief)", birthdate=given)
    neutral = compile_request(night.context, ask(night, Right.ACCESS, suspected, given=person).id, "dora", "dpo")
    package = compile_request(night.context, ask(night, Right.ACCESS, known, given=person).id, "dora", "dpo")
    assert (neutral.answer, neutral.addressee.is_minor) == ("neutral", given == "2012-03-04")
    assert (package.answer == "neutral", package.addressee.is_minor) == (False, True)
    assert (neutral.reference.startswith("DSR-2026-"), neutral.about) == (True, "Lotte Peeters (fictief)")


@pytest.mark.parametrize(
    ("recorded", "is_minor"),
    [
        ({"cf_birthyear": 2012}, True),
        ({"cf_statedage": 15, "cf_statedageon": "2026-01-01"}, True),
        ({"cf_birthyear": 2001}, False),
        ({"birthdate": "9999-12-31"}, False),
        ({"birthdate": "9999-12-31", "cf_birthyear": 2012}, True),
    ],
)
def test_exp10_who_is_a_minor_by_a_year_or_a_stated_age_has_the_page_of_minors(
    night: Night, recorded: dict[str, Any], is_minor: bool
) -> None:
    """RET-09: a date that stands for none is no birth date."""
    person = night.contact(**{"birthdate": None} | recorded)
    night.party(person, "child", dossier=night.dossier("sexting", closed=False))
    given = GivenPerson(firstname="Lotte", lastname="Peeters (fictief)")
    answer = compile_request(night.context, ask(night, Right.ACCESS, person, given=given).id, "dora", "dpo")
    assert answer.addressee.is_minor == is_minor


@pytest.mark.parametrize("given", ["", "2012-03-04"])
def test_exp10_a_minor_who_asks_for_a_child_and_is_told_own_data_has_the_page_of_minors(night: Night, given: str) -> None:
    minor, child = night.contact(birthdate="2012-03-04"), night.contact(birthdate="2016-03-04")
    night.party(minor, "child", dossier=night.dossier("sexting", closed=False))
    night.party(child, "child", dossier=night.dossier("sexting", closed=False))
    person = GivenPerson(firstname="Lotte", lastname="Peeters (fictief)", birthdate=given)
    check = IdentityCheck(IdentityMethod.EID, night.clock(), "dora", Mandate.NOT_SHOWN)
    request = ask(night, Right.ACCESS, minor, child=child, given=person, identity=check)
    answer = compile_request(night.context, request.id, "dora", "dpo")
    assert (answer.scope, answer.answer, answer.addressee.is_minor) == ("own", "package", True)


@pytest.mark.parametrize("category", ["social_card", "e_safety", "civil_party"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_told_as_a_basis_is_one_of_article_6_and_may_be_objected_to(night: Night, language: str, category: str) -> None:
    """Section 7.1(a), RGT-11: a purpose is not a basis; against a legitimate interest there is objection."""
    contact = night.contact(birthdate="2001-03-04")
    night.party(contact, "child", dossier=night.dossier(category, spoken=date(2026, 10, 18)))
    found = told(night, contact)["dossier"]
    lines = basis_lines(found, texts_in(language))
    assert ["6" in lines[0], "9" in lines[1], len(lines)] == [True, True, 2]
    assert "objection" in found.rights


def test_nobody_objects_to_what_rests_on_vital_interests(night: Night) -> None:
    """RGT-11: it is dealt with as a request to erase."""
    contact = night.contact(birthdate="2001-03-04")
    night.party(contact, "child", dossier=night.dossier("grooming", closed=False))
    assert "objection" not in told(night, contact)["dossier"].rights


def test_a_recording_in_the_file_of_a_child_names_no_speaker(night: Night) -> None:
    """Section 7.1(g): who spoke is in no column, so that neither the child nor a third party is told as its
    source."""
    contact = night.contact(birthdate="2001-03-04")
    dossier = night.dossier("grooming", closed=False, fiches=0)
    night.party(contact, "child", dossier=dossier)
    night.recording(date(2026, 11, 20), fiche=night.fiche("grooming", dossier=dossier, cf_reporterkind=100000003))
    found = told(night, contact)
    assert (found["recording"].sources, found["dossier"].sources) == (("contacts",), ("third_party",))


@pytest.mark.parametrize("reporter", [None, 100000000, 100000001, 100000003])
def test_of_a_parent_nobody_is_told_as_the_source_unless_it_was_they(night: Night, reporter: int | None) -> None:
    """R-119, section 7.1(g): "a third party" may be untrue of a parent who called, "a parent" would tell of
    the other one; the same words whoever it was. Whose call a number proves to be, they are told as it."""
    parent = night.contact(telephone1="+32470112233")
    in_a_file("parent", cf_reporterkind=reporter)(night, parent)
    assert told(night, parent)["dossier"].sources == ("contacts",)
    in_a_file("parent", cf_reporterkind=100000001, cf_callernumber="0470 11 22 33")(night, parent)
    request = ask(night, Right.ACCESS, parent)
    files = [each for each in compile_request(night.context, request.id, "dora", "dpo").contexts if each.kind == "dossier"]
    assert sorted(each.sources for each in files) == [("contacts",), ("self", "contacts")]


def test_a_file_without_a_conversation_has_no_source_made_up(night: Night) -> None:
    contact = night.contact(birthdate="2001-03-04")
    night.party(contact, "child", dossier=night.dossier("grooming", closed=False, fiches=0))
    assert told(night, contact)["dossier"].sources == ("contacts",)


@pytest.mark.parametrize("is_suspected", [False, True])
def test_a_volunteer_is_told_what_the_agreement_needs(night: Night, is_suspected: bool) -> None:
    """EXP-01, SUS-04: the birth date and the register number, whether there is a file that is closed or none
    at all."""
    contact = night.contact(birthdate="1985-03-04", cf_nationalnumber="85030400191")
    volunteer(night, contact)
    if is_suspected:
        night.party(contact, "suspect", dossier=night.dossier("sexting", closed=False))
    request = ask(night, Right.ACCESS, contact)
    compilation = compile_request(night.context, request.id, "dora", "dpo")
    (item,) = [each for each in compilation.items if each.kind == "contact"]
    said = {field.name: field.value for field in item.shown_fields}
    assert (said["birth_on"], said["national_number"]) == ("1985-03-04", "85030400191")
    assert {"birth", "national_number"} <= set(compilation.contexts[0].data_categories)


def test_a_donor_is_not_told_what_no_gift_needs(night: Night) -> None:
    """SUS-04: a birth date may stem from a file that is closed."""
    contact = night.contact(birthdate="1985-03-04")
    donor(night, contact)
    compilation = compile_request(night.context, ask(night, Right.ACCESS, contact).id, "dora", "dpo")
    assert "birth_on" not in {field.name for each in compilation.items for field in each.shown_fields}


def test_a_partner_takes_along_what_was_agreed_and_objects_only_to_an_interest(night: Night) -> None:
    """6.2, RGT-10, RGT-11: there is no objection against a contract."""
    contact = night.contact(firstname="Voorbeeld", lastname="Partner (fictief)", emailaddress1="partner@example.org")
    partner(night, contact)
    rights = told(night, contact)["partnership"].rights
    assert ("portability" in rights, "objection" in rights) == (True, False)
    compiled = compile_request(night.context, ask(night, Right.PORTABILITY, contact).id, "dora", "dpo")
    assert ["partner@example.org" in {field.value for field in item.fields} for item in shown_of(compiled).items] == [True]


def test_the_own_row_has_the_rights_of_whatever_needs_it(night: Night) -> None:
    """Section 7.1(e): where its address is used for the newsletter, consent in that is withdrawn."""
    contact = night.contact(birthdate="2001-03-04", cf_newsletter=True)
    night.party(contact, "witness", dossier=night.dossier("grooming", closed=False))
    found = told(night, contact)
    assert found["contact"].rights == found["newsletter"].rights
    assert "portability" not in found["dossier"].rights


def test_the_own_row_may_be_objected_to_where_any_of_its_basis_may(night: Night) -> None:
    """RGT-11: wholly or in part."""
    contact = night.contact(birthdate="2001-03-04")
    night.party(contact, "child", dossier=night.dossier("grooming", closed=False))
    assert "objection" not in told(night, contact)["contact"].rights
    night.party(contact, "child", dossier=night.dossier("social_card", spoken=date(2026, 10, 18)))
    assert "objection" in told(night, contact)["contact"].rights
