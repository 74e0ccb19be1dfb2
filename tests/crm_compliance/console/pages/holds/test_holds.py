"""Holds: listed, placed by the DPO, lifted by somebody else, and what the other roles do not see of them."""

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from connectors.dynamics.connector import DynamicsConnector
from jobs.ledger.heads import HOLDS
from rules.holds.placements import HoldType
from rules.model.roles import Role
from tests.crm_compliance.console.api.test_calls import Script
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.night import Night
from tests.drivers.requesting import unreachable
from tests.drivers.typist import LONG_AGO, Typist
from tests.integration.test_fiches_without_categories import without_categories

NOBODY = "00000000-0000-0000-0000-0000000000ff"
FORM = {"type": "judicial", "reason": "REQ-1", "basis": "letter of the prosecutor", "review_on": "2027-02-01"}


def place(browser: Browser, **more: str) -> str:
    """Place a hold by the form, and return its address."""
    answer = browser.post("/holds/new", **(FORM | more))
    assert answer.status_code == 303, text_of(answer.text)
    address: str = answer.headers["Location"]
    return address


def test_a_hold_is_placed_by_one_person_and_lifted_by_another(typist: Typist, org: Night, signed_in: Callable[..., Browser]) -> None:
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    dpo, approver = signed_in(Role.DPO), signed_in(Role.APPROVER)
    assert "No hold is in force" in text_of(dpo.page("/holds"))
    assert f'value="{dossier}"' in dpo.page(f"/holds/new?table=cf_dossier&id={dossier}")
    address = place(dpo, scope="row", table="cf_dossier", id=dossier.upper())
    assert typist.ask("plan")["retain"] == {"HOLD_JUDICIAL": 1}
    for browser in (dpo, approver, signed_in(Role.AUDITOR)):
        assert dossier in browser.page("/holds")
    assert "letter of the prosecutor" in dpo.page(address)
    assert "You placed it" in text_of(dpo.page(address))
    lift = {"asked_by": "carl", "reason": "case closed"}
    assert dpo.post(f"{address}/release", **lift).status_code == 403
    assert approver.post(f"{address}/release", **(lift | {"reason": ""})).status_code == 400
    refused = approver.post(f"{address}/release", **(lift | {"asked_by": "Juridische dienst"}))
    assert (refused.status_code, "without spaces: anna" in refused.text) == (400, True)
    refused = approver.post(f"{address}/release", **(lift | {"asked_by": "demo-erik"}))
    assert (refused.status_code, "Who asks for it cannot be you." in refused.text) == (403, True)
    for who in ("Juridische dienst", "demo-erik"):
        form = {"csrf": approver.token, **lift, "asked_by": who}
        part = approver.client.post(f"{address}/release", data=form, headers={"HX-Request": "true"}).text
        assert 'data-field="asked_by"' in part, "the page says it at the field"
    assert approver.post(f"{address}/release", **lift).status_code == 303
    page = text_of(approver.page(address))
    assert ("The hold is lifted." in page, "What it kept, and why" in page) == (True, True)
    assert [words in page for words in ("until it is lifted", "is kept too", "Review on")] == [False] * 3, "it keeps nothing any more"
    assert typist.ask("plan")["retain"] == {}
    assert "asked for by carl" in text_of(approver.page(address))
    assert dossier not in dpo.page("/holds")
    assert dossier in dpo.page("/holds?show=over")
    assert approver.post(f"{address}/release", **lift).status_code == 409


