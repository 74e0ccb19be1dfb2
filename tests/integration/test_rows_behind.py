"""Rows to which a report or a person points (a statement, a family), by configuration alone: searched and
told with what points to them, gone with the last that does (EXP-03, HLD-04, ERA-12, R-158, R-161)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.schema.unmapped_tables import Directory, KnownTable
from connectors.interface.errors import ConnectorError
from connectors.interface.remains import Reach, ResidualKind
from connectors.interface.rows import Among
from crm_compliance.configuration.settings import Settings
from crm_compliance.mapping.explain import explain_row
from crm_compliance.wiring.mapping import mapping_text
from crm_compliance.wiring.schedule import policy_text
from jobs.requests.search.search import search_everywhere
from rules.model.data_map import Fate
from rules.policy.loader import load_policy
from rules.policy.policy import Policy
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.holding import place
from tests.drivers.night import Night, night_in
from tests.drivers.organisation import set_faults
from tests.drivers.side_by_side import APPLIED, Case, SideBySide, skipped
from tests.integration.in_place.anonymised import a_runaway, in_place
from tests.integration.planter import Planter
from tests.jobs.requests.answer.answers import Answer
from tests.jobs.residual.cleaning import switch
from tests.jobs.residual.retained import in_retention, retain
from tests.yaml_files import read_yaml, yaml_text

LONG_AGO = date(2020, 1, 10)
MAPPING = """
dependent:
  cf_statement:
    behind: {fiche: [cf_statementid, cf_otherid], dossier: cf_statementid}
    texts: [cf_name, cf_text]
    files: [cf_scan]
  cf_family:
    behind: {contact: cf_familyid}
    texts: [cf_name]
