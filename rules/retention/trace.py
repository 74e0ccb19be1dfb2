"""The steps of one decision, for a person who wants to check the verdict by hand.

The trace works from the same readings as `decide` (dates, births, ends) and draws the conclusions again, in
the words of the normative pseudo-code. Tests compare the two: another verdict than that of `decide` is a bug
in one of them. Source: sections 2.4 and 4.2, RET-17."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from rules.dates.periods import add_months
from rules.holds.holds import RANKS, REQUEST, Hold, Holds
from rules.model.decisions import Disposition, End, Reason, Step, deciding_end
from rules.model.records import Unit, UnitKind
from rules.people.birthdates import latest_compatible, sources
from rules.retention.clocks import (
    CREATED_ON,
    RECORDING,
    Kind,
    Moments,
    age_end,
    anchored_end,
    end_after,
    late_activity,
    moments_of,
    recording_anchor,
    review_due_on,
    without_sentinel,
)
from rules.retention.relations import clocks_for, relation_ends, sort_of
from rules.retention.schedule import Profile, Schedule

PRECEDENCE = "4.2"


@dataclass(slots=True)
class Verdict:
    """What the steps before it have found, ready for the table of precedence."""

    as_of: date
    held: tuple[Reason, ...]
    found: set[Reason] = field(default_factory=set)
    ends: list[End] = field(default_factory=list)
    is_open: bool = False
    public_alert: bool = False

    @property
    def end_on(self) -> date | None:
        """Give the latest end, or None where a reason leaves the unit without one."""
        best = deciding_end(self.ends)
        return best.on if best is not None and not self.found else None


def trace_of(unit: Unit, schedule: Schedule, holds: Holds, as_of: date, followed: Unit | None = None) -> list[Step]:
    """Return the steps that lead to a unit's disposition, in the order of the rules; the last step is the
    disposition. `followed` is the dossier whose end a marked recording has, of several. Each step has the
    rule, its input and its output, as JSON values. Of a register number only the date part is shown."""
    steps = [Step("RET-17", {"kind": unit.word, "as_of": as_of.isoformat()}, "read")]
    if unit.kind is UnitKind.DOSSIER or unit.kind is UnitKind.FICHE:
        _conclude(steps, _file_steps(steps, unit, schedule, holds, as_of))
    elif unit.kind is UnitKind.EMAIL:
        _email_steps(steps, unit, schedule, holds, as_of)
    elif unit.relation is not None:
        _relation_steps(steps, unit, schedule, holds, as_of)
    else:
        _recording_steps(steps, unit, schedule, holds, as_of, followed)
    return steps


def _file_steps(steps: list[Step], unit: Unit, schedule: Schedule, holds: Holds, as_of: date) -> Verdict:
    profile = schedule.profile(unit)
    moments = moments_of(unit, schedule.sentinel_days, as_of)
    verdict = Verdict(as_of, _hold_step(steps, unit, holds), set(profile.reasons))
    _category_steps(steps, unit, profile)
    _moment_steps(steps, unit, moments, as_of)
    born_on = _birth_steps(steps, unit, schedule, moments, as_of) if profile.needs_birth else None
    is_future = moments.is_future
    for clock in profile.clocks:
        if clock.kind is Kind.AGE:
            end = age_end(clock, born_on, moments, schedule.late_months)
            birthday = None if born_on is None else add_months(born_on, clock.months)
            asked: dict[str, object] = {"category": clock.key, "birth_date": _iso(born_on), "period": clock.period}
            steps.append(Step("RET-08", asked, _iso(birthday)))
            anchor, late_on = late_activity(moments)
            asked = {"category": clock.key, "age_end": _iso(birthday), "late_activity": anchor, "late_activity_on": _iso(late_on)}
            steps.append(Step("RET-10", {**asked, "late_rule_months": schedule.late_months}, _iso(end.on)))
        else:
            end = anchored_end(clock, moments, unit, profile.crm_keys_of(clock.key), schedule.sentinel_days)
            _end_step(steps, end, kind=clock.kind, anchors=list(clock.anchors))
            if not clock.is_usual and end.anchor_on is not None:  # a date that every dossier is not asked for
                steps.append(Step("RET-16", {"as_of": as_of.isoformat(), end.anchor: _iso(end.anchor_on)}, end.anchor_on > as_of))
                is_future = is_future or end.anchor_on > as_of
        verdict.ends.append(end)
        if end.on is None:
            verdict.found.add(Reason.NOT_STARTED)
    if is_future:
        verdict.found.add(Reason.DATA_ERROR)
    if profile.review_months:
        due_on = review_due_on(unit, profile.review_months, schedule.sentinel_days)
        asked = {"review_due_on": _iso(due_on), "review_months": profile.review_months, "as_of": as_of.isoformat()}
        steps.append(Step("RET-15", asked, due_on is not None and as_of >= due_on))
    if unit.dossier is not None:
        verdict.is_open = moments.is_open and not profile.is_six_month
        verdict.public_alert = unit.dossier.public_alert is True
        asked = {"is_active": moments.is_open, "is_six_month_unit": profile.is_six_month}
        steps.append(Step("RET-13", asked, verdict.is_open))
    return verdict


def _hold_step(steps: list[Step], unit: Unit, holds: Holds) -> tuple[Reason, ...]:
    held = holds.covering(unit)
    steps.append(Step("HLD-04", {"holds": _told(holds.on(unit))}, [reason.value for reason in held]))
    return held


def _told(found: Iterable[Hold]) -> list[object]:
    """Return the holds as anybody may see them. A request is shown by its code alone, each code once: a
    person who looks at a file must not learn by it who made a request about it, nor how many did (SUS-07,
    ACC-08)."""
    told: list[object] = []
    for hold in found:
        shown: dict[str, object] = {"reason": hold.reason.value}
        if hold.source != REQUEST:
            shown = {"hold": hold.hold_id, **shown, "source": hold.source, "kind": hold.kind, "review_overdue": hold.is_overdue}
        if shown not in told:
            told.append(shown)
    return told


def _category_steps(steps: list[Step], unit: Unit, profile: Profile) -> None:
    outcome = unit.dossier.outcome if unit.dossier is not None else None
    found = profile.classification
    for line in found.derived:
        flag = None if line.flag is None else line.flag.value
        steps.append(Step("RET-12", {"category": line.crm_key, "outcome": outcome}, {"key": line.key, "flag": flag}))
    asked: dict[str, object] = {
        "unconfigured": list(found.unconfigured),
        "fiches": len(unit.fiches),
        "fiches_without_category": sum(not fiche.categories for fiche in unit.fiches),
        "is_missing": found.is_missing,
    }
    steps.append(Step("RET-14", asked, found.is_complete))


def _moment_steps(steps: list[Step], unit: Unit, moments: Moments, as_of: date) -> None:
    dossier = unit.dossier
    in_order = sorted(unit.fiches, key=lambda fiche: (fiche.communicated_on or date.min, fiche.created_on or date.min))
    fiches: list[object] = [{"communicated_on": _iso(fiche.communicated_on), "created_on": _iso(fiche.created_on)} for fiche in in_order]
    reopened_on = None if dossier is None else dossier.reopened_on
    result: dict[str, object] = {
        "first_fiche_on": _iso(moments.first_fiche_on),
        "last_activity": None if moments.is_undated else _iso(moments.last_activity),
        "created_on_used": moments.is_fallback,
    }
    steps.append(Step("RET-07", {"fiches": fiches, "reopened_on": _iso(reopened_on)}, result))
    asked: dict[str, object] = {"as_of": as_of.isoformat(), "communicated_on": [_iso(fiche.communicated_on) for fiche in in_order]}
    if dossier is not None:
        asked["reopened_on"] = _iso(dossier.reopened_on)
        asked["closed_on"] = _iso(dossier.closed_on)
        asked["proceedings_ended_on"] = _iso(dossier.proceedings_ended_on)
    steps.append(Step("RET-16", asked, moments.is_future))


def _birth_steps(steps: list[Step], unit: Unit, schedule: Schedule, moments: Moments, as_of: date) -> date | None:
    first = moments.first_fiche_on
    births: list[date | None] = []
    seen: set[str] = set()
    for child in unit.children or [None]:
        if child is not None:
            if child.id and child.id in seen:
                continue
            seen.add(child.id)
        born_on, flags = latest_compatible(child, first, schedule.sentinels, as_of)
        births.append(born_on)
        recorded = sources(child, as_of, schedule.sentinels.scheme)
        asked: dict[str, object] = {"child": len(births), "recorded": recorded, "first_fiche_on": _iso(first)}
        steps.append(Step("RET-09", asked, {"latest_birth_on": _iso(born_on), "flags": [flag.value for flag in flags]}))
    known = [born_on for born_on in births if born_on is not None]
    return max(known) if len(known) == len(births) else None


def _end_step(steps: list[Step], end: End, *, kind: Kind, anchors: list[str]) -> None:
    asked: dict[str, object] = {
        "category": end.category,
        "anchors": anchors,
        "anchor": end.anchor,
        "anchor_on": _iso(end.anchor_on),
        "period": end.period,
        "to_end_of_year": kind is Kind.YEAR_END,
    }
    steps.append(Step(end.rule, asked, _iso(end.on)))


def _email_steps(steps: list[Step], unit: Unit, schedule: Schedule, holds: Holds, as_of: date) -> None:
    verdict = Verdict(as_of, _hold_step(steps, unit, holds), {Reason.UNCONFIGURED})
    received_on = without_sentinel(unit.email.sent_on if unit.email is not None else None, schedule.sentinel_days)
    is_future = received_on is not None and received_on > as_of
    if is_future:
        verdict.found.add(Reason.DATA_ERROR)
    steps.append(Step("RET-05", {"attached_to": None}, "lone fiche without category"))
    steps.append(Step("RET-16", {"as_of": as_of.isoformat(), "received_on": _iso(received_on)}, is_future))
    _conclude(steps, verdict)


def _relation_steps(steps: list[Step], unit: Unit, schedule: Schedule, holds: Holds, as_of: date) -> None:
    verdict = Verdict(as_of, _hold_step(steps, unit, holds))
    clocks = clocks_for(unit, schedule)
    steps.append(Step("RET-14", {"kind": sort_of(unit), "rows": [clock.key for clock in clocks]}, bool(clocks)))
    if not clocks:
        verdict.found.add(Reason.UNCONFIGURED)
    for clock, end in zip(clocks, relation_ends(unit, clocks, schedule.sentinel_days), strict=True):
        if clock.kind is Kind.NO_TERM:
            verdict.found.add(Reason.NO_TERM)
            steps.append(Step(clock.rule, {"category": clock.key}, False))
            continue
        _end_step(steps, end, kind=clock.kind, anchors=[end.anchor])
        verdict.ends.append(end)
        if end.on is None:
            verdict.found.add(Reason.NOT_STARTED)
    _conclude(steps, verdict)


def _recording_steps(steps: list[Step], unit: Unit, schedule: Schedule, holds: Holds, as_of: date, owner: Unit | None) -> None:
    held = _hold_step(steps, unit, holds)
    evidence = unit.recording.evidence if unit.recording is not None else unit.note.evidence if unit.note is not None else None
    in_dossier = unit.belongs_to is not None and unit.belongs_to.kind is UnitKind.DOSSIER
    asked: dict[str, object] = {"evidence": evidence is True, "in_dossier": in_dossier}
    if len(dossiers := sorted(level.id for level in unit.above())) > 1:  # its fiche is in several
        asked |= {"dossiers": dossiers, "follows": owner.id if owner is not None else None}
    steps.append(Step("RET-05", asked, owner is not None))
    if owner is not None:
        verdict = _file_steps(steps, owner, schedule, holds, as_of)
        verdict.held = tuple(sorted({*held, *verdict.held}, key=RANKS.__getitem__))
        _conclude(steps, verdict, follows=True)
        return
    verdict = Verdict(as_of, held)
    clock = schedule.recording
    anchor, on = recording_anchor(unit, schedule.sentinel_days)
    is_future = on is not None and on > as_of and anchor != CREATED_ON
    if clock is None:
        verdict.found.add(Reason.UNCONFIGURED)
        steps.append(Step("RET-14", {"unconfigured": [RECORDING]}, False))
    elif clock.kind is Kind.NO_TERM:
        verdict.found.add(Reason.NO_TERM)
        steps.append(Step("RET-15", {"category": RECORDING}, False))
    elif on is None:
        verdict.found.add(Reason.NOT_STARTED)
        steps.append(Step(clock.rule, {"category": RECORDING, "anchor": anchor, "anchor_on": None}, None))
    else:
        steps.append(Step("RET-16", {"as_of": as_of.isoformat(), anchor: _iso(on)}, is_future))
        taken_over = schedule.delete_after_takeover and unit.recording is not None and unit.recording.taken_over is True
        period, until = ("P0M", on) if taken_over else (clock.period, end_after(clock, on))
        end = End(RECORDING, clock.rule, anchor, on, period, until, Disposition.DELETE)
        _end_step(steps, end, kind=clock.kind, anchors=[anchor])
        verdict.ends.append(end)
        if is_future:
            verdict.found.add(Reason.DATA_ERROR)
    _conclude(steps, verdict)


def _conclude(steps: list[Step], verdict: Verdict, *, follows: bool = False) -> None:
    """Add the last three steps: the longest end, the table of precedence, the disposition."""
    end_on = verdict.end_on
    best = deciding_end(verdict.ends) if end_on is not None else None
    category = None if best is None else best.category
    ends: dict[str, object] = {end.category: _iso(end.on) for end in verdict.ends}
    without_end = sorted(reason.value for reason in verdict.found)
    steps.append(Step("RET-11", {"ends": ends, "without_end": without_end}, {"end": _iso(end_on), "category": category}))

    reasons = sorted({*verdict.held, *verdict.found}, key=RANKS.__getitem__)
    if verdict.is_open:
        reasons.append(Reason.OPEN_DOSSIER)
    if end_on is not None and verdict.as_of <= end_on:
        reasons.append(Reason.NOT_EXPIRED)
    told = [reason.value for reason in reasons] or [Reason.EXPIRED.value]
    asked: dict[str, object] = {
        "as_of": verdict.as_of.isoformat(),
        "end": _iso(end_on),
        "holds": [reason.value for reason in verdict.held],
        "without_end": without_end,
        "is_open": verdict.is_open,
    }
    steps.append(Step(PRECEDENCE, asked, told))

    if reasons or best is None:
        disposition = Disposition.KEEP
    elif follows or verdict.public_alert:
        disposition = Disposition.DELETE
    else:
        disposition = best.disposition
    asked = {
        "reasons": told,
        "category": category,
        "category_disposition": None if best is None else best.disposition.value,
        "public_alert": verdict.public_alert,
        "follows_dossier": follows,
    }
    steps.append(Step("ERA-04" if verdict.public_alert and disposition is Disposition.DELETE else "RET-23", asked, disposition.value))


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
