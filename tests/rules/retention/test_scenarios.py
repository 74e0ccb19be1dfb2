"""The acceptance scenarios on classification, schedule, time and holds (11.1, R-155, R-156), each under its
identifier."""

from datetime import date, datetime
from typing import Any

import pytest

from rules.dates.calendar import BELGIAN
from rules.model.decisions import Decision, Disposition, Flag, Reason
from rules.model.records import OF_ITS_DOSSIER, Unit
from tests.rules.builders import BRAM, LOTTE, a_child, a_dossier, a_fiche, a_lone_fiche, a_policy, codes, decided
from tests.wire_days import civil_date

KEEP, DELETE, ANONYMISE = Disposition.KEEP, Disposition.DELETE, Disposition.ANONYMISE
LATER = date(2026, 11, 25)


def verdict(decision: Decision) -> tuple[Disposition, Reason]:
    return decision.disposition, decision.reason


def grooming(**facts: Any) -> Unit:
    return a_dossier(a_fiche("grooming", communicated_on=date(2020, 1, 5)), children=[a_child(**facts)])


def test_r001_a_lone_social_card_is_kept_on_its_last_day_and_deleted_the_day_after() -> None:
    fiche = a_lone_fiche("social_card", communicated_on=date(2026, 1, 15))
    assert verdict(decided(fiche, date(2026, 7, 15))) == (KEEP, Reason.NOT_EXPIRED)
    assert verdict(decided(fiche, date(2026, 7, 16))) == (DELETE, Reason.EXPIRED)
    assert decided(fiche, date(2026, 7, 16)).rule == "RET-07"


def test_r002_an_e_safety_dossier_counts_from_its_last_fiche() -> None:
    fiches = [a_fiche("e_safety", communicated_on=on) for on in (date(2026, 2, 10), date(2026, 5, 20))]
    decision = decided(a_dossier(*fiches), date(2026, 8, 11))
    assert (decision.disposition, decision.retention_end) == (KEEP, date(2026, 11, 20))


def test_r003_closing_a_social_card_does_not_move_its_end() -> None:
    dossier = a_dossier(a_fiche("social_card", communicated_on=date(2026, 2, 10)), closed_on=date(2026, 7, 1))
    assert decided(dossier, date(2026, 8, 11)).disposition is DELETE


def test_r004_a_social_card_that_was_never_closed_is_disposed_of_all_the_same() -> None:
    dossier = a_dossier(a_fiche("social_card", communicated_on=date(2026, 2, 10)), is_active=True)
    decision = decided(dossier, date(2026, 8, 11))
    assert (decision.disposition, decision.flags) == (DELETE, ())


def test_r005_reopening_a_social_card_moves_its_end() -> None:
    dossier = a_dossier(a_fiche("social_card", communicated_on=date(2026, 2, 10)), is_active=True, reopened_on=date(2026, 8, 1))
    decision = decided(dossier, date(2026, 8, 11))
    assert (decision.reasons, decision.retention_end) == ((Reason.NOT_EXPIRED,), date(2027, 2, 1))


def test_r006_exploitation_ends_with_the_18th_birthday_and_is_anonymised() -> None:
    fiche = a_fiche("sextortion", communicated_on=date(2024, 12, 1))
    dossier = a_dossier(fiche, children=[a_child(birth_on=date(2008, 5, 10))], closed_on=date(2025, 1, 10))
    assert decided(dossier, date(2026, 5, 10)).disposition is KEEP
    assert verdict(decided(dossier, date(2026, 5, 11))) == (ANONYMISE, Reason.EXPIRED)


def test_r007_a_public_holiday_does_not_move_an_end() -> None:
    dossier = a_dossier(a_fiche("runaway", communicated_on=date(2016, 5, 5)), children=[a_child(birth_on=date(2001, 7, 21))])
    assert decided(dossier, date(2026, 7, 21)).disposition is KEEP
    assert decided(dossier, date(2026, 7, 22)).disposition is ANONYMISE


def test_r008_sexting_and_running_away_end_with_the_longer_term() -> None:
    fiches = [a_fiche("sexting", communicated_on=date(2024, 1, 1)), a_fiche("runaway", communicated_on=date(2024, 2, 1))]
    assert decided(a_dossier(*fiches, children=[a_child(birth_on=date(2010, 10, 10))]), LATER).retention_end == date(2035, 10, 10)