"""


LOOKUPS = "cf_statementid: null\n        cf_otherid: null"  # of a fiche that is masked


def text(label: str) -> dict[str, Any]:
    return {"type": "memo(2000)", "pii": True, "label": {"nl": label}}


def lookup(table: str, schema_name: str) -> dict[str, str]:
    return {"type": f"lookup {table}", "schema_name": schema_name}


@contextmanager
def a_night(
    folder: Path,
    on_delete: str = "remove_link",
    mapping: str = MAPPING,
    masks: str = "",
    policy: Policy | None = None,
    page_size: int = 5000,
) -> Iterator[Night]:
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    tables = document["tables"]
    for name, more in (("cf_statement", {"cf_text": text("Verklaring"), "cf_scan": {"type": "file", "pii": True}}), ("cf_family", {})):
        key = {f"{name}id": {"type": "guid", "key": True}}
        tables[name] = {"set": f"{name}s", "audited": True, "columns": {**key, "cf_name": {**text("Naam"), "primary_name": True}, **more}}
        tables[name]["columns"]["cf_name"]["type"] = "string(100)"
    pointing = (("cf_fiche", "cf_statementid"), ("cf_fiche", "cf_otherid"), ("cf_dossier", "cf_statementid"), ("contact", "cf_familyid"))
    for table, column in pointing:
        to = "cf_family" if table == "contact" else "cf_statement"
        tables[table]["columns"][column] = lookup(
            to, {"cf_statementid": "cf_StatementId", "cf_otherid": "cf_OtherId"}.get(column, "cf_FamilyId")
        )
        relation = {"name": f"{to}_{table}_{column}", "parent": to, "child": table, "column": column, "on_delete": on_delete}
        document["relationships"].append(relation)
    tables["cf_dossier"]["columns"]["cf_background"] = text("Achtergrond")
    environment = folder / "environment.yaml"
    environment.write_text(yaml_text(document), encoding="utf-8")
    whole = f"{masks or mapping_text(Settings())[0]}\n{mapping}"
    with night_in(environment, folder, kind=Night, policy=policy, mapping=whole, page_size=page_size) as made:
        yield made


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with a_night(tmp_path) as made:
        yield made


def statement(night: Night, **columns: Any) -> str:
    return night.create("cf_statements", "cf_statementid", **{"cf_name": "verklaring", **columns})


def point(night: Night, table_set: str, row: str, to: str, navigation: str = "cf_StatementId") -> None:
    target = "cf_families" if navigation == "cf_FamilyId" else "cf_statements"
    night.patch(table_set, row, **{f"{navigation}@odata.bind": f"/{target}({to})"})


def ended(night: Night, **columns: Any) -> tuple[str, str]:
    """A dossier that has ended, and its fiche."""
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=0, **columns)
    return dossier, night.fiche("social_card", spoken=LONG_AGO, dossier=dossier)


in_one_night = SideBySide[Night]()


def test_a_night_with_all_of_these(night: Night, subtests: pytest.Subtests) -> None:
    in_one_night.play(night, subtests)


@pytest.mark.parametrize("on_delete", ["remove_link", "restrict", "cascade"])
def test_one_goes_with_the_report_that_points_to_it_and_nothing_of_it_is_left(tmp_path: Path, on_delete: str) -> None:
    """ERA-12, whatever the CRM does with what points to a row that goes."""
    with a_night(tmp_path, on_delete) as night:
        planter = Planter(night)
        child = night.contact(birthdate="2000-02-01")
        dossier, fiche = ended(night)
        night.party(child, "child", dossier=dossier)
        row = statement(night, **planter.texts("cf_statement"))
        planter.file("cf_statements", row, "cf_scan")
        point(night, "cf_fiches", fiche, row)
        family = night.create("cf_familys", "cf_familyid", **planter.texts("cf_family"))
        night.patch("contacts", child, **{"cf_FamilyId@odata.bind": f"/cf_familys({family})"})
        done = night.apply(night.plan())
        gone = [
            night.get("cf_dossiers", dossier),
            night.get("cf_statements", row),
            night.get("contacts", child),
            night.get("cf_familys", family),
        ]
        assert (done.counts["skipped"], gone, planter.left()) == ({}, [None] * 4, set())
        assert not [warning for warning in night.connector.warnings if "cf_statement" in warning]
        objects = [issued.certificate.objects for issued in night.store.certificates.of_run(done.id)]
        assert sorted(each.get("dependent_rows", 0) for each in objects) == [1, 1]


@in_one_night
def one_to_which_something_that_stays_points_stays(night: Night) -> Case:
    """Whatever kind of row that is, and by whichever lookup; it goes with the last of them."""
    (dossier, fiche), row = ended(night), statement(night)
    running = night.dossier("social_card", closed=False, spoken=date(2026, 11, 20))
    (kept,) = night.fiches_of(running)
    shared = statement(night)
    for to in (row, shared):
        point(night, "cf_fiches", fiche, to, "cf_StatementId" if to == row else "cf_OtherId")
    point(night, "cf_dossiers", running, row)
    point(night, "cf_fiches", kept, shared, "cf_OtherId")
    done = yield APPLIED
    assert (skipped(night, done, dossier), night.get("cf_fiches", fiche)) == ({}, None)
    file, report = night.get("cf_dossiers", running), night.get("cf_fiches", kept)
    assert file is not None
    assert report is not None
    assert (file["_cf_statementid_value"], report["_cf_otherid_value"]) == (row, shared)
    assert (night.get("cf_statements", row) is None, night.get("cf_statements", shared) is None) == (False, False)


@in_one_night
def one_that_two_have_in_common_goes_with_the_last_of_them(night: Night) -> Case:
    """One of two units waits for the next night, or nothing would lead to it any more."""
    pair, row = (ended(night), ended(night)), statement(night)
    dossiers = [dossier for dossier, _ in pair]
    for _, fiche in pair:
        point(night, "cf_fiches", fiche, row)
    first = yield APPLIED
    assert (skipped(night, first, *dossiers), night.get("cf_statements", row) is None) == ({"AWAITS_TURN": 1}, False)
    second = yield APPLIED
    assert (skipped(night, second, *dossiers), night.get("cf_statements", row)) == ({}, None)


@in_one_night
def what_people_have_in_common_goes_with_the_last_of_them(night: Night) -> Case:
    family = night.create("cf_familys", "cf_familyid", cf_name="gezin")
    people = [night.contact(birthdate="2000-02-01") for _ in range(2)]
    for person in people:
        night.patch("contacts", person, **{"cf_FamilyId@odata.bind": f"/cf_familys({family})"})
        night.party(person, "child", dossier=ended(night)[0])
    first = yield APPLIED
    assert (skipped(night, first, *people), night.get("cf_familys", family) is None) == ({"AWAITS_TURN": 1}, False)
    assert [night.get("contacts", person) is None for person in people].count(True) == 1
    yield APPLIED
    assert [night.get("contacts", person) for person in people] == [None, None]
    assert night.get("cf_familys", family) is None


@in_one_night
def one_in_long_term_retention_goes_from_there_with_its_report(night: Night) -> Case:
    """ERA-12, line 10."""
    (dossier, fiche), row = ended(night), statement(night)
    point(night, "cf_fiches", fiche, row)
    for table, each in (("cf_fiche", fiche), ("cf_dossier", dossier), ("cf_statement", row)):
        retain(night, table, each)
    assert row in in_retention(night, "cf_statement", "cf_statements")
    done = yield APPLIED
    assert skipped(night, done, dossier) == {}
    assert (fiche in in_retention(night, "cf_fiche", "cf_fiches"), row in in_retention(night, "cf_statement", "cf_statements")) == (
        False,
        False,
    )


def test_one_in_the_recycle_bin_is_found_by_its_report_there(night: Night) -> None:
    """EXP-03: both were deleted in the CRM."""
    switch(night, recycle_bin_days=30)
    (_, fiche), row = ended(night), statement(night)
    point(night, "cf_fiches", fiche, row)
    for address in (f"cf_fiches({fiche})", f"cf_statements({row})"):
        night.http.delete(f"{night.emulator.url}{address}", timeout=10).raise_for_status()
    record = night.connector.all_kinds["cf_statement"].record
    found: Any = night.connector.binned_or_retained(ResidualKind.BIN, record, ("regarding", "regarding_kind"), Among("regarding", [fiche]))
    assert (found.reach, [(each.id, each.regarding_kind, each.regarding) for each in found.rows]) == (Reach.READ, [(row, "fiche", fiche)])


@in_one_night
def one_to_which_a_report_there_points_stays_with_that(night: Night) -> Case:
    (dossier, fiche), row = ended(night), statement(night)
    later = night.dossier("social_card", closed=False, spoken=date(2026, 11, 20))
    (kept,) = night.fiches_of(later)
    for each in (fiche, kept):
        point(night, "cf_fiches", each, row)
    retain(night, "cf_fiche", kept)
    done = yield APPLIED
    assert (skipped(night, done, dossier), night.get("cf_dossiers", dossier)) == ({}, None)
    assert night.get("cf_statements", row) is not None


def test_what_points_to_many_is_read_once_however_many_pages_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.dynamics.reading.referrers._WHOLE", 1)
    where, asked = Directory.where, list[str]()

    def noted(self: Directory, table: KnownTable, condition: str, select: str) -> Iterator[dict[str, Any]]:
        asked.append(f"{table.name}.{select}")
        return where(self, table, condition, select)

    monkeypatch.setattr(Directory, "where", noted)
    with a_night(tmp_path, page_size=2) as night:
        _, fiche = ended(night)
        rows = [statement(night) for _ in range(5)]  # the last page has one
        point(night, "cf_fiches", fiche, rows[0])
        point(night, "cf_fiches", fiche, rows[4], "cf_OtherId")
        record: type[Any] = night.connector.all_kinds["cf_statement"].record
        pages = list(night.connector.read(record, ("regarding", "regarding_kind")))
    found = {row.id: row.regarding for page in pages for row in page}
    assert [len(page) for page in pages] == [2, 2, 1]
    assert found == {**dict.fromkeys(rows), rows[0]: fiche, rows[4]: fiche}
    assert sorted(asked) == ["cf_dossier._cf_statementid_value", "cf_fiche._cf_otherid_value", "cf_fiche._cf_statementid_value"]


@in_one_night
def a_hold_on_one_keeps_what_points_to_it(night: Night) -> Case:
    """HLD-04."""
    (dossier, fiche), row = ended(night), statement(night)
    point(night, "cf_fiches", fiche, row)
    place(night, "cf_statement", row)
    yield APPLIED
    assert (night.get("cf_dossiers", dossier) is None, night.get("cf_statements", row) is None) == (False, False)


def test_where_a_report_is_masked_the_row_goes_and_no_text_of_the_file_stays(tmp_path: Path) -> None:
    """5.3, ERA-06: a further text is overwritten like any column, and the lookup that leads to the row is
    empty."""
    masks = mapping_text(Settings())[0].replace("    table: cf_dossier\n", "    table: cf_dossier\n    texts: [cf_background]\n", 1)
    for column, more in (("cf_openedon", "cf_statementid: null\n        cf_background: drop_text"), ("cf_communicatedon", LOOKUPS)):
        assert masks.count(f"        {column}: null\n") == 1
        masks = masks.replace(f"        {column}: null\n", f"        {column}: null\n        {more}\n", 1)
    policy = load_policy(in_place()(policy_text(Settings())[0]), source="policy.yaml")
    with a_night(tmp_path, masks=masks, policy=policy) as night:
        night.create("teams", "teamid", name="Geanonimiseerd")
        dossier = a_runaway(night, cf_background="Alles over thuis.")
        (fiche,) = night.fiches_of(dossier)
        row = statement(night, cf_text="Ik hoorde een hond.")
        point(night, "cf_fiches", fiche, row)
        done = night.apply(night.plan())
        assert (done.counts["anonymised"], done.counts["skipped"], night.get("cf_statements", row)) == (1, {}, None)
        file, report = night.get("cf_dossiers", dossier), night.get("cf_fiches", fiche)
        assert file is not None
        assert report is not None
        assert (file["cf_background"], report["_cf_statementid_value"]) == (None, None)
        assert file["cf_anonymisedon"]


def test_a_read_that_fails_removes_nothing(night: Night) -> None:
    """A failed read is never an empty one."""
    (dossier, fiche), row = ended(night), statement(night)
    point(night, "cf_fiches", fiche, row)
    plan = night.plan()
    set_faults(night.emulator, {"match": {"path": "/cf_statements"}, "do": "status", "status": 500, "times": 100})
    with pytest.raises(ConnectorError):
        night.apply(plan)
    set_faults(night.emulator)
    assert (night.get("cf_dossiers", dossier) is None, night.get("cf_statements", row) is None) == (False, False)


def test_each_person_is_told_of_their_own_whoever_else_it_is_of(night: Night) -> None:
    """EXP-03, SUS-07."""
    family = night.create("cf_familys", "cf_familyid", cf_name="Een gezin met een hond.")
    child = night.contact(birthdate="2012-03-04")
    brother = night.contact(birthdate="2014-03-04", firstname="Warre", lastname="Zandstra (fictief)")
    row = statement(night, cf_text="Ik hoorde een hond.")
    dossier = night.dossier("grooming", closed=False, fiches=0)
    fiche = night.fiche("grooming", dossier=dossier, spoken=date(2026, 5, 4))
    point(night, "cf_fiches", fiche, row)
    for person in (child, brother):
        night.patch("contacts", person, **{"cf_FamilyId@odata.bind": f"/cf_familys({family})"})
        night.party(person, "child" if person == child else "witness", dossier=dossier)
    compilation = Answer(night, child).compile()
    assert {item.proposal for item in compilation.items if item.kind in ("cf_family", "cf_statement")} == {
        "Een gezin met een hond.",
        "verklaring\n\nIk hoorde een hond.",
    }
    assert compilation.is_complete
    (told,) = [item for item in Answer(night, brother).compile().items if item.kind == "cf_family"]
    assert told.proposal == "Een gezin met een hond."
    asked = []
    for people in ({child}, set[str]()):
        before = night.connector.stats.requests
        search_everywhere(night.context, people)
        asked.append(night.connector.stats.requests - before)
    assert asked[0] == asked[1]


def test_the_lookup_is_mapped_and_the_row_is_explained_with_its_unit(night: Night) -> None:
    (dossier, fiche), row = ended(night), statement(night)
    point(night, "cf_fiches", fiche, row)
    assert [finding.message for finding in night.connector.check(decisions=True) if finding.is_error] == []
    fates = {each.name: (each.fate, each.why) for each in night.connector.data_map(whole=True).places}
    assert fates["cf_fiche.cf_statementid"] == (Fate.MAPPED, "dependent.cf_statement.behind")
    assert fates["cf_statement.cf_text"] == (Fate.MAPPED, "dependent.cf_statement.texts")
    told = explain_row(night.connector, "cf_statement", row)
    assert (told.kind, told.unit) == ("cf_statement", {"table": "cf_dossier", "id": dossier})
    assert explain_row(night.connector, "cf_fiche", fiche).unfilled == []


def test_a_lookup_that_leads_there_and_is_not_named_is_refused(tmp_path: Path) -> None:
    """What it points to would go while something needs it."""
    short = MAPPING.replace("{fiche: [cf_statementid, cf_otherid], dossier: cf_statementid}", "{fiche: [cf_statementid, cf_othrid]}")
    with a_night(tmp_path, mapping=short) as night:
        found = {finding.message: finding.suggestion for finding in night.connector.check() if finding.is_error}
    told = "points to cf_statement too: what it points to would go while the row is needed."
    assert found == {
        "No table of fiche has a column cf_othrid (behind); did you mean cf_otherid?": "cf_otherid",
        f"cf_fiche.cf_otherid {told} Name fiche: cf_otherid under behind as well.": "cf_otherid",
        f"cf_dossier.cf_statementid {told} Name dossier: cf_statementid under behind as well.": "cf_statementid",
    }
