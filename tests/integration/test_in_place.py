"""Nights on which dossiers are anonymised in place, and what may be called anonymous (section 5.3; R-081 to
R-087, R-090).

All people are fictitious.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.connector import connect
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import running
from connectors.interface.errors import Forbidden
from crm_compliance.wiring.fits_this_crm import permitted
from jobs.model.plan import Kind
from jobs.model.privileges import needs_under
from jobs.model.run import Action, ActionState, RunState
from jobs.residual.clean import clean_places
from rules.errors import ComplianceError, MappingError
from rules.model.residual_data import PlaceState, ResidualPlace
from tests.connectors.dynamics.residual.residual_crm import environment_with_more
from tests.drivers.night import CATEGORY, Night
from tests.drivers.organisation import TOKEN, set_faults
from tests.drivers.side_by_side import APPLIED, PLANNED, Case, SideBySide
from tests.known_definitions import KNOWN

MakeNight = Callable[..., Night]
Change = Callable[[str], str]
LONG_AGO = date(2024, 1, 10)
ADULT = "2000-02-01"  # a runaway dossier ended on 2025-02-01
CANARY = "Kanarie-7731"
TEAM = "11111111-2222-4333-8444-555555555555"
MAPPING = REFERENCE.read_text("utf-8")
FICHE_TEXTS = ("cf_name", "cf_callernumber", "cf_calleremail", "cf_ipaddress", "cf_summary", "cf_transmittedto", "cf_transferbasis")


def unchanged(text: str) -> str:
    return text


def in_place(more: str = "") -> Change:
    """The shipped schedule, anonymising in place."""
    return lambda text: text.replace("backups:\n", f"anonymise:\n  how: in_place\n{more}\nbackups:\n", 1)


def keeping(text: str, *columns: str) -> str:
    """A mapping that keeps these columns of the dossier."""
    for column in columns:
        for technique in ("null", "drop_text"):
            text = text.replace(f"        {column}: {technique}\n", "", 1)
    return text.replace("      state: 1\n", f"      state: 1\n      keeps: [{', '.join(columns)}]\n", 1)


@contextmanager
def mapped(night: Night, mapping: str, **options: Any) -> Iterator[None]:
    """The same night with another mapping."""
    before = night.connector
    night.connector = connect(
        url=night.emulator.url, tokens=StaticToken(TOKEN, night.emulator.url), mapping_text=mapping, mapping_source="m.yaml", **options
    )
    try:
        yield
    finally:
        night.connector.close()
        night.connector = before


@pytest.fixture
def night(make_night: MakeNight) -> Night:
    night = make_night(policy=in_place())
    night.create("teams", "teamid", name="Geanonimiseerd")
    return night


def a_runaway(night: Night, *, full: bool = False, born: str = ADULT, **columns: Any) -> str:
    """A runaway dossier of a child that has grown up; `full`: with a canary in every text column there is."""
    if full:
        columns |= {name: f"{CANARY} {name}" for name in ("cf_name", "cf_courtreference", "cf_summary", "cf_legalholdreason")}
        columns |= {"cf_outcome": 100000002, "cf_outcomeon": "2024-02-01", "cf_publicalert": False, "cf_reviewedon": "2024-03-01"}
    dossier = night.dossier("runaway", spoken=LONG_AGO, **columns)
    child = night.contact(firstname=CANARY if full else "Noor", birthdate=born, gendercode=2, address1_postalcode="2000")
    night.party(child, "child", dossier=dossier)
    return dossier


def actions(night: Night, run: str) -> dict[str, Action]:
    return {action.id: action for action in night.store.journal.of_run(run)}


def masked_columns(row: dict[str, Any]) -> dict[str, Any]:
    """What an anonymised row still holds of the organisation's own columns."""
    return {name: value for name, value in row.items() if name.startswith(("cf_", "_cf_")) and value is not None}


def fiche_full_of_canaries(night: Night, dossier: str | None, **columns: Any) -> str:
    texts = dict.fromkeys(FICHE_TEXTS, CANARY)
    codes = {"cf_channel": 100000001, "cf_reporterkind": 100000001, "cf_language": 100000001, "cf_transmittedcountry": "MA"}
    return night.fiche("runaway", spoken=LONG_AGO, dossier=dossier, **texts, **codes, cf_transmittedon="2024-02-02", **columns)


