"""The dates of one case, counted back from the day on which its retention ends."""

from dataclasses import dataclass
from datetime import date

from connectors.emulator.seeding.cases import SIX_MONTHS, Case
from connectors.emulator.seeding.draw import Draw, add_months, days_after

_DUE_SHARE = 0.38
_CLEANED_UNTIL_DAYS = 60  # the last clean-up was about two months ago: little is older than that
_EXACT_WITHIN_DAYS = 2
_MANY_FICHES = 6


@dataclass(frozen=True, slots=True)
class Timeline:
    """When the fiches came, when the dossier closed, and when its youngest child was born."""

    fiches_on: tuple[date, ...]
    born_on: date
    closed_on: date | None = None
    reopened_on: date | None = None
    proceedings_ended_on: date | None = None
    reviewed_on: date | None = None


def dossier_timeline(case: Case, draw: Draw, as_of: date) -> Timeline:
    """Return dates that fit the description of the case, on the day `as_of`."""
    if case.all_categories and case.all_categories <= SIX_MONTHS:
        return _six_months(case, draw, as_of)
    if case.age_limit is not None:
        return _until_age(case, draw, as_of, case.age_limit)
    if "civil_party" in case.all_categories:
        return _civil_party(case, draw, as_of)
    return _without_end(case, draw, as_of)


def lone_fiche_timeline(case: Case, draw: Draw, as_of: date) -> Timeline:
    if case.all_categories and case.all_categories <= SIX_MONTHS:
        communicated_on = add_months(_end(case, draw, as_of, 178), -6)
    elif case.age_limit is not None and case.end_in is not None:
        communicated_on = days_after(as_of, min(0, case.end_in) - draw.number(1, 200))
    else:
        communicated_on = days_after(as_of, -draw.number(1, 500))
    born_on = days_after(communicated_on, -365 * draw.number(10, 15) - draw.number(0, 364))
    if case.age_limit is not None:
        born_on = add_months(_end(case, draw, as_of, 365 * 5), -12 * case.age_limit)
    return Timeline((communicated_on,), born_on)


def _end(case: Case, draw: Draw, as_of: date, horizon_days: int) -> date:
    if case.end_in is not None:
        if abs(case.end_in) <= _EXACT_WITHIN_DAYS:
            return days_after(as_of, case.end_in)
        further = draw.number(0, 8 + abs(case.end_in) // 6)  # so that the children of a case are not all born on one day
        return days_after(as_of, case.end_in + (further if case.end_in > 0 else -further))
    if case.state == "closed" and draw.chance(_DUE_SHARE):
        return days_after(as_of, -draw.number(1, _CLEANED_UNTIL_DAYS))
    return days_after(as_of, draw.number(0, horizon_days))


def _six_months(case: Case, draw: Draw, as_of: date) -> Timeline:
    anchor = add_months(_end(case, draw, as_of, 178), -6)
    born_on = days_after(anchor, -365 * draw.number(9, 16))
    if case.state == "reopened":
        first_end = days_after(anchor, -draw.number(20, 60))
        fiches_on = _fiches_on(case, draw, days_after(first_end, -draw.number(1, 30)), first_end)
        return Timeline(fiches_on, born_on, closed_on=days_after(first_end, 5), reopened_on=anchor)
    fiches_on = _fiches_on(case, draw, days_after(anchor, -draw.waiting_days(20)), anchor)
    closed_on = min(as_of, days_after(anchor, draw.number(0, 40)))
    return Timeline(fiches_on, born_on, closed_on=_closing(case, closed_on, as_of))


def _until_age(case: Case, draw: Draw, as_of: date, age_limit: int) -> Timeline:
    end = _end(case, draw, as_of, 365 * (7 if age_limit == 18 else 12))
    if "late" in case.twists:
        closed_on = add_months(end, -6)
        last = days_after(closed_on, -draw.number(3, 12))
        born_on = add_months(days_after(last, -draw.number(40, 700)), -12 * age_limit)
        return Timeline(_fiches_on(case, draw, days_after(last, -draw.number(0, 30)), last), born_on, closed_on=closed_on)
    age_end = days_after(end, -400) if "civil_ends_last" in case.twists else end
    born_on = add_months(age_end, -12 * age_limit)
    ceiling = min(age_end, as_of)  # activity after this day would move the end
    if "born_after_first_fiche" in case.twists:
        first = days_after(born_on, -40)
        last = days_after(first, 90)
    elif case.state == "closed" and "recent_recording" not in case.twists:
        first = add_months(born_on, 12 * draw.number(10, 16) + draw.number(0, 11))
        if first > days_after(ceiling, -90):
            first = days_after(ceiling, -90 - draw.waiting_days(120))
        last = min(days_after(first, draw.waiting_days(50)), days_after(ceiling, -25))
    else:
        last = days_after(ceiling, -20 - min(400, draw.waiting_days(50)))
        first = days_after(last, -draw.waiting_days(150))
    return Timeline(
        _fiches_on(case, draw, first, last),
        born_on,
        closed_on=_closing(case, days_after(last, draw.number(2, 20)), as_of),
        reopened_on=days_after(last, -1) if case.state == "reopened" else None,
        proceedings_ended_on=_mixed_proceedings(case, end),
    )


def _mixed_proceedings(case: Case, end: date) -> date | None:
    if "civil_party" not in case.all_categories:
        return None
    return add_months(days_after(end, -300) if "age_ends_last" in case.twists else end, -60)


def _civil_party(case: Case, draw: Draw, as_of: date) -> Timeline:
    ended_on = add_months(_end(case, draw, as_of, 365 * 5 - 10), -60)
    last = days_after(ended_on, -draw.number(5, 200))
    first = days_after(last, -draw.number(100, 900))
    born_on = days_after(first, -365 * draw.number(8, 15))
    closed_on = min(as_of, days_after(ended_on, draw.number(0, 30)))
    ended: date | None = ended_on
    if "no_proceedings_end" in case.twists:
        closed_on, ended = ended_on, None
    elif "proceedings_in_future" in case.twists:
        ended = days_after(as_of, 100)
    return Timeline(_fiches_on(case, draw, first, last), born_on, _closing(case, closed_on, as_of), proceedings_ended_on=ended)


def _without_end(case: Case, draw: Draw, as_of: date) -> Timeline:
    first = days_after(as_of, -draw.number(150, 3200))
    if "review_due" in case.twists:
        first = add_months(as_of, -60)
    last = min(days_after(first, draw.waiting_days(90)), days_after(as_of, -30))
    return Timeline(
        _fiches_on(case, draw, first, last),
        days_after(first, -365 * draw.number(6, 16) - draw.number(0, 364)),
        closed_on=_closing(case, days_after(last, draw.number(2, 25)), as_of),
        reviewed_on=draw.day(max(first, days_after(as_of, -1500)), as_of) if "reviewed" in case.twists else None,
    )


def _closing(case: Case, closed_on: date, as_of: date) -> date | None:
    if case.state == "open":
        return None
    return days_after(as_of, 20) if case.state == "closing_in_future" else closed_on


def _fiches_on(case: Case, draw: Draw, first: date, last: date) -> tuple[date, ...]:
    """Return the first and the last fiche on these days, any others in between."""
    count = len(case.on_fiches) or draw.weighted((1, 2, 3, 4, 5, 6), (48, 26, 14, 7, 3, 2))
    if "many_fiches" in case.twists:
        count = _MANY_FICHES
    elif "fiche_without_category" in case.twists:
        count = max(2, count)
    if count == 1:
        return (last,)
    return (first, *sorted(draw.day(first, last) for _ in range(count - 2)), last)
