"""What the activities in which contacts take part belong to, and the rows that name them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.reading.few_rows import ACTIVITY_FIELDS, ACTIVITY_PARTY_FIELDS, PARTY_FIELDS, rows_anywhere
from jobs.reading.tops import tops_of
from rules.model.kinds import ACTIVITIES, FILES, ROW_KINDS
from rules.model.records import KINDS, ActivityParty, Fiche, Party, Record


def naming_kinds(connector: Connector) -> tuple[type[Record], ...]:
    """Return the kinds of rows that may name a contact as `participations` tells it."""
    return (*(KINDS[kind] for kind in ACTIVITIES), *(own.full for own in connector.all_kinds.own))


def participations(
    connector: Connector, contacts: Iterable[str], retaining: Collection[type[Record]]
) -> dict[str, list[tuple[str | None, str | None]]]:
    """Return, for each contact, what the activities in which it takes part belong to, and the rows of
    dependent tables that name it, as (kind, id). It is (None, None) for nothing or for an activity of a kind
    that is not mapped. Rows of the kinds `retaining`, those of dependent tables by their full records, may be
    in long-term retention, activities with their participants."""
    kinds = connector.all_kinds
    activities = {KINDS[kind] for kind in ACTIVITIES} | {own.full for own in kinds.own if connector.is_activity(own.full)}
    has_retained = not activities.isdisjoint(retaining)
    taking = rows_anywhere(
        connector, ActivityParty, ACTIVITY_PARTY_FIELDS, Among("party", sorted(contacts)), (ActivityParty,) if has_retained else ()
    )
    owners: dict[str, tuple[str | None, str | None]] = {}
    ids = sorted({row.activity for row in taking if row.activity is not None})
    for kind in ACTIVITIES:
        for row in rows_anywhere(connector, KINDS[kind], ACTIVITY_FIELDS, Among("id", ids), retaining):
            owners[row.id] = next(ROW_KINDS[kind].owners(row), (None, None))
    if connector.is_activity(Fiche):
        owners |= {row.id: ("fiche", row.id) for row in rows_anywhere(connector, Fiche, (), Among("id", ids), retaining)}
    result: dict[str, list[tuple[str | None, str | None]]] = defaultdict(list)
    own_activities = _own_activities(connector, ids, retaining)
    for row in taking:
        result[row.party or ""] += own_activities.get(row.activity or "") or [owners.get(row.activity or "", (None, None))]
    for own in kinds.own:
        for name in (*own.people, *(own.lookups if own.term and "contact" in own.above else ())):
            named = rows_anywhere(connector, own.full, (name, *own.links), Among(name, sorted(contacts)), retaining)
            if own.term:  # it goes by itself, and keeps them until then
                for naming in named:
                    result[getattr(naming, name)].append((own.word, naming.id))
                continue
            tops = tops_of(connector, [(own.word, row) for row in named])
            roles = sorted({row for of in tops.values() for kind, row in of if kind == "party"})
            found = rows_anywhere(connector, Party, PARTY_FIELDS, Among("id", roles), retaining)
            places = {row.id: [up for up in ROW_KINDS["party"].owners(row) if up[0] in FILES] for row in found}  # it goes with these
            for naming in named:
                of = [up for top in tops[own.word, naming.id] for up in (places.get(top[1], []) if top[0] == "party" else [top])]
                result[getattr(naming, name)] += of or [(None, None)]
    return result


def named_in(connector: Connector, rows: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Return the contacts who take part in activities, or whom rows of dependent tables name, of these rows,
    given by (kind, id), by the id of the row."""
    ids: dict[str, list[str]] = defaultdict(list)
    for word, id_ in rows:
        ids[word].append(id_)
    own = [kind for kind in connector.all_kinds.own if kind.word in ids]
    activities = {*ACTIVITIES, *(kind.word for kind in own if connector.is_activity(kind.full))}
    activities |= {"fiche"} if connector.is_activity(Fiche) else set()
    among = Among("activity", sorted(row for word in activities & ids.keys() for row in ids[word]))
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows_anywhere(connector, ActivityParty, ACTIVITY_PARTY_FIELDS, among, ()):
        found[row.activity or ""] |= {row.party or ""}
    for kind in own:
        among = Among("id", sorted(ids[kind.word]))
        named = rows_anywhere(connector, kind.full, kind.people, among, connector.retaining((kind.full,))) if kind.people else ()
        for each in named:
            found[each.id] |= {getattr(each, name) or "" for name in kind.people}
    return {row: contacts - {""} for row, contacts in found.items()}


def _own_activities(
    connector: Connector, ids: Sequence[str], retaining: Collection[type[Record]]
) -> dict[str, list[tuple[str | None, str | None]]]:
    """Return what those of these activities belong to that are rows of dependent tables, as (kind, id); one
    with a term of its own goes by itself."""
    found: dict[str, list[tuple[str | None, str | None]]] = {}
    for own in connector.all_kinds.own:
        if connector.is_activity(own.full):
            rows = rows_anywhere(connector, own.full, own.links, Among("id", ids), retaining)
            tops = tops_of(connector, [(own.word, row) for row in rows])
            found |= {row.id: [(own.word, row.id)] if own.term else [*tops[own.word, row.id]] for row in rows}
    return found
