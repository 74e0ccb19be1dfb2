"""Purges what the CRM keeps of the rows of units that a hold may cover at any moment (HLD-07)."""

from collections.abc import Mapping, Sequence

from connectors.interface.connector import Connector
from connectors.interface.remains import ResidualKind, RowKey
from jobs.writing.send import Held


def purge_unless_held(
    connector: Connector, residual: ResidualKind, rows: Mapping[str, Sequence[RowKey]], *, held: Held, are_alive: bool = False
) -> tuple[dict[str, str], frozenset[RowKey]]:
    """Purge what one place keeps of the rows of these units, by a name of the caller's. `held` is asked right
    before, and again where the CRM lets the purge wait: who must stay by then holds it up, and it begins anew
    for the others.

    Return which units stay, each with the code, and the rows of which the CRM does not permit it. Raises
    ConnectorError: as `Connector.purge`."""
    kept = dict(held(rows))
    late: dict[str, str] = {}
    refused: frozenset[RowKey] = frozenset()

    def is_due() -> bool:
        late.update(held([name for name in rows if name not in kept]))
        return not late

    while going := [row for name, own in rows.items() if name not in kept for row in own]:
        refused = connector.purge(residual, going, alive=going if are_alive else (), is_due=is_due)
        if not late:
            break
        kept |= late
        late.clear()
    return kept, refused
