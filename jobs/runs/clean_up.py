"""What a run does once the rows are gone: it cleans the places where something of them may remain, and looks
whether all is gone (ERA-12, ERA-15)."""

import msgspec

from jobs.checks.kill_switch import refuse_if_stopped
from jobs.holds.active import held_actions
from jobs.model.run import ActionState
from jobs.residual.clean import PLACES_LEFT, clean_places
from jobs.residual.document_removal import documents_left
from jobs.residual.recording_content import objects_left
from jobs.runs.journal import Journal, name_of
from jobs.writing.anonymise import anonymity_codes
from jobs.writing.partial_units import as_found_again
from jobs.writing.read_back import verify_actions
from rules.model.residual_data import PlaceState

CLEANED_TOGETHER = 1_000  # units whose other places are cleaned and read back at once


def clean_up(journal: Journal) -> None:
    """Clean the residual data of the rows, and read back that it is gone. What remains makes its unit
    PARTIAL (ERA-12, R-088)."""
    context = journal.context
    removed = [action for action in journal.actions.values() if action.state is ActionState.REMOVED]
    for at in range(0, len(removed), CLEANED_TOGETHER):
        refuse_if_stopped(context.store)
        context.progress("cleaning", at, len(removed))
        chunk = removed[at : at + CLEANED_TOGETHER]
        # Their own rows are gone, so that no dossier's flag leads to them any more.
        held = held_actions(context, journal.day, {name_of(action): action for action in chunk}, {})
        free = [action for action in chunk if name_of(action) not in held]
        cleaned = clean_places(context, journal.run, free)
        told = anonymity_codes(context, [(action, cleaned[action.key].places) for action in free])
        codes = {action.key: code for action, code in zip(free, told, strict=True)}
        outcomes = []
        for action in chunk:
            if reason := held.get(name_of(action)):  # what is left of it stays until the hold ends (HLD-07)
                outcomes.append(msgspec.structs.replace(action, state=ActionState.PARTIAL, code=reason.value))
                continue
            found = cleaned[action.key]
            code = PLACES_LEFT if PlaceState.STILL_THERE in found.places.values() else codes[action.key]
            outcomes.append(
                msgspec.structs.replace(
                    action,
                    state=ActionState.PARTIAL if code else ActionState.DONE,
                    code=code,
                    places=found.places,
                    audit_entries=action.audit_entries + found.audit_entries,
                )
            )
        journal.record(outcomes, "outcome")


def look_again(journal: Journal) -> None:
    """Read back what was done, outside the CRM too. What is still there makes its unit PARTIAL."""
    context = journal.context
    done = [action for action in journal.actions.values() if action.state is ActionState.DONE]
    context.progress("verifying", 0, len(done))
    left = verify_actions(context.connector, done)
    for found in (objects_left(context, journal.outside, done), documents_left(context, done)):
        for key, objects in found.items():
            left[key] = tuple(dict.fromkeys([*left.get(key, ()), *objects]))
    outcomes = [
        msgspec.structs.replace(
            as_found_again(context.connector, journal.actions[key], rows),
            state=ActionState.PARTIAL,
            code="STILL_THERE",
            still_there=rows,
        )
        for key, rows in left.items()
    ]
    if outcomes:
        journal.record(outcomes, "outcome")
    journal.note_read_back()