@pytest.mark.parametrize("as_of", [date(2026, 1, 1), date(2100, 1, 1)])
def test_r009_an_unlocated_abduction_leaves_a_runaway_without_end(as_of: date) -> None:
    fiches = [a_fiche("runaway", communicated_on=date(2024, 1, 1)), a_fiche("international_abduction", communicated_on=date(2024, 2, 1))]
    decision = decided(a_dossier(*fiches, outcome="not_located", children=[a_child(birth_on=date(2010, 10, 10))]), as_of)
    assert (*verdict(decision), decision.retention_end) == (KEEP, Reason.NO_TERM, None)


def test_r010_a_child_that_is_located_gets_the_term_of_the_present_outcome() -> None:
    fiche = a_fiche("international_abduction", communicated_on=date(2022, 3, 3))
    dossier = a_dossier(fiche, outcome="located", closed_on=date(2026, 9, 1), children=[a_child(birth_on=date(2012, 6, 15))])
    assert decided(dossier, date(2026, 9, 2)).retention_end == date(2037, 6, 15)


def test_r011_an_international_abduction_without_outcome_has_no_term_and_says_so() -> None:
    decision = decided(a_dossier(categories=("international_abduction",)), LATER)
    assert decision.categories == ("missing_intl_abduction_unlocated",)
    assert (*verdict(decision), decision.flags) == (KEEP, Reason.NO_TERM, (Flag.OUTCOME_MISSING,))


def test_r012_a_child_located_but_not_returned_by_a_third_party_has_no_term() -> None:
    decision = decided(a_dossier(categories=("third_party_abduction",), outcome="located"), LATER)
    assert (decision.reason, decision.categories) == (Reason.NO_TERM, ("missing_third_party_not_returned",))


@pytest.mark.parametrize(
    ("category", "outcome"),
    [
        pytest.param("international_abduction", "located", id="R-013"),
        pytest.param("runaway", "found_deceased", id="R-014"),
        pytest.param("international_abduction", "found_deceased", id="R-155"),
    ],
)
def test_an_outcome_that_ends_a_disappearance_gives_the_term_until_25(category: str, outcome: str) -> None:
    dossier = a_dossier(categories=(category,), outcome=outcome, children=[a_child(birth_on=date(2009, 3, 4))])
    assert decided(dossier, LATER).retention_end == date(2034, 3, 4)


def test_r014_a_child_found_dead_after_an_abduction_by_a_third_party_did_not_return() -> None:
    assert decided(a_dossier(categories=("third_party_abduction",), outcome="found_deceased"), LATER).reason is Reason.NO_TERM


def test_r155_not_returned_from_abroad_has_no_term_and_is_ambiguous() -> None:
    decision = decided(a_dossier(categories=("international_abduction",), outcome="not_returned"), LATER)
    assert (decision.reason, decision.flags) == (Reason.NO_TERM, (Flag.OUTCOME_AMBIGUOUS,))


def test_r015_a_civil_party_action_is_deleted_five_years_after_the_last_decision() -> None:
    dossier = a_dossier(categories=("civil_party",), proceedings_ended_on=date(2021, 2, 28))
    assert decided(dossier, date(2026, 2, 28)).disposition is KEEP
    assert verdict(decided(dossier, date(2026, 3, 1))) == (DELETE, Reason.EXPIRED)


@pytest.mark.parametrize("as_of", [date(2026, 1, 1), date(2100, 1, 1)])
def test_r016_a_civil_party_action_without_end_and_closing_has_not_started(as_of: date) -> None:
    decision = decided(a_dossier(categories=("civil_party",)), as_of)
    assert (*verdict(decision), decision.rule) == (KEEP, Reason.NOT_STARTED, "RET-06")


def test_an_active_civil_party_action_has_no_closing_date_and_is_open_as_well() -> None:
    decision = decided(a_dossier(categories=("civil_party",), is_active=True, closed_on=date(2015, 1, 1)), LATER)
    assert decision.reasons == (Reason.NOT_STARTED, Reason.OPEN_DOSSIER)


