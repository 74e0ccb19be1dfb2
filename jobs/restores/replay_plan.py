"""Makes a replay plan: what had been erased and is back after a restore of the CRM is erased again, without
being judged again (ERA-13). It may have been erased on request, long before its end, so the schedule is not
consulted. Holds are: a row that is held stays. So does a dossier with a fiche that was never erased, which
somebody has written since: nobody has judged that one, and the next plan does (RET-17). The plan is carried
out by jobs/runs/replay_run.py; when one is made without being asked for is decided in detect.py."""

from collections.abc import Collection, Iterator, Sequence

from jobs.erasures.register import Register, load_register
from jobs.holds.active import active_holds
from jobs.holds.granted_erasure import despite_answered
from jobs.model.plan import REPLAY_RULE, Kind, Plan, PlanLine
from jobs.model.run import EMPTIED_BEFORE, NEW_FICHE, REQUEST_UNDONE
from jobs.plans.unscheduled_plan import store_plan
from jobs.ports.context import JobContext
from jobs.reading.owners import look_around
from jobs.reading.units import Gathering
from jobs.register.decision import What
from jobs.requests.decisions.lost_writes import lost_writes
from jobs.restores.rows_back import EMPTIED, Returned, returned_rows
from rules.model.records import Unit

LOOKED_AT = 500  # rows that are looked at together with what they belong to
_DOSSIER = "dossier"
DISPOSITIONS = {"delete": "delete", "mask": "anonymise", "disown": "anonymise", "empty": "anonymise"}


def plan_replay(
    context: JobContext, *, only_if_due: bool = False, also_begun: bool = False, half_done: Sequence[Returned] = ()
) -> Plan | None:
    """Find what had been erased and is back, and store the plan of erasing it again; nothing is written to
    the CRM.

    With `also_begun` also contacts go that a run was about to remove or trim which never came to its end: its
    database was lost. So do the units that it has left `half_done`. With `only_if_due` nothing is stored and
    nothing returned where nothing has to go, because nothing is back or all of it is held. Raises
    ConnectorError: the CRM could not be read whole; nothing is stored."""
    now = context.clock()
    context = despite_answered(context)
    register = load_register(context)
    returned = returned_rows(context, register, also_begun=also_begun, also_emptied=True)
    returned += [each for each in half_done if (each.kind, each.id) not in {(one.kind, one.id) for one in returned}]
    trims = tuple(sorted(each.id for each in returned if each.operation == "trim"))
    lines = list(_lines(context, register, [each for each in returned if each.operation != "trim"]))
    lines += _undone(context, register, {each.id for each in returned})
    if only_if_due and not trims and not any(line.is_disposal for line in lines):
        return None
    return store_plan(context, Kind.REPLAY, now, lines, trims, warnings=context.erased.damage())


def _lines(context: JobContext, register: Register, again: Sequence[Returned]) -> Iterator[PlanLine]:
    """Yield one line for each row that is erased again with what belongs to it, for each that a hold or a new
    fiche keeps, and for each contact that had been emptied and that a person has to look at."""
    holds = active_holds(context, context.today)
    for at in range(0, len(again), LOOKED_AT):
        group = again[at : at + LOOKED_AT]
        context.progress("looking at what is back", at, len(again))
        seen = look_around(context.connector, [(each.kind, each.id) for each in group])
        for each in group:
            unit = seen.units.get((each.kind, each.id))
            held = (holds.covering(unit) if unit is not None else ()) or holds.on_rows([(each.kind, each.id)])
            reasons = tuple(reason.value for reason in held)
            if not reasons and each.operation == EMPTIED:
                reasons = (EMPTIED_BEFORE,)
            if not reasons and unit is not None and each.kind == _DOSSIER and _has_new_fiche(context, register, unit, seen.found):
                reasons = (NEW_FICHE,)
            if reasons:
                yield _line(context, each.table, each.id, each.etag, reasons)
            else:
                yield _line(context, each.table, each.id, each.etag, (each.reason,), DISPOSITIONS[each.operation])


def _line(context: JobContext, table: str, row: str, etag: str, reasons: tuple[str, ...], disposition: str | None = None) -> PlanLine:
    return PlanLine(
        table=table,
        id=row,
        outcome="retain" if disposition is None else "dispose",
        disposition=disposition,
        retention_end=None,
        reason=reasons[0],
        reasons=reasons,
        flags=(),
        categories=(),
        rule=REPLAY_RULE,
        policy_version=context.policy.version,
        etag=etag,
    )


def _undone(context: JobContext, register: Register, known: Collection[str]) -> Iterator[PlanLine]:
    """Yield one line for each other row in which something that was written for a request is undone and a
    person has to look: it is kept, as it is. The notes of a file that was anonymised have gone with it."""
    rows = {each.id: each for each in lost_writes(context, with_notes=True) if each.id not in known}
    for each in rows.values():
        if each.what is What.ANNOTATE and register.find(context.references(each.table, each.id)) is not None:
            continue
        yield _line(context, each.table, each.id, each.etag, reasons=(REQUEST_UNDONE,))


def _has_new_fiche(context: JobContext, register: Register, dossier: Unit, found: Gathering) -> bool:
    """Return whether a dossier would take a fiche along that was never erased; one that is in other dossiers
    too stays with those."""
    own = [fiche for fiche in dossier.fiches if not found.is_shared(fiche.id)]
    return any(register.is_new(context.references(context.connector.table(type(fiche)), fiche.id)) for fiche in own)
