"""What must become of one unit, and why: the one place where the retention schedule decides. Source: section
2.4 (pseudo-code), section 4.2, RET-11, RET-13 to RET-16, RET-21, RET-23, ERA-04."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from rules.holds.holds import HOLD_REASONS, RANKS, Holds
from rules.model.decisions import Decision, Disposition, End, Flag, Reason, Step, with_flags
from rules.model.records import Unit, UnitKind
from rules.policy.policy import Policy
from rules.retention.clocks import (
    CREATED_ON,
    RECORDING,
    Kind,
    age_end,
    anchored_end,
    end_after,
    followed_dossier,
    moments_of,
    recording_anchor,
    review_due_on,
    without_sentinel,
    youngest_birth,
)
from rules.retention.relations import decide_relation
from rules.retention.schedule import RULE_OF_REASON, Schedule, schedule_of
from rules.retention.trace import trace_of

# The enum members as plain globals: looked up a few million times a night.
_KEEP, _DELETE = Disposition.KEEP, Disposition.DELETE
_NO_TERM, _UNCONFIGURED, _DATA_ERROR, _NOT_STARTED = Reason.NO_TERM, Reason.UNCONFIGURED, Reason.DATA_ERROR, Reason.NOT_STARTED
_OPEN, _NOT_EXPIRED, _EXPIRED = Reason.OPEN_DOSSIER, Reason.NOT_EXPIRED, Reason.EXPIRED
_DOSSIER, _FICHE = UnitKind.DOSSIER, UnitKind.FICHE
_AGE = Kind.AGE
_ONLY_EXPIRED: Final[tuple[Reason, ...]] = (Reason.EXPIRED,)
_RECORDING_CATEGORIES: Final = (RECORDING,)
_FOLLOWS_DOSSIER: Final = "RET-05"
GOES_ALONG: Final = "RET-03"  # the rule of an audio attachment that goes with the row that it hangs on


def decide(unit: Unit, policy: Policy, holds: Holds, *, as_of: date) -> Decision:
    """Return what must happen to one unit, and why.

    Pure: the same arguments give the same decision on any machine and any day. A hold prevails over an ended
    period and never moves its end. `Decision.retention_end` is the last day kept, so disposal may begin the
    day after. Doubt keeps and says why. Raises ValueError: a contact has no decision of
    its own; `rules.retention.contacts` decides over all contacts together. Source: RET-11, DAT-02, section
    4.2; GDPR art. 5(1)(e), art. 17(3)(e)."""
    decision = _decide(unit, schedule_of(policy), holds, as_of)
    return holds.mark(unit, decision) if holds.is_any else decision


def decisions(units: Iterable[Unit], policy: Policy, holds: Holds, *, as_of: date) -> Iterator[tuple[Unit, Decision]]:
    """Yield units, each with what `decide` says of it: for a whole night. Raises as `decide`."""
    schedule, are_held = schedule_of(policy), holds.is_any
    for unit in units:
        decision = _decide(unit, schedule, holds, as_of)
        yield unit, holds.mark(unit, decision) if are_held else decision


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
    raise ValueError("contacts are settled together, not decided one by one")


def _decide_file(unit: Unit, schedule: Schedule, held: tuple[Reason, ...], as_of: date) -> Decision:
    """Decide over a dossier or a lone fiche (section 2.4)."""
    profile = schedule.profile(unit)
    sentinels = schedule.sentinel_days
    moments = moments_of(unit, sentinels, as_of)
    flags = set(profile.flags)
    is_future = moments.is_future
    is_fallback = moments.is_fallback and profile.needs_activity
    born_on = None
    if profile.needs_birth:
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
            keys = () if profile.is_usual else profile.crm_keys_of(clock.key)
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
        due_on = review_due_on(unit, profile.review_months, sentinels)
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


def owner_of(unit: Unit) -> str | None:
    """Return the id of the dossier or lone fiche without which an audio attachment cannot exist; None for
    every other unit, and where its fiche is in several dossiers: that goes with none of them that another one
    outlasts."""
    if unit.kind is not UnitKind.ATTACHMENT or (unit.fiches and unit.fiches[0].also_in):
        return None
    if unit.belongs_to is not None:
        return unit.belongs_to.id
    return unit.fiches[0].id if unit.fiches else None


def with_owner(own: Decision, owner: Decision | None) -> Decision:
    """Return the decision of an audio attachment. Where its dossier or lone fiche (`owner`) is disposed of
    and the own term still runs, it is deleted along, always, since a note cannot exist without the row to
    which it belongs. A hold on it keeps both. Source: RET-03, ACC-03."""
    if owner is None or own.is_disposal or not owner.is_disposal or any(reason in HOLD_REASONS for reason in own.reasons):
        return own
    end = End(RECORDING, GOES_ALONG, "owner", None, "", owner.retention_end, _DELETE)
    return Decision(_DELETE, _ONLY_EXPIRED, owner.retention_end, own.flags, _RECORDING_CATEGORIES, GOES_ALONG, (end,))


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


def explain(unit: Unit, policy: Policy, holds: Holds, *, as_of: date) -> tuple[Decision, list[Step]]:
    """Return the decision of one unit and every step that led to it, so that a person can check the verdict
    by hand. The decision is the one that `decide` returns; the trace holds JSON values only, and its last
    step is the disposition. Source: RET-17, section 9.1."""
    schedule = schedule_of(policy)
    followed = governing(followed_dossier(unit), schedule, holds, as_of)
    return decide(unit, policy, holds, as_of=as_of), trace_of(unit, schedule, holds, as_of, followed)
