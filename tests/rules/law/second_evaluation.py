"""A second evaluation of the retention schedule, unit by unit over records, that shares no expression with
the law in columns (`rules.law`): whatever hypothesis draws, both must say the same in every field. Source:
section 2.4 (pseudo-code), section 4.2, RET-05 to RET-16, RET-21, RET-23, ERA-04."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Final

import msgspec

from rules.dates.periods import add_months, period_of_months
from rules.holds.holds import Holds
from rules.holds.precedence import HOLD_REASONS, RANKS
from rules.model.decisions import Decision, Disposition, End, Flag, Reason, deciding_end, with_flags
from rules.model.records import Contact, Fiche, Unit, UnitKind
from rules.people.birthdates import Sentinels, recorded_birth
from rules.policy.categories import Anchor
from rules.policy.policy import Policy
from rules.retention.classify import Facts
from rules.retention.clocks import (
    BIRTH,
    CLOSED_ON,
    COMMUNICATED_ON,
    CREATED_ON,
    ENDED_ON,
    LAST_ACTIVITY,
    LATE_RULE,
    PROCEEDINGS_ENDED_ON,
    RECORDING,
    STARTED_ON,
    Clock,
    Kind,
    end_after,
    without_sentinel,
)
from rules.retention.compiled_schedule import RULE_OF_REASON, Profile, Schedule, schedule_of
from rules.retention.recording_owners import followed_dossier
from rules.retention.relations import anchor_of, clocks_of, counted_day, sort_of

# The enum members as plain globals: looked up a few million times a night.
_KEEP, _DELETE = Disposition.KEEP, Disposition.DELETE
_NO_TERM, _UNCONFIGURED, _DATA_ERROR, _NOT_STARTED = Reason.NO_TERM, Reason.UNCONFIGURED, Reason.DATA_ERROR, Reason.NOT_STARTED
_OPEN, _NOT_EXPIRED, _EXPIRED = Reason.OPEN_DOSSIER, Reason.NOT_EXPIRED, Reason.EXPIRED
_DOSSIER, _FICHE = UnitKind.DOSSIER, UnitKind.FICHE
_AGE = Kind.AGE
_ONLY_EXPIRED: Final[tuple[Reason, ...]] = (Reason.EXPIRED,)
_RECORDING_CATEGORIES: Final = (RECORDING,)
_FOLLOWS_DOSSIER: Final = "RET-05"


def decide(unit: Unit, policy: Policy, holds: Holds, *, as_of: date) -> Decision:
    """Return what must happen to one unit, and why.

    Pure: the same arguments give the same decision on any machine and any day. A hold prevails over an ended
    period and never moves its end. `Decision.retention_end` is the last day kept, so disposal may begin the
    day after. Doubt keeps and says why. Raises ValueError: a contact has no decision of
    its own; `rules.retention.contacts` decides over all contacts together. Source: RET-11, DAT-02, section
    4.2; GDPR art. 5(1)(e), art. 17(3)(e)."""
    decision = _decide(unit, schedule_of(policy), holds, as_of)
    return marked(holds, unit, decision)


def _decide(unit: Unit, schedule: Schedule, holds: Holds, as_of: date) -> Decision:
    kind = unit.kind
    if kind is _DOSSIER or kind is _FICHE:
        return _decide_file(unit, schedule, holds.covering(unit), as_of)
    if kind is UnitKind.RECORDING or kind is UnitKind.ATTACHMENT:
        return _decide_recording(unit, schedule, holds, as_of)
    if kind is UnitKind.EMAIL:
        return _decide_email(unit, schedule, holds.covering(unit), as_of)
    if unit.relation is not None:
        return decide_relation(unit, schedule, holds.covering(unit), as_of)
    raise ValueError("contacts are decided together, not one by one")


def _decide_file(unit: Unit, schedule: Schedule, held: tuple[Reason, ...], as_of: date) -> Decision:
    """Decide over a dossier or a lone fiche (section 2.4)."""
    profile = profile_of(unit, schedule)
    sentinels = schedule.sentinel_days
    moments = moments_of(unit, sentinels, as_of)
    flags = set(profile.flags)
    is_future = moments.is_future
    is_fallback = moments.is_fallback and any(clock.uses_activity for clock in profile.clocks)
    born_on = None
    if any(clock.kind is Kind.AGE for clock in profile.clocks):
        born_on, told = youngest_birth(unit.children, moments.first_fiche_on, schedule.sentinels, as_of)
        flags.update(told)

    best: End | None = None
    best_on = as_of
    is_started = True
    ends: list[End] = []
    for clock in profile.clocks:
        if clock.kind is _AGE:
            end = age_end(clock, born_on, moments, schedule.late_months)
        else:
            keys = profile.crm_keys_of(clock.key)
            end = anchored_end(clock, moments, unit, keys, sentinels)
            if end.anchor_on is not None:
                is_fallback = is_fallback or end.anchor != clock.anchors[0]
                is_future = is_future or (not clock.is_usual and end.anchor_on > as_of)
        ends.append(end)
        on = end.on
        if on is None:
            is_started = False
        elif best is None or on > best_on:
            best, best_on = end, on
        elif on == best_on and end.disposition is _DELETE and best.disposition is not _DELETE:
            best = end  # RET-23: on equal days deleting wins
    if is_fallback:
        flags.add(Flag.ANCHOR_FALLBACK)

    reasons = [*held, *profile.reasons]
    if is_future:
        reasons.append(_DATA_ERROR)
    if not is_started:
        reasons.append(_NOT_STARTED)
    retention_end = None if best is None or is_future or not is_started or profile.reasons else best_on
    if moments.is_open and not profile.is_six_month:
        reasons.append(_OPEN)
        if retention_end is not None and as_of > retention_end:
            flags.add(Flag.OPEN_PAST_END)
    if retention_end is not None and as_of <= retention_end:
        reasons.append(_NOT_EXPIRED)
    if profile.review_months:
        due_on = review_due_on(unit, profile.review_months, sentinels, as_of)
        if due_on is not None and as_of >= due_on:
            flags.add(Flag.REVIEW_DUE)

    if not reasons and best is not None:
        disposition = _DELETE if unit.dossier is not None and unit.dossier.public_alert else best.disposition  # ERA-04
        because, rule = _ONLY_EXPIRED, best.rule
    else:
        disposition = _KEEP
        because = tuple(reasons)
        rule = best.rule if because[0] is _NOT_EXPIRED and best is not None else RULE_OF_REASON[because[0]]
    return Decision(
        disposition, because, retention_end, tuple(sorted(flags)) if flags else (), profile.categories, rule, (*ends, *profile.fixed_ends)
    )


def _decide_email(unit: Unit, schedule: Schedule, held: tuple[Reason, ...], as_of: date) -> Decision:
    """Decide over an e-mail attached to nothing: a lone fiche without a category, so it is kept and reported
    (RET-05, RET-14)."""
    received_on = without_sentinel(unit.email.sent_on if unit.email is not None else None, schedule.sentinel_days)
    reasons = [*held, _UNCONFIGURED]
    if received_on is not None and received_on > as_of:
        reasons.append(_DATA_ERROR)
    return Decision(_KEEP, tuple(reasons), None, (Flag.ORPHAN_FICHE,), (), RULE_OF_REASON[reasons[0]])


def _decide_recording(unit: Unit, schedule: Schedule, holds: Holds, as_of: date) -> Decision:
    """Decide over a recording or an audio attachment: six months, unless its evidence mark makes it follow
    its dossier. Being taken over or not is not a reason to keep it, only something to report; what is
    disposed of is always deleted. Source: RET-03, RET-05, RET-21, RET-22, note (c) of 4.2."""
    held = holds.covering(unit)
    owner = governing(followed_dossier(unit), schedule, holds, as_of)
    if owner is None:
        decision = _decide_own_term(unit, schedule, held, as_of)
    else:
        decision = _follow(_decide_file(owner, schedule, holds.covering(owner), as_of), held)
    recording, end = unit.recording, decision.retention_end
    if recording is None or recording.taken_over is True or end is None or as_of < end - schedule.warning:
        return decision
    if decision.disposition is _KEEP:
        return with_flags(decision, Flag.TAKEOVER_WARNING)
    return with_flags(decision, Flag.TAKEOVER_WARNING, Flag.DISPOSED_NOT_TAKEN_OVER)


def governing(owner: Unit | None, schedule: Schedule, holds: Holds, as_of: date) -> Unit | None:
    """Return the dossier whose end a marked recording follows: of a fiche in several the one that stays
    longest."""
    if owner is None or owner.belongs_to is None:
        return owner
    levels = [owner, *owner.above()]
    decided = [(_decide_file(level, schedule, holds.covering(level), as_of), level) for level in levels]
    kept = [level for decision, level in decided if not decision.is_disposal]
    return kept[0] if kept else max(decided, key=lambda each: each[0].retention_end or date.min)[1]


def _follow(dossier: Decision, held: tuple[Reason, ...]) -> Decision:
    """Return the decision of a marked recording, with the end and the reasons of its dossier. A disposal of
    the dossier always deletes it."""
    end = End(RECORDING, _FOLLOWS_DOSSIER, "dossier", None, "", dossier.retention_end, _DELETE)
    reasons = tuple(sorted({*held, *dossier.reasons}, key=RANKS.__getitem__))
    if reasons == _ONLY_EXPIRED:
        return Decision(_DELETE, reasons, dossier.retention_end, (), _RECORDING_CATEGORIES, _FOLLOWS_DOSSIER, (end,))
    kept_for = tuple(reason for reason in reasons if reason is not _EXPIRED)
    return Decision(_KEEP, kept_for, dossier.retention_end, (), _RECORDING_CATEGORIES, _FOLLOWS_DOSSIER, (end,))


def _decide_own_term(unit: Unit, schedule: Schedule, held: tuple[Reason, ...], as_of: date) -> Decision:
    """Decide over a recording by itself: its conversation's day plus the period of recordings."""
    clock = schedule.recording
    anchor, on = recording_anchor(unit, schedule.sentinel_days)
    flags = (Flag.ANCHOR_FALLBACK,) if anchor == CREATED_ON else ()
    reasons = list(held)
    end: End | None = None
    if clock is None:
        reasons.append(_UNCONFIGURED)
    elif clock.kind is Kind.NO_TERM:
        reasons.append(_NO_TERM)
    elif on is None:
        reasons.append(_NOT_STARTED)
    elif on > as_of and anchor != CREATED_ON:
        reasons.append(_DATA_ERROR)
    elif schedule.delete_after_takeover and unit.recording is not None and unit.recording.taken_over:
        end = End(RECORDING, clock.rule, anchor, on, "P0M", on, _DELETE)
    else:
        end = End(RECORDING, clock.rule, anchor, on, clock.period, end_after(clock, on), _DELETE)
    retention_end = None if end is None else end.on
    if retention_end is not None and as_of <= retention_end:
        reasons.append(_NOT_EXPIRED)
    rule = end.rule if end is not None and (not reasons or reasons[0] is _NOT_EXPIRED) else RULE_OF_REASON[reasons[0]]
    ends = () if end is None else (end,)
    if reasons:
        return Decision(_KEEP, tuple(reasons), retention_end, flags, _RECORDING_CATEGORIES, rule, ends)
    return Decision(_DELETE, _ONLY_EXPIRED, retention_end, flags, _RECORDING_CATEGORIES, rule, ends)