@pytest.mark.parametrize(
    ("born", "end", "disposition"),
    [
        pytest.param(date(2018, 1, 20), date(2036, 1, 20), ANONYMISE, id="R-017"),
        pytest.param(date(2013, 5, 5), date(2031, 5, 5), DELETE, id="R-018"),
    ],
)
def test_the_category_of_the_latest_end_says_what_happens_and_deleting_wins_a_tie(born: date, end: date, disposition: Disposition) -> None:
    children = [a_child(birth_on=born)]
    dossier = a_dossier(categories=("civil_party", "grooming"), proceedings_ended_on=date(2026, 5, 5), children=children)
    decision = decided(dossier, date(2040, 1, 1))
    assert (decision.retention_end, decision.disposition) == (end, disposition)
    assert decision.deciding is not None
    assert decision.deciding.disposition is disposition


def test_r019_one_fiche_without_category_keeps_a_whole_dossier() -> None:
    fiches = [a_fiche("runaway", communicated_on=date(2010, 1, 1)), a_fiche(communicated_on=date(2010, 2, 1))]
    decision = decided(a_dossier(*fiches, categories=("runaway",), children=[a_child(birth_on=date(1999, 1, 1))]), LATER)
    assert (*verdict(decision), decision.rule) == (KEEP, Reason.UNCONFIGURED, "RET-14")
    assert decision.categories == ("missing_runaway",)


def test_a_fiche_whose_table_records_no_category_goes_by_its_dossier() -> None:
    """RET-14: where the dossier has none either, the others of its fiches say nothing of this one."""
    silent, told = a_fiche(OF_ITS_DOSSIER, communicated_on=date(2010, 2, 1)), a_fiche("runaway", communicated_on=date(2010, 1, 1))
    children = [a_child(birth_on=date(1999, 1, 1))]
    decision = decided(a_dossier(silent, told, categories=("runaway",), children=children), LATER)
    assert (*verdict(decision), decision.categories) == (ANONYMISE, Reason.EXPIRED, ("missing_runaway",))
    for unit in (a_dossier(silent, told, children=children), a_dossier(silent), a_lone_fiche(OF_ITS_DOSSIER, communicated_on=LATER)):
        assert verdict(decided(unit, LATER)) == (KEEP, Reason.UNCONFIGURED)


@pytest.mark.parametrize("as_of", [date(2026, 1, 1), date(2100, 1, 1)])
def test_r020_a_category_without_a_row_is_never_disposed_of(as_of: date) -> None:
    decision = decided(a_lone_fiche("csam_report", communicated_on=date(2020, 1, 1)), as_of)
    assert (*verdict(decision), decision.categories) == (KEEP, Reason.UNCONFIGURED, ("csam_report",))


def test_r021_a_row_that_the_controller_adds_decides() -> None:
    row = {"type": "months_after", "months": 6, "anchor": "transmitted_on", "disposition": "delete"}
    policy = a_policy({"csam_report": row})
    fiche = a_lone_fiche("csam_report", communicated_on=date(2026, 1, 8), transmitted_on=date(2026, 1, 10))
    assert decided(fiche, date(2026, 7, 10), policy).disposition is KEEP
    assert verdict(decided(fiche, date(2026, 7, 11), policy)) == (DELETE, Reason.EXPIRED)
    disabled = a_policy({"csam_report": {**row, "enabled": False}})
    assert decided(fiche, date(2026, 7, 11), disabled).reason is Reason.UNCONFIGURED


def test_r023_the_youngest_child_decides() -> None:
    children = [a_child(LOTTE, birth_on=date(2003, 4, 4)), a_child(BRAM, birth_on=date(2010, 11, 30))]
    dossier = a_dossier(categories=("international_abduction",), outcome="located", children=children)
    assert decided(dossier, LATER).retention_end == date(2035, 11, 30)


