"""Rows of an organisation's dependent tables in the answer to a person: found, named, told and withheld."""

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.interface.rows import Content
from crm_compliance.answer_package.content.view import shown_of
from crm_compliance.answer_package.data import data_json
from crm_compliance.answer_package.package import package_of
from jobs.model.answer import ItemStatus
from jobs.ports.context import JobContext
from jobs.requests.answer import attachments
from jobs.requests.answer.attachments import attachments_of
from jobs.requests.search.documents import content_of
from jobs.requests.search.gaps import places_not_searched
from jobs.requests.search.search import search_everywhere
from rules.model.requests import Outcome, Right
from rules.rights.withholding import withheld_on_behalf
from tests.drivers.deciding import ask, granted
from tests.drivers.night import Night, night_in
from tests.drivers.organisation import set_faults
from tests.integration.dependent import MAPPING, SETS, add, dependent_environment, dependent_mapping, dependent_night
from tests.integration.planted_in_dependent import night, plant, rows_left
from tests.integration.planter import Planter
from tests.jobs.requests.answer.answers import Answer
from tests.yaml_files import read_yaml, yaml_text

__all__ = ["night"]  # fixtures


def test_an_access_request_finds_every_word_and_file(night: Night) -> None:
    """EXP-03."""
    planter = Planter(night)
    rows = plant(night, planter)
    answer = Answer(night, rows["contact"])
    compilation = answer.compile()
    texts = "\n".join([item.proposal for item in compilation.items])
    assert {place for word, place in planter.words.items() if word not in texts} == set()
    assert [item.attachment for item in compilation.items if item.attachment is not None] == [], "the file is a text, and told as one"
    assert {place for place in compilation.not_searched if place.startswith("table:")} == {"table:cf_bill"}, "the pairs of themes are read"
    assert compilation.is_complete


