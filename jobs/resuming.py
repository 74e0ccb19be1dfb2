"""Units of which a run has taken a part before it was cut off or lied to: are they still what was judged, and then finish them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from connectors.interface import Among, Connector
from jobs.disposal import CHANGED
from jobs.gather import rows_of
from jobs.runs import Action, ActionState, RowWrite
from jobs.settling import Held, settle_writes
from rules.records import KINDS, Fiche, UnitKind


def finish_remaining(connector: Connector, action: Action, remaining: Sequence[RowWrite], *, held: Held) -> Action:
    """Finish a unit of which we have taken a part, provided that what is left is still what was judged (RET-17, HLD-07)."""
    if not is_as_judged(connector, action, remaining):
        return msgspec.structs.replace(action, state=ActionState.PARTIAL, code=CHANGED)
    result = settle_writes(connector, {"rest": remaining}, {"rest"}, held=held)["rest"]
    if result.state is ActionState.DONE:
        return msgspec.structs.replace(action, state=ActionState.DONE, code="")
    return msgspec.structs.replace(action, state=ActionState.PARTIAL, code=result.code)


def is_as_judged(connector: Connector, action: Action, remaining: Sequence[RowWrite]) -> bool:
    """Whether the unit's own row has the version of then, which also tells holds and re-opening, and no fiche has come to it since.

    Never for contacts: what refers to them changes no version, so a plan finds them again (`Store.undone`).
    """
    own = action.rows[-1]
    if own not in remaining or own.kind == UnitKind.CONTACT:
        return False
    if [row.etag for row in rows_of(connector, KINDS[own.kind], (), Among("id", [own.id]))] != [own.etag]:
        return False
    if own.kind != UnitKind.DOSSIER:
        return True
    known = {write.id for write in action.rows}
    return all(row.id in known for row in rows_of(connector, Fiche, ("dossier",), Among("dossier", [own.id])))


def is_shell(action: Action, remaining: Sequence[RowWrite]) -> bool:
    """Whether all of a dossier or lone fiche has gone but its own row: our change set, of which the CRM said that it had deleted it too.

    Without what it was judged by it would be kept for ever, and nobody would be told.
    """
    own = action.rows[-1]
    return own.kind in (UnitKind.DOSSIER, UnitKind.FICHE) and list(remaining) == [own]
