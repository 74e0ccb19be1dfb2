"""Makes a plan: reads everything, decides on every unit, and stores what would become of each. Writes nothing to the CRM (R-061)."""

from __future__ import annotations

import zlib
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta

import msgspec

from connectors.interface import Among, ReadIncomplete
from jobs.gather import Gathering, gather
from jobs.plan import LINE_COLUMNS, Breaker, CategoryTotal, Counter, HoldChange, Kind, Plan, PlanLine, digest_of
from jobs.ports import JobContext
from rules.contacts import ContactFacts, ContactVerdicts, orphan_contact, possible_duplicates, removed_contact, settle_contacts
from rules.decide import decide
from rules.disposition import Decision, Disposition, Flag, Reason, with_flags
from rules.errors import PolicyError
from rules.limits import breaker
from rules.periods import brussels_date
from rules.policy import Limit
from rules.records import KINDS, Call, Contact, Dossier, Email, Note, Record, Unit, UnitKind

LINES_A_PAGE = 2_000
BREAKER_ROLES = ("crm_admin", "dpo")  # RET-24, section 9.4
RECORDING_KINDS = frozenset({UnitKind.RECORDING, UnitKind.ATTACHMENT})
_BIRTH_ANCHORS = frozenset({"birth_date", "birth_on"})


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
    found = gather(context.connector, kind, day=day, progress=context.progress)
    check_totals(context, found)
    draft = Draft(context, day)
    decided: list[tuple[Unit, Decision]] = []
    duplicates = possible_duplicates(found.dossiers.values(), as_of=day) if kind is not Kind.RECORDINGS else set()
    for unit in found.units(kind):
        decision = decide(unit, context.policy, context.holds, as_of=day)
        if unit.id in duplicates:
            decision = with_flags(decision, Flag.POSSIBLE_DUPLICATE)
        draft.add(unit.kind, unit.id, unit.etag, decision)
        if unit.dossier is not None and unit.dossier.legal_hold:
            draft.crm_holds.append((draft.tables[unit.kind], unit.id))
        decided.append((unit, decision))
    trims: set[str] = set()
    if kind is not Kind.RECORDINGS:
        verdicts = settle(found, decided)
        trims = verdicts.trim
        for ids, decision in ((verdicts.remove, removed_contact()), (verdicts.orphans, orphan_contact())):
            for contact in sorted(ids):
                draft.add(UnitKind.CONTACT, contact, found.contacts[contact].etag, decision)
    plan = draft.finish(kind, now=now, as_of=moment, given=as_of is not None, proposer=proposer, trims=trims)
    pages = (compress(chunk) for chunk in _chunks(draft.lines))
    context.store.save_plan(plan, pages, ("plan", plan_entry(plan)))
    return plan


def settle(found: Gathering, decided: Iterable[tuple[Unit, Decision]]) -> ContactVerdicts:
    """Which contacts go, which are trimmed, which were never linked (RET-20)."""
    kept, going = set(found.referred), set[str]()
    for unit, decision in decided:
        if unit.people:
            (going if decision.disposition is not Disposition.KEEP else kept).update(unit.people)
    for unit in found.anonymised():
        kept.update(unit.people)
    return settle_contacts(
        ContactFacts(contacts=found.contacts, kept=kept, going=going, about=found.about, relations=found.relations, former=found.former)
    )


def check_totals(context: JobContext, found: Gathering) -> None:
    """Refuse a view that is empty while the CRM itself counts rows: a missing privilege looks like an empty table."""
    for record, seen in ((Dossier, len(found.dossiers)), (Contact, len(found.contacts))):
        if seen == 0 and (total := context.connector.total(record)):
            raise ReadIncomplete(
                f"the CRM counts {total} rows in {context.connector.table(record)} and shows this account none",
                hint="give the application user read access to the whole organisation",
                where=context.connector.table(record),
            )