class Moments(msgspec.Struct, frozen=True, gc=False):
    """The dates of a dossier or lone fiche that a clock may count from; absent and sentinel dates are None.

    `closed_on` is None for a dossier in active state. `is_undated`: a fiche has no date at all, so the last
    activity is unknown. `is_fallback`: a fiche's creation replaced its communication. `is_future`: a date is
    after the day of evaluation (RET-16)."""

    first_fiche_on: date | None
    last_activity: date | None
    closed_on: date | None
    proceedings_ended_on: date | None
    is_undated: bool
    is_fallback: bool
    is_future: bool
    is_open: bool


def moments_of(unit: Unit, sentinels: Collection[date], as_of: date) -> Moments:
    """Read the dates that count of a dossier or a lone fiche. The last activity is the latest communication
    or the re-opening; a closing never is one. A fiche without a communication date counts by its creation. A
    future closing date is a data error on an active dossier too, where it counts for nothing else. Source:
    RET-07, RET-10, RET-13, RET-14, RET-16."""
    first = last = closed_on = ended_on = None
    is_undated = is_fallback = is_future = is_open = False
    for fiche in unit.fiches:
        on = fiche.communicated_on
        if on is None or on in sentinels:
            on = fiche.created_on
            if on is None or on in sentinels:
                is_undated = True
                continue
            is_fallback = True
        elif on > as_of:
            is_future = True
        if last is None or first is None:
            first = last = on
        elif on > last:
            last = on
        elif on < first:
            first = on
    dossier = unit.dossier
    if dossier is not None:
        on = dossier.reopened_on
        if on is not None and on not in sentinels:
            is_future = is_future or on > as_of
            if last is None or on > last:
                last = on
        ended_on = dossier.proceedings_ended_on
        if ended_on is not None:
            if ended_on in sentinels:
                ended_on = None
            elif ended_on > as_of:
                is_future = True
        is_open = dossier.is_active is not False  # not read counts as active: doubt keeps
        on = dossier.closed_on
        if on is not None and on not in sentinels:
            is_future = is_future or on > as_of
            if not is_open:
                closed_on = on
    return Moments(first, last, closed_on, ended_on, is_undated, is_fallback, is_future, is_open)


