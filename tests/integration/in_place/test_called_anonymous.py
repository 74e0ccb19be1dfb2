"""What of rows anonymised in place may be called anonymous, and what pseudonymised (R-083, R-086, R-090)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from jobs.model.run import ActionState, RunState
from jobs.residual.clean import clean_places
from rules.model.residual_data import PlaceState, ResidualPlace
from tests.drivers.night import CATEGORY, Night
from tests.integration.in_place.anonymised import MAPPING, Change, MakeNight, a_runaway, actions, in_place, keeping, mapped, unchanged


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

    monkeypatch.setattr("jobs.runs.clean_up.clean_places", blind)
    run = night.apply(night.plan())
    found = actions(night, run.id)
    assert (found[dossier].state, found[dossier].code) == (ActionState.PARTIAL, "PSEUDONYMISED")
    assert found[plain].state is ActionState.DONE  # what was to be deleted is
