"""An audio attachment whose own term still runs goes with its dossier or lone fiche, as a unit with a line
(RET-03, ACC-03)."""

from datetime import date

import pytest

from jobs.model.plan import Kind
from jobs.model.run import ActionState, RunState
from tests.drivers.holding import place
from tests.drivers.night import Night

# The child was 18 on 20 November 2026, so the file ends then; what was said on 1 September is kept until 1
# March by itself.
BORN, SPOKEN = "2008-11-20", date(2026, 9, 1)


def an_audio_note(night: Night, fiche: str) -> str:
    return night.note("cf_fiche", fiche, filename="a.mp3", mimetype="audio/mpeg", documentbody="AAAA", isdocument=True)


def a_file(night: Night, *, lone: bool = False) -> tuple[str, str]:
    """A file that goes today, and its audio attachment."""
    child = night.contact(birthdate=BORN)
    if lone:
        fiche = night.fiche("grooming", spoken=SPOKEN)
        night.party(child, "child", fiche=fiche)
        return fiche, an_audio_note(night, fiche)
    dossier = night.dossier("grooming", spoken=SPOKEN, cf_closedon="2026-10-01T10:00:00Z")
    night.party(child, "child", dossier=dossier)
    return dossier, an_audio_note(night, night.fiches_of(dossier)[0])


@pytest.mark.parametrize("lone", [False, True])
def test_ret03_acc03_it_has_a_line_of_disposal_a_count_and_a_certificate(night: Night, lone: bool) -> None:
    file, note = a_file(night, lone=lone)
    plan = night.plan()
    line, owner = night.lines(plan)[note], night.lines(plan)[file]
    assert (line.outcome, line.disposition, line.reason, line.rule) == ("dispose", "delete", "EXPIRED", "RET-03")
    assert line.retention_end == owner.retention_end == "2026-11-20"
    assert (plan.dispose["delete"], plan.breaker.recordings.planned, plan.retain) == (1 + 1, 1, {}), "the note and the contact"
    run = night.apply(plan)
    assert run.state is RunState.DONE
    assert [night.get("annotations", note), night.get("cf_dossiers" if not lone else "cf_fiches", file)] == [None, None]
    assert run.counts["disposed"] == {"units": 1, "recordings": 1}
    assert run.counts["rows"]["annotation"] == 1  # type: ignore[index]
    assert run.counts["deleted"] == plan.dispose["delete"]
    certificates = [issued.certificate for issued in night.store.certificates.of_run(run.id)]
    assert sorted(one.unit_type for one in certificates) == ["contact", "dossier" if not lone else "fiche", "recording"]
    (heard,) = [one for one in certificates if one.unit_type == "recording"]
    assert (heard.rule_id, heard.reason, heard.objects["attachments"]) == ("RET-03", "EXPIRED", 1)
    assert sum(one.objects["notes"] + one.objects["attachments"] for one in certificates) == 1, "no object stands on two certificates"


def test_ret03_it_stays_with_a_dossier_that_stays(night: Night) -> None:
    """The plan disposes of both; a hold that comes up afterwards keeps both, for the same reason."""
    dossier, note = a_file(night)
    plan = night.plan()
    place(night, "cf_dossier", dossier)
    run = night.apply(plan)
    assert night.get("annotations", note) is not None
    kept = {action.id: (action.state, action.code) for action in night.store.journal.of_run(run.id)}
    assert kept[dossier] == kept[note] == (ActionState.SKIPPED, "HOLD_JUDICIAL")


def test_ret03_it_stays_where_the_dossier_stays_and_where_only_recordings_are_planned(night: Night) -> None:
    dossier, note = a_file(night)
    assert night.lines(night.plan(Kind.RECORDINGS))[note].reason == "NOT_EXPIRED"
    night.patch("cf_dossiers", dossier, cf_legalhold=True)
    plan = night.plan()
    assert night.lines(plan)[note].reason == "HOLD_LEGAL"
    assert plan.dispose == {"delete": 0, "anonymise": 0}


def test_ret03_a_note_that_was_taken_away_meanwhile_is_no_disposal(night: Night) -> None:
    _, note = a_file(night)
    plan = night.plan()
    night.http.delete(f"{night.emulator.url}annotations({note})")
    run = night.apply(plan)
    actions = {action.id: (action.state, action.code) for action in night.store.journal.of_run(run.id)}
    assert actions[note] == (ActionState.SKIPPED, "CHANGED")
    assert run.counts["disposed"] == {"units": 1, "recordings": 0}
