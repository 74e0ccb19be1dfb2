"""Counts what is disposed of, so that figures outlive the dossiers and nothing else does (ERA-03, ERA-08,
ERA-16).

The facts of a unit are journalled before its first write (HLD-11) and written to the statistics at the end of
the run: the small-cell test needs the whole batch, shuffling needs more than one row, and a unit that is
skipped at the last moment must not be counted. Where the schedule batches by the month, facts move from the
journal to a buffer without identifiers, and the first run of the next month writes them.

A row's id follows from the run and its place in the batch, by the key of references. So a batch that is fixed
a second time, by a run whose store was restored meanwhile, finds its rows there instead of counting twice.
Without the key an id reveals nothing. A batch that only lets totals grow leaves no such sign in the CRM. For
such a batch the register of erasures notes, also beside the database, from which versions of the totals the
run continues: where these have changed by now, the batch has been written."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

import msgspec
from msgspec import json

from connectors.interface.changes import Operation, OperationKind
from connectors.interface.connector import Connector
from connectors.interface.errors import ConnectorError
from connectors.interface.rows import Among
from jobs.erasures.register import has_counted, note_counting
from jobs.model.run import Action, ActionState, Run, StatisticWrite, StatisticWrites
from jobs.ports.context import JobContext
from jobs.reading.few_rows import rows_anywhere, rows_of
from jobs.writing.send import send_operations
from rules.anonymisation.k_anonymity import aggregate, count_rows, shuffled
from rules.anonymisation.statistics import NAME, SILENT, TOTAL_KEYS, StatisticFacts, facts_of, youngest
from rules.model.decisions import Decision, Disposition
from rules.model.records import Contact, Fiche, Statistic, Unit
from rules.policy.categories import Mission

CHILD_FIELDS = ("gender", "postcode", "country")
FIRST_FIELDS = ("channel", "reporter_kind")
ROW_FIELDS = ("name", "year", "category", "province", "age_band", "sex", "outcome", "count")
TOTAL_FIELDS = ("category", "year", "count")
TRIES = 3


def facts_for(context: JobContext, going: Sequence[tuple[Unit, Decision]]) -> dict[str, dict[str, object]]:
    """Return what each unit would add to the statistics, by unit id, as the journal keeps it."""
    day = context.today
    individual = [unit for unit, decision in going if decision.disposition is Disposition.ANONYMISE]
    children = {unit.id: youngest(unit.children, context.policy, as_of=day) for unit in individual}
    people = {child.id: child for child in children.values() if child is not None}
    retaining = context.connector.retaining((Contact, Fiche)) if individual else frozenset()
    for row in rows_anywhere(context.connector, Contact, CHILD_FIELDS, Among("id", sorted(people)), retaining):
        person = people[row.id]
        person.gender, person.postcode, person.country = row.gender, row.postcode, row.country
    fiches = {fiche.id: fiche for unit in individual for fiche in unit.fiches}
    for fiche in rows_anywhere(context.connector, Fiche, FIRST_FIELDS, Among("id", sorted(fiches)), retaining):
        fiches[fiche.id].channel, fiches[fiche.id].reporter_kind = fiche.channel, fiche.reporter_kind
    facts: dict[str, dict[str, object]] = {}
    for unit, decision in going:
        found = facts_of(unit, decision, context.policy, child=children.get(unit.id), as_of=day)
        if found is not None:
            facts[unit.id] = asdict(found) | {"mission": found.mission.value}
    return facts


def write_statistics(context: JobContext, run: Run, actions: Sequence[Action]) -> Run:
    """Write what the run has counted, once, and return the run as it then stands. Raises ConnectorError: the
    rows could not be written; applying the plan again writes just what is lacking."""
    if run.statistics is not None and run.statistics.done:
        return run
    if run.statistics is None:
        run = _fix(context, run, [action for action in actions if action.state is ActionState.DONE and action.statistic is not None])
    refusal, refusals = "", 0
    noted: set[tuple[str, str]] = set()
    for _ in context.connector.tries():
        run, pending = _pending(context, run)
        if not pending or refusals == TRIES:
            break
        growing = {(operation.id, operation.etag) for operation in pending}
        if all(operation.kind is OperationKind.UPDATE for operation in pending) and not growing <= noted:
            note_counting(context, run.id, sorted(growing - noted))
            noted |= growing
        refusal = send_operations(context.connector, pending)
        refusals += bool(refusal)
        run, pending = _pending(context, run)  # at once: what has come is not waited for
        if not pending:
            break
    if pending:
        raise ConnectorError(
            f"the statistics could not be written{f': the CRM refuses with {refusal}' if refusal else ''}",
            hint="give the application user create and write on this table, then apply the same plan again",
            where=context.connector.table(Statistic),
            service_code=refusal,
        )
    return _forget(context, run, actions)


def _fix(context: JobContext, run: Run, done: Sequence[Action]) -> Run:
    """Decide what this run writes, once: what it has counted, or by the month what earlier months have
    counted (ERA-16)."""
    waits = context.store.statistics.waiting(context.crm)
    month = f"{context.day(run.as_of):%Y-%m}"
    own = [action.statistic for action in done if action.statistic is not None]
    is_monthly = context.policy.statistics.batch == "monthly"
    due = {key: units for key, units in waits.items() if not is_monthly or key[0] < month}
    batch = [facts_of_journal(json.decode(facts)) for (_, facts), units in due.items() for _ in range(units)]
    if not is_monthly:
        batch += [facts_of_journal(statistic) for statistic in own]
    rows = _rows(context, run, batch)
    run = msgspec.structs.replace(run, statistics=StatisticWrites(tuple(rows)))
    context.store.statistics.fix(
        run,
        [("statistics", {"rows": len(rows)})] if rows else [],
        crm=context.crm,
        taken={key[0] for key in due},
        counted=Counter((month, json.encode(facts, order="sorted").decode()) for facts in own) if is_monthly else {},
        forgotten=[msgspec.structs.replace(action, statistic=None) for action in done] if is_monthly else [],
    )
    return run


def _forget(context: JobContext, run: Run, actions: Sequence[Action]) -> Run:
    """Remove the facts from the journal once they are written. There they are beside the id of the dossier
    that they were taken from (ERA-16)."""
    counted = [
        msgspec.structs.replace(action, statistic=None) for action in actions if action.state is ActionState.DONE and action.statistic
    ]
    context.store.journal.record(run.id, counted)
    rows = len(run.statistics.rows) if run.statistics is not None else 0
    run = msgspec.structs.replace(run, statistics=StatisticWrites((), done=True, written=rows))
    context.store.runs.save(run)
    return run


def _rows(context: JobContext, run: Run, batch: Sequence[StatisticFacts]) -> list[StatisticWrite]:
    """Return the writes of a batch: new rows and totals in one shuffled order. Rows say only what has a
    column, and an option in it, and the small-cell test looks at just that (ERA-08)."""
    if not batch:
        return []
    existing, columns = written_rows(context.connector), context.connector.fields(Statistic)
    silent: dict[str, Any] = {name: value for name, value in SILENT.items() if name not in columns}
    counted = aggregate(
        [replace(facts, **silent) for facts in batch],
        count_rows(msgspec.structs.replace(row, **silent) for row in existing),
        context.policy,
    )
    totals = {(row.category, row.year): row for row in existing if row.category in TOTAL_KEYS.values()}
    rows = [
        {
            key: value
            for key, value in msgspec.structs.asdict(row).items()
            if key in columns and value is not None and context.connector.has_value(Statistic, key, value)
        }
        for row in shuffled(counted.rows, context.shuffle)
    ]
    rows.sort(key=lambda values: json.encode(values, order="sorted"))  # the place of a row must not tell when its unit went (ERA-16)
    writes = [StatisticWrite(_row_id(context, run, str(number)), values) for number, values in enumerate(rows)]
    # All of a batch goes in one change set, so that totals have grown where anything that is new in it is
    # there.
    new = {*(write.id for write in writes), *(_total_id(context, run, *total) for total in counted.totals)}
    is_written = not new.isdisjoint(row.id for row in existing)
    if not writes and all(total in totals for total in counted.totals):
        is_written = is_written or has_counted(context, run.id, ((totals[total].id, totals[total].etag) for total in counted.totals))
    for (key, year), n in counted.totals.items():
        total = totals.get((key, year))
        if total is None:
            writes.append(_new_total(context, run, key, year, n))
        elif not is_written:
            writes.append(_grown(total, n))
    context.shuffle.shuffle(writes)
    return writes


def _row_id(context: JobContext, run: Run, place: str) -> str:
    """Return the id of a row that a run writes. It is the same however often it is computed."""
    return str(UUID(hex=context.reference("statistic", f"{run.id} {place}")[:32], version=4))


def _total_id(context: JobContext, run: Run, key: object, year: object) -> str:
    return _row_id(context, run, f"{key} {year}")


def _new_total(context: JobContext, run: Run, key: object, year: object, n: int) -> StatisticWrite:
    values = {"name": NAME, "category": key, "year": year, "count": n}
    return StatisticWrite(
        _total_id(context, run, key, year), {name: values[name] for name in values if name in context.connector.fields(Statistic)}
    )


def _grown(total: Statistic, n: int) -> StatisticWrite:
    values: dict[str, object] = {"category": total.category, "year": total.year, "count": (total.count or 0) + n}
    return StatisticWrite(total.id, values, total.etag, n)


def _pending(context: JobContext, run: Run) -> tuple[Run, list[Operation]]:
    """Return which writes of the run have not happened yet. A total that somebody else has changed or removed
    is counted on from there."""
    assert run.statistics is not None
    found = {
        row.id: row for row in rows_of(context.connector, Statistic, TOTAL_FIELDS, Among("id", [write.id for write in run.statistics.rows]))
    }
    writes, pending = list(run.statistics.rows), []
    for number, write in enumerate(writes):
        row = found.get(write.id)
        if not write.etag:
            if row is None:
                pending.append(Operation(OperationKind.CREATE, Statistic, write.id, "", write.values))
            continue
        if row is not None and row.etag != write.etag and row.count == write.values["count"]:
            continue  # it is our own write that made this version
        if row is None:
            write = _new_total(context, run, write.values["category"], write.values["year"], write.adds)
            pending.append(Operation(OperationKind.CREATE, Statistic, write.id, "", write.values))
        else:
            write = write if row.etag == write.etag else _grown(row, write.adds)
            pending.append(Operation(OperationKind.UPDATE, Statistic, write.id, write.etag, {"count": write.values["count"]}))
        writes[number] = write
    if tuple(writes) != run.statistics.rows:
        run = msgspec.structs.replace(run, statistics=StatisticWrites(tuple(writes)))
        context.store.runs.save(run)
    return run, pending


def written_rows(connector: Connector) -> list[Statistic]:
    """Return all rows of the statistics that the CRM has now, totals among them."""
    return [row for page in connector.read(Statistic, ROW_FIELDS) for row in page]


def facts_of_journal(statistic: dict[str, object]) -> StatisticFacts:
    """Return the facts of one unit as `facts_for` gave them to the journal."""
    return StatisticFacts(**(statistic | {"mission": Mission(str(statistic["mission"]))}))  # type: ignore[arg-type]
