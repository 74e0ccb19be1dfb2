"""Cleans the residual data of a row in the CRM, and reads back that they are gone. They are in timeline,
jobs, long-term retention, recycle bin and history.

The order is that of ERA-15: what points to the rows first, the bin and the history last, since the deletion
of the others may write there. Each place of ERA-12 gets a state for each unit. A place that is still not
clean after that makes its unit PARTIAL (R-088), and the next run continues (R-089). So does history that this
account may not purge, unless the mapping accepts that it is out of reach.

What is not cleaned here: objects in storage, and documents, are deleted before the rows
(jobs/residual/recording_content.py, jobs/residual/document_removal.py).
Files and images are deleted with their rows. Dry-run reports and plans hold ids and no personal data, and
have a term of their own (ACC-04). The statistics hold no identifier of their source, so that there is no
extract in identifiable form."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from connectors.interface.connector import Connector
from connectors.interface.remains import Reach, ResidualKind, RowKey
from connectors.interface.rows import Among
from jobs.erasures.register import announce_rows
from jobs.model.plan import Key
from jobs.model.run import Action
from jobs.ports.context import JobContext
from jobs.reading.few_rows import rows_of
from jobs.residual.purge import purge_unless_held
from jobs.writing.read_back import RESIDUAL_PLACES, gone_rows, living_rows, masked_rows, verify_actions
from jobs.writing.send import Held
from rules.model.kinds import ACTIVITIES, IN_DOSSIERS, ROW_KINDS, Kinds
from rules.model.records import KINDS
from rules.model.residual_data import PlaceState, ResidualPlace

PLACES_LEFT = "PLACES_LEFT"  # the code of a unit whose rows are gone and of which something is still in another place (ERA-12)
WITH_ROWS_OF_THEIR_OWN = (ResidualKind.TIMELINE, ResidualKind.JOBS)  # what is deleted there may have a history too, and be in the bin
DONE, NOT_APPLICABLE = PlaceState.DONE, PlaceState.NOT_APPLICABLE
NOT_REACHABLE, STILL_THERE = PlaceState.NOT_REACHABLE, PlaceState.STILL_THERE
# Places whose rows are deleted with the unit, and the kinds of rows that are there.
WITH_THE_UNIT: Mapping[ResidualPlace, frozenset[str]] = {
    ResidualPlace.NOTES: frozenset({"note"}),
    ResidualPlace.ACTIVITIES: frozenset(ACTIVITIES),
    ResidualPlace.FILES: frozenset({"email", *(word for word, kind in ROW_KINDS.items() if kind.contents)}),
    ResidualPlace.CHILD_ROWS: frozenset(IN_DOSSIERS) - {"recording"},  # which has a place of its own
    ResidualPlace.RECORDINGS: frozenset({"recording"}),
}


class Cleaned(msgspec.Struct, frozen=True):
    """What became of the places of one unit: `ResidualPlace` -> `PlaceState`, and how many rows of history
    were deleted."""

    places: dict[str, str]
    audit_entries: int = 0


def purge_before(context: JobContext, intents: Mapping[str, Action], *, held: Held) -> dict[Key, int]:
    """Purge the history of rows that are about to be deleted, where this CRM allows it only while they exist
    (ERA-15). `intents` have names of the caller's.

    Returns how many entries were purged, by unit. Does nothing where a job may delete the audit rows of
    deleted rows. A unit of which a row has another version than was judged is left out, since it will not be
    deleted: somebody may have put a hold on it. So is one that `held` names, which is asked last, and again
    where the CRM lets a purge wait (HLD-07). What is deleted along with a row is left out too."""
    connector = context.connector
    if not connector.needs_row_for_history():
        return {}
    changed = _changed(connector, list(intents.values()))
    rows = {name: _live(connector, action) for name, action in intents.items() if action.key not in changed}
    wanted = [row for each in rows.values() for row in each]
    before = connector.residual_data(ResidualKind.HISTORY, wanted).left if wanted else {}
    if not before:
        return {}
    there = {name: own for name, each in rows.items() if (own := [row for row in each if row in before])}
    purge_unless_held(connector, ResidualKind.HISTORY, there, held=held, are_alive=True)
    after = connector.residual_data(ResidualKind.HISTORY, list(before)).left
    went = {row: left.count - (after[row].count if row in after else 0) for row, left in before.items()}
    return {intents[name].key: total for name, each in rows.items() if (total := sum(max(went.get(row, 0), 0) for row in each))}


def _live(connector: Connector, action: Action) -> list[RowKey]:
    """Return the rows of a unit that are about to be deleted by a write of ours."""
    retained = {write.key(connector) for write in action.rows if write.retained}
    return [row for row in gone_rows(connector, action) if row not in action.along and row not in retained]


def _changed(connector: Connector, intents: Sequence[Action]) -> set[Key]:
    """Return the units of which a row has another version now, or is gone."""
    versions: dict[tuple[str, str], str] = {}
    writes = [(action.key, write) for action in intents for write in action.rows if not write.retained]
    for kind in sorted({write.kind for _, write in writes}):
        ids = sorted({write.id for _, write in writes if write.kind == kind})
        versions |= {(kind, row.id): row.etag for row in rows_of(connector, KINDS[kind], (), Among("id", ids))}
    return {key for key, write in writes if versions.get((write.kind, write.id)) != write.etag}


def clean_places(context: JobContext, run: str, actions: Sequence[Action]) -> dict[Key, Cleaned]:
    """Clean every place in the CRM of units whose rows a run has written, and read back, by (table, id). A
    unit of which a row still exists, despite what the CRM reported, is left alone: its history belongs to a
    live row. Raises ConnectorError: a place cannot be checked; the unit stays as it is, and applying again
    continues from here."""
    connector = context.connector
    everything, there = actions, verify_actions(connector, actions)
    actions = [action for action in everything if action.key not in there]
    gone = {action.key: gone_rows(connector, action) for action in actions}
    masked = {action.key: masked_rows(connector, action) for action in actions}
    living = {action.key: living_rows(connector, action) for action in actions}
    places = {action.key: _with_the_unit(action, connector.all_kinds) for action in everything}
    purged = {action.key: 0 for action in everything}
    purged_there = {action.key for action in actions if action.has_retained}
    for key, found in clean_rows(context, run, gone, masked, living).items():
        places[key] |= found.places
        purged[key] = found.audit_entries
        if key in purged_there and places[key].get(ResidualPlace.COPIES) is NOT_APPLICABLE:
            places[key][ResidualPlace.COPIES] = DONE
    for found_places in places.values():
        found_places[ResidualPlace.COPIES] = _copies(connector, found_places[ResidualPlace.COPIES])
    return {key: Cleaned({place.value: each[place].value for place in ResidualPlace}, purged[key]) for key, each in places.items()}


class CleanedRows(msgspec.Struct, frozen=True):
    """What became of the places in which the CRM may keep something of some rows, and how many rows of
    history were deleted."""

    places: dict[ResidualPlace, PlaceState]
    audit_entries: int = 0


def clean_rows(
    context: JobContext,
    run: str,
    gone: Mapping[Key, Sequence[RowKey]],
    masked: Mapping[Key, Sequence[RowKey]],
    living: Mapping[Key, Sequence[RowKey]],
) -> dict[Key, CleanedRows]:
    """Clean what the CRM keeps of rows beside them, by any name the caller gives them. These are rows that
    are `gone`, rows that were `masked`, and the history of rows that remain without what was emptied. Rows
    deleted from other places are announced first. Raises ConnectorError: a place cannot be checked."""
    connector, gone = context.connector, dict(gone)
    used = {key: [*gone[key], *masked[key]] for key in gone}
    places: dict[Key, dict[ResidualPlace, PlaceState]] = {key: {} for key in gone}
    rows: dict[ResidualKind, Mapping[Key, Sequence[RowKey]]] = {
        ResidualKind.TIMELINE: used,
        ResidualKind.JOBS: used,
        ResidualKind.RETAINED: used,
        ResidualKind.BIN: gone,
    }
    for residual, wanted in rows.items():
        for key, found in _clean(connector, residual, wanted, (), partial(announce_rows, context, run)).items():
            places[key][RESIDUAL_PLACES[residual]] = found.state
            gone[key] = [*gone[key], *found.rows]  # of their own they may have a history too, and be in the bin
    history = {key: [*gone[key], *living[key]] for key in gone}
    purged = dict.fromkeys(gone, 0)
    for key, found in _clean(connector, ResidualKind.HISTORY, history, _flat(living)).items():
        places[key][ResidualPlace.AUDIT_HISTORY] = found.state
        purged[key] = found.went
    return {key: CleanedRows(places[key], purged[key]) for key in gone}


class _Found(msgspec.Struct, frozen=True):
    """One place of one unit: its state, how many rows of it went, and those of other tables that were deleted
    there."""

    state: PlaceState
    went: int = 0
    rows: tuple[RowKey, ...] = ()


def _clean(
    connector: Connector,
    residual: ResidualKind,
    rows: Mapping[Key, Sequence[RowKey]],
    alive: Sequence[RowKey],
    announce: Callable[[Mapping[Key, list[RowKey]]], None] | None = None,
) -> dict[Key, _Found]:
    """Look, announce what else will go, remove, and look again."""
    wanted = _flat(rows)
    if not wanted:
        return dict.fromkeys(rows, _Found(NOT_APPLICABLE))
    before = connector.residual_data(residual, wanted)
    if before.reach is Reach.NOT_KEPT:
        return dict.fromkeys(rows, _Found(NOT_APPLICABLE))
    refused: frozenset[RowKey] = frozenset()
    after = before.left
    if before.left:
        if announce is not None and residual in WITH_ROWS_OF_THEIR_OWN:
            announce({key: [other for row in own if row in before.left for other in before.left[row].rows] for key, own in rows.items()})
        refused = connector.purge(residual, list(before.left), alive=alive)
        found = connector.residual_data(residual, list(before.left))
        after = found.left if found.reach is Reach.READ else before.left  # nobody has seen that it went
    result = {}
    for key, own in rows.items():
        had = [row for row in own if row in before.left]
        left = [row for row in own if row in after]
        went = sum(before.left[row].count for row in had) - sum(after[row].count for row in left)
        if left:
            may_not = (
                residual is ResidualKind.HISTORY
                and ResidualPlace.AUDIT_HISTORY in connector.beyond_reach
                and all(row in refused for row in left)
            )
            state = NOT_REACHABLE if may_not else STILL_THERE
        elif before.reach is Reach.NOT_REACHABLE:
            state = NOT_REACHABLE if own else NOT_APPLICABLE
        else:
            state = DONE if had or any(table in before.kept_of for table, _ in own) else NOT_APPLICABLE
        others = [other for row in had for other in before.left[row].rows if residual in WITH_ROWS_OF_THEIR_OWN]
        result[key] = _Found(state, max(went, 0), tuple(others))
    return result


def _with_the_unit(action: Action, of: Kinds) -> dict[ResidualPlace, PlaceState]:
    """Return the places whose rows were deleted with the unit's own, and those of our own making."""
    kinds = {write.kind for write in (*action.gone, *action.rows[:-1]) if write.operation == "delete"}
    kinds |= {write.kind for write in action.rows[-1:] if write.operation == "delete" and write.kind != "fiche"}
    places = dict.fromkeys(ResidualPlace, NOT_APPLICABLE)
    own = [of[word] for word in kinds if word not in ROW_KINDS and word in of]
    for place, those in WITH_THE_UNIT.items():
        if (
            kinds & those
            or (place is ResidualPlace.CHILD_ROWS and (own or action.along))
            or (place is ResidualPlace.FILES and (action.documents or any(each.contents for each in own)))
        ):
            places[place] = DONE
    return places


def _copies(connector: Connector, retained: PlaceState) -> PlaceState:
    """Return the state of copies: those in long-term retention, and those that the mapping names. Nothing
    here reaches the latter (ERA-12, line 10)."""
    if retained is STILL_THERE:
        return retained
    return retained if connector.copies == () else NOT_REACHABLE


def _flat(rows: Mapping[Key, Sequence[RowKey]]) -> list[RowKey]:
    return list(dict.fromkeys(row for each in rows.values() for row in each))
