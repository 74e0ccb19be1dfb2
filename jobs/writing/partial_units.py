"""Units of which a run has taken a part before it was cut off or lied to: are they still what was judged, and
then finish them."""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from connectors.interface.connector import Connector
from connectors.interface.remains import RowKey
from connectors.interface.rows import Among
from jobs.model.plan import Key
from jobs.model.run import CHANGED, CONTENT_BEGUN, CONTINUED, UNANSWERED, Action, ActionState, RowWrite
from jobs.reading.few_rows import RECORDING_FIELDS, rows_of
from jobs.writing.dependent_rows import below
from jobs.writing.read_back import still_there
from jobs.writing.role_rows import roles_of
from jobs.writing.send import Held, send_and_reconcile
from rules.model.records import KINDS, Fiche, Recording, UnitKind


def finish_remaining(
    connector: Connector, action: Action, remaining: Sequence[RowWrite], *, as_sent: Sequence[RowWrite], held: Held
) -> Action:
    """Finish a unit of which we have deleted a part, if what remains is still what was judged (RET-17,
    HLD-07). `as_sent` are the same writes, perhaps with fewer bypasses than when they were announced."""
    if not is_as_judged(connector, action, remaining):
        return msgspec.structs.replace(action, state=ActionState.PARTIAL, code=CHANGED)
    result = send_and_reconcile(connector, {"rest": as_sent}, held=held)["rest"]
    if result.state is ActionState.DONE:
        return msgspec.structs.replace(action, state=ActionState.DONE, code="")
    return msgspec.structs.replace(action, state=ActionState.PARTIAL, code=result.code)


def is_as_judged(connector: Connector, action: Action, remaining: Sequence[RowWrite]) -> bool:
    """Return whether the unit's own row has the version that was judged, which also tells holds and re-
    opening, and no fiche has come to it since. Where its own row is gone, whether each row that is left has
    the version in which reading back has found it. Never for contacts: what refers to them changes no
    version, so a plan finds them again (`JournalStore.undone`)."""
    own = action.rows[-1]
    if own.kind == UnitKind.CONTACT:
        return False
    if own not in remaining:
        return _versions(connector, remaining) == {write.id: write.etag for write in remaining}
    if [row.etag for row in rows_of(connector, KINDS[own.kind], (), Among("id", [own.id]))] != [own.etag]:
        return False
    if own.kind != UnitKind.DOSSIER:
        return True
    known = {write.id for write in action.rows}
    return all(row.id in known or row.also_in for row in rows_of(connector, Fiche, ("dossier",), Among("dossier", [own.id])))


def come_since(connector: Connector, action: Action, remaining: Sequence[RowWrite]) -> set[str]:
    """Return the ids of rows that are `bound_to` the rest of a unit and with which it was not announced."""
    return {row for _, row in bound_to(connector, remaining)} - {write.id for write in (*action.gone, *action.rows)}


def bound_to(connector: Connector, remaining: Sequence[RowWrite]) -> set[RowKey]:
    """Return the rows that would go with what remains of one unit, or lose their link to it: a role, perhaps
    of a younger child, a recording, or what depends on these rows (RET-03, RET-17). They change no version of
    it."""
    left = {write.id: "rest" for write in remaining if write.operation == "delete" and not write.retained}
    dossiers, fiches = (
        {write.id: "rest" for write in remaining if write.kind == kind and write.id in left} for kind in (UnitKind.DOSSIER, UnitKind.FICHE)
    )
    roles = [role for _, role, _ in roles_of(connector, dossiers.keys(), fiches) if not connector.is_derived(type(role))]
    files = [(name, sorted(owners)) for name, owners in (("dossier", dossiers), ("fiche", fiches)) if owners]
    recordings = [row for name, owners in files for row in rows_of(connector, Recording, RECORDING_FIELDS, Among(name, owners))]
    found = {(connector.table(type(row)), row.id) for row in (*roles, *recordings)}
    return found | {write.key(connector) for _, write in below(connector, left, ())}