def youngest_birth(
    children: Iterable[Contact | None], first_fiche_on: date | None, sentinels: Sentinels, as_of: date
) -> tuple[date | None, set[Flag]]:
    """Return the latest compatible birth date over all children of a unit, with their flags; None if one of
    them has no date at all. A unit without a child counts as having one of whom nothing is known (A-24). The
    latest birth gives the latest end, since adding years keeps the order. Source: RET-08, RET-09, A-05."""
    latest: date | None = None
    is_absent = False
    found: set[Flag] = set()
    for child in children or (None,):
        born_on, flags = latest_birth(child, first_fiche_on, sentinels, as_of)
        if flags:
            found.update(flags)
        if born_on is None:
            is_absent = True
        elif latest is None or born_on > latest:
            latest = born_on
    return (None if is_absent else latest), found


def latest_birth(child: Contact | None, first_fiche_on: date | None, sentinels: Sentinels, as_of: date) -> tuple[date | None, set[Flag]]:
    """Return what is recorded of the birth of one child, else the first fiche (line 4 of RET-09)."""
    earliest, latest, flags = recorded_birth(child, sentinels, as_of) if child is not None else (None, None, set())
    if latest is None:
        return first_fiche_on, {*flags, Flag.BIRTHDATE_UNKNOWN}
    if earliest is not None and first_fiche_on is not None and earliest > first_fiche_on:
        flags.add(Flag.BIRTHDATE_AFTER_FIRST_FICHE)
    return latest, flags


