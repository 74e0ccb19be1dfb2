"""Cleans what runs whose database was lost have left of their rows in other places: history, bin, jobs,
timeline, retention (ERA-12).

Their journals knew the ids, and are gone. The register of erasures beside the database has keyed references,
from which no id can be derived. So the places are queried for all that they keep, the reference of each row
is computed, and those that the register knows are cleaned and checked again, as at the end of any run. What
only the database knew is lost with it: there is no certificate of these rows and no statistic."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import chain

import msgspec

from connectors.interface.remains import Reach, ResidualKind, RowKey
from connectors.interface.rows import Among
from jobs.checks.kill_switch import refuse_if_stopped
from jobs.erasures.register import Register, Written, erase_late, load_register
from jobs.holds.active import active_holds
from jobs.ledger.heads import LOST, REQUESTS
from jobs.model.run import WRITTEN_OFF, ActionState
from jobs.ports.context import JobContext
from jobs.reading.few_rows import rows_of
from jobs.reading.long_term import retained_rows_of
from jobs.residual.clean import clean_rows
from jobs.writing.read_back import RESIDUAL_PLACES, gone_rows
from rules.model.records import KINDS, Dossier
from rules.model.residual_data import PlaceState

CLEANED_TOGETHER = 1_000
NOBODY = "00000000-0000-0000-0000-000000000000"


class LostPlaces(msgspec.Struct, frozen=True):
    """What was found of rows that lost runs had written: `rows` of which something was left, `cleaned` of
    them; `held` are those that a hold keeps, or may keep. `left` and `not_reachable` say by place of how many
    rows something is left, and which places could not be looked at. `uncertified` is how many rows were
    erased of which no journal is left in the database: of these no certificate can be had."""

    rows: int = 0
    cleaned: int = 0
    held: int = 0
    left: dict[str, int] = {}
    not_reachable: tuple[str, ...] = ()
    uncertified: int = 0

    @property
    def is_open(self) -> bool:
        """Whether somebody, or the next night, has to come back to it."""
        return bool(self.left or self.held)


def clean_lost_places(context: JobContext, interrupted: Collection[str] = ()) -> LostPlaces:
    """Find and clean what remains in other places of rows that are gone or masked and in no journal; record
    it in the ledger.

    A row is taken for one of ours by its keyed reference alone, and only if it no longer exists; a masked one
    if it shows its mask. A hold keeps the residual data where it is on the row or on its unit. Where it was
    placed after the row was written, and is on a person or on anything that meets conditions, it can no
    longer be determined whom the row was about, so that it keeps all of them (HLD-07). One from before had
    been checked before the row was written. What the database knows to be half done is left to the next
    night.

    Raises:
        Refused: another run is under way, or the kill switch is set.
        ConnectorError: a place cannot be checked; what is cleaned by then is cleaned, and the same may
            be done again."""
    store, connector = context.store, context.connector
    with store.leases.exclusive() as lease, connector.guarded(lease.check):
        refuse_if_stopped(store)
        connector.reconcile_earlier()
        register = load_register(context)
        tables = register.tables | register.tables_written
        found = _found(context, register, tables) if tables else {}
        held = Held(context)
        kept = {row for row, written in found.items() if held.covers(row, written)}
        unreachable = _not_reachable(context, tables)
        left: Counter[str] = Counter()
        cleaned = 0
        rows = sorted(found.keys() - kept)
        run = context.new_id("recovery")
        for at in range(0, len(rows), CLEANED_TOGETHER):
            refuse_if_stopped(store)
            context.progress("cleaning what lost runs left", at, len(rows))
            chunk = {row: found[row] for row in rows[at : at + CLEANED_TOGETHER]}
            places = _cleaned(context, run, chunk)
            cleaned += sum(1 for each in places.values() if PlaceState.STILL_THERE not in each.values())
            left.update(place for each in places.values() for place, state in each.items() if state is PlaceState.STILL_THERE)
            erase_late(context, {row: written for row, written in chunk.items() if written.operation != "mask"})
        done = LostPlaces(len(found), cleaned, len(kept), dict(sorted(left.items())), unreachable, _uncertified(context, interrupted))
        store.ledger.append([("lost_places", msgspec.to_builtins(done))])
        return done


def finish_lost_places(context: JobContext) -> None:
    """Continue where an earlier night has left something, until nothing remains. The outcome is in the
    ledger."""
    entries = context.store.ledger.strand(LOST)
    if entries and (entries[-1].data.get("left") or entries[-1].data.get("held")):
        clean_lost_places(context)


def _found(context: JobContext, register: Register, tables: Collection[str]) -> dict[RowKey, Written]:
    """Return the rows of which any place keeps something and that lost runs had written, as they wrote
    them."""
    connector = context.connector
    found: dict[RowKey, Written] = {}
    retained: set[RowKey] = set()
    for residual in ResidualKind:
        last: RowKey | None = None
        for number, row in enumerate(connector.kept(residual, tables)):
            if number % 5_000 == 0:
                context.progress(f"looking for what lost runs left: {RESIDUAL_PLACES[residual].value}", number)
            if row == last:
                continue
            last = row
            for table in [row[0]] if row[0] else sorted(tables):
                key = (table, row[1])
                if key not in found and (written := register.written(context.references(*key))) is not None:
                    found[key] = written
                if residual is ResidualKind.RETAINED and key in found:
                    retained.add(key)
    # A row in long-term retention that was announced is still to be purged with its unit, as long as that is
    # there and judged again.
    announced = {row: unit for row in retained if (unit := found[row].unit)}
    living = _living(context, set(announced.values()))
    for row, unit in announced.items():
        if unit in living:
            del found[row]
    for _, action in context.store.journal.partials():
        for row in gone_rows(connector, action):
            found.pop(row, None)
    return dict(_as_they_are(context, found))


def _living(context: JobContext, units: Collection[str]) -> set[str]:
    """Return those of these units, by keyed reference, that exist, live or in long-term retention. Nothing is
    read for none."""
    found: set[str] = set()
    connector = context.connector
    records = [KINDS[kind] for kind in connector.all_kinds.links if connector.has(KINDS[kind])] if units else []
    retaining = connector.retaining(records)
    for record in records:
        pages = chain(connector.read(record, ()), [retained_rows_of(connector, record, (), None)] if record in retaining else [])
        for row in chain.from_iterable(pages):
            found.update(ref for ref in context.references(connector.table(type(row)), row.id) if ref in units)
    return found


def _as_they_are(context: JobContext, found: Mapping[RowKey, Written]) -> Iterator[tuple[RowKey, Written]]:
    """Yield rows that are gone, and those that were to be masked and show it. Anything else that exists
    belongs to a live row."""
    connector = context.connector
    there = connector.existing(found) if found else set()
    masked: set[RowKey] = set()
    for table in sorted({table for table, _ in there}):
        ids = [id for of, id in there if of == table and found[of, id].operation == "mask"]
        for record in connector.records(table) if ids else ():
            masked |= {(table, row.id) for row in rows_of(connector, record, ("anonymised_on",), Among("id", ids)) if _is_masked(row)}
    for row, written in found.items():
        if row not in there:
            yield row, msgspec.structs.replace(written, operation="delete")
        elif row in masked:
            yield row, written


def _is_masked(row: object) -> bool:
    return getattr(row, "anonymised_on", None) is not None


def _cleaned(context: JobContext, run: str, rows: Mapping[RowKey, Written]) -> dict[RowKey, Mapping[str, PlaceState]]:
    masked = {row: [row] if written.operation == "mask" else [] for row, written in rows.items()}
    gone = {row: [] if masked[row] else [row] for row in rows}
    return {
        row: {place.value: state for place, state in cleaned.places.items()}
        for row, cleaned in clean_rows(context, run, gone, masked, masked).items()
    }


def _not_reachable(context: JobContext, tables: Collection[str]) -> tuple[str, ...]:
    """Return the places that nobody could look into, so that nobody can state that nothing remains there."""
    anybody = [(table, NOBODY) for table in sorted(tables)]
    looks = (
        {RESIDUAL_PLACES[residual]: context.connector.residual_data(residual, anybody).reach for residual in ResidualKind}
        if anybody
        else {}
    )
    return tuple(place.value for place, reach in looks.items() if reach is Reach.NOT_REACHABLE)


def _uncertified(context: JobContext, interrupted: Collection[str]) -> int:
    known = {run.id for run in context.store.runs.all()}.difference(interrupted)
    actions = (action for run in interrupted for action in context.store.journal.of_run(run) if action.state is not ActionState.SKIPPED)
    rows = (write.key(context.connector) for action in actions for write in (*action.gone, *action.rows))
    journalled = {ref for row in rows for ref in context.references(*row)}
    erased = {entry.ref for entry in context.erased.read() if entry.operation in WRITTEN_OFF and entry.run not in known}
    return len(erased - journalled)


def _wide_holds(context: JobContext, day: date) -> Iterator[datetime]:
    """Yield when the holds in force were placed that are on a person or on anything that meets conditions."""
    for hold in context.store.holds.all(unreleased=True):
        if hold.is_in_force(day) and (hold.everything or hold.kind == "contact" or hold.conditions):
            yield hold.placed_at


def _requests(context: JobContext, day: date) -> Iterator[datetime]:
    """Yield when the subject requests were opened that keep what may be about a person."""
    grace_days = context.policy.defaults.request_grace_days
    keeping = context.requests.preserving(day - timedelta(days=grace_days))
    ids = {each.request for each in keeping if each.reason(day, grace_days=grace_days) is not None}
    for entry in context.store.ledger.strand(REQUESTS):
        if entry.data.get("step") == "open" and entry.data.get("request") in ids:
            yield datetime.fromisoformat(entry.at)


class Held:
    """Which rows holds cover, as far as keyed references show."""

    def __init__(self, context: JobContext) -> None:
        connector, day = context.connector, context.today
        self._references = context.references
        held = active_holds(context, day).rows
        rows = {(table, id) for kind, id in held if connector.has(KINDS[kind]) for table in connector.tables(KINDS[kind])}
        rows |= {
            (connector.table(type(row)), row.id) for page in connector.read(Dossier, ("legal_hold",)) for row in page if row.legal_hold
        }
        self._refs = {ref for row in rows for ref in context.references(*row)}
        self._latest = max([*_wide_holds(context, day), *_requests(context, day)], default=None)

    def covers(self, row: RowKey, written: Written) -> bool:
        if self._latest is not None and (not written.at or self._latest >= datetime.fromisoformat(written.at)):
            return True
        return bool(written.unit in self._refs or self._refs.intersection(self._references(*row)))
