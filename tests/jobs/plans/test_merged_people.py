"""A contact that people have merged into another has no unit of its own any more (RET-20). Everybody is
fictitious."""

from jobs.model.run import RunState
from tests.drivers.merging import merge
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO

ORPHAN = ("ORPHAN_CONTACT",)


def test_a_contact_that_was_merged_away_is_told_each_night_and_taken_along_by_nothing(night: Night) -> None:
    """What it was part of leads to the other one: the file goes with that one at its term, and the row that
    is left waits for a person, neither erased before that nor forgotten after."""
    person, other, dossier = night.contact(), night.contact(), night.dossier("social_card", spoken=LONG_AGO)
    night.party(person, "reporter", dossier=dossier)
    merge(night, person, other)
    plan = night.plan()
    assert (night.lines(plan)[person].reasons, night.lines(plan)[other].is_disposal) == (ORPHAN, True)
    assert night.apply(plan).state is RunState.DONE
    assert (night.get("cf_dossiers", dossier), night.get("contacts", other)) == (None, None)
    assert night.get("contacts", person) is not None
    assert night.lines(night.plan())[person].reasons == ORPHAN


def test_neither_of_two_who_are_merged_after_the_plan_is_taken_along_unseen(night: Night) -> None:
    """Their file had expired and goes; the next plan has the one to whom it led by then, and tells that
    nothing leads to the other."""
    person, other, dossier = night.contact(), night.contact(), night.dossier("social_card", spoken=LONG_AGO)
    night.party(person, "reporter", dossier=dossier)
    plan = night.plan()
    assert night.lines(plan)[person].is_disposal
    merge(night, person, other)
    assert night.apply(plan).counts["skipped"] == {"UNLINKED": 1, "AWAITS_TURN": 1}
    assert night.get("cf_dossiers", dossier) is None
    assert night.get("contacts", other) is not None
    assert {row: line.reasons for row, line in night.lines(night.plan()).items()} == {person: ORPHAN, other: ("EXPIRED",)}
