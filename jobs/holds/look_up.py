"""Looks up the rows of holds that were placed while the CRM did not answer. A hold on a row that is not there
keeps nothing, and stays all the same until a second person lifts it. Source: HLD-02, HLD-07."""

from collections.abc import Iterator, Sequence

import msgspec

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.checks.same_crm import is_of_other_crm
from jobs.model.hold_query import HoldList, HoldQuery
from jobs.model.plan import Alarm, Plan
from jobs.ports.context import JobContext
from jobs.reading.few_rows import rows_anywhere, rows_of
from rules.holds.placements import PlacedHold
from rules.model.records import KINDS, Contact
from rules.model.roles import SERVICE

HOLD_NOT_FOUND = "HOLD_NOT_FOUND"


def look_up_unseen(context: JobContext, approved: Plan | None = None) -> list[PlacedHold]:
    """Look up what nobody has seen yet of the holds in force, and return those of which the CRM has no row.
    With a plan only those that whoever approved it cannot have known of, so that it may not be carried out:
    what was meant to be held may be in it.

    What is there loses its mark; what is not keeps it, with the moment of the first look. Both are recorded
    once. Raises ConnectorError: the CRM could not be read; nothing is recorded of the hold at which it
    failed."""
    store, connector, lost = context.store, context.connector, list[PlacedHold]()
    for hold in store.holds.page(HoldQuery(context.today, HoldList.UNSEEN)).holds:
        if approved is not None and HOLD_NOT_FOUND in approved.why and hold.placed_at < approved.created_at:
            continue
        if is_of_other_crm(store, hold.crm) or not connector.has(KINDS[hold.kind]):
            continue  # nobody can look it up here
        is_there = next(missing(connector, hold), None) is None
        if is_there or hold.looked_up_at is None:
            looked_up = msgspec.structs.replace(hold, is_unseen=not is_there, looked_up_at=context.clock())
            told: dict[str, object] = {"hold": hold.id, "found": is_there, "role": SERVICE}
            store.holds.restate(hold, looked_up, ("hold_looked_up", told))
        if not is_there:
            lost.append(hold)
    return lost


def missing(connector: Connector, hold: PlacedHold) -> Iterator[str]:
    """Yield the ids of what a hold names and the CRM does not have: its row, then the contacts who obtained
    it. Raises ConnectorError: the CRM could not be read."""
    record = KINDS[hold.kind]
    if hold.row and not rows_anywhere(connector, record, (), Among("id", [hold.row]), connector.retaining((record,))):
        yield hold.row
    if named := set(hold.obtained_by):
        yield from sorted(named - {row.id for row in rows_of(connector, Contact, (), Among("id", sorted(named)))})


def not_found(lost: Sequence[PlacedHold]) -> Iterator[Alarm]:
    """Yield an alarm where holds keep nothing: what was to be held may go in this plan."""
    if lost:
        yield Alarm.of(HOLD_NOT_FOUND, "hold_not_found", holds=len(lost))
