"""`why` says of a unit or a contact what a plan of the same moment says, whoever leads to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import TypeVar

import pytest

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.protocols.remains import Remains
from connectors.interface.rows import Among
from jobs.model.plan import Kind, Plan
from jobs.plans.questions import explain_contact
from jobs.plans.questions.explain import explain_unit
from rules.errors import NotFound
from rules.model.decisions import Flag
from rules.model.records import Contact, Record
from tests.drivers.night import Night

OLD, NEW = date(2020, 1, 10), date(2026, 11, 1)
AT = "2025-01-01T11:00:00Z"
R = TypeVar("R", bound=Record)


def parent_of(night: Night, child: str) -> str:
    parent = night.contact()
    night.patch("contacts", child, **{"parentcustomerid_contact@odata.bind": f"/contacts({parent})"})
    return parent


def both_say(night: Night, *contacts: str) -> list[str | None]:
    """What becomes of contacts: delete, retain, or None where a plan has no line."""
    lines = night.lines(night.plan())
    found: list[str | None] = []
    for row in contacts:
        told, _ = explain_unit(night.context, "contact", row)
        if row in lines:
            assert told == lines[row]
        else:
            assert (told.outcome, told.reason) == ("retain", "NOT_EXPIRED")
        found.append(lines[row].disposition or lines[row].outcome if row in lines else None)
    return found


def test_whom_a_contact_that_goes_leads_to_goes_along(night: Night) -> None:
    reporter = night.contact()
    night.party(reporter, "reporter", dossier=night.dossier("social_card", spoken=OLD))
    assistant = parent_of(night, reporter)
    assert both_say(night, reporter, assistant, parent_of(night, assistant)) == ["delete"] * 3


def test_whom_a_contact_that_stays_leads_to_stays(night: Night) -> None:
    reporter, other = night.contact(), night.contact()
    night.party(reporter, "reporter", dossier=night.dossier("social_card", spoken=OLD))
    night.party(other, "reporter", dossier=night.dossier("social_card", spoken=NEW))
    first = parent_of(night, reporter)
    second = parent_of(night, first)
    night.patch("contacts", other, **{"parentcustomerid_contact@odata.bind": f"/contacts({first})"})
    assert both_say(night, reporter, other, first, second) == ["delete", None, None, None]


def test_who_takes_part_in_an_activity_about_a_contact_that_goes_goes_along(night: Night) -> None:
    reporter, aunt, neighbour = night.contact(), night.contact(), night.contact()
    night.party(reporter, "reporter", dossier=night.dossier("social_card", spoken=OLD))
    night.call("contact", reporter, [aunt])
    night.call("contact", aunt, [neighbour])
    assert both_say(night, reporter, aunt, neighbour) == ["delete"] * 3


def test_contacts_that_lead_to_each_other_alone_were_never_linked(night: Night) -> None:
    one = night.contact()
    other = parent_of(night, one)
    night.patch("contacts", other, **{"parentcustomerid_contact@odata.bind": f"/contacts({one})"})
    assert both_say(night, one, other) == ["retain", "retain"]


def test_a_role_in_nothing_keeps_a_contact(night: Night) -> None:
    somebody = night.contact()
    night.party(somebody, "reporter")
    assert both_say(night, somebody) == [None]


def test_what_keeps_a_contact_and_ends_with_nothing_is_told(night: Night) -> None:
    """A role in nothing, a call about nothing: somebody has to look at them, or the contact stays."""
    somebody, other = night.contact(), night.contact()
    night.party(somebody, "reporter")
    night.create("phonecalls", "activityid", subject="Over niets", phonecall_activity_parties=[
        {"partyid_contact@odata.bind": f"/contacts({somebody})", "participationtypemask": 2}
    ])  # fmt: skip
    night.party(other, "reporter", dossier=night.dossier("social_card", spoken=NEW))
    steps = {row: explain_unit(night.context, "contact", row)[1] for row in (somebody, other)}
    loose = {row: [step.inputs["in_no_unit"] for step in found if "in_no_unit" in step.inputs] for row, found in steps.items()}
    assert loose == {somebody: [2], other: []}
    (warning,) = [str(each) for each in night.plan().warnings if "WITHOUT_TERM" in str(each)]
    assert (warning.startswith("WITHOUT_TERM: people who are kept"), warning.endswith(": 1")) == (True, True)


def test_what_comes_to_a_file_that_is_anonymised_keeps_its_people_and_is_told(night: Night) -> None:
    """ERA-07: what is anonymised is no unit and has no term, so nothing else would ever tell of them."""
    anonymised, lone, live = (
        night.dossier("social_card", spoken=OLD),
        night.fiche("social_card", spoken=OLD),
        night.fiche("social_card", spoken=NEW),
    )
    night.patch("cf_dossiers", anonymised, cf_anonymisedon=AT)
    night.patch("cf_fiches", lone, cf_anonymisedon=AT)
    by_role, by_fiche, by_call, reporter, other = (night.contact() for _ in range(5))
    night.party(by_role, "witness", dossier=anonymised)
    night.party(by_fiche, "reporter", fiche=night.fiches_of(anonymised)[0])
    night.call("cf_dossier", anonymised, [by_call])
    night.party(reporter, "reporter", fiche=lone)
    night.party(other, "reporter", fiche=live)
    kept = (by_role, by_fiche, by_call, reporter)
    assert both_say(night, *kept, other) == [None] * 5
    steps = {row: explain_unit(night.context, "contact", row)[1] for row in (*kept, other)}
    assert [sum("in_no_unit" in step.inputs for step in found) for found in steps.values()] == [1, 1, 1, 1, 0]
    (warning,) = [str(each) for each in night.plan().warnings if "WITHOUT_TERM" in str(each)]
    assert warning.endswith(": 4")


def test_a_donor_whose_last_file_goes_is_told_while_another_contact_keeps_her_as_she_is(night: Night) -> None:
    """RET-20: nothing is emptied of her while a call about somebody else, or a child of hers, mentions her;
    every plan says so, also of one of whom nothing tells that she ever was in a file. The night in which the
    last file goes remembers her, once, so that the plan after the mention has gone empties her."""
    plain, in_a_call, parent, other, never = (night.contact(birthdate="2007-01-01", description="Verzonnen.") for _ in range(5))
    for donor in (plain, in_a_call, parent, other, never):
        night.donation(donor)
    for child in (plain, in_a_call, parent):
        night.party(child, "child", fiche=night.fiche("social_card", spoken=OLD))
    night.call("contact", other, [in_a_call])
    call = night.call("contact", other, [in_a_call, never])
    night.patch("contacts", other, **{"parentcustomerid_contact@odata.bind": f"/contacts({parent})"})

    def mentioned(plan: Plan) -> list[str]:
        return [f"{str(each)[:32]}: {str(each).rsplit(': ')[-1]}" for each in plan.warnings if "STILL_MENTIONED" in str(each)]

    def steps_of(row: str) -> list[object]:
        return [
            each.inputs["mentioned_by_others"]
            for each in explain_unit(night.context, "contact", row)[1]
            if "mentioned_by_others" in each.inputs
        ]

    plan = night.plan()
    assert (plan.trims, mentioned(plan)) == ((plain,), ["STILL_MENTIONED: people with a r: 3"])
    run = night.apply(night.approved(plan))
    assert run.counts["not_trimmed"] == {"skipped": {"STILL_REFERRED": 2}}
    births = [night.get("contacts", row) for row in (plain, in_a_call, parent)]
    assert [row and row["birthdate"] for row in births] == [None, "2007-01-01", "2007-01-01"]
    later = night.plan()
    assert (later.units, later.trims, later.held_contacts) == (0, (), ()), "who is remembered already is not told again every night"
    assert mentioned(later) == ["STILL_MENTIONED: people with a r: 3"]
    assert [steps_of(row) for row in (plain, in_a_call, parent, other)] == [[], [1], [1], []]
    night.patch("contacts", other, **{"parentcustomerid_contact@odata.bind": None})
    night.http.delete(f"{night.emulator.url}phonecalls({call})").raise_for_status()
    plan = night.plan()
    assert (plan.trims, mentioned(plan)) == ((parent,), ["STILL_MENTIONED: people with a r: 1"])
    night.apply(night.approved(plan))
    births = [night.get("contacts", row) for row in (in_a_call, parent, never)]
    assert [row and row["birthdate"] for row in births] == ["2007-01-01", None, "2007-01-01"]


def test_a_live_fiche_in_an_anonymised_dossier_is_in_no_plan_which_says_so(night: Night) -> None:
    """ERA-07: nothing happens to it, for it may be what was left by mistake; a person has to look at it."""
    anonymised, other = night.dossier("social_card", spoken=OLD), night.dossier("social_card", spoken=NEW)
    alive, gone = night.fiches_of(anonymised)[0], night.fiche("social_card", spoken=OLD, dossier=anonymised, cf_anonymisedon=AT)
    lone = night.fiche("social_card", spoken=NEW, cf_anonymisedon=AT)
    night.patch("cf_dossiers", anonymised, cf_anonymisedon=AT)
    plan = night.plan()
    assert night.lines(plan).keys() == {other}
    (warning,) = [str(each) for each in plan.warnings if "FICHES_IN_ANONYMISED" in str(each)]
    assert warning.startswith("FICHES_IN_ANONYMISED: 1 fiches")
    for table, row, message in (
        ("cf_dossier", anonymised, "this row is anonymised"),
        ("cf_fiche", gone, "this row is anonymised"),
        ("cf_fiche", lone, "this row is anonymised"),
        ("cf_fiche", alive, "this fiche is in no unit"),
    ):
        with pytest.raises(NotFound, match=message) as refused:
            explain_unit(night.context, table, row)
        assert refused.value.where == f"{table} {row}"
    night.patch("cf_fiches", alive, **{"cf_DossierId@odata.bind": f"/cf_dossiers({other})"})
    assert "FICHES_IN_ANONYMISED" not in str(night.plan().warnings)
    assert explain_unit(night.context, "cf_fiche", alive)[0].id == other


def test_a_note_or_an_e_mail_goes_with_its_file_and_is_told_where_that_is_anonymised(night: Night) -> None:
    anonymised, other = night.dossier("social_card", spoken=OLD), night.dossier("social_card", spoken=NEW)
    (inside,), (alive,) = night.fiches_of(anonymised), night.fiches_of(other)
    night.patch("cf_dossiers", anonymised, cf_anonymisedon=AT)
    night.patch("cf_fiches", inside, cf_anonymisedon=AT)

    def mail(about: str) -> str:
        bound = {"regardingobjectid_cf_fiche_email@odata.bind": f"/cf_fiches({about})"}
        return night.create("emails", "activityid", subject="bericht", **bound)

    for table, row in (
        ("annotation", night.note("cf_dossier", other)),
        ("annotation", night.note("cf_fiche", alive)),
        ("email", mail(alive)),
    ):
        line, _ = explain_unit(night.context, table, row)
        assert (line.table, line.id) == ("cf_dossier", other)
    for table, row in (("annotation", night.note("cf_dossier", anonymised)), ("email", mail(inside))):
        with pytest.raises(NotFound, match="what it belongs to is anonymised") as refusal:
            explain_unit(night.context, table, row)
        assert (refusal.value.code, refusal.value.where) == ("in_anonymised", f"{table} {row}")
    with pytest.raises(NotFound, match="there is no such unit"):
        explain_unit(night.context, "annotation", other)


def test_of_a_row_that_is_no_unit_it_is_said_what_it_goes_with_or_that_it_stays(night: Night) -> None:
    """A call and a role go with their file, and a call about a contact with that; a role in nothing, and a
    call about nothing, go with nothing (RET-05)."""
    dossier, contact = night.dossier("social_card", spoken=OLD), night.contact()
    (fiche,) = night.fiches_of(dossier)
    for table, row, belongs_to, goes_with in (
        ("phonecall", night.call("cf_fiche", fiche, []), f"fiche {fiche}", ("cf_dossier", dossier)),
        ("cf_party", night.party(contact, "reporter", dossier=dossier), f"dossier {dossier}", ("cf_dossier", dossier)),
        ("phonecall", night.call("contact", contact, []), f"contact {contact}", ("contact", contact)),
        ("annotation", night.note("contact", contact), f"contact {contact}", ("contact", contact)),
    ):
        line, steps = explain_unit(night.context, table, row)
        assert (line.table, line.id) == goes_with
        assert (steps[0].inputs, steps[0].result) == ({"belongs_to": belongs_to}, f"it goes with {line.table} {line.id}")
    for table, row in (("cf_party", night.party(contact, "parent")), ("phonecall", night.create("phonecalls", "activityid", subject="x"))):
        with pytest.raises(NotFound, match="it stays until somebody deletes it") as refusal:
            explain_unit(night.context, table, row)
        assert (refusal.value.code, refusal.value.where) == ("in_nothing", f"{table} {row}")
    with pytest.raises(NotFound, match="there is no such unit"):
        explain_unit(night.context, "phonecall", dossier)


def test_a_plan_counts_what_was_put_on_a_file_after_it_was_anonymised(night: Night) -> None:
    """ERA-07: nothing happens to it, so a person has to look at it."""
    anonymised, other = night.dossier("social_card", spoken=OLD), night.dossier("social_card", spoken=NEW)
    (inside,), (alive,) = night.fiches_of(anonymised), night.fiches_of(other)
    lone = night.fiche("social_card", spoken=NEW, cf_anonymisedon=AT)
    for fiche in (inside, alive):
        night.patch("cf_fiches", fiche, cf_anonymisedon=AT)  # one of them in a dossier that is not, with which all of it goes
        night.note("cf_fiche", fiche)
    night.patch("cf_dossiers", anonymised, cf_anonymisedon=AT)
    night.note("cf_dossier", anonymised)
    night.note("cf_dossier", other)
    call = night.call("cf_fiche", lone, [])
    night.call("cf_dossier", other, [])

    def left(kind: Kind) -> list[str]:
        return [str(each).split(" notes")[0] for each in night.plan(kind).warnings if "LEFT_IN" in str(each)]

    for kind, rows in ((Kind.RETENTION, 1), (Kind.RECORDINGS, 2), (Kind.ALL, 3)):
        assert left(kind) == [f"LEFT_IN_ANONYMISED: {rows}"]
    night.http.delete(f"{night.emulator.url}phonecalls({call})").raise_for_status()
    assert left(Kind.RETENTION) == []


def test_a_plan_counts_the_dossiers_that_were_re_opened_after_they_were_anonymised(night: Night) -> None:
    """ERA-07: nothing happens to what is written on them, so a person has to look at it."""
    dossier, _ = night.dossier("social_card", spoken=OLD), night.dossier("runaway", spoken=NEW, closed=False)
    night.patch("cf_dossiers", dossier, cf_anonymisedon=AT)

    def told() -> list[str]:
        return [str(each).split(" dossiers")[0] for each in night.plan().warnings if "REOPENED" in str(each)]

    assert told() == []
    night.patch("cf_dossiers", dossier, statecode=0, statuscode=1, cf_summary="Weer iets (verzonnen).")
    assert told() == ["REOPENED_ANONYMISED: 1"]
    night.patch("cf_dossiers", dossier, cf_anonymisedon=None)
    assert (told(), explain_unit(night.context, "cf_dossier", dossier)[0].id) == ([], dossier)


def test_a_plan_counts_the_calls_about_nothing(night: Night) -> None:
    """RET-05: they are in no unit, so no line of a plan tells of them."""
    night.call("cf_dossier", night.dossier("runaway", spoken=NEW), [])
    assert not night.plan().warnings
    night.create("phonecalls", "activityid", subject="gesprek")
    (warning,) = night.plan().warnings
    assert str(warning).startswith("CALLS_ABOUT_NOTHING: 1 calls")


def test_of_too_many_nobody_is_looked_at_and_the_contact_counts_as_staying(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain_contact, "MOST_PEOPLE", 1)
    reporter = night.contact()
    night.party(reporter, "reporter", dossier=night.dossier("social_card", spoken=OLD))
    told, _ = explain_unit(night.context, "contact", parent_of(night, reporter))
    assert (told.outcome, told.reason) == ("retain", "NOT_EXPIRED")


def test_two_dossiers_of_one_child_are_told_as_the_plan_tells_them(night: Night) -> None:
    child = night.contact(birthdate="1990-03-03")
    dossiers = [night.dossier("runaway", spoken=OLD) for _ in range(3)]
    night.party(child, "child", dossier=dossiers[0])
    night.party(child, "child", fiche=night.fiches_of(dossiers[1])[0])
    night.party(child, "parent", dossier=dossiers[2])
    lines = night.lines(night.plan())
    told = [explain_unit(night.context, "cf_dossier", row)[0] for row in dossiers]
    assert told == [lines[row] for row in dossiers]
    assert [Flag.POSSIBLE_DUPLICATE in line.flags for line in told] == [True, True, False]


def test_the_crm_is_asked_once_which_rows_may_be_in_long_term_retention(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter, dossier = night.contact(), night.dossier("social_card", spoken=OLD)
    night.party(reporter, "reporter", dossier=dossier)
    context, asked = night.context, 0
    retaining = Remains.retaining

    def counted(remains: Remains, kinds: Collection[type[Record]]) -> frozenset[type[Record]]:
        nonlocal asked
        asked += 1
        return retaining(remains, kinds)

    monkeypatch.setattr(Remains, "retaining", counted)
    for table, row in (("contact", reporter), ("cf_fiche", night.fiches_of(dossier)[0])):
        asked = 0
        explain_unit(context, table, row)
        assert asked == 1, table


def test_no_contact_is_read_twice(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter, child, dossier = night.contact(), night.contact(birthdate="1990-03-03"), night.dossier("social_card", spoken=OLD)
    night.party(reporter, "reporter", dossier=dossier)
    night.party(child, "child", dossier=dossier)
    lines, read, asked = night.lines(night.plan()), DynamicsConnector.read, list[str]()

    def noted(connector: DynamicsConnector, record: type[R], fields: Iterable[str], *, among: Among | None = None) -> Iterator[list[R]]:
        if issubclass(record, Contact) and among is not None and among.field == "id":
            asked.extend(among.ids)
        return read(connector, record, fields, among=among)

    monkeypatch.setattr(DynamicsConnector, "read", noted)
    told, _ = explain_unit(night.context, "contact", reporter)
    assert (told, sorted(asked)) == (lines[reporter], sorted([reporter, child]))