def late_activity(moments: Moments) -> tuple[str, date | None]:
    """Return the later of last activity and closing, and which of the two it is (RET-10)."""
    last, closed_on = moments.last_activity, moments.closed_on
    if closed_on is not None and (last is None or closed_on > last):
        return CLOSED_ON, closed_on
    return LAST_ACTIVITY, last


def age_end(clock: Clock, born_on: date | None, moments: Moments, late_months: int) -> End:
    """Return the end of an age-based category: the birthday, or the late activity and its months where that
    came later. Activity on the birthday itself is not later. `late_months` 0 switches the late-activity rule
    off. Source: RET-08, RET-10, DAT-05."""
    if born_on is None or (moments.is_undated and late_months):
        return End(clock.key, clock.rule, BIRTH, born_on, clock.period, None, clock.disposition)
    on = add_months(born_on, clock.months)
    if late_months:
        anchor, late = late_activity(moments)
        if late is not None and late > on:
            moved = add_months(late, late_months)
            return End(clock.key, LATE_RULE, anchor, late, period_of_months(late_months), moved, clock.disposition)
    return End(clock.key, clock.rule, BIRTH, born_on, clock.period, on, clock.disposition)


def anchored_end(clock: Clock, moments: Moments, unit: Unit, crm_keys: Collection[str], sentinels: Collection[date]) -> End:
    """Return the end of a category that counts from an anchor: the first of its anchors that exists, plus the
    period. `crm_keys` are the CRM categories that the row covers: a date of a fiche is taken from the fiches
    that carry one of them. Source: RET-06, RET-07."""
    for anchor in clock.anchors:
        if anchor == LAST_ACTIVITY:
            if moments.is_undated:
                break
            on = moments.last_activity
        elif anchor == PROCEEDINGS_ENDED_ON:
            on = moments.proceedings_ended_on
        elif anchor == CLOSED_ON:
            on = moments.closed_on
        else:
            on = _other_anchor(anchor, unit, crm_keys, sentinels)
        if on is not None:
            return End(clock.key, clock.rule, anchor, on, clock.period, end_after(clock, on), clock.disposition)
    return End(clock.key, clock.rule, clock.anchors[0], None, clock.period, None, clock.disposition)


