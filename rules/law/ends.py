"""The retention end that each category gives a unit. Which of several decides is said in
deciding_category.py. Source: RET-06, RET-08, RET-10."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import polars as pl

from rules.dates.periods import MONTHS_PER_YEAR, period_of_months
from rules.law.codes import TEXT, surely, text
from rules.law.days import add_months, end_of_calendar_year_after, is_to_come
from rules.law.facts import SEPARATOR
from rules.law.terms import Basis, Terms
from rules.model.decisions import Disposition
from rules.policy.categories import Anchor
from rules.retention.clocks import BIRTH, CLOSED_ON, LAST_ACTIVITY, LATE_RULE, PROCEEDINGS_ENDED_ON, Clock, Kind
from rules.retention.compiled_schedule import Schedule

# Where the days stand that a row of the schedule may count from (RET-06).
_DAY_OF: Final = {
    PROCEEDINGS_ENDED_ON: "proceedings_ended_on",
    CLOSED_ON: "shut_on",
    Anchor.OPENED_ON.value: "opened_on",
    Anchor.TRANSMITTED_ON.value: "transmitted",
}
_OF_FILES: Final = (
    "last_activity",
    "is_undated",
    "shut_on",
    "late_activity_on",
    "closing_is_last",
    "proceedings_ended_on",
    "opened_on",
    "born_on",
)
_ASKED: Final = ["row", "today", "terms", *_OF_FILES, "own_day", "own_anchor", "taken_over"]
ENDS: Final[Mapping[str, Any]] = {
    "row": pl.UInt32,
    "place": pl.UInt32,
    "on": pl.Date,
    "anchor": TEXT,
    "anchor_on": pl.Date,
    "rule": TEXT,
    "period": TEXT,
    "category": TEXT,
    "disposition": TEXT,
    "is_termless": pl.Boolean,
    "is_second_choice": pl.Boolean,
    "is_to_come": pl.Boolean,
    "is_only": pl.Boolean,
    "birthday": pl.Date,
}


def ends_of(units: pl.DataFrame, fiches: pl.DataFrame, terms: Sequence[Terms], schedule: Schedule) -> pl.DataFrame:
    """Return a row for each category of each unit: `row`, its unit; `place` among its categories; `on`, the
    last day kept, null where its anchor is absent or it has no term; with `anchor`, `anchor_on`, `rule`,
    `period`, `category`, `disposition` as the schedule says them.

    `birthday`: on which a child of the file comes of the age of an age-based category (RET-08).
    `is_second_choice`: the anchor is not the first that the row of the schedule names. `is_to_come`: it is
    a day that not every dossier is asked for, and still to come (RET-16)."""
    parts: list[pl.DataFrame] = []
    for basis, clock, of_clock in _by_clock(units[_ASKED], terms):
        if basis is Basis.FILE and Anchor.TRANSMITTED_ON.value in clock.anchors:
            of_clock = _with_transmission(of_clock, fiches, clock, terms)
        if clock.kind is Kind.AGE:
            of_clock = of_clock.with_columns_seq(birthday=_birthday(clock))
        parts.append(of_clock.select_seq(_end(basis, clock, schedule)))
    return pl.concat(parts) if parts else pl.DataFrame(schema=ENDS)


def _by_clock(asked: pl.DataFrame, terms: Sequence[Terms]) -> Iterator[tuple[Basis, Clock, pl.DataFrame]]:
    """Yield the units that each clock counts for, with its `place` among their categories, and whether it
    `is_only` one."""
    if len(terms) == 1:  # every unit has the same, so nothing has to be joined
        clocks = terms[0].clocks
        is_only = pl.Series("is_only", [len(clocks) == 1]).new_from_index(0, asked.height)
        for place, clock in enumerate(clocks):
            yield terms[0].basis, clock, asked.hstack([pl.Series("place", [place], pl.UInt32).new_from_index(0, asked.height), is_only])
        return
    numbers: dict[tuple[Basis, Clock], int] = {}
    pairs = [(number, place, each, clock) for number, each in enumerate(terms) for place, clock in enumerate(each.clocks)]
    of_terms = pl.DataFrame(
        {
            "terms": pl.Series([number for number, _, _, _ in pairs], dtype=pl.UInt32),
            "place": pl.Series([place for _, place, _, _ in pairs], dtype=pl.UInt32),
            "clock": pl.Series([numbers.setdefault((each.basis, clock), len(numbers)) for _, _, each, clock in pairs], dtype=pl.UInt32),
            "is_only": pl.Series([len(each.clocks) == 1 for _, _, each, _ in pairs], dtype=pl.Boolean),
        }
    )
    of_clocks = asked.join(of_terms, on="terms").partition_by("clock", as_dict=True, maintain_order=False)
    for (basis, clock), number in numbers.items():
        if (number,) in of_clocks:
            yield basis, clock, of_clocks[number,]


@lru_cache(maxsize=256)
def _birthday(clock: Clock) -> pl.Expr:
    return add_months(pl.col("born_on"), clock.months)


@lru_cache(maxsize=256)
def _end(basis: Basis, clock: Clock, schedule: Schedule) -> list[pl.Expr]:
    """Return all columns of an end: those that are there by now, and what the clock says."""
    is_termless = clock.kind is Kind.NO_TERM
    told = {
        "anchor": text(""),
        "anchor_on": pl.lit(None, pl.Date),
        "rule": text(clock.rule),
        "period": text(clock.period),
        "category": text(clock.key),
        "disposition": text(Disposition.KEEP.value if is_termless else clock.disposition.value),
        "is_termless": pl.lit(is_termless),
        "is_second_choice": pl.lit(False),
        "is_to_come": pl.lit(False),
        "on": pl.lit(None, pl.Date),
        "birthday": pl.col("birthday") if clock.kind is Kind.AGE else pl.lit(None, pl.Date),
    }
    if basis is Basis.OWN_DAY and not is_termless:
        told |= _end_of_row(clock, schedule)
    elif clock.kind is Kind.AGE:
        told |= _age_end(clock, schedule)
    elif not is_termless:
        told |= _anchored_end(clock)
    return [told.get(name, pl.col(name)).alias(name) for name in ENDS]


def _age_end(clock: Clock, schedule: Schedule) -> dict[str, pl.Expr]:
    """Return the end at an age. The birthday is the last day kept (RET-08); where the last activity or the
    closing came later, it is those and the late months (RET-10), which 0 switches off."""
    born, birthday = pl.col("born_on"), pl.col("birthday")
    if not schedule.late_months:
        return {"on": birthday, "anchor": text(BIRTH), "anchor_on": born}
    birthday = pl.when(~pl.col("is_undated")).then(birthday)  # the last activity is unknown
    late = pl.col("late_activity_on")
    is_late = surely(late > birthday)
    last = pl.when("closing_is_last").then(text(CLOSED_ON)).otherwise(text(LAST_ACTIVITY))
    return {
        "on": pl.when(is_late).then(add_months(late, schedule.late_months)).otherwise(birthday),
        "anchor": pl.when(is_late).then(last).otherwise(text(BIRTH)),
        "anchor_on": pl.when(is_late).then(late).otherwise(born),
        "rule": pl.when(is_late).then(text(LATE_RULE)).otherwise(text(clock.rule)),
        "period": pl.when(is_late).then(text(period_of_months(schedule.late_months))).otherwise(text(clock.period)),
    }


def _anchored_end(clock: Clock) -> dict[str, pl.Expr]:
    """Return the end from the first of the row's anchors that exists, plus its period (RET-06). A last
    activity that is unknown leaves no other choice (RET-07)."""
    first = clock.anchors[0]
    chosen_on, chosen = pl.lit(None, pl.Date), text(first)
    for anchor in reversed(clock.anchors):
        day = _day_of(anchor)
        choice = pl.when(day.is_not_null())
        chosen_on, chosen = choice.then(day).otherwise(chosen_on), choice.then(text(anchor)).otherwise(chosen)
        if anchor == LAST_ACTIVITY:
            unknown = pl.when("is_undated")
            chosen_on, chosen = unknown.then(None).otherwise(chosen_on), unknown.then(text(first)).otherwise(chosen)
    told = {"on": _after(chosen_on, clock), "anchor": chosen, "anchor_on": chosen_on}
    if len(clock.anchors) > 1:
        told["is_second_choice"] = chosen_on.is_not_null() & (chosen != first)
    if not clock.is_usual:
        told["is_to_come"] = is_to_come(chosen_on)
    return told


def _end_of_row(clock: Clock, schedule: Schedule) -> dict[str, pl.Expr]:
    """Return the end of a row that counts from its own day: a recording, gift, course, agreement or row of a
    dependent table. One that was taken over may go at once, where the schedule says so (RET-21)."""
    day, goes_at_once = pl.col("own_day"), surely(pl.col("taken_over")) & schedule.delete_after_takeover
    return {
        "on": pl.when(goes_at_once).then(day).otherwise(_after(day, clock)),
        "anchor": pl.col("own_anchor"),
        "anchor_on": day,
        "period": pl.when(goes_at_once).then(text("P0M")).otherwise(text(clock.period)),
    }


def _after(day: pl.Expr, clock: Clock) -> pl.Expr:
    if clock.kind is Kind.YEAR_END:
        return end_of_calendar_year_after(day, clock.months // MONTHS_PER_YEAR)
    return add_months(day, clock.months)


def _day_of(anchor: str) -> pl.Expr:
    if anchor == LAST_ACTIVITY:
        return pl.when(~pl.col("is_undated")).then("last_activity")
    return pl.col(_DAY_OF[anchor]) if anchor in _DAY_OF else pl.lit(None, pl.Date)


TRANSMITTED_ON: Final = pl.when(pl.col("transmitted_on").is_not_null().all()).then(pl.col("transmitted_on").max())  # 2.3


def _with_transmission(asked: pl.DataFrame, fiches: pl.DataFrame, clock: Clock, terms: Sequence[Terms]) -> pl.DataFrame:
    """Add `transmitted`: the latest transmission of the fiches of the category, of all where none has it;
    null as long as one of them was not transmitted (2.3)."""
    covered = {number: set(each.crm_keys[each.clocks.index(clock)]) for number, each in enumerate(terms) if clock in each.clocks}
    of_units = fiches.join(asked.select("row", "terms"), on="row")
    concerned = [
        categories == "" or not covered[number].isdisjoint(categories.split(SEPARATOR))
        for number, categories in of_units.select("terms", "categories").iter_rows()
    ]
    marked = of_units.with_columns_seq(concerned=pl.Series(concerned, dtype=pl.Boolean)).with_columns_seq(
        counts=pl.col("concerned") | ~pl.col("concerned").any().over("row")
    )
    latest = marked.filter("counts").group_by("row").agg(transmitted=TRANSMITTED_ON)
    return asked.join(latest, on="row", how="left", maintain_order="left")