def test_whoever_holds_fiches_by_a_category_that_they_have_not_is_told_by_what_they_are_held(
    typist: Typist, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(without_categories(), encoding="utf-8")
    typist.set(MAPPING=str(mapping))
    dpo = request.getfixturevalue("signed_in")(Role.DPO)
    told = "have no category of their own"
    for table, is_told in (("cf_fiche", True), ("cf_dossier", False)):
        address = place(dpo, scope="fitting", table=table, where="category=e_safety")
        assert (told in text_of(dpo.page(address))) is is_told
        script = Script(request.getfixturevalue("app"), Role.DPO)
        wanted = {
            "type": "judicial",
            "table": table,
            "where": ["category=grooming"],
            "reason": "CASE",
            "basis": "letter",
            "review_on": "2027-05-01",
        }
        assert script.act("/holds", wanted, 201)["without_categories"] == [table] * is_told


def test_a_form_that_is_sent_twice_places_one_hold(org: Night, signed_in: Callable[..., Browser]) -> None:
    dpo, dossier = signed_in(Role.DPO), org.dossier("social_card", spoken=LONG_AGO)
    (once,) = re.findall(r'name="once" value="(.+?)"', dpo.page("/holds/new"))
    form = {"scope": "row", "table": "cf_dossier", "id": dossier, "once": once}
    assert place(dpo, **form) == place(dpo, **form)
    assert len(org.store.holds.all()) == 1
    place(dpo, **(form | {"basis": "another letter"}))
    assert len(org.store.holds.all()) == 2


def test_a_long_list_is_filtered_and_paged(org: Night, signed_in: Callable[..., Browser]) -> None:
    dpo, dossier = signed_in(Role.DPO), org.dossier("social_card", spoken=LONG_AGO)
    first = place(dpo, scope="row", table="cf_dossier", id=dossier)
    hold = org.store.holds.get(first.rsplit("/", 1)[1])
    for number in range(60):
        other = msgspec.structs.replace(hold, id=f"hold-{number:012d}", row=f"{number:08d}{NOBODY[8:]}", type=HoldType.LEGAL)
        org.store.holds.place(other, ("hold_placed", {}))
    page = dpo.page("/holds")
    assert "1–50 of 61" in text_of(page)
    assert dossier not in page
    assert "51–61 of 61" in text_of(dpo.page("/holds?page=2"))
    assert dossier in dpo.page("/holds?page=2")
    assert '<option value="cf_dossier">' in page
    legal = dpo.page("/holds?type=legal&table=cf_dossier")
    assert "1–50 of 60" in text_of(legal)
    assert "type=legal&amp;table=cf_dossier&amp;page=2" in legal
    one = dpo.page(f"/holds?id={dossier[:13].upper()}")
    assert dossier in one
    assert "00000001" not in one
    assert "No hold is like this" in text_of(dpo.page("/holds?id=nothing"))
    assert "No hold is like this" in text_of(dpo.page("/holds?show=crm&table=contact"))
    assert dpo.get("/holds?type=nothing").status_code == 400


def test_what_people_wrote_is_for_those_who_decide(typist: Typist, org: Night, signed_in: Callable[..., Browser]) -> None:
    address = place(signed_in(Role.DPO), scope="row", table="cf_dossier", id=org.dossier("social_card", spoken=LONG_AGO))
    page = signed_in(Role.AUDITOR).page(address)
    assert "letter of the prosecutor" not in page
    assert "/release" not in page
    assert "/holds/new" not in page


def test_a_person_and_conditions_can_be_held(typist: Typist, org: Night, signed_in: Callable[..., Browser]) -> None:
    dpo, person = signed_in(Role.DPO), org.contact()
    org.dossier("social_card", spoken=LONG_AGO)
    assert person in dpo.page(place(dpo, scope="person", id=person, type="restriction", obtained_by=f"{person}\n"))
    fitting = place(dpo, scope="fitting", table="cf_dossier", where="category=social_card\ncategory=e_safety", type="legal")
    assert "category = social_card | e_safety" in text_of(dpo.page(fitting))
    assert typist.ask("plan")["retain"] == {"HOLD_LEGAL": 1, "ORPHAN_CONTACT": 1}
    assert "category=e_safety" in dpo.page(fitting.replace("/holds/", "/holds/new?from="))


def test_a_restriction_is_lifted_after_the_person_knows(typist: Typist, org: Night, signed_in: Callable[..., Browser]) -> None:
    person = org.contact()
    address = place(signed_in(Role.DPO), scope="person", id=person, type="restriction")
    approver = signed_in(Role.APPROVER)
    lift = {"asked_by": "carl", "reason": "decided"}
    assert approver.post(f"{address}/release", **lift).status_code == 409
    assert approver.post(f"{address}/release", notified_on="2026-11-25", **lift).status_code == 303


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"scope": ""}, 400),
        ({"type": "request"}, 400),
        ({"id": "Jan Peeters"}, 400),
        ({"id": NOBODY}, 400),
        ({"review_on": "soon"}, 400),
        ({"review_on": "2028-01-01"}, 400),
        ({"reason": "STATISTICS"}, 409),
    ],
    ids=lambda value: str(value),
)
def test_what_no_hold_may_be_is_refused(
    typist: Typist, org: Night, signed_in: Callable[..., Browser], wrong: dict[str, str], status: int
) -> None:
    dossier, dpo = org.dossier("social_card", spoken=LONG_AGO), signed_in(Role.DPO)
    answer = dpo.post("/holds/new", **(FORM | {"scope": "row", "table": "cf_dossier", "id": dossier} | wrong))
    assert answer.status_code == status, text_of(answer.text)
    assert "Peeters" not in answer.text
    assert org.store.holds.all() == []


