"""Nights under a schedule with rows for gifts, courses and agreements in force (2.3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import requests

from connectors.emulator.serving.server import RunningEmulator, SeedSpec
from connectors.interface.errors import Forbidden
from jobs.checks.whole_view import permitted
from jobs.model.plan import Kind
from jobs.model.privileges import NEEDS, needs_under
from jobs.model.run import RunState
from jobs.plans.questions.explain import explain_unit
from rules.policy.loader import load_policy
from tests.drivers.night import Night

MakeNight = Callable[..., Night]
OLD = date(2014, 3, 5)  # ten calendar years after it are over


def switched_on(*rows: str) -> Callable[[str], str]:
    """The shipped schedule with rows put in force by a controller."""

    def change(text: str) -> str:
        for row in rows:
            start = text.index(f"\n  {row}:\n")
            end = re.compile(r"\n  \w+:\n").search(text, start + 5)
            part = text[start : end.start() if end else len(text)]
            text = text.replace(part, part.replace("enabled: false", "enabled: true").replace("To be decided by the controller", "A basis"))
        return text

    return change


def a_gift(night: Night, contact: str | None, booked: date | None = OLD) -> str:
    values: dict[str, Any] = {"cf_name": "gift", "cf_amount": 25.0}
    if booked is not None:
        values["cf_bookedon"] = f"{booked}T11:00:00Z"
    if contact is not None:
        values["cf_ContactId@odata.bind"] = f"/contacts({contact})"
    return night.create("cf_donations", "cf_donationid", **values)


def a_course(night: Night, contact: str, held: date) -> str:
    bind = {"cf_ContactId@odata.bind": f"/contacts({contact})"}
    return night.create("cf_enrolments", "cf_enrolmentid", cf_name="course", cf_heldon=held.isoformat(), **bind)


def an_agreement(night: Night, contact: str, kind: int, ended: date | None) -> str:
    bind: dict[str, Any] = {"cf_ContactId@odata.bind": f"/contacts({contact})", "cf_kind": 100000000 + kind}
    if ended is not None:
        bind["cf_endedon"] = ended.isoformat()
    return night.create("cf_engagements", "cf_engagementid", cf_name="agreement", cf_startedon="2010-01-01", **bind)


def test_an_old_gift_and_its_giver_go_in_the_same_plan(make_night: MakeNight) -> None:
    """D-66, RET-04, RET-20: a disposed gift ties nobody any more."""
    night = make_night(policy=switched_on("donor_payment"))
    donor = night.contact(birthdate="1980-01-01")
    gift = a_gift(night, donor)
    plan = night.plan()
    lines = night.lines(plan)
    line = lines[gift]
    assert (line.table, line.outcome, line.disposition, line.retention_end) == ("cf_donation", "dispose", "delete", "2024-12-31")
    assert (line.reason, line.categories, line.rule) == ("EXPIRED", ("donor_payment",), "RET-06")
    assert (lines[donor].outcome, lines[donor].rule) == ("dispose", "RET-20")
    run = night.apply(plan)
    assert run.state is RunState.DONE
    assert [night.rows(table) for table in ("cf_donations", "contacts")] == [[], []]
    assert run.counts["rows"] == {"cf_donation": 1, "contact": 1}
    types = {issued.certificate.unit_type for issued in night.store.certificates.of_run(run.id)}
    assert types == {"donation", "contact"}


def test_a_giver_of_a_younger_gift_stays_whole(make_night: MakeNight) -> None:
    """Only units of the missions trim a contact: what a gift needs is not for operations (RET-20)."""
    night = make_night(policy=switched_on("donor_payment"))
    donor = night.contact(birthdate="1980-01-01", cf_nationalnumber="80.01.01-997.90", description="Verzonnen.")
    a_gift(night, donor)
    young = a_gift(night, donor, date(2024, 1, 1))
    before = night.get("contacts", donor)
    plan = night.plan()
    assert (night.lines(plan)[young].reason, plan.trims) == ("NOT_EXPIRED", ())
    night.apply(plan)
    assert night.get("contacts", donor) == before
    assert [row["cf_donationid"] for row in night.rows("cf_donations")] == [young]


def test_an_agreement_goes_by_the_row_of_its_kind(make_night: MakeNight) -> None:
    """RET-14: the kinds that nobody decided upon are kept, and one that still runs has not started to
    expire."""
    night = make_night(policy=switched_on("volunteer"))
    ended = date(2015, 1, 1)
    gone, trainee, running = (
        an_agreement(night, night.contact(), 0, ended),
        an_agreement(night, night.contact(), 1, ended),
        an_agreement(night, night.contact(), 0, None),
    )
    lines = night.lines(plan := night.plan())
    assert {row: (lines[row].outcome, lines[row].reason, lines[row].categories) for row in (gone, trainee, running)} == {
        gone: ("dispose", "EXPIRED", ("volunteer",)),
        trainee: ("retain", "UNCONFIGURED", ("trainee",)),
        running: ("retain", "NOT_STARTED", ("volunteer",)),
    }
    night.apply(plan)
    assert sorted(row["cf_engagementid"] for row in night.rows("cf_engagements")) == sorted([trainee, running])
    assert len(night.rows("contacts")) == 2


def test_a_course_goes_once_both_rows_for_courses_are_in_force(make_night: MakeNight) -> None:
    """The reference environment does not tell courses apart, so a course goes by both rows, the longest
    winning (RET-11)."""
    night = make_night(policy=switched_on("training_participant", "academy_participant"))
    pupil = night.contact()
    old, new = a_course(night, pupil, date(2024, 11, 24)), a_course(night, pupil, date(2024, 11, 25))
    lines = night.lines(plan := night.plan())
    assert (lines[old].outcome, lines[new].outcome) == ("dispose", "retain")
    assert lines[old].categories == ("training_participant", "academy_participant")
    night.apply(plan)
    assert [row["cf_enrolmentid"] for row in night.rows("cf_enrolments")] == [new]
    assert night.get("contacts", pupil) is not None


def test_somebody_who_gave_nothing_for_years_goes_and_the_payment_stays_without_a_name(make_night: MakeNight) -> None:
    """R-104 for a term that has ended: the profile goes, the payment is kept for its own term."""
    night = make_night(policy=switched_on("donor_profile", "donor_payment"))
    donor, active = night.contact(), night.contact()
    gift = a_gift(night, donor, date(2023, 11, 24))
    a_gift(night, active, date(2023, 11, 24))
    a_gift(night, active, date(2023, 11, 25))
    plan = night.plan()
    lines = night.lines(plan)
    assert (lines[donor].disposition, lines[gift].reason) == ("delete", "NOT_EXPIRED")
    assert active not in lines
    run = night.apply(plan)
    assert run.state is RunState.DONE
    row = night.get("cf_donations", gift)
    assert row is not None
    assert (row["_cf_contactid_value"], row["cf_amount"]) == (None, 25.0)
    assert [row["contactid"] for row in night.rows("contacts")] == [active]
    assert night.plan().dispose == {"delete": 0, "anonymise": 0}


def test_a_former_donor_with_another_tie_stays(make_night: MakeNight) -> None:
    """RET-20, and doubt keeps: a gift without a date may have been made yesterday."""
    night = make_night(policy=switched_on("donor_profile", "newsletter"))
    donors = {tie: night.contact(cf_newsletter=tie == "newsletter") for tie in ("newsletter", "course", "dossier", "undated", "none")}
    for donor in donors.values():
        a_gift(night, donor)
    a_course(night, donors["course"], date(2010, 1, 1))
    night.party(donors["dossier"], "reporter", dossier=night.dossier("runaway", closed=False))
    a_gift(night, donors["undated"], None)
    night.apply(night.plan())
    assert [tie for tie, donor in donors.items() if night.get("contacts", donor) is None] == ["none"]


def test_a_gift_made_after_the_plan_keeps_its_giver_whole(make_night: MakeNight) -> None:
    """RET-17: the relation is looked at again before the contact is written, and the plan of the next day
    trims nothing."""
    night = make_night(policy=switched_on("donor_payment"))
    donor = night.contact(birthdate="1980-01-01")
    a_gift(night, donor)
    plan = night.plan()
    a_gift(night, donor, date(2026, 11, 24))
    run = night.apply(plan)
    assert (run.counts["deleted"], sum(run.counts["skipped"].values())) == (1, 1)  # type: ignore[attr-defined]
    again = night.plan()
    assert (again.trims, again.dispose) == ((), {"delete": 0, "anonymise": 0})
    night.apply(again)
    found = night.get("contacts", donor)
    assert found is not None
    assert found["birthdate"] == "1980-01-01"


def test_a_donor_who_was_a_reporter_is_trimmed_as_before(make_night: MakeNight) -> None:
    """R-043 holds with rows in force: the disposed dossier takes what only it needed."""
    night = make_night(policy=switched_on("donor_payment"))
    donor = night.contact(birthdate="1980-01-01")
    night.party(donor, "reporter", dossier=night.dossier("social_card", spoken=date(2020, 1, 10)))
    a_gift(night, donor, date(2024, 1, 1))
    plan = night.plan()
    assert plan.trims == (donor,)
    night.apply(plan)
    found = night.get("contacts", donor)
    assert found is not None
    assert found["birthdate"] is None


def test_a_gift_can_be_asked_why(make_night: MakeNight) -> None:
    night = make_night(policy=switched_on("donor_payment"))
    gift = a_gift(night, donor := night.contact())
    line, steps = explain_unit(night.context, "cf_donation", gift)
    assert (line.outcome, line.retention_end, steps[-1].result) == ("dispose", "2024-12-31", "delete")
    line, _ = explain_unit(night.context, "contact", donor)
    assert (line.outcome, line.rule) == ("dispose", "RET-20")


def test_deleting_a_gift_is_asked_for_only_where_a_row_is_in_force(make_night: MakeNight, emulator: RunningEmulator) -> None:
    """The least role of the shipped schedule cannot delete a gift."""
    plain = make_night()
    lines = {line.name: line.depth for line in plain.connector.least_role(NEEDS)}
    user = requests.get(plain.emulator.url + "WhoAmI", headers=dict(plain.http.headers), timeout=10).json()["UserId"]
    requests.put(f"{plain.emulator.root}/_emulator/privileges", json={"user": user, "set": lines}, timeout=10).raise_for_status()
    permitted(plain.connector, plain.policy)
    on = load_policy(switched_on("donor_payment", "donor_profile")(_shipped()), source="on.yaml")
    with pytest.raises(Forbidden, match="prvDeletecf_donation") as caught:
        permitted(plain.connector, on)
    assert "prvWritecf_donation" in str(caught.value)
    assert needs_under(plain.policy) == NEEDS


def _shipped() -> str:
    from importlib.resources import files

    return (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8")


ROWS = ("donor_payment", "donor_profile", "newsletter", "volunteer", "trainee", "training_participant", "academy_participant")


@pytest.fixture
def usual(make_night: MakeNight, emulator: RunningEmulator) -> Night:
    """A fictitious organisation under the shipped schedule."""
    emulator.load(SeedSpec(40, 3, date(2026, 11, 25)).rows())
    return make_night()


def test_a_row_in_force_changes_no_line_but_its_own_and_those_of_contacts(
    usual: Night, make_night: MakeNight, subtests: pytest.Subtests
) -> None:
    """RET-20: with the rows off no gift, course or agreement has a line; with rows on every other unit has
    the line that it had."""
    before = usual.lines(usual.plan())
    assert {line.table for line in before.values()}.isdisjoint({"cf_donation", "cf_enrolment", "cf_engagement"})
    gone = {row for row, line in before.items() if line.table == "contact" and line.is_disposal}
    outside = {"cf_donation", "cf_enrolment", "cf_engagement", "contact"}
    for rows in (ROWS[:1], ROWS[1:3], ROWS[3:4], ROWS[5:], ROWS):
        with subtests.test("+".join(rows)):
            night = make_night(policy=switched_on(*rows))
            after = night.lines(night.plan())
            assert {row: line for row, line in after.items() if line.table not in outside} == {
                row: line for row, line in before.items() if line.table != "contact"
            }
            assert gone <= {row for row, line in after.items() if line.is_disposal}


def test_a_plan_of_recordings_has_no_gifts(make_night: MakeNight) -> None:
    night = make_night(policy=switched_on("donor_payment"))
    a_gift(night, None)
    assert night.plan(Kind.RECORDINGS).units == 0
    assert night.plan(Kind.RETENTION).dispose == {"delete": 1, "anonymise": 0}
