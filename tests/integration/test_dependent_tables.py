"""Tables of an organisation's own that depend on a dossier, a fiche or a person, by configuration alone: they
go with what they belong to, at any depth, and nothing of them is left (R-158, R-161, ERA-12, ERA-15)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.http.retry import Again
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.schema.counts import count_where
from connectors.interface.errors import ConnectorError
from crm_compliance.mapping.explain import explain_row
from jobs.erasures.register import load_register
from jobs.model.answer import ItemStatus
from jobs.model.plan import Kind
from jobs.model.privileges import NEEDS
from jobs.model.sentence import Sentence
from jobs.plans.questions.explain import explain_unit
from jobs.requests.search.search import search_everywhere
from jobs.restores.replay_plan import plan_replay
from jobs.restores.rows_back import returned_rows
from rules.model.data_map import Fate
from tests.drivers.holding import place
from tests.drivers.night import Night, night_in
from tests.drivers.organisation import set_faults
from tests.drivers.side_by_side import APPLIED, PLANNED, Case, SideBySide, certificate_of, skipped
from tests.integration.dependent import MAPPING, SETS, add, dependent_environment, dependent_mapping, dependent_night, tie
from tests.integration.planted_in_dependent import LONG_AGO, night, plant, rows_left, task_with
from tests.integration.planter import Planter
from tests.jobs.requests.answer.answers import Answer
from tests.jobs.residual.retained import retain
from tests.yaml_files import read_yaml, yaml_text

__all__ = ["night"]  # fixtures

in_one_night = SideBySide[Night]()


def test_a_night_with_all_of_these(night: Night, subtests: pytest.Subtests) -> None:
    in_one_night.play(night, subtests)


@in_one_night
def they_go_with_what_they_belong_to_and_nothing_of_them_is_left(night: Night) -> Case:
    planter = Planter(night, "gaan_")
    rows = plant(night, planter)
    assert planter.left() == set(planter.words)
    done = yield APPLIED
    assert skipped(night, done, *rows.values()) == {}
    assert (night.get("cf_dossiers", rows["cf_dossier"]), night.get("contacts", rows["contact"])) == (None, None)
    assert planter.left() == set()
    measure = night.get("cf_measures", rows["cf_measure"])
    assert measure is not None
    assert measure["cf_hours"] == 2.5
    assert [measure[name] for name in ("cf_name", "cf_reason", "_cf_dossierid_value", "_cf_forid_value")] == [None] * 4
    bill = night.get("cf_bills", rows["cf_bill"])
    assert bill is not None
    assert bill["_cf_dossierid_value"] is None


@in_one_night
def a_hold_on_the_dossier_keeps_what_hangs_on_it(night: Night) -> Case:
    """HLD-04."""
    planter = Planter(night, "blijf")
    rows = plant(night, planter)
    place(night, "cf_dossier", rows["cf_dossier"])
    yield APPLIED
    assert rows_left(night, rows) == set(SETS)
    assert planter.left() == set(planter.words)


def held_at(table: str) -> Callable[[Night], Case]:
    def a_hold_on_a_row_at_any_depth_keeps_the_dossier(night: Night) -> Case:
        """HLD-04: nothing that a held row belongs to can go without it."""
        rows = plant(night, Planter(night))
        place(night, table, rows[table])
        plan = yield PLANNED
        assert not night.lines(plan)[rows["cf_dossier"]].is_disposal  # known before the last look, which asks each row
        yield APPLIED
        assert rows_left(night, rows) == set(SETS)
        assert night.get("cf_dossiers", rows["cf_dossier"]) is not None

    return a_hold_on_a_row_at_any_depth_keeps_the_dossier


for each in ("cf_homevisit", "cf_paragraph", "cf_remark", "task", "cf_theme"):
    in_one_night[f"a_hold_on_a_row_at_any_depth_keeps_the_dossier: {each}"] = held_at(each)


@in_one_night
def a_row_that_comes_between_plan_and_run_goes_too(night: Night) -> Case:
    rows = plant(night, Planter(night))
    yield PLANNED
    late = add(night, "cf_remark", ("cf_ParagraphId", "cf_paragraphs", rows["cf_paragraph"]), cf_name="laat")
    done = yield APPLIED
    assert (skipped(night, done, *rows.values()), night.get("cf_remarks", late)) == ({}, None)


@in_one_night
def what_is_tied_to_an_open_dossier_too_stays_with_that(night: Night) -> Case:
    rows = plant(night, Planter(night))
    other = night.dossier("social_card", closed=False, spoken=date(2026, 11, 20))
    tie(night, other, rows["cf_theme"])
    yield APPLIED
    assert night.get("cf_dossiers", rows["cf_dossier"]) is None
    (tied,) = night.rows(f"cf_dossiers({other})/cf_dossier_themes")
    assert tied["cf_themeid"] == rows["cf_theme"]


@in_one_night
def what_is_tied_to_two_that_end_goes_with_the_last_of_them(night: Night) -> Case:
    """One of them waits for the next night, or nothing would lead to it any more."""
    planter = Planter(night, "twee_")
    rows = plant(night, planter)
    other = night.dossier("social_card", spoken=LONG_AGO)
    tie(night, other, rows["cf_theme"])
    first = yield APPLIED
    assert skipped(night, first, rows["cf_dossier"], other) == {"AWAITS_TURN": 1}
    assert rows_left(night, rows) >= {"cf_theme"}
    second = yield APPLIED
    assert (skipped(night, second, *rows.values(), other), planter.left()) == ({}, set())


def test_a_read_that_fails_removes_nothing(night: Night) -> None:
    """A failed read is never an empty one."""
    planter = Planter(night)
    rows = plant(night, planter)
    plan = night.plan()
    set_faults(night.emulator, {"match": {"path": "/cf_paragraphs"}, "do": "status", "status": 500, "times": 100})
    with pytest.raises(ConnectorError):
        night.apply(plan)
    set_faults(night.emulator)
    assert rows_left(night, rows) == set(SETS)
    assert planter.left() == set(planter.words)


@in_one_night
def the_certificate_counts_them(night: Night) -> Case:
    rows = plant(night, Planter(night))
    done = yield APPLIED
    objects = [certificate_of(night, done, table, rows[table]).objects for table in ("cf_dossier", "contact")]
    assert [each.get("dependent_rows") for each in objects] == [6, 1]
    assert objects[0]["fiches"] == 1


# -- subject requests ----------------------------------------------------------------------------------------


@in_one_night
def they_come_back_from_a_backup_and_go_again(night: Night) -> Case:
    """ERA-13."""
    rows = plant(night, Planter(night))
    yield APPLIED
    theme = night.create("cf_themes", "cf_themeid", cf_name="x")  # nothing that was erased
    again = {table: rows[table] for table in ("cf_homevisit", "cf_paragraph", "cf_assessment")}
    for table, row in again.items():
        table_set, key = SETS[table]
        answer = night.http.post(night.emulator.url + table_set, json={key: row, "cf_name": "terug"})
        assert answer.status_code == 204, answer.text
    night.patch("cf_measures", rows["cf_measure"], cf_reason="terug")
    back = returned_rows(night.context, load_register(night.context))
    assert {(each.kind, each.id, each.operation) for each in back} == {
        *((table, row, "delete") for table, row in again.items()),
        ("cf_measure", rows["cf_measure"], "empty"),
    }
    plan = plan_replay(night.context)
    assert plan is not None
    night.apply(night.approved(plan))
    assert rows_left(night, rows) == {"cf_measure", "cf_bill"}
    assert night.get("cf_themes", theme) is not None
    measure = night.get("cf_measures", rows["cf_measure"])
    assert measure is not None
    assert (measure["cf_reason"], measure["cf_hours"]) == (None, 2.5)


@in_one_night
def who_is_named_in_a_row_that_stays_is_not_removed(night: Night) -> Case:
    """RET-20: nobody goes before what names them, at whatever depth that is."""
    visited = night.contact(firstname="Mina", lastname="Verstraeten (fictief)")
    ended = night.dossier("social_card", spoken=LONG_AGO)
    running = night.dossier("social_card", closed=False, spoken=date(2026, 11, 20))
    bound = {"cf_VisitedId@odata.bind": f"/contacts({visited})"}
    goes, stays = (
        add(night, "cf_homevisit", ("cf_DossierId", "cf_dossiers", dossier), cf_name="bezoek", **bound) for dossier in (ended, running)
    )
    night.party(visited, "witness", dossier=ended)
    plan = yield PLANNED
    assert visited not in night.lines(plan)
    yield APPLIED
    assert night.get("cf_dossiers", ended) is None
    assert night.get("contacts", visited) is not None
    assert night.get("cf_homevisits", goes) is None
    visit = night.get("cf_homevisits", stays)
    assert visit is not None
    assert visit["_cf_visitedid_value"] == visited


@in_one_night
def who_is_named_since_the_plan_is_not_removed(night: Night) -> Case:
    visited = night.contact(firstname="Mina", lastname="Verstraeten (fictief)")
    ended = night.dossier("social_card", spoken=LONG_AGO)
    night.party(visited, "witness", dossier=ended)
    running = night.dossier("social_card", closed=False, spoken=date(2026, 11, 20))
    plan = yield PLANNED
    assert visited in night.lines(plan)
    bound = {"cf_VisitedId@odata.bind": f"/contacts({visited})"}
    add(night, "cf_homevisit", ("cf_DossierId", "cf_dossiers", running), cf_name="bezoek", **bound)
    yield APPLIED
    assert night.get("contacts", visited) is not None


@in_one_night
def who_is_named_in_long_term_retention_is_not_removed_before_that_row(night: Night) -> Case:
    """RET-20: nor who takes part in such an activity there."""
    running = night.dossier("social_card", closed=False, spoken=date(2026, 11, 20))
    people = {each: night.contact() for each in ("cf_homevisit", "task", "nobody")}
    for person in people.values():
        night.party(person, "witness", dossier=night.dossier("social_card", spoken=LONG_AGO))
    bound = {"cf_VisitedId@odata.bind": f"/contacts({people['cf_homevisit']})"}
    visit = add(night, "cf_homevisit", ("cf_DossierId", "cf_dossiers", running), cf_name="bezoek", **bound)
    parties = [{"participationtypemask": 5, "partyid_contact@odata.bind": f"/contacts({people['task']})"}]
    task = add(night, "task", ("regardingobjectid_cf_dossier_task", "cf_dossiers", running), task_activity_parties=parties)
    for table, row in (("cf_homevisit", visit), ("task", task)):
        retain(night, table, row)
    plan = yield PLANNED
    assert [each for each, person in people.items() if person in night.lines(plan)] == ["nobody"]
    yield APPLIED
    assert [each for each, person in people.items() if night.get("contacts", person) is None] == ["nobody"]


def test_who_is_named_below_a_role_or_a_note_goes_with_its_file(tmp_path: Path) -> None:
    """RET-20: no night later, or nobody would know any more that they were linked to anything."""
    path = dependent_environment(tmp_path)
    document: dict[str, Any] = read_yaml(path)
    for table, owner in (("cf_homevisit", "cf_party"), ("cf_measure", "annotation")):
        document["tables"][table]["columns"]["cf_ownerid"] = {"type": f"lookup {owner}", "schema_name": "cf_OwnerId"}
        relation = {"name": f"{owner}_{table}", "parent": owner, "child": table, "column": "cf_ownerid", "on_delete": "cascade"}
        document["relationships"].append(relation)
    path.write_text(yaml_text(document), encoding="utf-8")
    mapping = """
