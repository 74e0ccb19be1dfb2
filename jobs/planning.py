"""Makes a plan: reads everything, decides on every unit, and stores what would become of each. Writes nothing to the CRM (R-061)."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import compress
from operator import not_

import msgspec
from isal import isal_zlib as zlib

from connectors.interface import Among
from jobs.drafting import Draft, digest_head
from jobs.gather import gather
from jobs.gathering import Gathering
from jobs.plan import LINE_COLUMNS, Breaker, CategoryTotal, Counter, HoldChange, Kind, Plan, PlanLine
from jobs.ports import JobContext
from rules.contacts import ContactFacts, ContactVerdicts, orphan_contact, possible_duplicates, removed_contact, settle_contacts
from rules.decide import decide
from rules.disposition import Disposition, Flag, with_flags
from rules.errors import PolicyError
from rules.limits import breaker
from rules.periods import brussels_date
from rules.policy import Limit
from rules.records import KINDS, Call, Email, Note, Record, UnitKind

BREAKER_ROLES = ("crm_admin", "dpo")  # RET-24, section 9.4


def make_plan(context: JobContext, kind: Kind, *, as_of: datetime | None = None, proposer: str = "service") -> Plan:
    """Decide on every unit and store the plan.

    `as_of` (aware) looks at another moment than now; such a plan can never be applied (DAT-12, R-062).

    Raises:
        ConnectorError: the CRM could not be read whole; nothing is stored.
    """
    now = context.clock()
    moment = as_of or now
    day = brussels_date(moment)
    if context.policy.valid_from > day:
        raise PolicyError(f"the policy is valid from {context.policy.valid_from} on", hint="plan a later day, or take the version in force")
    head = digest_head(kind, moment, context.crm, context.policy.digest, context.mapping_digest)
    tables = {kind: context.connector.table(KINDS[kind.value]) for kind in UnitKind if context.connector.has(KINDS[kind.value])}
    draft = Draft(tables, context.policy.version, day, context.policy.defaults.due_soon_days, head)
    with without_collection():
        trims = decide_all(context, draft, kind, day)
    pages, digest = draft.finish(trims)
    plan = head_of(context, draft, kind, now=now, as_of=moment, given=as_of is not None, proposer=proposer, trims=trims, digest=digest)
    context.store.save_plan(plan, pages, ("plan", plan_entry(plan)))
    return plan


def decide_all(context: JobContext, draft: Draft, kind: Kind, day: date) -> set[str]:
    """Read everything and decide on every unit, by kind and id so that the order of reading does not matter; give the contacts to trim."""
    found = gather(context.connector, kind, day=day, progress=context.progress)
    policy, holds = context.policy, context.holds
    duplicates = possible_duplicates(found.dossiers.values(), as_of=day) if kind is not Kind.RECORDINGS else set()
    going: set[str] = set()  # ids of units
    for unit in found.units(kind):
        decision = decide(unit, policy, holds, as_of=day)
        if unit.id in duplicates:
            decision = with_flags(decision, Flag.POSSIBLE_DUPLICATE)
        draft.add(unit.kind, unit.id, unit.etag, decision)
        if decision.disposition is not Disposition.KEEP:
            going.add(unit.id)
        if unit.dossier is not None and unit.dossier.legal_hold:
            draft.crm_holds.append((draft.tables[unit.kind], unit.id))
    if kind is Kind.RECORDINGS:
        return set()
    # A contact whose removal or trim was planned before and has not happened would look like one that was never linked (RET-20).
    undone = context.store.undone(draft.tables[UnitKind.CONTACT])
    verdicts = settle(found, going, undone)
    for contact in sorted(verdicts.remove | verdicts.orphans):
        decision = removed_contact() if contact in verdicts.remove else orphan_contact()
        draft.add(UnitKind.CONTACT, contact, found.contacts[contact].etag, decision)
    return verdicts.trim


@contextmanager
def without_collection() -> Iterator[None]:
    """Keep the garbage collector from walking over hundreds of thousands of units that are all still needed; none of them forms a cycle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def settle(found: Gathering, going: set[str], undone: Collection[str] = ()) -> ContactVerdicts:
    """Which contacts go with the units of these ids, which are trimmed, which were never linked (RET-20). Uses `found` up.

    `undone` are contacts that an earlier run should have removed or trimmed.
    """
    leaves = [unit is not None and unit.id in going for unit in found.places]
    leaving, staying = set(compress(found.people, leaves)), set(compress(found.people, map(not_, leaves)))
    del leaves
    leaving.update(person for person in undone if person in found.contacts)
    found.forget_units()
    return settle_contacts(
        ContactFacts(
            contacts=found.contacts, kept=staying, going=leaving, about=found.about, relations=found.relations, former=found.former
        )
    )