class Draft:
    """A plan in the making: its encoded lines and its totals."""

    def __init__(self, context: JobContext, day: date) -> None:
        self.context = context
        self.day = day
        self.soon = day + timedelta(days=context.policy.defaults.due_soon_days)
        self.lines: list[bytes] = []
        self.dispose: Tally[str] = Tally({"delete": 0, "anonymise": 0})
        self.retain: Tally[str] = Tally()
        self.flags: Tally[str] = Tally()
        self.planned: Tally[str] = Tally({"units": 0, "recordings": 0})
        self.categories: dict[str, list[int]] = {}
        self.due: Tally[str] = Tally()
        self.crm_holds: list[tuple[str, str]] = []
        self.tables = {kind: context.connector.table(KINDS[kind.value]) for kind in UnitKind if context.connector.has(KINDS[kind.value])}
        self.encoder = msgspec.json.Encoder()

    def add(self, kind: UnitKind, row: str, etag: str, decision: Decision) -> None:
        """Add one unit's line and count it."""
        table = self.tables[kind]
        disposes = decision.disposition is not Disposition.KEEP
        if disposes:
            self.dispose[decision.disposition.value] += 1
            if kind is not UnitKind.CONTACT:
                self.planned["recordings" if kind in RECORDING_KINDS else "units"] += 1
        else:
            self.retain[decision.reasons[0].value] += 1
        for flag in decision.flags:
            self.flags[flag.value] += 1
        soon = (
            not disposes
            and decision.reasons[0] is Reason.NOT_EXPIRED
            and decision.retention_end is not None
            and decision.retention_end < self.soon
        )
        if soon and decision.retention_end is not None:
            self.due[decision.retention_end.isoformat()] += 1
        for category in decision.categories:
            total = self.categories.get(category)
            if total is None:
                total = self.categories[category] = [0, 0, 0, 0]
            total[0 if decision.disposition is Disposition.DELETE else 1 if disposes else 2] += 1
            total[3] += soon
        self.lines.append(self.encoder.encode(line_of(table, row, etag, decision, self.context.policy.version)))

    def finish(self, kind: Kind, *, now: datetime, as_of: datetime, given: bool, proposer: str, trims: set[str]) -> Plan:
        """The head of the plan: totals, breaker, digest."""
        context, policy = self.context, self.context.policy
        head: dict[str, object] = {
            "kind": kind.value,
            "as_of": as_of.isoformat(),
            "crm": context.crm,
            "policy": policy.digest,
            "mapping": context.mapping_digest,
        }
        finding = Breaker(
            tripped=False,
            units=self._counter(kind, "units", policy.limits.units),
            recordings=self._counter(kind, "recordings", policy.limits.recordings),
        )
        tripped = finding.units.tripped or finding.recordings.tripped
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
            digest=digest_of(head, self.lines, trims),
            units=len(self.lines),
            dispose=dict(self.dispose),
            retain=dict(sorted(self.retain.items())),
            flags=dict(sorted(self.flags.items())),
            breaker=msgspec.structs.replace(finding, tripped=tripped),
            valid_until=now + timedelta(hours=policy.plan_valid_hours),
            needed=BREAKER_ROLES if tripped else (),
            categories=tuple(CategoryTotal(key, *numbers) for key, numbers in sorted(self.categories.items())),
            due_soon=tuple(sorted(self.due.items())),
            trims=tuple(sorted(trims)),
            crm_holds=tuple(sorted(self.crm_holds)),
            hold_changes=self._hold_changes(kind),
            warnings=self._warnings(),
            notes_on_trimmed=about_contacts(context, sorted(trims)),
        )

    def _counter(self, kind: Kind, counter: str, limit: Limit) -> Counter:
        planned = self.planned[counter]
        finding = breaker(planned, self.context.store.disposals(kind, counter, 30), limit)
        return Counter(planned, finding.limit, finding.median, finding.tripped)

    def _hold_changes(self, kind: Kind) -> tuple[HoldChange, ...]:
        """What changed in the CRM's hold flags since the last plan that looked at dossiers (HLD-14, R-154)."""
        if kind is Kind.RECORDINGS:
            return ()
        before = next(
            (plan for plan in self.context.store.plans() if plan.kind is not Kind.RECORDINGS and plan.crm == self.context.crm), None
        )
        if before is None:
            return ()
        old, new = set(before.crm_holds), set(self.crm_holds)
        changes = [HoldChange(*hold, "set") for hold in new - old] + [HoldChange(*hold, "cleared") for hold in old - new]
        return tuple(sorted(changes, key=lambda change: (change.change, change.table, change.id)))

    def _warnings(self) -> tuple[str, ...]:
        """Name category values that the mapping does not know (R-161)."""
        return tuple(
            f"category value {key} is not in the mapping: {numbers[2]} units are kept as UNCONFIGURED (R-161)"
            for key, numbers in sorted(self.categories.items())
            if key.isdecimal()
        )


def line_of(table: str, row: str, etag: str, decision: Decision, policy_version: str) -> PlanLine:
    """The line of one unit. The anchor is that of the deciding end; a birth date is named, never given."""
    disposes = decision.disposition is not Disposition.KEEP
    end = decision.retention_end
    deciding = decision.deciding
    anchor = deciding.anchor if deciding is not None else None
    shows = deciding is not None and deciding.anchor_on is not None and anchor not in _BIRTH_ANCHORS
    return PlanLine(
        table,
        row,
        "dispose" if disposes else "retain",
        decision.disposition.value if disposes else None,
        end.isoformat() if end is not None else None,
        decision.reasons[0].value,
        decision.reasons,
        decision.flags,
        decision.categories,
        decision.rule,
        policy_version,
        etag,
        anchor,
        deciding.anchor_on.isoformat() if shows and deciding is not None and deciding.anchor_on is not None else None,
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


def compress(lines: list[bytes]) -> bytes:
    """A page of lines as the store keeps it: JSON Lines, deflated."""
    return zlib.compress(b"\n".join(lines), 1)


def lines_of(pages: Iterable[bytes], wanted: Callable[[PlanLine], bool] | None = None) -> Iterator[PlanLine]:
    """The lines of stored pages."""
    decoder = msgspec.json.Decoder(PlanLine)
    for page in pages:
        for line in decoder.decode_lines(zlib.decompress(page)):
            if wanted is None or wanted(line):
                yield line


def _chunks(lines: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(lines), LINES_A_PAGE):
        yield lines[start : start + LINES_A_PAGE]


def public_line(line: PlanLine) -> dict[str, object]:
    """A line as the plan file has it."""
    built = msgspec.to_builtins(line)
    return {key: built[key] for key in LINE_COLUMNS} | {key: value for key, value in built.items() if key not in LINE_COLUMNS}