def changed_since(connector: Connector, actions: Sequence[Action]) -> list[Key]:
    """Return those of some units, none of them a contact, of which a part has gone and the rest is not what
    was judged any more. Where the unit's own row has gone, the writes of the others tell."""
    there = still_there(connector, (action.rows[-1] for action in actions), live_only=True)
    own = [(action, action.rows[-1:]) for action in actions if (action.rows[-1].kind, action.rows[-1].id) in there]
    return [action.key for action, row in own if not is_as_judged(connector, action, row)]


def as_found_again(connector: Connector, action: Action, left: Collection[tuple[str, str]]) -> Action:
    """Return the action with the versions of rows, as (table, id), that unexpectedly still exist. The CRM had
    reported that they were deleted with the unit's own row. That changed them too: without the current
    versions nobody could show later that nothing else has, and no plan can judge them any more."""
    ids = {row for _, row in left}
    if action.rows[-1].id in ids or action.rows[-1].kind == UnitKind.CONTACT:
        return action
    versions = _versions(connector, [write for write in action.rows if write.id in ids])
    rows = tuple(msgspec.structs.replace(write, etag=versions.get(write.id, write.etag)) for write in action.rows)
    return msgspec.structs.replace(action, rows=rows)


def _versions(connector: Connector, writes: Iterable[RowWrite]) -> dict[str, str]:
    by_kind: dict[str, list[str]] = {}
    for write in writes:
        by_kind.setdefault(write.kind, []).append(write.id)
    return {row.id: row.etag for kind, ids in by_kind.items() for row in rows_of(connector, KINDS[kind], (), Among("id", ids))}


def continued(action: Action, counted: tuple[RowKey, ...]) -> Action:
    """Return what an earlier run left of a unit as this run takes it up. That run has `counted` some rows."""
    return msgspec.structs.replace(action, state=ActionState.INTENDED, code="", still_there=(), flags=(CONTINUED,), counted=counted)


def begun(action: Action) -> Action:
    """Return a unit of which something outside the CRM is about to be removed, or was, and no row."""
    return action if CONTENT_BEGUN in action.flags else msgspec.structs.replace(action, flags=(*action.flags, CONTENT_BEGUN))


def without_mark(action: Action) -> Action:
    """Return the same without the mark of `begun`."""
    return msgspec.structs.replace(action, flags=tuple(flag for flag in action.flags if flag != CONTENT_BEGUN))


def as_it_is(outcome: Action, announced: Action | None) -> Action:
    """Return the outcome of a unit. One that stays is PARTIAL, and not SKIPPED, where something of it outside
    the CRM was removed since it was announced, perhaps before the run was cut off; its rows are then known.
    So they are where a request of then may still be under way, and nothing has been sent again."""
    if outcome.state is ActionState.SKIPPED and announced is not None and not outcome.rows and CONTENT_BEGUN not in announced.flags:
        return msgspec.structs.replace(announced, state=outcome.state, code=outcome.code, flags=(*outcome.flags, UNANSWERED))
    before = announced if announced is not None and CONTENT_BEGUN in announced.flags else None
    if outcome.state is ActionState.PARTIAL:
        return outcome
    flags = without_mark(outcome).flags
    if outcome.state is not ActionState.SKIPPED or (before is None and flags == outcome.flags):
        return msgspec.structs.replace(outcome, flags=flags) if flags != outcome.flags else outcome
    known = outcome if outcome.rows or before is None else before
    return begun(msgspec.structs.replace(known, state=ActionState.PARTIAL, code=outcome.code, flags=flags))


def is_shell(action: Action, remaining: Sequence[RowWrite]) -> bool:
    """Return whether all of a dossier or lone fiche is gone but its own row. Our change set did this, and the
    CRM reported that it had deleted that row too. Without what it was judged by it would be kept for ever,
    and nobody would be notified."""
    own = action.rows[-1]
    return own.kind in (UnitKind.DOSSIER, UnitKind.FICHE) and list(remaining) == [own]