@pytest.mark.parametrize(("name", "is_text"), [("verslag.txt", True), ("verslag.bin", False)])
def test_a_file_that_is_a_text_is_told_as_one(night: Night, name: str, is_text: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """EXP-06, EXP-07: as that of a note is. An address that is nobody's here becomes a label, which nobody
    could put into the file; every other file is handed on once a person has looked at it."""
    child, dossier = night.contact(birthdate="2012-03-04"), night.dossier("grooming", closed=False, fiches=0)
    night.party(child, "child", dossier=dossier)
    night.contact(firstname="Theofiel", lastname="Vandersteenkiste (fictief)")
    visit = add(night, "cf_homevisit", ("cf_DossierId", "cf_dossiers", dossier), cf_report="Alles rustig.")
    row = add(night, "cf_paragraph", ("cf_HomevisitId", "cf_homevisits", visit))
    said = b"Theofiel Vandersteenkiste zei: schrijf naar onbekend@example.org."
    headers = {"x-ms-file-name": name, "Content-Type": "application/octet-stream"}
    put = night.http.patch(f"{night.emulator.url}cf_paragraphs({row})/cf_scan", data=said, headers=headers)
    assert put.status_code == 204
    answer = Answer(night, child)
    asked: list[tuple[object, ...]] = []

    def counted(context: JobContext, *place: str) -> Content | None:
        asked.append(place)
        return content_of(context, *place)

    monkeypatch.setattr(attachments, "content_of", counted)
    (item,) = [item for item in answer.compile().items if item.title == "attachment"]
    assert [place[0] for place in asked].count("cf_paragraph") == (1 if is_text else 2), (
        "once to know what it is, and once more to look into what is no text"
    )
    assert (item.attachment is None, bool(item.proposal)) == (is_text, is_text)
    assert not [name for name in ("Vandersteenkiste", "onbekend") if name in item.proposal]
    assert ("schrijf naar [" in item.proposal) is is_text
    answer.approve()
    made = package_of(answer.now, night.context.organisation, attachments_of(answer.context, answer.now))
    assert b"onbekend@" not in made["data.json"]


@pytest.mark.parametrize(
    ("language", "words", "result"),
    [
        ("nl", ("Huisbezoek", "Verslag", "Bezocht op", "1,2345", ">12</dd>"), "Goed gesprek"),
        ("fr", ("Visite à domicile", "Rapport", "Bezocht op", "1,2345", ">12</dd>"), "Bonne conversation"),
        ("en", ("Home visit", "Report", "Visited on", "1.2345", ">12</dd>"), "Good talk"),
        ("de", ("Hausbesuch", "Bericht", "Bezocht op", "1,2345", ">12</dd>"), "Goed gesprek"),
    ],
)
def test_they_are_called_what_the_crm_calls_them(night: Night, language: str, words: tuple[str, ...], result: str) -> None:
    """EXP-12: in the language of the answer, else in that of the CRM."""
    child = night.contact(birthdate="2012-03-04")
    dossier = night.dossier("grooming", closed=False, fiches=0)
    night.party(child, "child", dossier=dossier)
    add(
        night, "cf_homevisit", ("cf_DossierId", "cf_dossiers", dossier), cf_report="Alles rustig.", cf_hours=1.2345,
        cf_steps=12, cf_visitedon="2026-03-05", cf_result=100000001, cf_urgent=False,
    )  # fmt: skip
    answer = Answer(night, child, language=language)
    answer.compile()
    answer.approve()
    compilation = answer.now
    contents = package_of(compilation, night.context.organisation, {})
    page = contents["index.html"].decode()
    assert {word for word in (*words, result, "Alles rustig.") if word not in page} == set()
    assert "cf_" not in page
    (item,) = [item for item in compilation.items if item.kind == "cf_homevisit"]
    assert {field.name: field.value for field in item.fields if not field.is_text} == {
        "cf_visitedon": "2026-03-05",
        "cf_hours": 1.2345,
        "cf_steps": 12,
        "cf_urgent": False,
        "cf_result": result,
    }
    assert item.at == "2026-03-05"
    document = json.loads(contents["data.json"])
    assert document["words"]["cf_homevisit"] == words[0]
    assert document["words"]["cf_homevisit.cf_report"] == words[1]
    assert answer.release() is Outcome.DELIVERED


@pytest.mark.parametrize(
    ("language", "searched", "not_searched"),
    [
        ("nl", "overeenkomsten, Huisbezoeken", "andere tabellen van ons systeem (Rekeningen)"),
        ("fr", "Visites à domicile", "autres tables de notre système (Factures)"),
        ("de", "Hausbesuche", "weitere Tabellen unseres Systems (Rechnungen)"),
        ("en", "Home visits", "other tables in our system (Bills)"),
    ],
)
def test_where_was_searched_is_told_by_the_names_of_the_crm(night: Night, language: str, searched: str, not_searched: str) -> None:
    """EXP-03, also to whom no row of these tables belongs."""
    dossier = night.dossier("grooming", closed=False, fiches=0)
    add(night, "cf_bill", ("cf_DossierId", "cf_dossiers", dossier), cf_name="Rekening 1")
    answer = Answer(night, night.contact(), language=language)
    answer.compile()
    answer.approve()
    page = package_of(answer.now, night.context.organisation, {})["index.html"].decode()
    assert [word for word in (searched, not_searched) if word not in page] == []
    assert "cf_bill" not in page


def test_columns_of_such_a_table_that_nobody_searches_are_told(tmp_path: Path) -> None:
    """EXP-03: a table of which the mapping leaves a text out is not one that was searched whole."""
    mapping = MAPPING.read_text("utf-8").replace("texts: [cf_name, cf_report]", "texts: [cf_report]")
    with dependent_night(tmp_path, mapping) as night:
        dossier = night.dossier("grooming", closed=False, fiches=0)
        add(night, "cf_homevisit", ("cf_DossierId", "cf_dossiers", dossier), cf_name="Bezoek 1")
        answer = Answer(night, night.contact(), language="en")
        answer.compile()
        answer.approve()
        page = package_of(answer.now, night.context.organisation, {})["index.html"].decode()
        assert "some fields of Home visits." in page


def test_hundreds_of_tables_are_named(night: Night) -> None:
    """An address has an end: nobody would get an answer."""
    tables = {"contact", *(f"cf_table_of_somebody_{number}" for number in range(700))}
    assert night.connector.table_names(tables, "en").keys() == {"contact"}


def test_data_categories_of_what_belongs_to_a_person(night: Night) -> None:
    """Section 7.1(b): an assessment is no conversation."""
    contact = night.contact(birthdate=None)
    add(night, "cf_assessment", ("cf_ContactId", "contacts", contact), cf_finding="Rustig.")
    (context,) = Answer(night, contact).compile().contexts
    assert ("facts" in context.data_categories, "communication" in context.data_categories) == (True, False)


def test_an_answer_without_such_rows_has_no_words(night: Night) -> None:
    child = night.contact(birthdate="2012-03-04")
    night.party(child, "child", dossier=night.dossier("grooming", closed=False))
    compilation = Answer(night, child).compile()
    assert "words" not in json.loads(data_json(compilation, shown_of(compilation), night.context.organisation))


def test_who_is_only_named_by_a_lookup_is_told_what_a_person_has_read(night: Night) -> None:
    """EXP-04: it is a mention, without the file."""
    rows = plant(night, Planter(night))
    visited = night.contact(firstname="Mina", lastname="Verstraeten (fictief)")
    night.patch("cf_homevisits", rows["cf_homevisit"], **{"cf_VisitedId@odata.bind": f"/contacts({visited})"})
    compilation = Answer(night, visited).compile()
    (item,) = [item for item in compilation.items if item.kind == "cf_homevisit"]
    assert (item.title, item.status, item.withholds) == ("mention", ItemStatus.PENDING_REVIEW, "mention")
    assert not [item for item in compilation.items if item.kind in ("dossier", "cf_paragraph", "cf_remark")]


def test_nothing_of_them_is_told_from_a_closed_file(night: Night) -> None:
    """SUS-05."""
    rows = plant(night, Planter(night))
    suspect = night.contact(firstname="Karel", lastname="Melderman (fictief)")
    night.party(suspect, "suspect", dossier=rows["cf_dossier"])
    night.donation(suspect)
    night.patch("cf_homevisits", rows["cf_homevisit"], **{"cf_VisitedId@odata.bind": f"/contacts({suspect})"})
    compilation = Answer(night, suspect).compile()
    assert not [item for item in compilation.items if item.kind in SETS]


def test_of_a_file_limited_by_a_running_away_nothing_of_them_is_told_unasked() -> None:
    """RGT-09: what a table of the organisation's own says may lead to the child."""
    assert withheld_on_behalf("cf_homevisit", "cf_hours") == "child_statements"


def test_a_granted_erasure_leaves_nobody_named_in_a_file_of_others(night: Night) -> None:
    """6.2: the information stays, and whose it was goes."""
    rows = plant(night, Planter(night))
    witness = night.contact()
    night.party(witness, "witness", dossier=rows["cf_dossier"])
    night.patch("cf_homevisits", rows["cf_homevisit"], **{"cf_VisitedId@odata.bind": f"/contacts({witness})"})
    request = ask(night, Right.ERASURE, witness)
    run = granted(night, request)
    assert run is not None
    visit = night.get("cf_homevisits", rows["cf_homevisit"])
    assert visit is not None
    assert visit["_cf_visitedid_value"] is None
    assert visit["cf_report"]
    assert rows_left(night, rows) == set(SETS)


def test_a_place_that_may_not_be_looked_into_for_rows_of_one_table_is_named(night: Night) -> None:
    """EXP-03, SUS-04: also of rows that a table of links ties to others: no column leads to them."""
    rows = plant(night, Planter(night))
    night.http.put(f"{night.emulator.root}/_emulator/switches", json={"recycle_bin_days": 30}).raise_for_status()
    for table in ("cf_theme", "cf_homevisit", "task"):
        for source in ("bin", "retained"):
            rule = {"match": {"path": f'*datasource="{source}"*name="{table}"*'}, "do": "status", "status": 403}
            set_faults(night.emulator, rule)
            found = [search_everywhere(night.context, people).not_searched for people in ({rows["contact"]}, set[str]())]
            assert found == [places_not_searched(night.context)] * 2
            assert source in found[0], (table, source)


def test_an_answer_about_nobody_asks_the_crm_as_much_as_one_about_somebody(night: Night) -> None:
    """SUS-07."""
    rows = plant(night, Planter(night))
    night.http.delete(f"{night.emulator.url}cf_remarks({rows['cf_remark']})")
    search_everywhere(night.context, {rows["contact"]})
    asked = []
    for people in ({rows["contact"]}, set[str]()):
        before = night.connector.stats.requests
        search_everywhere(night.context, people)
        asked.append(night.connector.stats.requests - before)
    assert asked[0] == asked[1]


def test_whom_something_of_an_erased_file_names_is_looked_at_by_the_next_plan_of_people(night: Night) -> None:
    """RET-20: the plan of a request looks at those who have a role in its files."""
    child, visited, caller, stranger = (night.contact(birthdate=f"2012-03-0{day}", lastname=f"{day} (fictief)") for day in range(1, 5))
    dossier = night.dossier("grooming", closed=False, fiches=0)
    night.party(child, "child", dossier=dossier)
    add(night, "cf_homevisit", ("cf_DossierId", "cf_dossiers", dossier), **{"cf_VisitedId@odata.bind": f"/contacts({visited})"})
    night.call("cf_dossier", dossier, [caller])
    request = ask(night, Right.ERASURE, child)
    granted(night, request)
    assert [night.get("contacts", each) is None for each in (child, visited, caller)] == [True, False, False]
    night.clock.advance(days=1)
    assert {each: line.outcome for each, line in night.lines(night.plan()).items()} == {
        visited: "dispose", caller: "dispose", stranger: "retain"
    }  # fmt: skip


def test_what_is_named_below_a_course_that_goes_for_a_request_is_no_reason_to_trim_a_donor(tmp_path: Path) -> None:
    """RET-20: a course says nothing of the missions."""
    path = dependent_environment(tmp_path)
    document: dict[str, Any] = read_yaml(path)
    document["tables"]["cf_homevisit"]["columns"]["cf_ownerid"] = {"type": "lookup cf_enrolment", "schema_name": "cf_OwnerId"}
    relation = {"name": "cf_enrolment_homevisit", "parent": "cf_enrolment", "child": "cf_homevisit", "column": "cf_ownerid"}
    document["relationships"].append(relation | {"on_delete": "cascade"})
    path.write_text(yaml_text(document), encoding="utf-8")
    mapping = "dependent: {cf_homevisit: {belongs_to: {cf_ownerid: enrolment}, people: [cf_visitedid]}}"
    with night_in(path, tmp_path, kind=Night, mapping=dependent_mapping(mapping)) as night:
        student, donor = (night.contact(birthdate=f"1980-05-0{day}", lastname=f"{day} (fictief)") for day in (1, 2))
        night.donation(donor)
        to_student = {"cf_ContactId@odata.bind": f"/contacts({student})"}
        course = night.create("cf_enrolments", "cf_enrolmentid", cf_name="cursus", cf_heldon="2026-05-05", **to_student)
        bound = {"cf_VisitedId@odata.bind": f"/contacts({donor})"}
        add(night, "cf_homevisit", ("cf_OwnerId", "cf_enrolments", course), **bound)
        granted(night, ask(night, Right.ERASURE, student))
        assert night.get("cf_enrolments", course) is None
        night.clock.advance(days=1)
        assert night.plan().trims == ()
