"""Removes what units have outside the CRM, recordings in storages and documents, before the rows that say
where it is: what no row names can no longer be found (ERA-12, ERA-15, R-053).

No change set spans the CRM and a storage. So all that could keep a unit, by any of its places, is looked at
before the first of them is touched, and again before each few of them: removing many takes its time, and a
hold that comes meanwhile prevails over what is still there (HLD-07). If a row stays all the same, the next
run finds its content gone and deletes the row."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from jobs.checks.kill_switch import refuse_if_stopped
from jobs.model.plan import Key
from jobs.model.run import CHANGED, Action, ActionState
from jobs.ports.context import JobContext
from jobs.residual.document_removal import DocumentRemoval
from jobs.residual.recording_content import OBJECT_LEFT, ObjectRemoval, changed_units
from jobs.writing.document_folders import DocumentFolders
from jobs.writing.outside_objects import Outside
from jobs.writing.send import WriteOutcome

AT_ONCE = 8  # removals; each waits for its storage most of the time
Begin = Callable[[Sequence[Action]], None]  # notes that something of these units is about to go
Keeping = Callable[[Sequence[Action]], Mapping[Key, str]]  # the units that a hold keeps at this moment, each with the code


def remove_content(
    context: JobContext, outside: Outside, folders: DocumentFolders, intents: Sequence[Action], *, held: Keeping, begin: Begin
) -> dict[Key, WriteOutcome]:
    """Remove what these units have outside the CRM (`RowWrite.object`, `Action.documents`), and return those
    that must not be written. `begin` is told of each unit right before the first of it is removed, so that a
    run that is cut off leaves a trace of it.

    SKIPPED, nothing was removed: a row is another than was judged, or something that stays names an object
    or a folder too, also what stays because it must not be written (CHANGED); or a hold has come.
    PARTIAL: the same came after a part was removed; or something could not be removed or is in a recycle
    bin (OBJECT_LEFT), so that the rows stay and it is not lost from sight."""
    having = [action for action in intents if action.documents or any(write.object for write in action.rows)]
    if not having:
        return {}
    objects, documents = ObjectRemoval(context, outside, having), DocumentRemoval(context, folders, having)
    outcomes: dict[Key, WriteOutcome] = {}
    begun: set[Key] = set()

    def going() -> list[Action]:
        return [action for action in having if action.key not in outcomes]

    def stop(codes: Mapping[Key, str]) -> None:
        """Leave these out, and so whatever would take something of theirs along."""
        while codes:
            for key, code in codes.items():
                outcomes[key] = WriteOutcome(ActionState.PARTIAL if key in begun else ActionState.SKIPPED, code)
            codes = dict.fromkeys(objects.shared(going()) | documents.shared(going()), CHANGED)

    stop(_kept(context, having, held) | objects.codes)
    stop(dict.fromkeys(objects.shared(going()) | documents.shared(going()), CHANGED))
    pieces = [*objects.removals(going()), *documents.removals(going())]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for at in range(0, len(pieces), AT_ONCE):
            few = pieces[at : at + AT_ONCE]
            concerned = {key for key, _ in few}
            stop(_kept(context, [action for action in going() if action.key in concerned], held))
            still = [(key, remove) for key, remove in few if key not in outcomes]
            context.still_ours()
            refuse_if_stopped(context.store)
            if fresh := {key for key, _ in still} - begun:
                begin([action for action in having if action.key in fresh])
                begun |= fresh
            failures = [(key, failure) for (key, _), failure in zip(still, pool.map(lambda one: one[1](), still), strict=True) if failure]
            for _, failure in failures:
                folders.warn(failure)
            stop(dict.fromkeys((key for key, _ in failures), OBJECT_LEFT))
    return outcomes | dict.fromkeys(documents.binned(going()), WriteOutcome(ActionState.PARTIAL, OBJECT_LEFT))


def _kept(context: JobContext, actions: Sequence[Action], held: Keeping) -> dict[Key, str]:
    """Return the units that may not go at this moment, each with the code."""
    return (dict.fromkeys(changed_units(context, actions), CHANGED) | dict(held(actions))) if actions else {}