def test_every_table_that_can_be_held_has_a_name(typist: Typist, org: Night, signed_in: Callable[..., Browser]) -> None:
    page = signed_in(Role.DPO, "nl").page("/holds/new")
    assert [words for words in ("Rol in een dossier (cf_party)", "Fiche (cf_fiche)", "Nota (annotation)") if words not in page] == []
    assert re.findall(r'value="([a-z_]+)"[^>]*>\1<', page) == []


def test_what_is_wrong_in_a_field_is_said_in_the_language_of_the_page(org: Night, signed_in: Callable[..., Browser]) -> None:
    answer = signed_in(Role.DPO, "nl").post("/holds/new", **FORM, scope="row", table="cf_dossier", id=NOBODY)
    assert (answer.status_code, "Het CRM heeft geen record met dit id" in text_of(answer.text)) == (400, True)
    answer = signed_in(Role.DPO).post("/holds/new", **FORM | {"reason": "LIT 1"}, scope="row", table="cf_dossier", id=NOBODY)
    assert "The reason code has letters, digits and . _ / - alone" in text_of(answer.text), "its own field, and what may stand there"


@pytest.mark.parametrize(
    ("table", "where"), [("cf_dossier", "categorie=grooming"), ("cf_dossier", "category=Fugue"), ("cf_dossier", ""), ("cf_party", "a=b")]
)
def test_a_condition_that_is_none_is_told_at_its_field_and_the_page_lists_what_can_be_written(
    org: Night, signed_in: Callable[..., Browser], table: str, where: str
) -> None:
    dpo = signed_in(Role.DPO, "fr")
    refused = dpo.post("/holds/new", **FORM, scope="fitting", table=table, where=where)
    assert (refused.status_code, "Une condition est un des champs" in text_of(refused.text)) == (400, True)
    page = text_of(dpo.page("/holds/new"))
    assert "runaway Fugue" in page
    assert "located localisé" in page


def test_while_the_crm_does_not_answer_a_hold_is_placed_if_it_cannot_wait(
    org: Night, typist: Typist, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    """HLD-02 asks for one authorised person, at once: a night may begin before the DPO can ask again."""
    dossier, dpo = org.dossier("social_card", spoken=LONG_AGO), signed_in(Role.DPO)
    form = FORM | {"scope": "row", "table": "cf_dossier", "id": dossier}
    with monkeypatch.context() as away:
        away.setattr(DynamicsConnector, "check", unreachable)
        away.setattr("jobs.holds.look_up.rows_anywhere", unreachable)
        answer = dpo.post("/holds/new", **form)
        assert (answer.status_code, "tick below that it is placed all the same" in text_of(answer.text)) == (503, True)
        assert org.store.holds.all() == []
        address = place(dpo, **form, unseen="1")
        for page in (dpo.page(address), dpo.page("/holds")):
            assert "Not seen in the CRM" in text_of(page)
    assert list(org.store.ledger.strand(HOLDS))[-1].data["unseen"] is True
    assert typist.ask("plan")["retain"] == {"HOLD_JUDICIAL": 1}
    assert signed_in(Role.APPROVER).post(f"{address}/release", asked_by="carl", reason="looked up").status_code == 303
    assert "Not seen" not in text_of(dpo.page(address))


def test_a_crm_that_answers_is_asked_whatever_was_ticked(org: Night, signed_in: Callable[..., Browser]) -> None:
    dpo, form = signed_in(Role.DPO), FORM | {"scope": "row", "table": "cf_dossier", "unseen": "1"}
    assert dpo.post("/holds/new", **form, id=NOBODY).status_code == 400
    assert "Not seen" not in text_of(dpo.page(place(dpo, **form, id=org.dossier("social_card", spoken=LONG_AGO))))


def test_what_requests_keep_is_for_the_dpo_alone(typist: Typist, org: Night, signed_in: Callable[..., Browser]) -> None:
    assert "show=requests" in signed_in(Role.DPO).page("/holds?show=requests")
    for role in (Role.APPROVER, Role.AUDITOR):
        browser = signed_in(role)
        assert "show=requests" not in browser.page("/holds")
        assert browser.get("/holds?show=requests").status_code == 403


def test_the_flags_of_the_crm_are_a_list_of_their_own(typist: Typist, org: Night, signed_in: Callable[..., Browser]) -> None:
    dossier = org.dossier("social_card", spoken=LONG_AGO, cf_legalhold=True)
    typist.ask("plan")
    assert dossier in signed_in(Role.AUDITOR).page("/holds?show=crm")
    assert signed_in(Role.AUDITOR).get("/holds?show=nothing").status_code == 400
