"""What lies in long-term retention goes from there with the last of what it belongs to. Nothing takes a link
off it, and a job that purges one owner removes what cascades. So it matters who else really goes: a unit that
a hold keeps, or that the CRM refused, keeps its rows there too (RET-20, decision 0059)."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.model.plan import Key
from jobs.model.run import Action
from jobs.reading.gather import rows_anywhere
from jobs.reading.long_term import retained_rows_of
from rules.model.records import KINDS

ToCome = Callable[[Collection[str]], Collection[str]]


def bound_there(connector: Connector, going: Sequence[Action], to_come: ToCome = lambda _: ()) -> set[Key]:
    """Return which of the units that go must wait, as (table, id): a job would remove a row of ours along
    that belongs to none of them, or a row of theirs that belongs to something else which stays as well. What
    waits binds others in turn. `to_come` tells which of some ids go later in the same run. Raises
    ConnectorError: it cannot be determined."""
    bound: set[Key] = set()
    while more := _bound(connector, [action for action in going if action.key not in bound], to_come):
        bound |= more
    return bound


def _bound(connector: Connector, going: Sequence[Action], to_come: ToCome) -> set[Key]:
    owners = {write.key(connector): action.key for action in going for write in action.rows if write.retained}
    if not owners:
        return set()
    along = {owners[each.on] for each in connector.hanging_there(sorted(owners)) if owners.get(each.row) != owners[each.on]}
    return along | _with_other_owners(connector, going, to_come)


def _with_other_owners(connector: Connector, going: Sequence[Action], to_come: ToCome) -> set[Key]:
    """Return the units that have a row of a dependent table there which belongs to something else that is
    somewhere and goes with none of them."""
    units: defaultdict[str, dict[str, Key]] = defaultdict(dict)
    for action in going:
        for write in action.rows:
            if write.retained and connector.all_kinds[write.kind].own is not None:
                units[write.kind][write.id] = action.key
    gone = {(write.kind, write.id) for action in going for write in action.rows}
    others: defaultdict[str, dict[str, set[Key]]] = defaultdict(lambda: defaultdict(set))
    for word, keys in units.items():
        kind = connector.all_kinds[word]
        for row in retained_rows_of(connector, kind.record, kind.links, Among("id", sorted(keys))):
            for word_above, owner in {*kind.owners(row)} - gone:
                others[word_above][owner].add(keys[row.id])
    later = to_come({owner for found in others.values() for owner in found}) if others else ()
    staying = {word: {owner: of for owner, of in found.items() if owner not in later} for word, found in others.items()}
    return {key for word, found in staying.items() for row in _existing(connector, word, found) for key in found[row]}


def _existing(connector: Connector, word: str, ids: Collection[str]) -> set[str]:
    if word not in connector.all_kinds:
        return set()
    record = KINDS[word]
    return {row.id for row in rows_anywhere(connector, record, (), Among("id", sorted(ids)), connector.retaining((record,)))}