dependent:
  cf_homevisit:
    belongs_to: {cf_ownerid: party}
    people: [cf_visitedid]
  cf_measure:
    belongs_to: {cf_ownerid: note}
    people: [cf_forid]
"""
    with night_in(path, tmp_path, kind=Night, mapping=dependent_mapping(mapping)) as night:
        named: dict[str, list[str]] = {"ended": [], "running": []}
        witness = night.contact(cf_newsletter=True)  # who has the role stays
        for which, closed, on in (("ended", True, LONG_AGO), ("running", False, date(2026, 11, 20))):
            dossier = night.dossier("social_card", closed=closed, spoken=on)
            owners = (night.party(witness, "witness", dossier=dossier), "cf_parties"), (night.note("cf_dossier", dossier), "annotations")
            for (row, table_set), (table, lookup) in zip(
                owners, (("cf_homevisit", "cf_VisitedId"), ("cf_measure", "cf_ForId")), strict=True
            ):
                named[which].append(night.contact())
                bound = {f"{lookup}@odata.bind": f"/contacts({named[which][-1]})"}
                add(night, table, ("cf_OwnerId", table_set, row), **bound)
        plan = night.plan()
        assert {row for row, line in night.lines(plan).items() if line.table == "contact"} == {*named["ended"]}
        assert [explain_unit(night.context, "contact", row)[0].outcome for row in chain(*named.values())] == ["dispose"] * 2 + [
            "retain"
        ] * 2
        night.apply(plan)
        assert [night.get("contacts", row) is None for row in chain(*named.values())] == [True, True, False, False]


def test_who_is_named_below_a_recording_goes_with_the_night_after_it(tmp_path: Path) -> None:
    """RET-20: a plan of recordings looks at nobody, and the plan that does finds nothing that leads to whom a
    row of theirs had named."""
    path = dependent_environment(tmp_path)
    document: dict[str, Any] = read_yaml(path)
    document["tables"]["cf_homevisit"]["columns"]["cf_ownerid"] = {"type": "lookup cf_recording", "schema_name": "cf_OwnerId"}
    relation = {"name": "cf_recording_homevisit", "parent": "cf_recording", "child": "cf_homevisit", "column": "cf_ownerid"}
    document["relationships"].append(relation | {"on_delete": "cascade"})
    path.write_text(yaml_text(document), encoding="utf-8")
    mapping = """