# --- what is left of a dossier ------------------------------------------------------------------------------


in_one_night = SideBySide[Night]()


def test_a_night_with_all_of_these(night: Night, subtests: pytest.Subtests) -> None:
    in_one_night.play(night, subtests)


def test_nothing_of_an_anonymised_dossier_names_anybody(night: Night) -> None:
    """R-081, R-082, ERA-06: columns are empty or constant, all that hung on them is gone, and the statistics
    have it as before."""
    dossier = a_runaway(night, full=True)
    fiche = fiche_full_of_canaries(night, dossier)
    night.patch("cf_dossiers", dossier, statecode=1, statuscode=2)
    night.party(night.contact(lastname=CANARY), "reporter", fiche=fiche)
    night.note("cf_dossier", dossier, notetext=CANARY)
    night.note("cf_fiche", fiche, subject=CANARY)
    night.call("cf_fiche", fiche, [])
    old, young = night.recording(LONG_AGO, fiche=fiche), night.recording(date(2026, 11, 1), fiche=fiche)
    plan = night.plan()
    assert night.lines(plan)[dossier].disposition == "anonymise"  # the plan's disposition stays that of the schedule (ERA-03)
    run = night.apply(plan)
    assert run.state is RunState.DONE
    assert (run.counts["anonymised"], run.counts["statistics"]) == (1, 1)
    verified: Any = run.counts["verified"]
    assert (verified["masked"], verified["still_there"]) == (3, 0)

    row = night.get("cf_dossiers", dossier)
    assert row is not None
    assert masked_columns(row) == {"cf_dossierid": dossier, "cf_name": "Geanonimiseerd", "cf_anonymisedon": row["cf_anonymisedon"]}
    (team,) = night.rows("teams?$select=teamid&$filter=name eq 'Geanonimiseerd'")
    assert (row["_ownerid_value"], row["statecode"]) == (team["teamid"], 1)
    fiches = night.rows("cf_fiches")
    assert {each["cf_ficheid"] for each in fiches} >= {fiche}
    for each in fiches:
        assert masked_columns(each).keys() == {"cf_ficheid", "cf_name", "cf_anonymisedon"}
    for table in ("annotations", "phonecalls", "cf_parties", "contacts", "activityparties"):
        assert night.rows(table) == [], table
    assert night.get("cf_recordings", old) is None
    kept = night.get("cf_recordings", young)  # its own term runs (RET-03)
    assert kept is not None
    assert kept["_cf_ficheid_value"] is None
    sets = ("cf_dossiers", "cf_fiches", "cf_parties", "cf_recordings", "cf_statistics", "contacts", "annotations")
    assert CANARY not in json.dumps([night.rows(table) for table in sets])
    assert actions(night, run.id)[dossier].places[ResidualPlace.AUDIT_HISTORY] in (PlaceState.DONE, PlaceState.NOT_APPLICABLE)


@in_one_night
def what_stays_is_untouched_to_the_byte(night: Night) -> Case:
    a_runaway(night)
    young = a_runaway(night, born="2015-05-05", cf_summary="Verzonnen.")
    fiche = fiche_full_of_canaries(night, young)
    keep = [("cf_dossiers", young), ("cf_fiches", fiche)]
    before = [night.get(*each) for each in keep]
    yield APPLIED
    assert [night.get(*each) for each in keep] == before


@in_one_night
def a_lone_fiche_is_masked_by_itself(night: Night) -> Case:
    """RET-02: a unit of its own; it never becomes a row of the statistics, so nothing of it may stay."""
    fiche = fiche_full_of_canaries(night, None)
    night.party(night.contact(birthdate=ADULT), "child", fiche=fiche)
    run = yield APPLIED
    row = night.get("cf_fiches", fiche)
    assert run.state is RunState.DONE
    assert row is not None
    assert masked_columns(row).keys() == {"cf_ficheid", "cf_name", "cf_anonymisedon"}


