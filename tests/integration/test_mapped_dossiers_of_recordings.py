"""Recordings of a dossier itself, where the mapping says by which lookup: they have their six months, and
what holds the dossier holds them (RET-03, RET-05, HLD-04, policy §6.2)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from jobs.model.answer import ItemStatus
from jobs.model.plan import Kind
from jobs.model.request import Details
from jobs.plans.questions.explain import explain_unit
from jobs.requests.search.search import search_everywhere
from rules.model.decisions import Flag, Reason
from rules.model.requests import RequesterKind, Right
from tests.connectors.dynamics.draft.drafting import drafted, organisation
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.deciding import ask, compile_, granted, whats
from tests.drivers.holding import place
from tests.drivers.night import Night, night_in
from tests.drivers.typist import Typist
from tests.jobs.requests.answer.answers import Answer
from tests.jobs.requests.search.searching import retain
from tests.yaml_files import read_yaml, yaml_text

LONG_AGO, LATELY = date(2020, 1, 10), date(2026, 11, 20)


@dataclass(frozen=True)
class Form:
    """How the CRM ties a recording to a dossier: by a lookup of its own, or by the one that may lead to a
    fiche."""

    column: str
    navigation: str
    fiche: str = "cf_FicheId_cf_fiche"

    def of(self, dossier: str) -> dict[str, str]:
        return {f"{self.navigation}@odata.bind": f"/cf_dossiers({dossier})"}


OWN = Form("cf_dossierid", "cf_DossierId", "cf_FicheId")
EITHER = Form("cf_ficheid", "cf_FicheId_cf_dossier")


def environment(folder: Path, form: Form) -> Path:
    document = read_yaml(ENVIRONMENT)
    columns = document["tables"]["cf_recording"]["columns"]
    columns[form.column] = {"type": "lookup cf_fiche|cf_dossier" if form is EITHER else "lookup cf_dossier"}
    columns[form.column]["schema_name"] = form.navigation.removesuffix("_cf_dossier")
    document["relationships"].append(
        {"name": "cf_dossier_recordings", "parent": "cf_dossier", "child": "cf_recording", "column": form.column, "on_delete": "cascade"}
    )
    path = folder / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    return path


def mapping(form: Form, *fields: str) -> str:
    """The shipped mapping with the lookups of recordings in these fields; in both, if none is named."""
    text, _ = mapping_text(Settings())
    columns = {"dossier": form.column, "fiche": "cf_ficheid"}
    begin, head, rest = text.partition("    table: cf_recording\n    columns:\n      fiche: cf_ficheid\n")
    assert head
    either = f"    either: [{form.column}]\n" if form is EITHER and not fields else ""
    lines = "".join(f"      {name}: {columns[name]}\n" for name in fields or columns)
    return f"{begin}    table: cf_recording\n{either}    columns:\n{lines}{rest}"


@pytest.fixture(params=[OWN, EITHER], ids=["own", "either"])
def form(request: pytest.FixtureRequest) -> Form:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def night(tmp_path: Path, form: Form) -> Iterator[Night]:
    with night_in(environment(tmp_path, form), tmp_path, kind=Night, mapping=mapping(form)) as made:
        yield made


def test_it_has_six_months_and_what_holds_the_dossier_holds_it(night: Night, form: Form) -> None:
    assert night.connector.check(decisions=True) == []
    assert night.connector.data_map().unsearched_tables == ()
    dossier, held, of_held = (night.dossier("runaway", closed=False) for _ in range(3))
    flagged = night.dossier("runaway", closed=False, cf_legalhold=True)
    child = night.contact(birthdate="2010-05-05")
    night.party(child, "child", dossier=of_held)
    place(night, "cf_dossier", held)
    place(night, "contact", child)
    ended, running = night.recording(LONG_AGO, **form.of(dossier)), night.recording(LATELY, **form.of(dossier))
    marked = night.recording(LONG_AGO, **form.of(dossier), cf_evidence=True)
    kept = [night.recording(LONG_AGO, **form.of(each)) for each in (held, of_held, flagged)]
    plan = night.plan(Kind.RECORDINGS)
    lines = night.lines(plan)
    assert {row: (line.is_disposal, line.reason, line.rule) for row, line in lines.items()} == {
        ended: (True, Reason.EXPIRED.value, "RET-21"),
        running: (False, Reason.NOT_EXPIRED.value, "RET-21"),
        marked: (False, Reason.OPEN_DOSSIER.value, lines[marked].rule),
        **{
            row: (False, *why)
            for row, why in zip(kept, (("HOLD_JUDICIAL", "HLD-05"), ("HOLD_JUDICIAL", "HLD-05"), ("HOLD_LEGAL", "HLD-14")), strict=True)
        },
    }
    assert lines[running].retention_end == "2027-05-20"
    for row, line in lines.items():
        said, _ = explain_unit(night.context, "cf_recording", row)
        assert (said.is_disposal, said.reason, said.retention_end, said.rule) == (
            line.is_disposal,
            line.reason,
            line.retention_end,
            line.rule,
        )
    night.apply(plan)
    assert [night.get("cf_recordings", row) is None for row in (ended, running, marked, *kept)] == [True, *[False] * 5]


def test_a_hold_that_is_placed_on_the_dossier_meanwhile_still_counts(night: Night, form: Form) -> None:
    """HLD-07: in batches, and where a job of the CRM would delete them."""
    dossier = night.dossier("runaway", closed=False)
    recording = night.recording(LONG_AGO, **form.of(dossier))
    plan = night.plan(Kind.RECORDINGS)
    night.patch("cf_dossiers", dossier, cf_legalhold=True)
    night.apply(plan)
    assert night.get("cf_recordings", recording) is not None


def test_it_outlives_its_dossier_by_its_own_term_and_loses_its_link(night: Night, form: Form) -> None:
    """RET-03: the CRM would delete it along."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    (fiche,) = night.fiches_of(dossier)
    running = night.recording(LATELY, **form.of(dossier))
    ended = night.recording(LONG_AGO, **form.of(dossier))
    follows = night.recording(LATELY, **form.of(dossier), cf_evidence=True)
    tied = {**form.of(dossier), f"{form.fiche}@odata.bind": f"/cf_fiches({fiche})"} if form is OWN else form.of(dossier)
    twice = night.recording(LATELY, **tied)
    run = night.apply(night.plan())
    gone = [("cf_dossiers", dossier), ("cf_fiches", fiche), ("cf_recordings", ended), ("cf_recordings", follows)]
    assert [night.get(*row) for row in gone] == [None] * 4
    left = [night.get("cf_recordings", row) or {} for row in (running, twice)]
    assert [(row[f"_{form.column}_value"], row["_cf_ficheid_value"]) for row in left] == [(None, None)] * 2
    actions = {action.id: action for action in night.store.journal.of_run(run.id)}
    writes = {write.id: write.operation for write in actions[dossier].rows}
    assert (writes[running], writes[twice]) == ("unlink_dossier", "unlink" if form is OWN else "unlink_dossier")
    assert {night.lines(night.plan())[row].reason for row in (running, twice)} == {Reason.NOT_EXPIRED.value}