def head_of(
    context: JobContext,
    draft: Draft,
    kind: Kind,
    *,
    now: datetime,
    as_of: datetime,
    given: bool,
    proposer: str,
    trims: set[str],
    digest: str,
) -> Plan:
    """The head of the plan: totals, breaker, digest."""
    policy, planned = context.policy, draft.planned()
    units = counter_of(context, kind, "units", planned["units"], policy.limits.units)
    recordings = counter_of(context, kind, "recordings", planned["recordings"], policy.limits.recordings)
    tripped = units.tripped or recordings.tripped
    categories = draft.by_category()
    return Plan(
        id=context.new_id("plan"),
        kind=kind,
        created_at=now,
        proposer=proposer,
        as_of=as_of,
        as_of_given=given,
        crm=context.crm,
        policy_name=policy.name,
        policy_version=policy.version,
        policy_digest=policy.digest,
        mapping_digest=context.mapping_digest,
        digest=digest,
        units=draft.units,
        dispose=draft.dispositions(),
        retain=draft.retained(),
        flags=draft.flagged(),
        breaker=Breaker(tripped, units, recordings),
        valid_until=now + timedelta(hours=policy.plan_valid_hours),
        needed=BREAKER_ROLES if tripped else (),
        categories=categories,
        due_soon=tuple(sorted(draft.due.items())),
        trims=tuple(sorted(trims)),
        crm_holds=tuple(sorted(draft.crm_holds)),
        hold_changes=hold_changes(context, kind, draft.crm_holds),
        warnings=unmapped(categories),
        notes_on_trimmed=about_contacts(context, sorted(trims)),
    )


def counter_of(context: JobContext, kind: Kind, counter: str, planned: int, limit: Limit) -> Counter:
    """One counter of the circuit breaker, against the limits and the last runs of the same kind (RET-24)."""
    finding = breaker(planned, context.store.disposals(kind, counter, 30), limit)
    return Counter(planned, finding.limit, finding.median, finding.tripped)


def hold_changes(context: JobContext, kind: Kind, holds: Iterable[tuple[str, str]]) -> tuple[HoldChange, ...]:
    """What changed in the CRM's hold flags since the last plan that looked at dossiers (HLD-14, R-154)."""
    if kind is Kind.RECORDINGS:
        return ()
    before = next((plan for plan in context.store.plans() if plan.kind is not Kind.RECORDINGS and plan.crm == context.crm), None)
    if before is None:
        return ()
    old, new = set(before.crm_holds), set(holds)
    changes = [HoldChange(*hold, "set") for hold in new - old] + [HoldChange(*hold, "cleared") for hold in old - new]
    return tuple(sorted(changes, key=lambda change: (change.change, change.table, change.id)))


def unmapped(categories: Iterable[CategoryTotal]) -> tuple[str, ...]:
    """Name category values that the mapping does not know (R-161)."""
    return tuple(
        f"category value {total.category} is not in the mapping: {total.retain} units are kept as UNCONFIGURED (R-161)"
        for total in categories
        if total.category.isdecimal()
    )


def about_contacts(context: JobContext, contacts: list[str]) -> int:
    """How many notes and activities hang on these contacts: they stay, and a person should look at them (RET-20)."""
    kinds: tuple[type[Record], ...] = (Note, Call, Email)
    return sum(len(page) for kind in kinds for page in context.connector.read(kind, ("regarding",), among=Among("regarding", contacts)))


def plan_entry(plan: Plan) -> dict[str, object]:
    """What the ledger keeps of a plan: digests and counts."""
    return {
        "plan": plan.id,
        "digest": plan.digest,
        "kind": plan.kind.value,
        "as_of": plan.as_of.isoformat(),
        "policy_version": plan.policy_version,
        "policy_digest": plan.policy_digest,
        "units": plan.units,
        "dispose": plan.dispose,
        "retain": plan.retain,
        "trims": len(plan.trims),
        "breaker": plan.breaker.tripped,
    }


def lines_of(pages: Iterable[bytes], wanted: Callable[[PlanLine], bool] | None = None) -> Iterator[PlanLine]:
    """The lines of stored pages."""
    decoder = msgspec.json.Decoder(PlanLine)
    for page in pages:
        for line in decoder.decode_lines(zlib.decompress(page)):
            if wanted is None or wanted(line):
                yield line


def public_line(line: PlanLine) -> dict[str, object]:
    """A line as the plan file has it."""
    built = msgspec.to_builtins(line)
    return {key: built[key] for key in LINE_COLUMNS} | {key: value for key, value in built.items() if key not in LINE_COLUMNS}