def test_a_dossier_with_a_public_alert_is_deleted_all_the_same(night: Night) -> None:
    """R-083, ERA-04: only the total of the year grows."""
    dossier = a_runaway(night, cf_publicalert=True)
    run = night.apply(night.plan())
    assert (run.counts["deleted"], run.counts["anonymised"]) == (2, 0)  # the dossier, and the child's contact
    assert night.get("cf_dossiers", dossier) is None
    assert [(row["cf_categorykey"], row["cf_year"], row["cf_count"]) for row in night.rows("cf_statistics")] == [
        ("total_disappearance", 2024, 1)
    ]


@in_one_night
def a_category_that_is_deleted_is_deleted(night: Night) -> Case:
    dossier = night.dossier("social_card", spoken=date(2025, 1, 10))
    yield APPLIED
    assert night.get("cf_dossiers", dossier) is None


def test_a_unit_on_which_something_unmapped_hangs_waits(make_night: MakeNight, tmp_path: Path) -> None:
    """R-081: a deleted row takes along what depends on it, a masked one would keep it."""
    with running(environment=environment_with_more(tmp_path), token=TOKEN, limits=False) as emulator, KNOWN.of(emulator, TOKEN):
        base = make_night(policy=in_place())
        night = Night(emulator, base.store, base.key, base.policy, base.clock)
        night.create("teams", "teamid", name="Geanonimiseerd")
        dossier, other = a_runaway(night), a_runaway(night)
        link = {"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"}
        night.create("cf_measures", "cf_measureid", cf_name=CANARY, **link)
        run = night.apply(night.plan())
        found = actions(night, run.id)
        assert (found[dossier].state, found[dossier].code) == (ActionState.SKIPPED, "SKIPPED_TECHNICAL")
        assert found[other].state is ActionState.DONE
        night.close()


# --- once ---------------------------------------------------------------------------------------------------


def test_the_next_night_writes_nothing(night: Night) -> None:
    """R-087, ERA-07: rows already anonymised have no line."""
    dossier = a_runaway(night)
    night.apply(night.plan())
    before, writes = night.get("cf_dossiers", dossier), night.writes()
    night.clock.now += timedelta(days=1)
    plan = night.plan()
    assert dossier not in night.lines(plan)
    night.apply(plan)
    assert night.writes() == writes
    assert night.get("cf_dossiers", dossier) == before


def test_an_older_plan_does_not_write_a_row_that_was_anonymised_since(night: Night) -> None:
    """R-087 where two plans were made of the same row."""
    dossier = a_runaway(night)
    first, second = night.plan(), night.plan(Kind.RETENTION)
    night.apply(first)
    writes = night.writes()
    run = night.apply(second)
    assert night.writes() == writes
    assert actions(night, run.id)[dossier].code == "CHANGED"


@in_one_night
def a_hold_that_comes_after_the_plan_wins(night: Night) -> Case:
    """HLD-07."""
    dossier = a_runaway(night)
    yield PLANNED
    night.patch("cf_dossiers", dossier, cf_legalhold=True)
    yield APPLIED
    row = night.get("cf_dossiers", dossier)
    assert row is not None
    assert row["cf_anonymisedon"] is None


@pytest.mark.parametrize("lost", ["cut_before", "cut_after"])
def test_a_lost_answer_is_read_back_and_nothing_is_written_twice(night: Night, lost: str) -> None:
    """The masks are read back column by column before anything is tried again."""
    dossier = a_runaway(night, full=True)
    plan = night.plan()
    fault = {"match": {"path": "$batch", "method": "POST"}, "do": lost, "times": 1}
    set_faults(night.emulator, fault)
    run = night.apply(plan)
    row = night.get("cf_dossiers", dossier)
    assert run.state is RunState.DONE
    assert row is not None
    assert masked_columns(row).keys() == {"cf_dossierid", "cf_name", "cf_anonymisedon"}


