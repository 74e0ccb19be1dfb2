"""What recordings have outside the CRM: which of it may be removed, its removal, and whether it is gone
(ERA-12, R-053)."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from connectors.interface.errors import ObjectError
from connectors.interface.objects import ObjectStore
from connectors.interface.rows import Among
from jobs.model.plan import Key
from jobs.model.run import CHANGED, Action, ActionState, RowWrite
from jobs.ports.context import JobContext
from jobs.reading.few_rows import rows_of
from jobs.writing.outside_objects import Outside
from rules.model.records import Record, Recording

OBJECT_LEFT = "OBJECT_LEFT"
WRITTEN = (ActionState.REMOVED, ActionState.DONE, ActionState.PARTIAL)  # states of units of which something has gone
Removal = Callable[[], str]  # removes something and looks whether it is gone; gives what went wrong, without an address


class ObjectRemoval:
    """The objects of some units: whether they may be removed, and their removal one by one. `codes` are the
    units of which none may, from the beginning."""

    def __init__(self, context: JobContext, outside: Outside, intents: Sequence[Action]) -> None:
        self._outside = outside
        having = [action for action in intents if any(write.object for write in action.rows)]
        rows = _recordings(context, having)
        outside.read_again()
        self.codes: dict[Key, str] = {}
        self._places: dict[str, tuple[ObjectStore, str]] = {}
        self._claimed: Collection[str] = ()
        for action in having:
            for write in _with_object(action):
                row = rows.get(write.id)
                place = outside.place(row.storage_uri) if row is not None and row.storage_uri else None
                if place is None or write.object not in outside.references(place[1]):
                    self.codes[action.key] = CHANGED
                else:
                    self._places[write.id] = place

    def shared(self, going: Sequence[Action]) -> set[Key]:
        """Return those of the units to be deleted of which an object is named by a recording that stays.
        Whatever such a recording names is kept by every removal from here on."""
        ids = _ids(going)
        self._claimed = self._outside.claimed(ids) if ids else ()
        places = {action.key: {self._places[each][1] for each in _ids([action])} for action in going}
        shared = self._outside.shared({each for of in places.values() for each in of}, ids)
        return {key for key, of in places.items() if not of.isdisjoint(shared)}

    def removals(self, going: Sequence[Action]) -> list[tuple[Key, Removal]]:
        """Return the removal of each object of the units to be deleted. One that is missing counts as
        removed."""
        return [(action.key, partial(self._remove, write.id)) for action in going for write in _with_object(action)]

    def _remove(self, row: str) -> str:
        """Remove one object and check whether it is gone; of what was made of it, what is claimed stays."""
        store, address = self._places[row]
        try:
            store.remove(address, self._claimed)
            return f"an object is still in {store.described} after it was removed" if store.is_there(address, self._claimed) else ""
        except ObjectError as error:
            return str(error)


def _with_object(action: Action) -> list[RowWrite]:
    return [write for write in action.rows if write.object]


def _ids(actions: Sequence[Action]) -> set[str]:
    return {write.id for action in actions for write in _with_object(action)}


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
            if write.object in there and not outside.shared([there[write.object]], {write.id})
        )
        for key, writes in having.items()
    }
    return {key: found for key, found in left.items() if found}


def _recordings(context: JobContext, actions: Sequence[Action]) -> Mapping[str, Recording]:
    return {row.id: row for row in rows_of(context.connector, Recording, ("storage_uri", "fiche"), Among("id", sorted(_ids(actions))))}


def changed_units(context: JobContext, actions: Sequence[Action]) -> list[Key]:
    """Return the units of which a row is not what was judged any more. What the CRM would refuse must not
    cost an object."""
    judged: defaultdict[type[Record], set[str]] = defaultdict(set)
    for write in _writes(actions):  # what is in long-term retention has no other version
        judged[write.record(context.connector)].add(write.id)
    versions = {row.id: row.etag for kind, ids in judged.items() for row in rows_of(context.connector, kind, (), Among("id", sorted(ids)))}
    return [action.key for action in actions if any(versions.get(write.id) != write.etag for write in _writes([action]))]


def _writes(actions: Sequence[Action]) -> list[RowWrite]:
    return [write for action in actions for write in action.rows if not write.retained]