def test_one_that_is_tied_to_a_file_that_stays_is_not_deleted_with_the_other(tmp_path: Path) -> None:
    with night_in(environment(tmp_path, OWN), tmp_path, kind=Night, mapping=mapping(OWN)) as night:
        old, other, stays = (night.dossier("social_card", spoken=LONG_AGO) for _ in range(3))
        night.patch("cf_dossiers", stays, cf_legalhold=True)
        ties = [(old, stays), (stays, old), (old, other)]
        rows = []
        for dossier, file in ties:
            (fiche,) = night.fiches_of(file)
            bound = {**OWN.of(dossier), "cf_FicheId@odata.bind": f"/cf_fiches({fiche})"}
            rows.append(night.recording(LATELY, **bound, cf_evidence=True))
        night.apply(night.plan())
        night.clock.advance(days=1)
        night.apply(night.plan())
        left = [night.get("cf_recordings", row) or {} for row in rows[:2]]
        (fiche,) = night.fiches_of(stays)
        assert [(row["_cf_dossierid_value"], row["_cf_ficheid_value"]) for row in left] == [(None, fiche), (stays, None)]
        assert [night.get("cf_dossiers", row) is None for row in (old, other, stays)] == [True, True, False]


def test_one_in_long_term_retention_keeps_its_dossier_until_its_own_day(night: Night, form: Form) -> None:
    """No write takes its link off there."""
    dossiers = [night.dossier("social_card", spoken=LONG_AGO) for _ in range(3)]
    for dossier, ended, evidence in zip(dossiers, (LATELY, LONG_AGO, LATELY), (False, False, True), strict=True):
        retain(night, "cf_recording", night.recording(ended, **form.of(dossier), cf_evidence=evidence))
    plan = night.plan()
    assert [Flag.LONG_TERM_RETENTION.value in night.lines(plan)[row].flags for row in dossiers] == [True, False, False]
    night.apply(plan)
    assert [night.get("cf_dossiers", row) is None for row in dossiers] == [False, True, True]


def test_a_childs_answer_shows_it_and_an_erasure_takes_it_along(night: Night, form: Form) -> None:
    child = night.contact(birthdate="2010-05-05")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    recording = night.recording(LATELY, **form.of(dossier))
    assert search_everywhere(night.context, [child]).recordings.keys() == {recording}
    (voice,) = [item for item in Answer(night, child, details=Details(audio=True)).compile().items if item.attachment is not None]
    assert (voice.kind, voice.status, voice.withholds) == ("recording", ItemStatus.PENDING_REVIEW, "")
    (fiche,) = night.fiches_of(dossier)
    of = {"fiche": fiche} if form is OWN else {"dossier": dossier}  # a role on a fiche is one in its dossier
    night.party(night.contact(), "reporter", **of)  # whose voice it is then, no row says
    (voice,) = [item for item in Answer(night, child, details=Details(audio=True)).compile().items if item.attachment is not None]
    assert (voice.status, voice.withholds) == (ItemStatus.WITHHELD, "voice")