@pytest.mark.parametrize(
    ("category", "facts", "first_fiche", "end", "flags"),
    [
        pytest.param("grooming", {}, date(2026, 6, 1), date(2044, 6, 1), ["BIRTHDATE_UNKNOWN"], id="R-024"),
        pytest.param("runaway", {"birth_year": 2006}, date(2020, 6, 1), date(2031, 12, 31), ["BIRTHDATE_APPROXIMATE"], id="R-025"),
        pytest.param(
            "grooming",
            {"stated_age": 15, "stated_on": date(2026, 3, 10)},
            date(2026, 3, 10),
            date(2029, 3, 10),
            ["BIRTHDATE_APPROXIMATE"],
            id="R-026",
        ),
        pytest.param(
            "sextortion",
            {"birth_on": date(2009, 3, 3), "national_number": "09.08.03-997.60"},
            date(2024, 1, 1),
            date(2027, 8, 3),
            ["BIRTHDATE_CONFLICT"],
            id="R-027",
        ),
        pytest.param(
            "sexting",
            {"birth_on": date(1900, 1, 1)},
            date(2026, 4, 4),
            date(2044, 4, 4),
            ["BIRTHDATE_SENTINEL", "BIRTHDATE_UNKNOWN"],
            id="R-028",
        ),
        pytest.param(
            "grooming",
            {"birth_on": date(2206, 4, 4)},
            date(2026, 4, 4),
            date(2044, 4, 4),
            ["BIRTHDATE_FUTURE", "BIRTHDATE_UNKNOWN"],
            id="R-029",
        ),
        pytest.param("grooming", {"stated_age": 15}, date(2026, 4, 4), date(2044, 4, 4), ["BIRTHDATE_UNKNOWN"], id="R-156"),
        pytest.param(
            "runaway",
            {"national_number": "00.00.01-997.69"},
            date(2026, 4, 4),
            date(2051, 4, 4),
            ["BIRTHDATE_UNKNOWN"],
            id="R-147-unknown",
        ),
        pytest.param(
            "runaway",
            {"national_number": "10.00.00-997.18"},
            date(2026, 4, 4),
            date(2035, 12, 31),
            ["BIRTHDATE_APPROXIMATE"],
            id="R-147-year",
        ),
        pytest.param(
            "runaway",
            {"national_number": "10.05.00-997.53"},
            date(2026, 4, 4),
            date(2035, 5, 31),
            ["BIRTHDATE_APPROXIMATE"],
            id="R-147-month",
        ),
    ],
)
def test_the_latest_compatible_birth_date_gives_the_end(
    category: str, facts: dict[str, Any], first_fiche: date, end: date, flags: list[str]
) -> None:
    decision = decided(a_dossier(a_fiche(category, communicated_on=first_fiche), children=[a_child(**facts)]), date(2026, 12, 1))
    assert (decision.disposition, decision.retention_end, codes(decision.flags)) == (KEEP, end, flags)


def test_a_dossier_without_any_child_counts_as_one_with_a_child_of_whom_nothing_is_known() -> None:
    decision = decided(a_dossier(a_fiche("grooming", communicated_on=date(2026, 6, 1))), LATER)
    assert (decision.retention_end, codes(decision.flags)) == (date(2044, 6, 1), ["BIRTHDATE_UNKNOWN"])


def test_r030_a_leapling_is_kept_to_the_last_second_of_28_february() -> None:
    dossier = grooming(birth_on=date(2008, 2, 29))
    assert not decided(dossier, BELGIAN.day(datetime.fromisoformat("2026-02-28T22:59:59Z"))).is_disposal
    assert decided(dossier, BELGIAN.day(datetime.fromisoformat("2026-02-28T23:00:00Z"))).is_disposal


def adult() -> Unit:
    fiche = a_fiche("grooming", communicated_on=date(2026, 2, 15))
    return a_dossier(fiche, children=[a_child(birth_on=date(2007, 9, 1))], closed_on=date(2026, 3, 20))


def test_r031_activity_after_the_birthday_keeps_for_six_more_months() -> None:
    decision = decided(adult(), date(2026, 3, 21))
    assert (decision.disposition, decision.retention_end, decision.rule) == (KEEP, date(2026, 9, 20), "RET-10")
    assert decided(adult(), date(2026, 9, 21)).is_disposal


@pytest.mark.parametrize(("closed_on", "end"), [(date(2026, 1, 31), date(2026, 1, 31)), (date(2026, 2, 1), date(2026, 8, 1))])
def test_r032_activity_on_the_birthday_is_not_later(closed_on: date, end: date) -> None:
    fiche = a_fiche("runaway", communicated_on=date(2026, 1, 31))
    dossier = a_dossier(fiche, children=[a_child(birth_on=date(2001, 1, 31))], closed_on=closed_on)
    assert decided(dossier, LATER).retention_end == end


def test_r033_the_late_activity_rule_can_be_switched_off() -> None:
    decision = decided(adult(), date(2026, 3, 21), a_policy(late_rule_months=0))
    assert (decision.is_disposal, decision.retention_end, decision.rule) == (True, date(2025, 9, 1), "RET-08")


