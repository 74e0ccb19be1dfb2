"""The acceptance scenarios on reviews, holds, reasons and what is not known (11.1, 11.3, 11.4, 11.12), each
under its identifier."""

from datetime import date
from typing import Any

from rules.model.decisions import Decision, Disposition, Flag, Reason
from tests.rules.builders import NO_TERM, a_child, a_dossier, a_fiche, a_lone_fiche, a_policy, an_email, codes, decided
from tests.wire_days import civil_date

KEEP, DELETE = Disposition.KEEP, Disposition.DELETE
LATER = date(2026, 11, 25)


def verdict(decision: Decision) -> tuple[Disposition, Reason]:
    return decision.disposition, decision.reason


def test_r041_an_unexplained_disappearance_is_listed_for_review_after_five_years() -> None:
    dossier = a_dossier(categories=("unexplained_disappearance",), opened_on=date(2021, 3, 15))
    assert decided(dossier, date(2026, 3, 14)).flags == ()
    decision = decided(dossier, date(2026, 3, 15))
    assert (*verdict(decision), decision.flags, decision.rule) == (KEEP, Reason.NO_TERM, (Flag.REVIEW_DUE,), "RET-15")


def test_a_review_starts_the_sixty_months_anew_and_a_category_may_have_its_own() -> None:
    dossier = a_dossier(categories=("unexplained_disappearance",), opened_on=date(2010, 1, 1), reviewed_on=date(2024, 1, 31))
    assert Flag.REVIEW_DUE not in decided(dossier, date(2029, 1, 30)).flags
    assert Flag.REVIEW_DUE in decided(dossier, date(2029, 1, 31)).flags
    yearly = a_policy({"missing_unexplained": {**NO_TERM, "review_months": 12}})
    assert Flag.REVIEW_DUE in decided(dossier, date(2025, 1, 31), yearly).flags


def test_a_review_is_due_whatever_the_primary_reason_and_for_a_lone_fiche_from_its_communication() -> None:
    held = a_dossier(categories=("unexplained_disappearance",), opened_on=date(2010, 1, 1), legal_hold=True)
    decision = decided(held, LATER)
    assert (decision.reason, decision.flags) == (Reason.HOLD_LEGAL, (Flag.REVIEW_DUE,))
    fiche = a_lone_fiche("unexplained_disappearance", communicated_on=date(2021, 3, 15))
    assert Flag.REVIEW_DUE not in decided(fiche, date(2026, 3, 14)).flags
    assert Flag.REVIEW_DUE in decided(fiche, date(2026, 3, 15)).flags


def test_ret15_a_dossier_without_an_opening_is_reviewed_from_its_first_fiche_and_a_review_to_come_is_none() -> None:
    fiche = a_fiche("unexplained_disappearance", communicated_on=date(2021, 3, 15))
    days: tuple[dict[str, Any], ...] = ({}, {"opened_on": date(1900, 1, 1)}, {"reviewed_on": date(2027, 1, 1)})
    for facts in days:
        dossier = a_dossier(fiche, **facts)
        assert [Flag.REVIEW_DUE in decided(dossier, date(2026, 3, day)).flags for day in (14, 15)] == [False, True]


def test_r054_a_user_local_birth_date_is_the_day_it_was_in_brussels() -> None:
    assert civil_date("2008-05-09T22:00:00Z", "user_local") == date(2008, 5, 10)


def test_r055_a_time_zone_independent_date_is_taken_literally() -> None:
    assert civil_date("2026-04-30T23:30:00Z", "time_zone_independent") == date(2026, 4, 30)


def test_r076_a_reopened_runaway_dossier_past_25_is_open_and_not_held() -> None:
    fiche = a_fiche("runaway", communicated_on=date(2010, 1, 1))
    children = [a_child(birth_on=date(2000, 1, 1))]
    decision = decided(a_dossier(fiche, is_active=True, reopened_on=date(2025, 1, 1), children=children), LATER)
    assert decision.reasons == (Reason.OPEN_DOSSIER,)


def test_r083_a_dossier_with_a_public_alert_is_deleted() -> None:
    dossier = a_dossier(categories=("runaway",), public_alert=True, children=[a_child(birth_on=date(2000, 1, 1))])
    assert decided(dossier, LATER).disposition is DELETE


def test_r154_the_hold_flag_of_the_crm_keeps_and_clearing_it_lets_go() -> None:
    dossier = a_dossier(a_fiche("social_card", communicated_on=date(2020, 1, 1)), legal_hold=True)
    held = decided(dossier, LATER)
    assert (*verdict(held), held.retention_end, held.rule) == (KEEP, Reason.HOLD_LEGAL, date(2020, 7, 1), "HLD-14")
    assert dossier.dossier is not None
    dossier.dossier.legal_hold = False
    assert verdict(decided(dossier, LATER)) == (DELETE, Reason.EXPIRED)


def test_r160_the_stricter_of_two_abductions_wins() -> None:
    dossier = a_dossier(categories=("international_abduction", "third_party_abduction"), outcome="located")
    decision = decided(dossier, LATER)
    assert verdict(decision) == (KEEP, Reason.NO_TERM)
    assert decision.categories == ("missing_intl_abduction_located", "missing_third_party_not_returned")


def test_r161_a_category_that_is_not_in_the_mapping_is_unconfigured_and_named() -> None:
    decision = decided(a_dossier(a_fiche("runaway", "100000099", communicated_on=date(2010, 1, 1))), LATER)
    assert (decision.reason, decision.categories) == (Reason.UNCONFIGURED, ("100000099", "missing_runaway"))


def test_reasons_are_listed_in_the_order_of_their_ranks() -> None:
    fiches = [a_fiche("unexplained_disappearance", "civil_party", "preventive", communicated_on=date(2030, 1, 1))]
    decision = decided(a_dossier(*fiches, is_active=True, legal_hold=True), LATER)
    assert codes(decision.reasons) == ["HOLD_LEGAL", "NO_TERM", "UNCONFIGURED", "DATA_ERROR", "NOT_STARTED", "OPEN_DOSSIER"]


def test_an_email_attached_to_nothing_is_kept_and_reported() -> None:
    decision = decided(an_email(sent_on=date(2010, 1, 1)), LATER)
    assert (*verdict(decision), decision.flags, decision.categories) == (KEEP, Reason.UNCONFIGURED, (Flag.ORPHAN_FICHE,), ())
    assert decided(an_email(sent_on=date(2030, 1, 1)), LATER).reasons == (Reason.UNCONFIGURED, Reason.DATA_ERROR)


def test_a_dossier_without_anything_is_kept() -> None:
    assert decided(a_dossier(), LATER).reasons == (Reason.UNCONFIGURED,)
    assert decided(a_dossier(categories=("social_card",)), LATER).reasons == (Reason.NOT_STARTED,)
    assert decided(a_dossier(categories=("grooming",)), LATER).reasons == (Reason.NOT_STARTED,)


def test_a_fiche_without_any_date_leaves_the_last_activity_unknown() -> None:
    fiches = [a_fiche("social_card", communicated_on=date(2020, 1, 1)), a_fiche("social_card", id="undated")]
    assert decided(a_dossier(*fiches), LATER).reasons == (Reason.NOT_STARTED,)


def test_a_fiche_without_any_date_may_be_late_activity_so_the_birthday_alone_does_not_decide() -> None:
    dossier = a_dossier(a_fiche("grooming", id="undated"), children=[a_child(birth_on=date(2000, 1, 1))])
    assert decided(dossier, LATER).reasons == (Reason.NOT_STARTED,)
    assert decided(dossier, LATER, a_policy(late_rule_months=0)).is_disposal