@pytest.mark.parametrize("written", [False, True], ids=["before_the_write", "after_the_write"])
def test_a_run_that_was_cut_off_goes_on_where_it_was(night: Night, monkeypatch: pytest.MonkeyPatch, written: bool) -> None:
    """ERA-15: applied again, the plan is finished; the unit is counted once."""
    dossier = a_runaway(night, full=True)
    plan = night.plan()
    change = night.connector.change

    def killed(change_sets: Any, **more: Any) -> Any:
        if written:
            change(change_sets, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(night.connector, "change", killed)
    with pytest.raises(KeyboardInterrupt):
        night.apply(plan)
    monkeypatch.undo()
    run = night.apply(plan)
    row = night.get("cf_dossiers", dossier)
    assert run.state is RunState.DONE
    assert row is not None
    assert masked_columns(row).keys() == {"cf_dossierid", "cf_name", "cf_anonymisedon"}
    assert run.counts["anonymised"] == 1
    assert [each["cf_count"] for each in night.rows("cf_statistics")] == [1]


def test_an_anonymised_row_that_somebody_fills_again_is_found(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """ERA-15: reading back looks at every column, at the end of the run."""
    dossier = a_runaway(night)
    plan = night.plan()

    def filled(*given: Any) -> Any:
        night.patch("cf_dossiers", dossier, cf_summary=CANARY)
        return clean_places(*given)

    monkeypatch.setattr("jobs.runs.run.clean_places", filled)
    run = night.apply(plan)
    action = actions(night, run.id)[dossier]
    assert run.state is RunState.DONE_WITH_FAILURES
    assert (action.state, action.code, action.still_there) == (ActionState.PARTIAL, "STILL_THERE", (("cf_dossier", dossier),))


# --- what the mapping keeps ---------------------------------------------------------------------------------


def test_a_category_stays_only_where_the_statistics_have_enough_like_it(night: Night) -> None:
    """ERA-08 in place: rows of earlier runs count, and this unit's own; those of the same run do not,
    whatever their order."""
    with mapped(night, keeping(MAPPING, "cf_categories", "cf_outcome")):
        first = [a_runaway(night, cf_outcome=100000002) for _ in range(5)]
        night.apply(night.plan())
        assert len(night.rows("cf_statistics")) == 5  # together they are enough for the statistics
        assert {row["cf_categories"] for each in first if (row := night.get("cf_dossiers", each))} == {None}
        night.clock.now += timedelta(days=1)
        alike, rare = a_runaway(night, cf_outcome=100000002), a_runaway(night, cf_outcome=100000001)
        run = night.apply(night.plan())
        common, other = night.get("cf_dossiers", alike), night.get("cf_dossiers", rare)
    assert run.state is RunState.DONE
    assert common is not None
    assert other is not None
    assert (common["cf_categories"], common["cf_outcome"]) == (str(CATEGORY["runaway"]), 100000002)
    assert (other["cf_categories"], other["cf_outcome"]) == (None, None)


def test_a_text_that_stays_makes_it_pseudonymised(night: Night) -> None:
    """ERA-02: the controller may keep it; it is then reported as what it is, and the duty stands."""
    with mapped(night, keeping(MAPPING, "cf_courtreference")):
        for _ in range(5):
            a_runaway(night)
        night.apply(night.plan())
        night.clock.now += timedelta(days=1)
        dossier = a_runaway(night, cf_courtreference="fictief 1")
        run = night.apply(night.plan())
    action = actions(night, run.id)[dossier]
    assert run.state is RunState.DONE_WITH_FAILURES
    assert (action.state, action.code) == (ActionState.PARTIAL, "PSEUDONYMISED")


# --- what may be called anonymous ---------------------------------------------------------------------------


def test_a_kept_key_makes_it_pseudonymised_night_after_night(make_night: MakeNight) -> None:
    """R-090: reported as PSEUDONYMISED, not counted as anonymised, and on the list of the half done until
    somebody acts."""
    night = make_night(policy=in_place("  pseudonyms: kept"))
    night.create("teams", "teamid", name="Geanonimiseerd")
    with mapped(night, MAPPING.replace("        cf_name: constant\n", "        cf_name: hmac\n", 1), pseudonym_key=bytes(32)):
        dossier = a_runaway(night)
        run = night.apply(night.plan())
        assert run.state is RunState.DONE_WITH_FAILURES
        assert (run.counts["anonymised"], run.counts["partial"]) == (0, 1)
        assert actions(night, run.id)[dossier].code == "PSEUDONYMISED"
        night.clock.now += timedelta(days=1)
        again = night.apply(night.plan())
        assert again.state is RunState.DONE_WITH_FAILURES
        assert [(each.id, each.code) for _, each in night.store.journal.partials()] == [(dossier, "PSEUDONYMISED")]
        assert night.rows("cf_statistics") == []


def test_a_key_of_the_run_leaves_nothing_that_could_reverse_a_pseudonym(night: Night) -> None:
    """ERA-05, 5.3: random, in memory, gone with the run; the journal has no pseudonym either."""
    with mapped(night, MAPPING.replace("        cf_name: constant\n", "        cf_name: hmac\n", 1)):
        dossier = a_runaway(night)
        run = night.apply(night.plan())
        row = night.get("cf_dossiers", dossier)
    assert run.state is RunState.DONE
    assert row is not None
    assert len(row["cf_name"]) == 64
    assert row["cf_name"] not in str(night.store.journal.of_run(run.id))
    assert row["cf_name"] not in str(list(night.store.ledger.entries()))
    assert row["cf_name"] != night.key.reference("cf_dossier", dossier)


def test_backups_that_are_in_use_have_to_rotate_first(make_night: MakeNight) -> None:
    """ERA-02, ERA-13, with extract and delete: PSEUDONYMISED until the last backup is gone, then counted
    once."""
    night = make_night(policy=lambda text: text.replace("beyond_use: true", "beyond_use: false"))
    dossier = a_runaway(night)
    run = night.apply(night.plan())
    assert actions(night, run.id)[dossier].code == "PSEUDONYMISED"
    assert night.get("cf_dossiers", dossier) is None  # its rows are gone all the same
    assert night.rows("cf_statistics") == []
    night.clock.now += timedelta(days=28)
    assert night.apply(night.plan()).state is RunState.DONE_WITH_FAILURES
    night.clock.now += timedelta(days=1)
    run = night.apply(night.plan())
    assert run.state is RunState.DONE
    assert run.counts["anonymised"] == 1
    assert [row["cf_count"] for row in night.rows("cf_statistics")] == [1]
    night.clock.now += timedelta(days=1)
    night.apply(night.plan())
    assert [row["cf_count"] for row in night.rows("cf_statistics")] == [1]


@pytest.mark.parametrize("policy", [unchanged, in_place()], ids=["extract_and_delete", "in_place"])
def test_a_history_that_nobody_can_look_into_makes_it_pseudonymised(
    make_night: MakeNight, monkeypatch: pytest.MonkeyPatch, policy: Change
) -> None:
    """ERA-02: old values may be in it."""
    night = make_night(policy=policy)
    night.create("teams", "teamid", name="Geanonimiseerd")
    dossier, plain = a_runaway(night), night.dossier("social_card", spoken=date(2025, 1, 10))

    def blind(*given: Any) -> Any:
        found = clean_places(*given)
        for each in found.values():
            each.places[ResidualPlace.AUDIT_HISTORY.value] = PlaceState.NOT_REACHABLE.value
        return found

    monkeypatch.setattr("jobs.runs.run.clean_places", blind)
    run = night.apply(night.plan())
    found = actions(night, run.id)
    assert (found[dossier].state, found[dossier].code) == (ActionState.PARTIAL, "PSEUDONYMISED")
    assert found[plain].state is ActionState.DONE  # what was to be deleted is


# --- refused ------------------------------------------------------------------------------------------------


def test_without_the_neutral_team_nothing_is_planned(make_night: MakeNight) -> None:
    night = make_night(policy=in_place())
    a_runaway(night)
    with pytest.raises(MappingError, match="no team"):
        night.plan()


def give(night: Night, *but: str) -> None:
    """The least role under this schedule, with what cleaning needs, but for some privileges."""
    lines = [*night.connector.least_role(needs_under(night.policy)), *night.connector.cleaning_role()]
    body = {"user": night.connector.whoami(), "set": {line.name: line.depth for line in lines if line.name not in but}}
    night.http.put(f"{night.emulator.root}/_emulator/privileges", json=body).raise_for_status()


def test_the_least_role_is_enough_to_anonymise_in_place(night: Night) -> None:
    dossier = a_runaway(night)
    give(night)
    permitted(night.connector, night.policy)
    run = night.apply(night.plan())
    assert actions(night, run.id)[dossier].state is ActionState.DONE


@pytest.mark.parametrize("lacking", ["prvAssigncf_dossier", "prvWritecf_fiche", "prvReadTeam"])
def test_without_a_right_that_masks_need_nothing_begins(night: Night, lacking: str) -> None:
    give(night, lacking)
    with pytest.raises(Forbidden, match=f"{lacking} is missing"):
        permitted(night.connector, night.policy)


# --- statistics by the month --------------------------------------------------------------------------------


def test_by_the_month_rows_wait_without_identifiers_and_are_tested_together(make_night: MakeNight) -> None:
    """ERA-16 (`stats_batch: monthly`), R-084: five nights of one month make one batch, written by the first
    run of the next."""
    night = make_night(
        datetime(2026, 11, 20, 11, tzinfo=UTC), policy=lambda text: text.replace("statistics:\n", "statistics:\n  batch: monthly\n", 1)
    )
    for _ in range(5):
        dossier = a_runaway(night, cf_outcome=100000002)
        run = night.apply(night.plan())
        assert run.counts["statistics"] == 0
        waits = night.store.statistics.waiting(night.emulator.url)
        assert dossier not in str(waits)
        assert "2026-11-2" not in str(waits)
        assert actions(night, run.id)[dossier].statistic is None
        night.clock.now += timedelta(days=1)
    assert list(waits.values()) == [5]  # alike, so that nobody can tell them apart
    assert night.rows("cf_statistics") == []
    night.clock.now = datetime(2026, 11, 30, 22, 30, tzinfo=UTC)  # still November in Brussels
    night.apply(night.plan())
    assert night.rows("cf_statistics") == []
    night.clock.now = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    late = a_runaway(night, cf_outcome=100000002)
    run = night.apply(night.plan())
    assert run.counts["statistics"] == 5
    assert {row["cf_categorykey"] for row in night.rows("cf_statistics")} == {"missing_runaway"}
    (key,) = night.store.statistics.waiting(night.emulator.url)
    assert key[0] == "2026-12"  # what December counts waits for January
    assert night.get("cf_dossiers", late) is None
    night.clock.now += timedelta(days=1)
    night.apply(night.plan())
    assert len(night.rows("cf_statistics")) == 5


def test_back_to_a_batch_a_run_nothing_that_waits_is_lost(make_night: MakeNight, database_file: Callable[[], str]) -> None:
    url = database_file()
    monthly = make_night(url=url, policy=lambda text: text.replace("statistics:\n", "statistics:\n  batch: monthly\n", 1))
    a_runaway(monthly, cf_outcome=100000002)
    monthly.apply(monthly.plan())
    nightly = make_night(url=url)
    a_runaway(nightly, cf_outcome=100000001)
    nightly.apply(nightly.plan())
    assert [row["cf_count"] for row in nightly.rows("cf_statistics")] == [2]  # one total, both units
    assert nightly.store.statistics.waiting(nightly.emulator.url) == {}


def test_a_write_that_is_refused_loses_nothing_of_the_month(make_night: MakeNight) -> None:
    """What is to be written is fixed in the run before the first request, in the transaction that empties the
    buffer."""
    night = make_night(policy=lambda text: text.replace("statistics:\n", "statistics:\n  batch: monthly\n", 1))
    a_runaway(night)
    night.apply(night.plan())
    night.clock.now = datetime(2026, 12, 1, 11, tzinfo=UTC)
    plan = night.plan()
    fault = {"match": {"path": "cf_statistics", "method": "POST"}, "do": "status", "status": 403, "times": 1000}
    set_faults(night.emulator, fault)
    with pytest.raises(ComplianceError):
        night.apply(plan)
    set_faults(night.emulator)
    run = night.apply(plan)
    assert run.counts["statistics"] == 1
    assert [row["cf_count"] for row in night.rows("cf_statistics")] == [1]