def test_r034_an_open_dossier_past_its_end_is_kept_and_listed() -> None:
    dossier = grooming(birth_on=date(2008, 1, 5))
    assert dossier.dossier is not None
    dossier.dossier.is_active = True
    decision = decided(dossier, date(2026, 6, 1))
    assert (*verdict(decision), decision.flags, decision.rule) == (KEEP, Reason.OPEN_DOSSIER, (Flag.OPEN_PAST_END,), "RET-13")
    assert decision.retention_end == date(2026, 1, 5)


def test_a_state_that_was_not_read_counts_as_open() -> None:
    dossier = a_dossier(categories=("grooming",), is_active=None, children=[a_child(birth_on=date(2000, 1, 1))])
    assert decided(dossier, LATER).reason is Reason.OPEN_DOSSIER


def test_r036_a_fiche_without_communication_date_counts_from_its_creation() -> None:
    created_on = civil_date("2026-02-03T23:10:00Z", "user_local")
    decision = decided(a_lone_fiche("social_card", created_on=created_on), date(2026, 8, 5))
    assert (decision.is_disposal, decision.retention_end, decision.flags) == (True, date(2026, 8, 4), (Flag.ANCHOR_FALLBACK,))


@pytest.mark.parametrize(("category", "tells"), [("grooming", True), ("civil_party", False)])
def test_only_a_term_that_goes_by_the_last_activity_tells_that_a_creation_stands_for_it(category: str, tells: bool) -> None:
    """RET-07, RET-10: an age has its late activity; proceedings have ended, or they have not."""
    fiche = a_fiche(category, created_on=date(2020, 3, 1))
    dossier = a_dossier(fiche, proceedings_ended_on=date(2020, 4, 1), children=[a_child(birth_on=date(2000, 1, 1))])
    assert (Flag.ANCHOR_FALLBACK in decided(dossier, LATER).flags) is tells


def test_r037_a_date_of_the_next_century_is_an_error_and_no_term() -> None:
    decision = decided(a_lone_fiche("social_card", communicated_on=date(2206, 1, 15)), LATER)
    assert (*verdict(decision), decision.retention_end, decision.rule) == (KEEP, Reason.DATA_ERROR, None, "RET-16")


@pytest.mark.parametrize("column", ["closed_on", "reopened_on", "proceedings_ended_on"])
@pytest.mark.parametrize("is_active", [True, False])
def test_a_future_date_of_a_dossier_is_an_error_also_while_it_is_active(column: str, is_active: bool) -> None:
    tomorrow: dict[str, Any] = {column: date(2026, 11, 26)}
    dossier = a_dossier(a_fiche("social_card", communicated_on=date(2020, 1, 1)), is_active=is_active, **tomorrow)
    assert decided(dossier, date(2026, 11, 25)).reason is Reason.DATA_ERROR
    assert Reason.DATA_ERROR not in decided(dossier, date(2026, 11, 26)).reasons


@pytest.mark.parametrize("column", ["closed_on", "reopened_on", "proceedings_ended_on"])
def test_a_sentinel_is_absent_and_no_future_date(column: str) -> None:
    never: dict[str, Any] = {column: date(9999, 12, 31)}
    dossier = a_dossier(a_fiche("social_card", communicated_on=date(2020, 1, 1)), **never)
    assert decided(dossier, LATER).is_disposal


def test_r038_a_social_card_in_a_runaway_dossier_follows_the_dossier() -> None:
    fiche = a_fiche("social_card", communicated_on=date(2026, 2, 2))
    dossier = a_dossier(fiche, categories=("runaway",), children=[a_child(birth_on=date(2011, 11, 11))])
    decision = decided(dossier, date(2026, 9, 1))
    assert (decision.disposition, decision.retention_end) == (KEEP, date(2036, 11, 11))
    assert decision.categories == ("missing_runaway", "social_card")


def test_r039_a_lone_runaway_fiche_is_a_unit_and_an_orphan() -> None:
    decision = decided(a_lone_fiche("runaway", communicated_on=date(2026, 1, 1), children=[a_child(birth_on=date(2010, 1, 1))]), LATER)
    assert (decision.retention_end, decision.flags) == (date(2035, 1, 1), (Flag.ORPHAN_FICHE,))
    assert Flag.ORPHAN_FICHE not in decided(a_lone_fiche("e_safety", communicated_on=date(2026, 1, 1)), LATER).flags
    assert Flag.ORPHAN_FICHE in decided(a_lone_fiche(communicated_on=date(2026, 1, 1)), LATER).flags