dependent:
  cf_homevisit:
    belongs_to: {cf_ownerid: recording}
    people: [cf_visitedid]
"""
    with night_in(path, tmp_path, kind=Night, mapping=dependent_mapping(mapping)) as night:
        alone, related, stranger = night.contact(), night.contact(cf_newsletter=True), night.contact()
        held = night.contact()
        place(night, "contact", held)
        recording = night.recording(LONG_AGO)
        for contact in (alone, related, held):
            bound = {"cf_VisitedId@odata.bind": f"/contacts({contact})"}
            add(night, "cf_homevisit", ("cf_OwnerId", "cf_recordings", recording), **bound)
        run = night.apply(night.plan(Kind.RECORDINGS))
        assert night.get("cf_recordings", recording) is None
        assert run.counts["not_trimmed"] == {"skipped": {"AWAITS_TURN": 3}}
        night.clock.advance(days=1)
        plan = night.plan(Kind.RETENTION)
        assert {row: line.outcome for row, line in night.lines(plan).items()} == {alone: "dispose", stranger: "retain"}
        assert ([*plan.trims], [contact for contact, _, _ in plan.held_contacts]) == ([related], [held])
        night.apply(plan)
        assert [night.get("contacts", each) is None for each in (alone, related, stranger, held)] == [True, False, False, False]


def test_who_takes_part_in_one_that_is_an_activity_is_known_and_goes_with_it(night: Night) -> None:
    """RET-20, EXP-04, EXP-06: as of a call, its participants are found, are nobody's to be told, and stay no
    night longer."""
    child, mina = night.contact(birthdate="2000-02-01"), night.contact(firstname="Mina", lastname="Verstraeten (fictief)")
    ended = night.dossier("social_card", spoken=LONG_AGO)
    night.party(child, "child", dossier=ended)
    task_with(night, ended, child, mina, subject="Gesprek", description="Verstraeten was erbij, en iemand@example.org ook.")
    mine = Answer(night, child).compile()
    (told,) = [item for item in mine.items if item.kind == "task"]
    assert told.proposal == "Gesprek\n\n[derde 1] was erbij, en [e-mailadres] ook."
    (mention,) = [item for item in Answer(night, mina).compile().items if item.kind == "task"]
    assert (mention.title, mention.status) == ("mention", ItemStatus.PENDING_REVIEW)


@in_one_night
def what_is_written_of_participants_is_found_and_goes(night: Night) -> Case:
    """EXP-03, ERA-12: R-158."""
    planter, child = Planter(night, "mede_"), night.contact(birthdate="2000-02-01")
    ended = night.dossier("social_card", spoken=LONG_AGO)
    night.party(child, "child", dossier=ended)
    parties: list[dict[str, object]] = [{"participationtypemask": 5} | planter.texts("activityparty") for _ in range(2)]
    parties[0]["partyid_contact@odata.bind"] = f"/contacts({child})"
    bound = ("regardingobjectid_cf_dossier_task", "cf_dossiers", ended)
    add(night, "task", bound, **planter.texts("task"), task_activity_parties=parties)
    found = str(search_everywhere(night.context, {child}).activity_parties)
    assert {table for word, (table, _) in planter.words.items() if word not in found} == {"task"}
    yield APPLIED
    assert planter.left() == set()


@in_one_night
def who_takes_part_in_one_goes_with_the_last_of_their_dossiers(night: Night) -> Case:
    """RET-20."""
    mina, senne = night.contact(firstname="Mina", lastname="Verstraeten (fictief)"), night.contact()
    ended, running = night.dossier("social_card", spoken=LONG_AGO), night.dossier("social_card", closed=False, spoken=date(2026, 11, 20))
    task_with(night, ended, mina, senne, subject="Gesprek")
    task_with(night, running, senne, subject="Gesprek")
    yield APPLIED
    assert (night.get("cf_dossiers", ended), night.get("contacts", mina)) == (None, None)
    assert night.get("contacts", senne) is not None


@in_one_night
def a_hold_on_a_person_keeps_the_dossier_of_an_activity_in_which_they_take_part(night: Night) -> Case:
    """HLD-04: everything of the person, as with calls."""
    mina = night.contact(firstname="Mina", lastname="Verstraeten (fictief)")
    ended = night.dossier("social_card", spoken=LONG_AGO)
    task_with(night, ended, mina, subject="Gesprek")
    place(night, person=mina)
    yield APPLIED
    assert night.get("cf_dossiers", ended) is not None


def test_the_mapping_fits_the_crm_and_the_data_map_says_so(night: Night) -> None:
    plant(night, Planter(night))
    assert [finding for finding in night.connector.check(decisions=True) if finding.is_error] == []
    fates = {place.name: (place.fate, place.why) for place in night.connector.data_map(whole=True).places}
    assert fates["cf_homevisit"] == (Fate.MAPPED, "dependent.cf_homevisit")
    assert fates["cf_homevisit.cf_report"] == (Fate.MAPPED, "dependent.cf_homevisit.texts")
    assert fates["cf_homevisit.cf_dossierid"] == (Fate.MAPPED, "dependent.cf_homevisit.belongs_to")
    assert fates["cf_bill"][0] is Fate.STAYS
    assert night.connector.data_map(whole=True).alarming == ()
    reasons = {line.name: line.reason for line in night.connector.least_role(NEEDS)}
    assert "cf_paragraph: delete" in reasons["prvDeletecf_paragraph"]


def test_rows_that_are_tied_by_pairs_would_stay_with_what_is_anonymised_in_place(night: Night) -> None:
    """R-081: nothing that is masked takes a pair away, so what is in one as well would go with nothing."""
    told = [each for each in night.connector.check(in_place=True) if each.code == "masking" and "cf_dossier_themes" in each.message]
    assert [each.is_error for each in told] == [True]
    assert "would tie cf_theme to a row that is anonymised in place" in told[0].message


def test_a_plan_counts_the_rows_that_were_put_on_an_anonymised_file(night: Night) -> None:
    """ERA-07: nothing happens to them, so a person has to look at them. Those of a live dossier are not
    among them, also where its fiche is anonymised."""
    rows = plant(night, Planter(night))
    (alive,) = night.fiches_of(night.dossier("runaway", spoken=date(2026, 11, 20)))
    for file in (("cf_dossiers", rows["cf_dossier"]), ("cf_fiches", alive)):
        night.patch(*file, cf_anonymisedon="2026-11-01T11:00:00Z")
    add(night, "task", ("regardingobjectid_cf_fiche_task", "cf_fiches", alive))
    told = [warning for warning in night.plan().warnings if isinstance(warning, Sentence) and warning.name == "rows_in_anonymised"]
    assert {warning.facts["table"]: warning.facts["rows"] for warning in told} == {"cf_homevisit": 1, "cf_measure": 1}


def test_rows_that_a_crm_does_not_count_by_what_they_belong_to_are_not_all_told_as_left(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(night, "task")

    def refused(transport: Transport, table_set: str, key: str, name: str, condition: str, again: Again) -> int | None:
        if condition:
            raise ConnectorError("The CRM answers HTTP 400.", status=400)
        return count_where(transport, table_set, key, name, condition, again)

    monkeypatch.setattr("connectors.dynamics.datamap.survey.Directory.is_empty", lambda *_: False)
    monkeypatch.setattr("connectors.dynamics.datamap.survey.count_where", refused)
    (task,) = [place for place in night.connector.data_map().tables if place.table == "task"]
    assert (task.loose, task.in_anonymised) == (None, None)


def test_a_plan_counts_the_rows_that_belong_to_nothing(night: Night) -> None:
    """RET-05: no unit takes them along. What outlives its dossier emptied is none of them."""
    plant(night, Planter(night))
    for table in ("cf_homevisit", "cf_measure", "task"):
        add(night, table)
    night.create("annotations", "annotationid", subject="notitie")
    told = [warning for warning in night.plan().warnings if isinstance(warning, Sentence)]
    assert [warning.facts for warning in told if warning.name == "rows_about_nothing"] == [
        {"table": "annotation", "rows": 1},
        {"table": "cf_homevisit", "rows": 1},
        {"table": "task", "rows": 1},
    ]


def test_a_row_is_explained_with_the_unit_that_it_ends_with_and_without_its_texts(night: Night) -> None:
    planter = Planter(night)
    rows = plant(night, planter)
    told = explain_row(night.connector, "cf_remark", rows["cf_remark"])
    assert (told.kind, told.unit) == ("cf_remark", {"table": "cf_dossier", "id": rows["cf_dossier"]})
    told = explain_row(night.connector, "cf_homevisit", rows["cf_homevisit"])
    assert not [word for word in planter.words if word in str(told.document())]
    fields = {field.field: field.value for field in told.fields}
    assert fields["cf_visitedid"] == {"table": "contact", "id": rows["contact"]}


def test_a_file_that_no_section_names_is_unaccounted_and_not_searched(tmp_path: Path) -> None:
    """R-158, EXP-03: the CRM says that a column for files cannot be updated, and people fill it."""
    with dependent_night(tmp_path, MAPPING.read_text("utf-8").replace("    files: [cf_scan]\n", "")) as night:
        rows = plant(night, Planter(night))
        fates = {place.name: (place.fate, place.rows) for place in night.connector.data_map(whole=True).places}
        assert fates["cf_paragraph.cf_scan"] == (Fate.UNACCOUNTED, 1)
        assert "column:cf_paragraph.cf_scan" in Answer(night, rows["contact"]).compile().not_searched
