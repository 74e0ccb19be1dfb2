"""A kind of row that comes from several tables, and a table of which only some rows are meant: the same
night, the same answers, and what is out of scope is left alone and said (R-161)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from jobs.holds.place import Wanted, place_hold
from jobs.model.plan import Kind
from jobs.model.sentence import Sentence
from jobs.plans.questions.explain import explain_unit
from jobs.requests.search.search import search_everywhere
from jobs.restores.replay_plan import plan_replay
from rules.errors import NotFound, UsageError
from rules.holds.placements import HoldType
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.night import CATEGORY, ROLE, Night, night_in
from tests.drivers.side_by_side import APPLIED, PLANNED, Case, SideBySide, skipped
from tests.yaml_files import read_yaml, yaml_text

LONG_AGO, LATELY = date(2020, 1, 10), date(2026, 11, 1)
CASE, COMPLAINT, CONVERSATION = 1, 2, 3  # kinds of rows of cf_dossier


def environment(folder: Path) -> Path:
    """The reference organisation with a kind on its dossiers, and chats in a table of their own: notes hang
    on them, roles and recordings name them."""
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    document["choices"]["cf_kind"] = {CASE: "Zaak", COMPLAINT: "Klacht", CONVERSATION: "Gesprek"}
    tables = document["tables"]
    tables["cf_dossier"]["columns"]["cf_kind"] = {"type": "choice cf_kind"}
    tables["cf_dossier"]["columns"]["cf_parentid"] = {"type": "lookup cf_dossier", "schema_name": "cf_ParentId"}
    tables["cf_chat"] = {
        "set": "cf_chats",
        "columns": {
            "cf_chatid": {"type": "guid", "key": True},
            "cf_name": {"type": "string(100)", "primary_name": True, "pii": True},
            "cf_about": {"type": "lookup cf_dossier|contact", "schema_name": "cf_About"},
            "cf_heldon": {"type": "datetime"},
            "cf_categories": {"type": "choices cf_category"},
            "cf_text": {"type": "memo(10000)", "pii": True},
        },
    }
    tables["cf_party"]["columns"]["cf_ficheid"]["type"] = "lookup cf_fiche|cf_chat"
    tables["annotation"]["columns"]["objectid"]["type"] += "|cf_chat"
    document["relationships"] += [
        {"name": "cf_contact_chats", "parent": "contact", "child": "cf_chat", "column": "cf_about", "on_delete": "cascade"},
        {"name": "cf_dossier_dossiers", "parent": "cf_dossier", "child": "cf_dossier", "column": "cf_parentid", "on_delete": "cascade"},
        {"name": "cf_chat_parties", "parent": "cf_chat", "child": "cf_party", "column": "cf_ficheid", "on_delete": "cascade"},
        {"name": "cf_chat_Annotations", "parent": "cf_chat", "child": "annotation", "column": "objectid", "on_delete": "cascade"},
    ]
    path = folder / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    return path


def mapping() -> str:
    document: dict[str, Any] = read_yaml(mapping_text(Settings())[0])
    tables = document["tables"]
    del tables["dossier"]["anonymise"], tables["fiche"]["anonymise"]
    tables["dossier"]["only"] = {"cf_kind": [CASE]}
    choices = tables["fiche"]["choices"]["categories"]
    chat = {
        "table": "cf_chat",
        "columns": {"dossier": "cf_about", "categories": "cf_categories", "communicated_on": "cf_heldon", "created_on": "createdon"},
        "personal": {"number": "cf_name", "summary": "cf_text"},
        "choices": {"categories": choices},
    }
    conversation = {
        "table": "cf_dossier",
        "only": {"cf_kind": [CONVERSATION]},
        "columns": {"dossier": "cf_parentid", "categories": "cf_categories", "communicated_on": "cf_openedon", "created_on": "createdon"},
        "personal": {"number": "cf_name", "summary": "cf_summary"},
        "choices": {"categories": choices},
    }
    tables["fiche"] = [tables["fiche"], chat, conversation]
    return yaml_text(document)


class House(Night):
    """The organisation of `environment`."""

    def case(self, category: str = "social_card", *, kind: int = CASE, **more: Any) -> str:
        return self.dossier(category, spoken=LONG_AGO, cf_kind=kind, **more)

    def chat(self, on: date, *, about: str = "", person: str = "", **columns: Any) -> str:
        bound = {"cf_About_cf_dossier@odata.bind": f"/cf_dossiers({about})"} if about else {}
        bound |= {"cf_About_contact@odata.bind": f"/contacts({person})"} if person else {}
        values = {"cf_name": "C-test", "cf_heldon": f"{on}T11:00:00Z", "cf_categories": str(CATEGORY["social_card"])}
        return self.create("cf_chats", "cf_chatid", **values | bound | columns)

    def conversation(self, on: date, *, about: str = "", **columns: Any) -> str:
        bound = {"cf_ParentId@odata.bind": f"/cf_dossiers({about})"} if about else {}
        values = {"cf_name": "G-test", "cf_openedon": f"{on}T11:00:00Z", "cf_categories": str(CATEGORY["social_card"])}
        return self.create("cf_dossiers", "cf_dossierid", cf_kind=CONVERSATION, **values | bound | columns)

    def child_in(self, contact: str, table: str, place: str, row: str) -> str:
        """A role of a child in a fiche of either table."""
        bound = {"cf_ContactId@odata.bind": f"/contacts({contact})", f"cf_FicheId_{table}@odata.bind": f"/{place}({row})"}
        return self.create("cf_parties", "cf_partyid", cf_name="rol", cf_role=ROLE["child"], **bound)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with night_in(environment(tmp_path), tmp_path, kind=House, mapping=mapping()) as made:
        yield made


in_one_night = SideBySide[House]()


def test_a_night_with_all_of_these(house: House, subtests: pytest.Subtests) -> None:
    in_one_night.play(house, subtests)


def test_a_dossier_goes_with_its_fiches_of_every_table(house: House) -> None:
    dossier = house.case(fiches=1)
    chat, talk = house.chat(LONG_AGO, about=dossier), house.conversation(LONG_AGO, about=dossier)
    note = house.create("annotations", "annotationid", subject="n", **{"objectid_cf_chat@odata.bind": f"/cf_chats({chat})"})
    person = house.contact(birthdate="2000-02-01")
    role = house.child_in(person, "cf_chat", "cf_chats", chat)
    plan = house.plan()
    assert house.lines(plan)[dossier].outcome == "dispose"
    run = house.apply(plan)
    rows = run.counts["rows"]
    assert run.counts["deleted"] == 2
    assert run.counts["skipped"] == {}
    assert rows == {"annotation": 1, "cf_chat": 1, "cf_dossier": 2, "cf_fiche": 1, "cf_party": 1, "contact": 1}
    for place, row in (("cf_dossiers", dossier), ("cf_chats", chat), ("cf_dossiers", talk), ("annotations", note), ("cf_parties", role)):
        assert house.get(place, row) is None
    assert house.get("contacts", person) is None


@in_one_night
def a_late_chat_keeps_its_dossier(house: House) -> Case:
    """RET-11: the period begins with the last fiche, in whichever table it is."""
    dossier = house.case()
    house.chat(LATELY, about=dossier)
    plan = yield PLANNED
    assert house.lines(plan)[dossier].outcome == "retain"


@in_one_night
def lone_fiches_have_lines_by_their_own_tables(house: House) -> Case:
    """A chat about a person, or about nothing, is a fiche without a dossier (RET-02)."""
    person = house.contact()
    alone, about, talk = house.chat(LONG_AGO), house.chat(LONG_AGO, person=person), house.conversation(LONG_AGO)
    plan = yield PLANNED
    lines = [house.lines(plan)[row] for row in (alone, about, talk)]
    assert [line.table for line in lines] == ["cf_chat", "cf_chat", "cf_dossier"]
    assert {line.outcome for line in lines} == {"dispose"}
    yield APPLIED
    assert [house.get("cf_chats", alone), house.get("cf_chats", about), house.get("cf_dossiers", talk)] == [None, None, None]


@in_one_night
def what_is_out_of_scope_is_left_alone_with_what_belongs_to_it(house: House) -> Case:
    complaint = house.case(kind=COMPLAINT, fiches=1)
    chat = house.chat(LONG_AGO, about=complaint)
    (fiche,) = house.fiches_of(complaint)
    person = house.contact(birthdate="2000-02-01")
    roles = [house.party(person, "child", dossier=complaint), house.child_in(person, "cf_fiche", "cf_fiches", fiche)]
    recording = house.recording(LONG_AGO, fiche=fiche)
    note = house.note("cf_fiche", fiche, isdocument=True, mimetype="audio/mpeg", filename="a.mp3", documentbody="SUQz")
    plan = yield PLANNED
    assert house.lines(plan).keys().isdisjoint({complaint, chat, fiche, person, recording, note, *roles})
    assert {"of_no_kind", "of_what_has_no_kind"} <= {warning.name for warning in plan.warnings if isinstance(warning, Sentence)}
    yield APPLIED
    for place, row in (("cf_dossiers", complaint), ("cf_chats", chat), ("cf_fiches", fiche), ("cf_recordings", recording)):
        assert house.get(place, row) is not None
    assert house.get("annotations", note) is not None
    assert house.get("contacts", person) is not None
    assert all(house.get("cf_parties", role) is not None for role in roles)


@in_one_night
def a_role_in_what_is_out_of_scope_keeps_its_person(house: House) -> Case:
    """RET-20: the person of a dossier that goes, and of a complaint that stays."""
    dossier, complaint, person = house.case(), house.case(kind=COMPLAINT), house.contact(birthdate="2000-02-01")
    house.party(person, "child", dossier=dossier)
    other = house.party(person, "reporter", dossier=complaint)
    yield APPLIED
    assert house.get("cf_dossiers", dossier) is None
    assert house.get("contacts", person) is not None
    assert house.get("cf_parties", other) is not None


@in_one_night
def a_row_that_leaves_its_kind_after_the_plan_stays(house: House) -> Case:
    """RET-17: what was planned is not what is there."""
    dossier = house.case()
    plan = yield PLANNED
    assert house.lines(plan)[dossier].outcome == "dispose"
    house.patch("cf_dossiers", dossier, cf_kind=COMPLAINT)
    run = yield APPLIED
    assert house.get("cf_dossiers", dossier) is not None
    assert skipped(house, run, dossier) == {"CHANGED": 1}


@in_one_night
def a_hold_on_a_chat_keeps_its_dossier(house: House) -> Case:
    """HLD-04: a hold on a fiche reaches the unit, in whichever table the fiche is."""
    dossier = house.case()
    chat = house.chat(LONG_AGO, about=dossier)
    wanted = Wanted(
        type=HoldType.LEGAL, table="cf_chat", row=chat, reason_code="COURT", basis="vonnis (fictief)", review_on=date(2026, 12, 24)
    )
    placed = place_hold(house.context, wanted, "fictief-dpo", "dpo")
    assert (placed.table, placed.kind) == ("cf_chat", "fiche")
    plan = yield PLANNED
    assert house.lines(plan)[dossier].outcome == "retain"


@in_one_night
def a_hold_by_conditions_is_on_the_first_kind_of_a_table_of_several(house: House) -> Case:
    """HLD-04: no row tells there which kind is meant."""
    dossier, chat = house.case("e_safety"), house.chat(LONG_AGO)
    usual: dict[str, Any] = {"type": HoldType.LEGAL, "reason_code": "COURT", "basis": "vonnis (fictief)", "review_on": date(2026, 12, 24)}
    where = ("category=e_safety",)
    placed = [
        place_hold(house.context, Wanted(table=each, where=where, **usual), "fictief-dpo", "dpo") for each in ("cf_dossier", "cf_chat")
    ]
    assert [(hold.table, hold.kind) for hold in placed] == [("cf_dossier", "dossier"), ("cf_chat", "fiche")]
    with pytest.raises(UsageError, match="on one row, or on what meets conditions"):
        place_hold(house.context, Wanted(table="cf_dossier", **usual), "fictief-dpo", "dpo")
    plan = yield PLANNED
    assert house.lines(plan)[dossier].outcome == "retain"
    assert house.lines(plan)[chat].outcome == "dispose"


def test_why_asks_a_row_by_its_own_table(house: House) -> None:
    alone, talk = house.chat(LONG_AGO), house.conversation(LONG_AGO)
    dossier = house.case()
    inside = house.chat(LONG_AGO, about=dossier)
    asked = {key: explain_unit(house.context, *key)[0].key for key in (("cf_chat", alone), ("cf_dossier", talk), ("cf_chat", inside))}
    assert asked == {
        ("cf_chat", alone): ("cf_chat", alone),
        ("cf_dossier", talk): ("cf_dossier", talk),
        ("cf_chat", inside): ("cf_dossier", dossier),
    }


def test_a_request_searches_all_tables_and_names_what_is_out_of_scope(house: House) -> None:
    """EXP-03: rows that the mapping leaves out are named as not searched."""
    dossier, person = house.case(), house.contact(birthdate="2000-02-01")
    house.party(person, "child", dossier=dossier)
    complaint = house.case(kind=COMPLAINT)
    house.party(person, "reporter", dossier=complaint)
    chat = house.chat(LATELY, about=dossier, cf_text="woord042")
    found = search_everywhere(house.context, {person})
    assert "woord042" in str(found.rows("fiche")[chat])
    assert dossier in found.rows("dossier")
    assert complaint not in found.rows("dossier")
    assert "table:cf_dossier" in found.not_searched
    assert "column:dossier.cf_kind" not in found.not_searched


@in_one_night
def what_had_been_erased_and_is_back_goes_again_from_its_own_table(house: House) -> Case:
    """ERA-13: a chat that comes back from a backup."""
    chat = house.chat(LONG_AGO)
    yield APPLIED
    answer = house.http.post(
        house.emulator.url + "cf_chats",
        json={"cf_chatid": chat, "cf_name": "C-test", "cf_heldon": "2020-01-10T11:00:00Z", "cf_categories": "100000000"},
    )
    assert answer.status_code == 204
    plan = plan_replay(house.context)
    assert plan is not None
    assert plan.kind is Kind.REPLAY
    assert [line.key for line in house.lines(plan).values()] == [("cf_chat", chat)]
    house.apply(house.approved(plan))
    assert house.get("cf_chats", chat) is None


def test_the_data_map_says_which_rows_are_out_of_scope(house: House) -> None:
    house.case(kind=COMPLAINT)
    house.case()
    (place,) = [each for each in house.connector.data_map(whole=True).tables if each.table == "cf_dossier"]
    assert place.beyond == 1
    assert "cf_kind is 1; others are out of scope" in place.why


def test_a_plan_says_what_is_in_no_unit_since_the_mapping_leaves_it_out(house: House) -> None:
    """R-161: kept without an end, so that somebody has to know of it."""
    complaint = house.case(kind=COMPLAINT, fiches=1)
    (fiche,) = house.fiches_of(complaint)
    house.recording(LONG_AGO, fiche=fiche)
    house.chat(LONG_AGO, about=complaint)
    warnings = [warning for warning in house.plan().warnings if isinstance(warning, Sentence)]
    assert [(warning.name, warning.facts) for warning in warnings if str(warning).startswith("OUT_OF_SCOPE")] == [
        ("of_what_has_no_kind", {"rows": 3}),
        ("of_no_kind", {"rows": 1, "table": "cf_dossier"}),
    ]
    with pytest.raises(NotFound, match="of no kind of the mapping") as refusal:
        explain_unit(house.context, "cf_fiche", fiche)
    assert refusal.value.code == "out_of_scope"


def test_what_somebody_has_said_to_stay_is_not_told_each_night(tmp_path: Path) -> None:
    """R-161: complaints are left out on purpose, and so is what belongs to them; a fiche of something else is
    told."""
    said = {"cf_dossier": {"why": "klachten zijn niet van ons", "by": "dpo"}}
    with night_in(environment(tmp_path), tmp_path, kind=House, mapping=yaml_text(read_yaml(mapping()) | {"stay": said})) as house:
        complaint, other = house.case(kind=COMPLAINT, fiches=1), house.case()
        child = house.case(kind=COMPLAINT, **{"cf_ParentId@odata.bind": f"/cf_dossiers({house.case()})"})
        house.recording(LONG_AGO, fiche=house.fiches_of(complaint)[0])
        plan = house.plan()
        assert not [each for each in plan.warnings if str(each).startswith("OUT_OF_SCOPE")]
        house.apply(plan)
        # Such rows stay, also where the CRM would take one along with a dossier.
        assert [house.get("cf_dossiers", row) is None for row in (complaint, child, other)] == [False, False, True]


@in_one_night
def what_is_out_of_scope_and_would_go_with_a_dossier_keeps_it(house: House) -> Case:
    """R-158: the CRM deletes it along, and nobody has said that it may go."""
    dossier = house.case()
    complaint = house.case(kind=COMPLAINT, **{"cf_ParentId@odata.bind": f"/cf_dossiers({dossier})"})
    run = yield APPLIED
    assert skipped(house, run, dossier) == {"SKIPPED_TECHNICAL": 1}
    assert run.counts["unaccounted"] == {"cf_dossier": 1}  # nothing else of this night waits for that
    assert house.get("cf_dossiers", dossier) is not None
    assert house.get("cf_dossiers", complaint) is not None


def test_a_person_stays_while_the_crm_would_delete_a_fiche_about_them_along(house: House) -> None:
    """R-158: a chat about a person is a fiche of its own, which has not ended."""
    old = house.case(fiches=1)
    person = house.contact(birthdate="2000-02-01")
    house.party(person, "child", dossier=old)
    chat = house.chat(LATELY, person=person)
    run = house.apply(house.plan())
    assert house.get("cf_chats", chat) is not None
    assert (house.get("cf_dossiers", old), house.get("contacts", person) is None) == (None, False)
    assert run.counts["unaccounted"] == {"cf_chat": 1}
