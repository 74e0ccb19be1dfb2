"""Makes a replay plan: what had been erased and is back after a restore of the CRM goes again, without being judged again (ERA-13).

It may have been erased on request, long before its end, so the schedule is not asked. Holds are: a row that is held stays.
"""

from __future__ import annotations

import hashlib
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import msgspec
from isal import isal_zlib as zlib

from jobs.drafting import LINES_A_PAGE, digest_head
from jobs.erasures import load_register
from jobs.granted import answered
from jobs.guards import APPROVING_ROLES, BREAKER_TRIPPED, counter_of
from jobs.holding import active_holds
from jobs.plan import Breaker, Kind, Plan, PlanLine
from jobs.planning import plan_entry
from jobs.ports import JobContext
from jobs.returned import Returned, returned_rows
from jobs.surroundings import look_around
from rules.periods import brussels_date
from rules.records import KINDS
from rules.subject_requests import Right

RULE = "ERA-13"
LOOKED_AT = 500  # rows that are looked at together with what they belong to
DISPOSITIONS = {"delete": "delete", "mask": "anonymise", "disown": "anonymise"}
RECORDINGS = ("recording",)


def plan_replay(context: JobContext, *, proposer: str = "service", only_if_due: bool = False) -> Plan | None:
    """Find what had been erased and is back, and store the plan of erasing it again; nothing is written to the CRM.

    With `only_if_due` nothing is stored and nothing returned where nothing has to go, because nothing is back or all of it is held.

    Raises:
        ConnectorError: the CRM could not be read whole; nothing is stored.
    """
    now = context.clock()
    context = despite_answered(context)
    returned = returned_rows(context, load_register(context))
    trims = tuple(sorted(each.id for each in returned if each.operation == "trim"))
    again = [each for each in returned if each.operation != "trim"]
    lines = list(_lines(context, again))
    due = Tally(line.disposition for line in lines if line.is_disposal)
    if only_if_due and not due and not trims:
        return None
    head = digest_head(Kind.REPLAY, now, context.crm, context.policy.digest, context.mapping_digest)
    pages, digest = paged(lines, trims, head)
    recordings = {context.connector.table(KINDS[kind]) for kind in RECORDINGS if context.connector.has(KINDS[kind])}
    of_recordings = sum(line.is_disposal and line.table in recordings for line in lines)
    limits = context.policy.limits
    units = counter_of(context, Kind.REPLAY, "units", due.total() - of_recordings, limits.units)
    heard = counter_of(context, Kind.REPLAY, "recordings", of_recordings, limits.recordings)
    tripped = units.tripped or heard.tripped
    plan = Plan(
        id=context.new_id("plan"),
        kind=Kind.REPLAY,
        created_at=now,
        proposer=proposer,
        as_of=now,
        as_of_given=False,
        crm=context.crm,
        policy_name=context.policy.name,
        policy_version=context.policy.version,
        policy_digest=context.policy.digest,
        mapping_digest=context.mapping_digest,
        digest=digest,
        units=len(lines),
        dispose={"delete": due["delete"], "anonymise": due["anonymise"]},
        retain=dict(sorted(Tally(line.reason for line in lines if not line.is_disposal).items())),
        flags={},
        breaker=Breaker(tripped, units, heard),
        valid_until=now + timedelta(hours=context.policy.plan_valid_hours),
        needed=APPROVING_ROLES if tripped else (),
        why=(BREAKER_TRIPPED,) if tripped else (),
        approval_hours=context.policy.approvals.valid_hours,
        trims=trims,
        warnings=tuple(context.erased.damage()),
    )
    context.store.save_plan(plan, pages, ("plan", plan_entry(plan)))
    return plan


def despite_answered(context: JobContext) -> JobContext:
    """The same context, in which an erasure request that was answered keeps nothing: what it had erased goes again (HLD-12, R-091)."""
    over = answered(context.store)
    return replace(context, gives_way=lambda hold: hold.right == Right.ERASURE.value and hold.hold_id in over)


def _lines(context: JobContext, again: Sequence[Returned]) -> Iterator[PlanLine]:
    """One line for each row that goes again with what hangs on it, and for each that a hold keeps."""
    holds = active_holds(context, brussels_date(context.clock()))
    for at in range(0, len(again), LOOKED_AT):
        group = again[at : at + LOOKED_AT]
        context.progress("looking at what is back", at, len(again))
        seen = look_around(context.connector, [(each.kind, each.id) for each in group])
        for each in group:
            unit = seen.units.get((each.kind, each.id))
            held = holds.covering(unit) if unit is not None else ()
            yield PlanLine(
                table=context.connector.table(KINDS[each.kind]),
                id=each.id,
                outcome="retain" if held else "dispose",
                disposition=None if held else DISPOSITIONS[each.operation],
                retention_end=None,
                reason=held[0].value if held else each.reason,
                reasons=tuple(reason.value for reason in held) or (each.reason,),
                flags=(),
                categories=(),
                rule=RULE,
                policy_version=context.policy.version,
                etag=each.etag,
            )


def paged(lines: Sequence[PlanLine], trims: Iterable[str], head: dict[str, object]) -> tuple[list[bytes], str]:
    """The lines as the store keeps them, and the digest that `drafting.is_unaltered` looks for."""
    sha = hashlib.sha256(msgspec.json.encode(head, order="sorted"))
    pages = []
    for at in range(0, len(lines), LINES_A_PAGE):
        page = b"".join(msgspec.json.encode(line) + b"\n" for line in lines[at : at + LINES_A_PAGE])
        sha.update(page)
        pages.append(zlib.compress(page, 1))
    for contact in sorted(trims):
        sha.update(b"trim %s\n" % contact.encode())
    return pages, sha.hexdigest()