def _other_anchor(anchor: str, unit: Unit, crm_keys: Collection[str], sentinels: Collection[date]) -> date | None:
    if anchor == Anchor.OPENED_ON.value:
        return without_sentinel(unit.dossier.opened_on if unit.dossier is not None else None, sentinels)
    if anchor == Anchor.TRANSMITTED_ON.value:
        return _transmitted_on(unit.fiches, crm_keys, sentinels)
    return None


def _transmitted_on(fiches: Collection[Fiche], crm_keys: Collection[str], sentinels: Collection[date]) -> date | None:
    """Return the latest transmission; None as long as one fiche of the category was not transmitted: its
    period has not started."""
    concerned = [fiche for fiche in fiches if not fiche.categories or not set(crm_keys).isdisjoint(fiche.categories)] or fiches
    latest: date | None = None
    for fiche in concerned:
        on = without_sentinel(fiche.transmitted_on, sentinels)
        if on is None:
            return None
        if latest is None or on > latest:
            latest = on
    return latest


def review_due_on(unit: Unit, months: int, sentinels: Collection[date], as_of: date) -> date | None:
    """Return from which day on a no-term unit is listed for review: months after its last review, else after
    its opening, else after its first communication, each as far as it is not still to come. The day itself is
    listed. Source: RET-15."""
    told = [] if unit.dossier is None else [unit.dossier.reviewed_on, unit.dossier.opened_on]
    fiches = [without_sentinel(one.communicated_on, sentinels) or without_sentinel(one.created_on, sentinels) for one in unit.fiches]
    told.append(min((on for on in fiches if on is not None), default=None))
    known = (without_sentinel(on, sentinels) for on in told)
    since = next((on for on in known if on is not None and on <= as_of), None)
    return None if since is None else add_months(since, months)


def recording_anchor(unit: Unit, sentinels: Collection[date]) -> tuple[str, date | None]:
    """Return from which day a recording or an audio attachment counts, and which column has it; None where no
    column does. A conversation counts from its end, without one from its start. An attachment counts from the
    communication of its fiche, without one from the creation of the fiche. Source: RET-05, RET-14, DAT-14."""
    recording = unit.recording
    if recording is not None:
        on = without_sentinel(recording.ended_on, sentinels)
        return (ENDED_ON, on) if on is not None else (STARTED_ON, without_sentinel(recording.started_on, sentinels))
    if not unit.fiches:
        return COMMUNICATED_ON, None
    fiche = unit.fiches[0]
    on = without_sentinel(fiche.communicated_on, sentinels)
    return (COMMUNICATED_ON, on) if on is not None else (CREATED_ON, without_sentinel(fiche.created_on, sentinels))


