"""Audio attachments deleted with their dossier or lone fiche although their own term still runs (RET-03).

They are written as part of that unit, in its change set: by a line of their own they could be deleted
although the unit then stays. In the journal each is an action of its own, so that it is counted, read back
and certified like any unit with a line (ACC-03)."""

from collections.abc import Iterable, Mapping

import msgspec

from jobs.model.plan import PlanLine
from jobs.model.run import Action, ActionState
from rules.model.records import UnitKind
from rules.retention.recording_owners import GOES_ALONG

TAKEN_ALONG = (UnitKind.RECORDING, UnitKind.ATTACHMENT)
HAS_WRITTEN = (ActionState.REMOVED, ActionState.PARTIAL)


def goes_with_its_unit(line: PlanLine) -> bool:
    """Return whether a line of an attachment is that of one that is deleted with its unit."""
    return line.rule == GOES_ALONG


def may_follow(line: PlanLine, kind: UnitKind) -> bool:
    """Return whether a line is that of a row which may be deleted as part of another unit: by rule, or
    because its own line failed before. A recording is deleted by its own line first. Where that fails or is
    postponed and it is then deleted with its fiche, it is gone all the same: the last state counts, and it is
    read back and certified like any other."""
    return goes_with_its_unit(line) or kind in TAKEN_ALONG


def apart(actions: Iterable[Action], followers: Mapping[str, PlanLine]) -> list[Action]:
    """Return the outcomes of units, with those of attachments deleted with them apart. `followers` are the
    lines of such attachments, by id."""
    found: list[Action] = []
    for action in actions:
        lines = [
            followers[write.id]
            for write in action.rows
            if write.kind in TAKEN_ALONG and write.operation == "delete" and write.id in followers
        ]
        lines = [line for line in lines if line.key != action.key]
        if lines and action.state in HAS_WRITTEN:
            ids = {line.id for line in lines}
            found += [_follower(action, line) for line in lines]
            action = msgspec.structs.replace(action, rows=tuple(write for write in action.rows if write.id not in ids))
        found.append(action)
    return found


def _follower(action: Action, line: PlanLine) -> Action:
    return Action(
        line.table,
        line.id,
        line.disposition or "",
        action.state,
        action.code,
        rows=tuple(write for write in action.rows if write.id == line.id),
        categories=line.categories,
        rule=line.rule,
        reason=line.reason,
        end_month=(line.retention_end or "")[:7],
        removed_at=action.removed_at,
    )
