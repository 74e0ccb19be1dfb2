"""Anchors and retention ends: from which day each category of a unit counts, and the last day on which it is
kept. Source: RET-06 to RET-10, RET-16, RET-21, DAT-10, DAT-14."""

from collections.abc import Collection, Iterable
from datetime import date
from enum import IntEnum
from typing import Final

import msgspec

from rules.dates.periods import MONTHS_PER_YEAR, add_months, end_of_calendar_year_after, period_of_months
from rules.model.decisions import Disposition, End, Flag
from rules.model.records import Contact, Fiche, Unit, UnitKind
from rules.people.birthdates import Sentinels, latest_compatible
from rules.policy.categories import Anchor, Category, EndOfCalendarYearAfter, MonthsAfter, NoTerm, UntilAge, UntilEvent, YearsAfter

RECORDING: Final = "recording"
LATE_RULE: Final = "RET-10"

BIRTH: Final = "birth_date"
LAST_ACTIVITY: Final = Anchor.LAST_ACTIVITY.value
CLOSED_ON: Final = Anchor.CLOSED_ON.value
PROCEEDINGS_ENDED_ON: Final = Anchor.PROCEEDINGS_ENDED_ON.value
ENDED_ON: Final = Anchor.ENDED_ON.value
STARTED_ON: Final = "started_on"
COMMUNICATED_ON: Final = "communicated_on"
CREATED_ON: Final = "created_on"

# Anchors that every dossier is asked for; the others are looked up only where a schedule names them.
_USUAL: Final = frozenset((LAST_ACTIVITY, CLOSED_ON, PROCEEDINGS_ENDED_ON))


class Kind(IntEnum):
    """How a clock counts."""

    PERIOD = 0
    AGE = 1
    YEAR_END = 2
    NO_TERM = 3


class Clock(msgspec.Struct, frozen=True):
    """One row of the schedule, ready to count. `months` is the length of any period, also of years; `anchors`
    are in order of choice."""

    key: str
    rule: str
    kind: Kind
    months: int
    anchors: tuple[str, ...]
    period: str
    disposition: Disposition
    review_months: int
    is_usual: bool
    uses_activity: bool


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


def clock_of(key: str, category: Category, *, review_months: int) -> Clock:
    """Make the clock of one row of the schedule; `review_months` is for a no-term row that names none itself
    (RET-06, RET-15)."""
    anchors = tuple(anchor.value for anchor in category.anchors)
    months, rule, kind = 0, "RET-06", Kind.PERIOD
    match category:
        case MonthsAfter():
            months = category.months
        case YearsAfter():
            months = category.years * MONTHS_PER_YEAR
        case UntilEvent():
            months = category.months
        case EndOfCalendarYearAfter():
            months, kind = category.years * MONTHS_PER_YEAR, Kind.YEAR_END
        case UntilAge():
            months, anchors, kind, rule = category.age * MONTHS_PER_YEAR, (BIRTH,), Kind.AGE, "RET-08"
        case NoTerm():
            kind, rule = Kind.NO_TERM, "RET-15"
            review_months = category.review_months or review_months
    if LAST_ACTIVITY in anchors:
        rule = "RET-07"
    elif category.unit == RECORDING:
        rule = "RET-21"
    return Clock(
        key=key,
        rule=category.rule if "rule" in category.model_fields_set else rule,
        kind=kind,
        months=months,
        anchors=anchors,
        period="" if kind is Kind.NO_TERM else period_of_months(months),
        disposition=category.disposition,
        review_months=review_months,
        is_usual=_USUAL.issuperset(anchors),
        uses_activity=kind is Kind.AGE or LAST_ACTIVITY in anchors,
    )


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
        born_on, flags = latest_compatible(child, first_fiche_on, sentinels, as_of)
        if flags:
            found.update(flags)
        if born_on is None:
            is_absent = True
        elif latest is None or born_on > latest:
            latest = born_on
    return (None if is_absent else latest), found


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


def end_after(clock: Clock, on: date) -> date:
    """Count a clock's period from a day (RET-06)."""
    if clock.kind is Kind.YEAR_END:
        return end_of_calendar_year_after(on, clock.months // MONTHS_PER_YEAR)
    return add_months(on, clock.months)


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


def without_sentinel(on: date | None, sentinels: Collection[date]) -> date | None:
    """Read a sentinel as the absent date that it stands for (RET-14)."""
    return None if on is None or on in sentinels else on


def review_due_on(unit: Unit, months: int, sentinels: Collection[date]) -> date | None:
    """Return from which day on a no-term unit is listed for review: months after its last review, else after
    its opening. A lone fiche counts from its communication. The day itself is listed. Source: RET-15."""
    if unit.dossier is not None:
        since = without_sentinel(unit.dossier.reviewed_on, sentinels) or without_sentinel(unit.dossier.opened_on, sentinels)
    else:
        fiche = unit.fiches[0] if unit.fiches else Fiche()
        since = without_sentinel(fiche.communicated_on, sentinels) or without_sentinel(fiche.created_on, sentinels)
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


def followed_dossier(unit: Unit) -> Unit | None:
    """Return the dossier that a recording or attachment follows on its evidence mark; None where it has its
    own term (RET-05). On a lone fiche, or without a fiche, the mark has no effect."""
    marked = unit.recording.evidence if unit.recording is not None else unit.note is not None and unit.note.evidence
    owner = unit.belongs_to
    return owner if marked and owner is not None and owner.kind is UnitKind.DOSSIER else None