def test_a_call_of_who_asks_for_the_child_is_nobody_elses(night: Night, form: Form) -> None:
    """Also on a fiche that somebody else called about first, where they are named as its reporter."""
    child, mother = night.contact(birthdate="2018-05-05"), night.contact(telephone1="+32470112233")
    dossier = night.dossier("sexting", closed=False, fiches=0)
    fiche = night.fiche("sexting", dossier=dossier, cf_callernumber="+32470998877")
    night.party(child, "child", dossier=dossier)
    night.party(mother, "parent", dossier=dossier)
    night.party(mother, "reporter", fiche=fiche)
    night.recording(LATELY, cf_callernumber="+32470112233", **{f"{form.fiche}@odata.bind": f"/cf_fiches({fiche})"})
    items = Answer(night, mother, child=child, kind=RequesterKind.PARENT_SELF, details=Details(audio=True)).compile().items
    assert [(item.kind, item.withholds) for item in items if item.attachment is not None] == [("recording", "")]


def test_an_erasure_of_the_dossier_takes_it_along(night: Night, form: Form) -> None:
    child, dossier = night.contact(birthdate="2010-05-05"), night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    recording = night.recording(LATELY, **form.of(dossier))
    request = ask(night, Right.ERASURE, child)
    assert whats(compile_(night, request)) == [("erase", "dossier")]
    granted(night, request)
    assert [night.get(*row) for row in (("cf_dossiers", dossier), ("cf_recordings", recording))] == [None, None]


def test_one_of_a_fiche_elsewhere_stays_when_the_dossier_is_erased(tmp_path: Path) -> None:
    with night_in(environment(tmp_path, OWN), tmp_path, kind=Night, mapping=mapping(OWN)) as night:
        child, dossier = night.contact(birthdate="2010-05-05"), night.dossier("sexting", closed=False)
        night.party(child, "child", dossier=dossier)
        fiche = night.fiche("sexting")
        recording = night.recording(LATELY, **OWN.of(dossier), **{"cf_FicheId@odata.bind": f"/cf_fiches({fiche})"})
        granted(night, ask(night, Right.ERASURE, child))
        left = night.get("cf_recordings", recording) or {}
        assert (night.get("cf_dossiers", dossier), left["_cf_dossierid_value"], left["_cf_ficheid_value"]) == (None, None, fiche)


def test_one_that_is_tied_to_a_fiche_by_the_lookup_of_a_dossier_is_told_as_not_searched(tmp_path: Path) -> None:
    """It is in no unit, and an answer that is silent about it would seem whole."""
    with night_in(environment(tmp_path, EITHER), tmp_path, kind=Night, mapping=mapping(EITHER, "dossier")) as night:
        (fiche,) = night.fiches_of(night.dossier("sexting", closed=False))
        recording = night.recording(LONG_AGO, **{f"{EITHER.fiche}@odata.bind": f"/cf_fiches({fiche})"})
        assert recording not in night.lines(night.plan(Kind.RECORDINGS))
        assert night.connector.data_map().unsearched_tables == ("cf_recording",)


def test_one_of_a_dossier_elsewhere_stays_when_the_fiche_is_erased(tmp_path: Path) -> None:
    with night_in(environment(tmp_path, OWN), tmp_path, kind=Night, mapping=mapping(OWN)) as night:
        child, fiche = night.contact(birthdate="2010-05-05"), night.fiche("sexting")
        night.party(child, "child", fiche=fiche)
        dossier = night.dossier("sexting", closed=False)
        recording = night.recording(LATELY, **OWN.of(dossier), **{"cf_FicheId@odata.bind": f"/cf_fiches({fiche})"})
        granted(night, ask(night, Right.ERASURE, child))
        left = night.get("cf_recordings", recording) or {}
        assert (night.get("cf_fiches", fiche), left["_cf_dossierid_value"], left["_cf_ficheid_value"]) == (None, dossier, None)


def test_a_draft_and_the_check_know_it(typist_at: Callable[..., Typist], tmp_path: Path, form: Form) -> None:
    with organisation(typist_at, environment(tmp_path, form)) as typist:
        _, text = drafted(typist, tmp_path)
        draft = tmp_path / "draft.yaml"
        assert f"      dossier: {form.column}\n" in text.partition("    table: cf_recording\n")[2].partition("choices")[0]
        draft.write_text(text.replace("# choose: 100000050: no key is like it", "100000050: csam_report"), encoding="utf-8")
        assert typist.type("mapping", "check", draft).code == 0
        told = {}
        for field in ("fiche", "dossier"):
            draft.write_text(mapping(form, field), encoding="utf-8")
            said = typist.type("mapping", "check", draft, "--json").document
            told[field] = [(each["message"], each["suggestion"]) for each in said["problems" if form is OWN else "warnings"]]
        assert ["Map it as recording.dossier" in message for message, _ in told["fiche"]] == [True]
        assert ["Map it as recording.fiche" in message for message, _ in told["dossier"]] == [True]
        assert [suggestion for each in told.values() for _, suggestion in each] == [form.column, "cf_ficheid"]