def relation_ends(unit: Unit, clocks: Collection[Clock], sentinels: Collection[date]) -> tuple[End, ...]:
    """Return the end that each row gives a gift, course, agreement or row of a dependent table; without `on`
    where its date is missing or the row has no term."""
    anchor = anchor_of(unit.kind)
    on = without_sentinel(counted_day(unit), sentinels)
    ends = []
    for clock in clocks:
        if clock.kind is Kind.NO_TERM:
            ends.append(End(clock.key, clock.rule, "", None, "", None, Disposition.KEEP))
        else:
            until = None if on is None else end_after(clock, on)
            ends.append(End(clock.key, clock.rule, anchor, on, clock.period, until, clock.disposition))
    return tuple(ends)


def decide_relation(unit: Unit, schedule: Schedule, held: tuple[Reason, ...], as_of: date) -> Decision:
    """Decide over a gift, a course, an agreement or a row of a dependent table: its date plus the longest
    period of the rows that apply to it. One that no row in force is for, because its kind is unknown or
    undecided, is kept as UNCONFIGURED; a running agreement has not started."""
    clocks = clocks_of(unit.kind, sort_of(unit), schedule)
    ends = relation_ends(unit, clocks, schedule.sentinel_days)
    reasons = [*held]
    if any(clock.kind is Kind.NO_TERM for clock in clocks):
        reasons.append(Reason.NO_TERM)
    if not clocks:
        reasons.append(Reason.UNCONFIGURED)
    if any(clock.kind is not Kind.NO_TERM and end.on is None for clock, end in zip(clocks, ends, strict=True)):
        reasons.append(Reason.NOT_STARTED)
    endless = {Reason.NO_TERM, Reason.UNCONFIGURED, Reason.NOT_STARTED}
    best = deciding_end(ends) if endless.isdisjoint(reasons) else None
    retention_end = None if best is None else best.on
    if retention_end is not None and as_of <= retention_end:
        reasons.append(Reason.NOT_EXPIRED)
    kind = sort_of(unit)
    categories = tuple(clock.key for clock in clocks) or (() if kind is None else (kind,))
    if not reasons and best is not None:
        return Decision(best.disposition, (Reason.EXPIRED,), retention_end, (), categories, best.rule, ends)
    rule = best.rule if best is not None and reasons[0] is Reason.NOT_EXPIRED else RULE_OF_REASON[reasons[0]]
    return Decision(Disposition.KEEP, tuple(reasons), retention_end, (), categories, rule, ends)


def profile_of(unit: Unit, schedule: Schedule) -> Profile:
    keys, is_missing = crm_keys(unit)
    dossier = unit.dossier
    return schedule.compiled(Facts(keys, is_missing, None if dossier is None else dossier.outcome, unit.kind is UnitKind.FICHE))


def crm_keys(unit: Unit) -> tuple[tuple[str, ...], bool]:
    """Return each CRM category of a unit once, and whether one is missing. The order has no meaning."""
    dossier = unit.dossier
    keys = dossier.categories if dossier is not None else ()
    is_missing = not keys and not unit.fiches
    for fiche in unit.fiches:
        own = fiche.categories
        if own == keys:
            is_missing = is_missing or not own
        elif own:
            for key in own:
                if key not in keys:
                    keys = (*keys, key)
        else:
            is_missing = True
    return keys, is_missing


def marked(holds: Holds, unit: Unit, decision: Decision) -> Decision:
    """Return a held unit's decision with what its holds add: a review that is overdue (R-070), and the rule
    of a legal hold that is not the CRM's own flag."""
    if decision.reasons[0] not in HOLD_REASONS:
        return decision
    found = holds.on(unit)
    if any(hold.is_overdue for hold in found):
        decision = with_flags(decision, Flag.HOLD_REVIEW_OVERDUE)
    if decision.rule == "HLD-14" and not any(hold.source == "crm" for hold in found):
        decision = msgspec.structs.replace(decision, rule="HLD-05")
    return decision
