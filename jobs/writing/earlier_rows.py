"""What an earlier run deleted of a unit that is disposed of again. It is added to the unit's action, to be
cleaned, read back and certified.

A CRM may report that it deleted all of a unit and keep a row of it, and a write may be carried out after we
gave up waiting for its answer. The unit is PARTIAL or FAILED then, and the next plan judges what remains.
What was deleted before is not a row of the CRM any more and in no plan. But its history may still exist, and
its place in the recycle bin (ERA-12, R-089)."""

from collections.abc import Mapping, Sequence

import msgspec

from jobs.model.plan import Key
from jobs.model.run import CONTENT_BEGUN, UNANSWERED, Action, DocumentFolder, RowWrite
from jobs.ports.context import JobContext
from jobs.ports.store.runs import JournalStore
from jobs.writing.partial_units import begun
from jobs.writing.read_back import still_there


def left_before(context: JobContext, run: str) -> dict[Key, tuple[str, Action]]:
    """Return what runs other than this one have left PARTIAL or FAILED of units of this CRM, and none has
    done since, each with its run; also units that were left alone with a request under way."""
    found = context.store.journal.unfinished(run)
    found += [(of, action) for of, action in unanswered(context.store.journal) if of != run]
    crms = {of: context.store.plans.get(context.store.runs.get(of).plan).crm for of in {of for of, _ in found}}
    return {action.key: (of, action) for of, action in found if crms[of] == context.crm}


def unanswered(journal: JournalStore) -> list[tuple[str, Action]]:
    """Return the units that the last run left alone although an earlier request may still have come to pass
    since, each with that run."""
    return [(of, action) for of, action in journal.last_skips() if UNANSWERED in action.flags]


def with_what_had_gone(
    context: JobContext, intents: Sequence[Action], earlier: Mapping[Key, tuple[str, Action]], announced: Mapping[Key, Action]
) -> list[Action]:
    """Return the same intents, each with the rows of its unit that were already gone. They were deleted in
    earlier runs or before this one was interrupted (`announced`)."""
    if not earlier and not announced:
        return list(intents)
    left = {key: action for key, (_, action) in earlier.items()}
    before = {action.key: [each for each in (left.get(action.key), announced.get(action.key)) if each] for action in intents}
    candidates = {action.key: _candidates(context, action, before[action.key]) for action in intents}
    wanted = [write for writes in candidates.values() for write in writes]
    there = still_there(context.connector, wanted) if wanted else set()
    return [
        msgspec.structs.replace(
            action,
            gone=tuple(write for write in candidates[action.key] if (write.kind, write.id) not in there),
            along=tuple(sorted({*action.along, *(row for each in before[action.key] for row in each.along)})),
            documents=_documents(action, before[action.key]),
            flags=_flags(action, announced.get(action.key)),
            audit_entries=action.audit_entries + sum(each.audit_entries for each in before[action.key]),
        )
        for action in intents
    ]


def _flags(action: Action, announced: Action | None) -> tuple[str, ...]:
    return begun(action).flags if announced is not None and CONTENT_BEGUN in announced.flags else action.flags


def _documents(action: Action, before: Sequence[Action]) -> tuple[DocumentFolder, ...]:
    """Return the folders of the unit, those included that are gone already."""
    folders = {each.folder: each for earlier in before for each in earlier.documents}
    return tuple((folders | {each.folder: each for each in action.documents}).values())


def _candidates(context: JobContext, action: Action, before: Sequence[Action]) -> list[RowWrite]:
    own = {(write.kind, write.id) for write in action.rows}
    rows = {(write.kind, write.id): write for each in before for write in (*each.gone, *each.rows) if write.operation == "delete"}
    return [write for key, write in rows.items() if key not in own and write.is_mapped(context.connector)]
