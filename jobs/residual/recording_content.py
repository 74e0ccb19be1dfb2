"""What recordings have outside the CRM. It is removed before their row, since an object without a row can no
longer be found (ERA-12, R-053).

No change set spans the CRM and a storage. So everything that could make the CRM refuse is checked again
first, and only then is the object deleted. If its row stays all the same, the next run finds the object gone
and deletes the row."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from connectors.interface.errors import ObjectError
from connectors.interface.objects import ObjectStore
from connectors.interface.rows import Among
from jobs.model.plan import Key
from jobs.model.run import Action, ActionState, RowWrite
from jobs.ports.context import JobContext
from jobs.reading.gather import rows_of
from jobs.writing.deletion_order import CHANGED
from jobs.writing.outside_objects import Outside
from rules.model.decisions import Reason
from rules.model.records import Dossier, Fiche, Record, Recording

OBJECT_LEFT = "OBJECT_LEFT"
WRITTEN = (ActionState.REMOVED, ActionState.DONE, ActionState.PARTIAL)  # states of units of which something has gone
AT_ONCE = 8  # removals; each waits for its storage most of the time


def remove_objects(context: JobContext, outside: Outside, intents: Sequence[Action]) -> dict[Key, str]:
    """Remove the object of each row that has one (`RowWrite.object`), and give the units that must not be
    written, with a code. Of these nothing was removed.

    CHANGED: a row is another than was judged, or a recording that stays names the same object; one that stays
        because it must not be written counts too.
    A hold's code: the CRM has put one on the dossier since (HLD-07).
    OBJECT_LEFT: an object could not be removed; the rows stay, so that it is not lost from sight. One that is
        missing counts as removed."""
    having = [action for action in intents if any(write.object for write in action.rows)]
    codes = dict.fromkeys(changed_units(context, having), CHANGED)
    rows = _recordings(context, having)
    held_in_crm = _held(context, list(rows.values()))
    places: dict[str, tuple[ObjectStore, str]] = {}
    for action in having:
        for write in _with_object(action) if action.key not in codes else ():
            row = rows.get(write.id)
            place = outside.place(row.storage_uri) if row is not None and row.storage_uri else None
            if write.id in held_in_crm:
                codes[action.key] = Reason.HOLD_LEGAL.value
            elif place is None or write.object not in outside.references(place[1]):
                codes[action.key] = CHANGED
            else:
                places[write.id] = place
    going, are_settled = having, False
    while not are_settled:  # whoever drops out may share an object with who is left
        going = [action for action in going if action.key not in codes]
        ids = {write.id for action in going for write in _with_object(action)}
        shared = [action.key for action in going if any(outside.others(places[write.id][1], ids) for write in _with_object(action))]
        codes |= dict.fromkeys(shared, CHANGED)
        are_settled = not shared
    removals = [(action.key, *places[write.id]) for action in going for write in _with_object(action)]
    if removals:
        context.still_ours()
        kept = outside.claimed(ids)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            failures = list(pool.map(lambda removal: _remove(removal, kept), removals))
        for (key, _, _), failure in zip(removals, failures, strict=True):
            if failure:
                codes[key] = OBJECT_LEFT
                if failure not in context.connector.warnings:
                    context.connector.warnings.append(failure)
    return codes


def _with_object(action: Action) -> list[RowWrite]:
    return [write for write in action.rows if write.object]


def objects_left(context: JobContext, outside: Outside, actions: Sequence[Action]) -> dict[Key, tuple[Key, ...]]:
    """Return, for each unit whose rows were written, its recordings of which an object is still in some
    storage, as (table, id). They are recognised by keyed references, so also long after the addresses are
    gone. An address that a current recording names again belongs to that one. Where a storage cannot be
    listed, all of them count as remaining: what could not be read back is not known to be gone (ERA-15)."""
    having = {action.key: [write for write in action.rows if write.object] for action in actions if action.state in WRITTEN}
    wanted = {write.object for writes in having.values() for write in writes}
    if not wanted:
        return {}
    try:
        listed = (item for store in context.objects for item in store.listing())
        claimed = outside.claimed(())
        names = (name for item in listed for name in (item.address, *(() if item.address in claimed else item.made_of)))
        named = {reference: name for name in names for reference in outside.references(name)}
        there = {reference: named[reference] for reference in wanted & named.keys()}
    except ObjectError as error:
        context.connector.warnings.append(str(error))
        there = dict.fromkeys(wanted, "")
    left = {
        key: tuple(
            write.key(context.connector)
            for write in writes
            if write.object in there and not outside.others(there[write.object], {write.id})
        )
        for key, writes in having.items()
    }
    return {key: found for key, found in left.items() if found}


def _remove(removal: tuple[Key, ObjectStore, str], kept: Collection[str]) -> str:
    """Remove one object and check whether it is gone; of what was made of it, what is `kept` stays. Return
    what went wrong, without the address."""
    _, store, address = removal
    try:
        store.remove(address, kept)
        return f"an object is still in {store.described} after it was removed" if store.is_there(address, kept) else ""
    except ObjectError as error:
        return str(error)


def _recordings(context: JobContext, actions: Sequence[Action]) -> Mapping[str, Recording]:
    ids = sorted({write.id for action in actions for write in action.rows if write.object})
    return {row.id: row for row in rows_of(context.connector, Recording, ("storage_uri", "fiche"), Among("id", ids))}


def _held(context: JobContext, rows: Sequence[Recording]) -> set[str]:
    """Return the recordings whose dossier is under a legal hold in the CRM now. No version of theirs shows
    it."""
    connector = context.connector
    fiches = {
        row.id: row.dossiers
        for row in rows_of(connector, Fiche, ("dossier",), Among("id", sorted({row.fiche or "" for row in rows} - {""})))
    }
    dossiers = sorted({dossier for each in fiches.values() for dossier in each})
    held = {row.id for row in rows_of(connector, Dossier, ("legal_hold",), Among("id", dossiers)) if row.legal_hold}
    return {row.id for row in rows if not held.isdisjoint(fiches.get(row.fiche or "", ()))}


def changed_units(context: JobContext, actions: Sequence[Action]) -> list[Key]:
    """Return the units of which a row is not what was judged any more. What the CRM would refuse must not
    cost an object."""
    judged: defaultdict[type[Record], set[str]] = defaultdict(set)
    for write in _writes(actions):  # what lies in long-term retention has no other version
        judged[write.record(context.connector)].add(write.id)
    versions = {row.id: row.etag for kind, ids in judged.items() for row in rows_of(context.connector, kind, (), Among("id", sorted(ids)))}
    return [action.key for action in actions if any(versions.get(write.id) != write.etag for write in _writes([action]))]


def _writes(actions: Sequence[Action]) -> list[RowWrite]:
    return [write for action in actions for write in action.rows if not write.retained]
