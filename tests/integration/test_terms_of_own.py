"""Dependent tables whose rows have a row of the schedule: each goes when its own term ends, before the file
that it belongs to or after it (R-158, RET-03, RET-11, RET-20)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.mapping.explain import explain_row
from crm_compliance.wiring.fits_this_crm import checked
from crm_compliance.wiring.schedule import policy_of, policy_text
from jobs.model.plan import Kind
from jobs.plans.questions.explain import explain_unit
from rules.model.requests import Right
from rules.policy.loader import load_policy
from tests.drivers.deciding import ask, granted
from tests.drivers.holding import place
from tests.drivers.night import Night, night_in
from tests.integration.dependent import MAPPING, SETS, add, dependent_environment, dependent_mapping, dependent_night
from tests.integration.test_outside_missions import switched_on
from tests.integration.visits import VISITS
from tests.jobs.requests.answer.answers import Answer
from tests.jobs.residual.retained import in_retention, retain
from tests.yaml_files import read_yaml, yaml_text

LONG_AGO = date(2020, 1, 10)
TERM = "    term: {row: home_visits, date: cf_visitedon}\n"


def with_visits() -> tuple[str, str]:
    """The shipped schedule with a row for visits, and the mapping of the tables that gives it to them."""
    schedule = policy_text(Settings())[0].replace("\ncategories:\n", f"\ncategories:\n{indent(VISITS, '  ')}", 1)
    mapping = MAPPING.read_text("utf-8").replace("    people: [cf_visitedid]\n", f"    people: [cf_visitedid]\n{TERM}", 1)
    assert TERM in mapping
    return schedule, mapping


@contextmanager
def a_night(folder: Path, *in_force: str) -> Iterator[Night]:
    """A night under a schedule with a row for visits, and others for what is outside the missions."""
    schedule, mapping = with_visits()
    with dependent_night(folder, mapping, load_policy(switched_on(*in_force)(schedule), source="policy.yaml")) as made:
        yield made


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with a_night(tmp_path) as made:
        yield made


def a_visit(night: Night, dossier: str, on: date | None, **columns: object) -> tuple[str, str]:
    """A visit of a day on a dossier, and a paragraph of it."""
    dated = {"cf_visitedon": on.isoformat()} if on is not None else {}
    visit = add(night, "cf_homevisit", ("cf_DossierId", "cf_dossiers", dossier), cf_report="Alles rustig.", **dated, **columns)
    return visit, add(night, "cf_paragraph", ("cf_HomevisitId", "cf_homevisits", visit), cf_body="Keuken en kamer.")


def there(night: Night, table: str, row: str) -> bool:
    return night.get(SETS[table][0], row) is not None


def test_a_row_goes_by_its_own_term_before_its_dossier(night: Night) -> None:
    dossier = night.dossier("social_card", closed=False, spoken=date(2026, 11, 20))
    old, paragraph = a_visit(night, dossier, date(2023, 11, 23))
    young, below = a_visit(night, dossier, date(2023, 11, 25))
    undated, _ = a_visit(night, dossier, None)
    plan = night.plan()
    lines = night.lines(plan)
    line = lines[old]
    assert (line.table, line.outcome, line.disposition, line.retention_end) == ("cf_homevisit", "dispose", "delete", "2026-11-23")
    assert (line.reason, line.categories, line.rule) == ("EXPIRED", ("home_visits",), "RET-06")
    assert (lines[young].reason, lines[young].retention_end) == ("NOT_EXPIRED", "2026-11-25")
    assert lines[undated].reason == "NOT_STARTED"
    told, steps = explain_unit(night.context, "cf_homevisit", old)
    assert (told, steps[-1].result) == (line, "delete")
    assert explain_row(night.connector, "cf_homevisit", old).unit == {"table": "cf_homevisit", "id": old}
    remark = add(night, "cf_remark", ("cf_ParagraphId", "cf_paragraphs", below))
    for table, row, visit in (("cf_paragraph", paragraph, old), ("cf_remark", remark, young)):  # and not with the dossier
        assert explain_row(night.connector, table, row).unit == {"table": "cf_homevisit", "id": visit}
    done = night.apply(plan)
    assert (done.counts["rows"], done.counts["skipped"]) == ({"cf_homevisit": 1, "cf_paragraph": 1}, {})
    assert [there(night, "cf_homevisit", row) for row in (old, young, undated)] == [False, True, True]
    assert [there(night, "cf_paragraph", row) for row in (paragraph, below)] == [False, True]
    (issued,) = night.store.certificates.of_run(done.id)
    assert (issued.certificate.unit_type, issued.certificate.category_keys) == ("own_table", ("home_visits",))
    assert issued.certificate.objects["dependent_rows"] == 2


def test_a_row_outlives_its_dossier_until_its_own_day(night: Night) -> None:
    """RET-03: it loses its link, keeps what depends on it, and whom it names."""
    child, visited = night.contact(birthdate="2000-02-01"), night.contact(birthdate="1980-02-01")
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    night.party(child, "child", dossier=dossier)
    young, paragraph = a_visit(night, dossier, date(2023, 11, 25), **{"cf_VisitedId@odata.bind": f"/contacts({visited})"})
    old, _ = a_visit(night, dossier, date(2020, 1, 11))
    done = night.apply(night.plan())
    assert done.counts["skipped"] == {}
    assert night.get("cf_dossiers", dossier) is None
    row = night.get("cf_homevisits", young)
    assert row is not None
    assert (row["_cf_dossierid_value"], row["cf_report"]) == (None, "Alles rustig.")
    assert [there(night, "cf_paragraph", paragraph), there(night, "cf_homevisit", old)] == [True, False]
    assert [night.get("contacts", row) is not None for row in (child, visited)] == [False, True]
    night.clock.now += timedelta(days=2)
    night.apply(night.approved(night.plan()))
    assert [there(night, "cf_homevisit", young), there(night, "cf_paragraph", paragraph)] == [False, False]
    assert night.get("contacts", visited) is None


def test_whom_only_a_relation_keeps_is_trimmed_with_the_last_row_of_a_file(tmp_path: Path) -> None:
    """RET-20: also where that outlived its file, or ended before it, and whatever else is in force."""
    with a_night(tmp_path, "volunteer") as night:
        open_one, ended = (
            night.dossier("social_card", closed=closed, spoken=on) for closed, on in ((False, date(2026, 11, 20)), (True, LONG_AGO))
        )
        people = [night.contact(cf_newsletter=True, birthdate="1980-02-01") for _ in range(3)]
        for person, dossier, on in zip(people, (open_one, ended, open_one), (23, 26, 26), strict=True):
            a_visit(night, dossier, date(2023, 11, on), **{"cf_VisitedId@odata.bind": f"/contacts({person})"})
        night.party(people[1], "witness", dossier=ended)
        plan = night.plan()
        assert [person in plan.trims for person in people] == [True, False, False]
        assert explain_unit(night.context, "contact", people[0])[1][-1].result == "trimmed"
        night.apply(plan)
        night.clock.now += timedelta(days=2)
        night.apply(night.approved(night.plan()))
        rows = [night.get("contacts", person) for person in people]
        assert [row and row["birthdate"] for row in rows] == [None] * 3


def test_one_in_long_term_retention_goes_from_there_by_its_own_term(night: Night) -> None:
    """RET-11, P34: like any row there it is judged, and keeps whom it names; its dossier waits for it, since
    no write takes its link off there."""
    visited, named = night.contact(birthdate="1980-02-01"), night.contact(birthdate="1980-02-01")
    running, ended = (
        night.dossier("social_card", closed=closed, spoken=on) for closed, on in ((False, date(2026, 11, 20)), (True, LONG_AGO))
    )
    night.party(named, "witness", dossier=ended)
    old, below = a_visit(night, running, date(2023, 11, 23), **{"cf_VisitedId@odata.bind": f"/contacts({visited})"})
    young, _ = a_visit(night, ended, date(2023, 11, 25), **{"cf_VisitedId@odata.bind": f"/contacts({named})"})
    for row in (old, young):
        retain(night, "cf_homevisit", row)
    plan = night.plan()
    lines = night.lines(plan)
    assert {row: (lines[row].outcome, lines[row].retention_end, lines[row].flags) for row in (old, young)} == {
        old: ("dispose", "2026-11-23", ("LONG_TERM_RETENTION",)),
        young: ("retain", "2026-11-25", ("LONG_TERM_RETENTION",)),
    }
    assert explain_unit(night.context, "cf_homevisit", old)[0] == lines[old]
    assert (visited in lines, named in lines) == (True, False)
    done = night.apply(plan)
    assert done.counts["skipped"] == {"LONG_TERM_RETENTION": 1}
    assert in_retention(night, "cf_homevisit", "cf_homevisits") == {young}
    assert [there(night, "cf_paragraph", below), *(night.get("contacts", one) is not None for one in (visited, named))] == [
        False,
        False,
        True,
    ]
    night.clock.now += timedelta(days=2)
    night.apply(night.approved(night.plan()))
    assert in_retention(night, "cf_homevisit", "cf_homevisits") == set()
    assert [night.get("cf_dossiers", ended), night.get("contacts", named)] == [None, None]


def test_rows_of_recordings_are_judged_by_a_plan_that_has_no_recordings(tmp_path: Path) -> None:
    """The job of each night plans the two apart."""
    path = dependent_environment(tmp_path)
    document: dict[str, Any] = read_yaml(path)
    document["tables"]["cf_homevisit"]["columns"]["cf_recordingid"] = {"type": "lookup cf_recording", "schema_name": "cf_RecordingId"}
    relation = {"name": "visits", "parent": "cf_recording", "child": "cf_homevisit", "column": "cf_recordingid", "on_delete": "cascade"}
    document["relationships"].append(relation)
    path.write_text(yaml_text(document), encoding="utf-8")
    schedule, mapping = with_visits()
    mapping = mapping.replace(
        "{cf_dossierid: dossier}\n    texts: [cf_name, cf_report]", "{cf_dossierid: dossier, cf_recordingid: recording}", 1
    )
    policy = load_policy(schedule, source="policy.yaml")
    with night_in(path, tmp_path, kind=Night, policy=policy, mapping=dependent_mapping(mapping)) as night:
        dossier = night.dossier("social_card", spoken=date(2026, 11, 20))
        recording = night.recording(date(2026, 11, 20), fiche=night.fiches_of(dossier)[0])
        old, young = (
            add(night, "cf_homevisit", ("cf_RecordingId", "cf_recordings", recording), cf_visitedon=on)
            for on in ("2023-11-23", "2023-11-25")
        )
        plan = night.plan(Kind.RETENTION)
        assert {row: line.outcome for row, line in night.lines(plan).items()} == {dossier: "retain", old: "dispose", young: "retain"}
        night.apply(plan)
        assert [there(night, "cf_homevisit", row) for row in (old, young)] == [False, True]


def test_a_hold_keeps_a_row_past_its_term(night: Night, subtests: pytest.Subtests) -> None:
    """HLD-04."""
    kept = {}
    for on in ("dossier", "row", "person"):
        child = night.contact(birthdate="2012-02-01")
        dossier = night.dossier("grooming", closed=False, spoken=date(2026, 11, 20))
        night.party(child, "child", dossier=dossier)
        kept[on], _ = a_visit(night, dossier, LONG_AGO)
        place(night, *{"dossier": ("cf_dossier", dossier), "row": ("cf_homevisit", kept[on]), "person": ("contact", child)}[on])
    plan = night.plan()
    night.apply(plan)
    for on, old in kept.items():
        with subtests.test(on):
            assert night.lines(plan)[old].reason.startswith("HOLD_")
            assert there(night, "cf_homevisit", old)


def test_a_row_of_the_schedule_that_is_missing_keeps_its_rows(tmp_path: Path) -> None:
    """RET-14."""
    mapping = MAPPING.read_text("utf-8").replace("    people: [cf_visitedid]\n", f"    people: [cf_visitedid]\n{TERM}", 1)
    with dependent_night(tmp_path, mapping) as night:
        dossier = night.dossier("social_card", spoken=LONG_AGO)
        old, _ = a_visit(night, dossier, LONG_AGO)
        plan = night.plan()
        assert (night.lines(plan)[old].reason, night.lines(plan)[old].categories) == ("UNCONFIGURED", ("home_visits",))
        night.apply(plan)
        assert there(night, "cf_homevisit", old)


def test_an_answer_tells_the_term_of_its_own(night: Night) -> None:
    """Section 7.1(d)."""
    child = night.contact(birthdate="2000-02-01")
    dossier = night.dossier("grooming", closed=False, spoken=date(2026, 11, 20))
    night.party(child, "child", dossier=dossier)
    visit, _ = a_visit(night, dossier, date(2025, 3, 5))
    compilation = Answer(night, child).compile()
    (item,) = [item for item in compilation.items if item.source == ("cf_homevisit", visit)]
    (context,) = [context for context in compilation.contexts if context.key == item.context]
    assert (context.kind, context.category_labels["nl"], context.retention.last_day) == ("cf_homevisit", "Huisbezoeken", date(2028, 3, 5))
    (below,) = [item for item in compilation.items if item.kind == "cf_paragraph"]
    assert {context.key: context.kind for context in compilation.contexts}[below.context] == "dossier"


def test_a_granted_erasure_of_a_file_takes_them_along(night: Night) -> None:
    child = night.contact(birthdate="2000-02-01", firstname="Mina", lastname="Verstraeten (fictief)")
    dossier = night.dossier("social_card", spoken=date(2026, 10, 20))
    night.party(child, "child", dossier=dossier)
    visit, paragraph = a_visit(night, dossier, date(2026, 10, 20))
    granted(night, ask(night, Right.ERASURE, child))
    assert night.get("cf_dossiers", dossier) is None
    assert [there(night, "cf_homevisit", visit), there(night, "cf_paragraph", paragraph)] == [False, False]


def test_a_row_that_the_schedule_lacks_is_a_warning_of_the_self_check(night: Night) -> None:
    connector = night.connector
    assert checked(connector, night.context.policy) == ()
    (told,) = checked(connector, policy_of(Settings()))
    assert "the schedule has no row home_visits, and the rows of cf_homevisit are kept" in told
