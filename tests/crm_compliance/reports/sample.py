"""A fictitious plan of about 300 units: every reason, every flag, every kind of unit; the same on every
machine."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from uuid import UUID

import msgspec

from jobs.model.plan import Approval, Breaker, CategoryTotal, Counter, HoldChange, Kind, Plan, PlanLine
from jobs.plans.lines.columns import LineColumns
from rules.model.decisions import Flag, Reason

NOW = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)
DAY = date(2026, 11, 25)
LABELS = {
    "social_card": "Out-of-remit contact",
    "e_safety": "Online-safety question",
    "civil_party": "Civil-party action",
    "exploitation_organised": "Organised or commercial sexual exploitation",
    "exploitation_ict": "Technology-facilitated sexual exploitation",
    "missing_runaway": "Runaway",
    "missing_unexplained": "Unexplained disappearance",
    "recording": "Recording (telephone, chat)",
}
DELETING = ("social_card", "e_safety", "civil_party")
ANONYMISING = ("exploitation_organised", "exploitation_ict", "missing_runaway")
SOON = DAY + timedelta(days=30)


def link(table: str, row: str) -> str:
    return f"https://org.example/main.aspx?pagetype=entityrecord&etn={table}&id={row}"


def guid(number: int) -> str:
    return str(UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % (1 << 128), version=4))


def a_line(
    number: int,
    *,
    table: str = "cf_dossier",
    disposition: str | None = None,
    end: str | None = None,
    reasons: Sequence[str] = (Reason.NOT_EXPIRED,),
    flags: Sequence[str] = (),
    categories: Sequence[str] = ("social_card",),
    rule: str = "RET-07",
    anchor: str | None = "last_activity",
    anchor_on: str | None = None,
) -> PlanLine:
    return PlanLine(
        table=table,
        id=guid(number),
        outcome="dispose" if disposition else "retain",
        disposition=disposition,
        retention_end=end,
        reason=str(reasons[0]),
        reasons=tuple(str(reason) for reason in reasons),
        flags=tuple(str(flag) for flag in flags),
        categories=tuple(categories),
        rule=rule,
        policy_version="2026-01",
        etag=f'W/"{700000 + number}"',
        anchor=anchor if end else None,
        anchor_on=anchor_on,
    )


def _day(offset: int) -> str:
    return (DAY + timedelta(days=offset)).isoformat()


def a_retained(number: int, reason: str) -> PlanLine:
    """One kept unit for a reason, with the flags that come with it."""
    held = reason.startswith("HOLD_")
    end = (
        _day(-(number % 900) - 1)
        if held or reason == Reason.OPEN_DOSSIER
        else _day(number * 7 % 700 + 1)
        if reason == Reason.NOT_EXPIRED
        else None
    )
    flags: list[str] = []
    categories: tuple[str, ...] = (ANONYMISING[number % 3],)
    table = "cf_dossier"
    rule = {"NO_TERM": "RET-15", "UNCONFIGURED": "RET-14", "DATA_ERROR": "RET-16", "NOT_STARTED": "RET-06", "OPEN_DOSSIER": "RET-13"}.get(
        reason, "RET-08"
    )
    if reason == Reason.OPEN_DOSSIER:
        flags.append(Flag.OPEN_PAST_END)
    elif reason == Reason.NO_TERM:
        categories = ("missing_unexplained",)
        flags += [Flag.REVIEW_DUE] if number % 2 else [Flag.RECLASSIFY]
    elif reason == Reason.UNCONFIGURED:
        categories = ((), ("100000999",), ("csam_report",))[number % 3]
        table = ("cf_fiche", "cf_dossier", "email")[number % 3]
    elif reason == Reason.ORPHAN_CONTACT:
        table, categories, flags, rule = "contact", (), [Flag.ORPHAN_CONTACT], "RET-20"
    elif reason == Reason.NOT_EXPIRED and number % 4 == 0:
        table, categories, rule = "cf_recording", ("recording",), "RET-21"
        flags, rule = ([*flags, Flag.TAKEOVER_WARNING], rule) if number % 8 == 0 else (flags, "RET-05")
    elif reason == Reason.NOT_STARTED:
        categories = ("civil_party",)
    reasons = [reason]
    if held and number % 2:
        reasons.append(Reason.UNCONFIGURED)
        end = None
    return a_line(
        number, table=table, end=end, reasons=reasons, flags=flags, categories=categories, rule=rule, anchor="birth_date" if end else None
    )


def a_disposal(number: int) -> PlanLine:
    """One disposal, of a kind that changes with the number."""
    turn = number % 5
    end = _day(-(number * 13 % 400) - 1)
    if turn == 0:
        flags = [Flag.DISPOSED_NOT_TAKEN_OVER] if number % 10 == 0 else []
        return a_line(
            number,
            table="cf_recording" if number % 15 else "annotation",
            disposition="delete",
            end=end,
            reasons=[Reason.EXPIRED],
            flags=flags,
            categories=["recording"],
            rule="RET-21",
            anchor="ended_on",
            anchor_on=_day(-600),
        )
    if turn == 1:
        return a_line(number, table="contact", disposition="delete", reasons=[Reason.EXPIRED], categories=[], rule="RET-20")
    if turn == 2:
        flags = [Flag(list(Flag)[number % 7])]
        return a_line(
            number,
            disposition="anonymise",
            end=end,
            reasons=[Reason.EXPIRED],
            flags=flags,
            categories=[ANONYMISING[number % 3]],
            rule="RET-08",
            anchor="birth_date",
        )
    categories = [DELETING[number % 2]] if turn == 3 else ["civil_party", "social_card"]
    return a_line(
        number,
        table="cf_fiche" if turn == 3 else "cf_dossier",
        disposition="delete",
        end=end,
        reasons=[Reason.EXPIRED],
        flags=[Flag.ORPHAN_FICHE] if number % 9 == 0 else [],
        categories=categories,
        anchor="last_activity" if turn == 3 else "proceedings_ended_on",
        anchor_on=_day(-700),
    )


def sample_lines() -> list[PlanLine]:
    """About 300 lines; every code there is occurs in one of them."""
    lines = [a_disposal(number) for number in range(1, 61)]
    number = 1000
    shares = {Reason.NOT_EXPIRED: 150, Reason.OPEN_DOSSIER: 24, Reason.NO_TERM: 18, Reason.UNCONFIGURED: 15, Reason.HOLD_LEGAL: 8}
    for reason in Reason:
        if reason is Reason.EXPIRED:
            continue
        for _ in range(shares.get(reason, 3)):
            lines.append(a_retained(number, reason))
            number += 1
    for flag in Flag:
        lines.append(a_line(number, end=_day(400), flags=[flag], categories=["e_safety"], anchor_on=_day(216)))
        number += 1
    return lines


def generated(count: int) -> Iterator[PlanLine]:
    """A long plan, made on the fly: one disposal in fifty."""
    for number in range(count):
        yield a_disposal(number) if number % 50 == 0 else a_line(number, end=_day(100), categories=["missing_runaway"])


def in_parts(lines: Callable[[], Iterable[PlanLine]]) -> Callable[[], Iterator[LineColumns]]:
    """Lines as the store gives them: in columns, a part at a time, again each time they are asked for."""

    def parts() -> Iterator[LineColumns]:
        rest = iter(lines())
        while some := list(islice(rest, 200)):
            yield LineColumns.of(some)

    return parts


def plan_of(lines: Sequence[PlanLine], *, tripped: bool = False, given: Sequence[Approval] = (), **changes: object) -> Plan:
    """The head that belongs to the lines."""
    dispose: Counts[str] = Counts({"delete": 0, "anonymise": 0})
    retain: Counts[str] = Counts()
    flags: Counts[str] = Counts()
    categories: dict[str, list[int]] = {}
    due: Counts[str] = Counts()
    units = recordings = 0
    for line in lines:
        soon = line.reason == Reason.NOT_EXPIRED and line.retention_end is not None and line.retention_end < SOON.isoformat()
        if line.disposition:
            dispose[line.disposition] += 1
            if line.table in ("cf_recording", "annotation"):
                recordings += 1
            elif line.table != "contact":
                units += 1
        else:
            retain[line.reason] += 1
        if soon and line.retention_end:
            due[line.retention_end] += 1
        flags.update(line.flags)
        for category in line.categories:
            total = categories.setdefault(category, [0, 0, 0, 0])
            total[["delete", "anonymise", None].index(line.disposition)] += 1
            total[3] += soon
    plan = Plan(
        id="plan-7Q2M",
        kind=Kind.ALL,
        created_at=NOW,
        proposer="nora.admin",
        as_of=NOW,
        as_of_given=False,
        crm="https://org.example/api/data/v9.2/",
        policy_name="childfocus",
        policy_version="2026-01",
        policy_digest="5d" * 32,
        mapping_digest="3a" * 32,
        digest="9f" * 32,
        units=len(lines),
        dispose=dict(dispose),
        retain=dict(retain),
        flags=dict(flags),
        breaker=Breaker(
            tripped,
            Counter(units, 20 if tripped else 200, 11.5 if tripped else None, tripped),
            Counter(recordings, 200, None),
        ),
        valid_until=NOW + timedelta(hours=72),
        needed=("crm_admin", "dpo") if tripped else (),
        given=tuple(given),
        categories=tuple(CategoryTotal(key, numbers[0], numbers[1], numbers[2], numbers[3]) for key, numbers in sorted(categories.items())),
        due_soon=tuple(sorted(due.items())),
    )
    return msgspec.structs.replace(plan, **changes)


def sample_plan(**changes: object) -> Plan:
    """The head of the sample, with the breaker tripped, one approval given, holds changed and a value that
    the mapping does not know."""
    held = [("cf_dossier", guid(number)) for number in (1000, 1001, 1002)]
    fields: dict[str, object] = {
        "tripped": True,
        "given": [Approval("an.peeters", "crm_admin", NOW, True, "Gezien met Lotte Peeters")],
        "trims": tuple(guid(number) for number in range(5000, 5004)),
        "crm_holds": tuple(held),
        "hold_changes": (HoldChange(*held[0], "set"), HoldChange("cf_dossier", guid(77), "cleared")),
        "warnings": ("category value 100000999 is not in the mapping: 5 units are kept as UNCONFIGURED (R-161)",),
        "notes_on_trimmed": 3,
    }
    return plan_of(sample_lines(), **(fields | changes))  # type: ignore[arg-type]


def document_of(plan: Plan) -> dict[str, object]:
    """The JSON answer of `plan`, as the command line gives it."""
    return {
        "plan": plan.id,
        "digest": plan.digest,
        "kind": plan.kind.value,
        "as_of": plan.as_of.isoformat(),
        "policy_version": plan.policy_version,
        "units": plan.units,
        "dispose": plan.dispose,
        "retain": plan.retain,
        "flags": plan.flags,
        "breaker": msgspec.to_builtins(plan.breaker),
        "approvals": {"needed": list(plan.needed), "given": []},
        "applicable": False,
        "valid_until": plan.valid_until.isoformat(),
        "files": [],
    }
