"""What changed between two versions of a retention schedule, in sentences for the person who approves it.

Each change states its direction: `earlier` where data are erased sooner or more of them without a check,
`later` where they are kept longer, `unclear` where that depends on the dates of each unit, `none` where no
unit ends otherwise. Source: RET-06, ACC-01 (configuration changes with before and after values), 9.4."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from rules.model.bypass import Bypass
from rules.model.decisions import Disposition
from rules.policy.categories import Category, EndOfCalendarYearAfter, MonthsAfter, NoTerm, UntilAge, UntilEvent, YearsAfter
from rules.policy.policy import Policy
from rules.policy.rows import disposition_word, period_text


class Direction(StrEnum):
    """What a change means for the data."""

    EARLIER = "earlier"
    LATER = "later"
    UNCLEAR = "unclear"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Change:
    """One changed key: its place in the file, its values as written (None: not there), and what it means."""

    where: str
    old: object
    new: object
    sentence: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a number outside the rows says, and what a higher one means for the data."""

    text: str
    higher: Direction


# Keys outside the rows that have a sentence of their own; every other key is told by its name.
MEANINGS: Final[Mapping[str, Meaning]] = {
    "defaults.late_rule_months": Meaning("months that activity after the birthday keeps a dossier", Direction.LATER),
    "defaults.review_months": Meaning("months between two reviews of a dossier without a term", Direction.NONE),
    "defaults.recording_warning_days": Meaning(
        "days before its end on which a recording that was not taken over is flagged", Direction.NONE
    ),
    "limits.units.max": Meaning("units that a plan may dispose of without two approvals", Direction.EARLIER),
    "limits.units.factor": Meaning("times the usual number of units that a plan may dispose of without two approvals", Direction.EARLIER),
    "limits.units.median_from": Meaning("units a night from which on the usual number is looked at", Direction.EARLIER),
    "limits.recordings.max": Meaning("recordings that a plan may dispose of without two approvals", Direction.EARLIER),
    "limits.recordings.factor": Meaning(
        "times the usual number of recordings that a plan may dispose of without two approvals", Direction.EARLIER
    ),
    "limits.recordings.median_from": Meaning("recordings a night from which on the usual number is looked at", Direction.EARLIER),
    "defaults.delete_after_takeover": Meaning("a recording goes as soon as it was taken over into its dossier", Direction.EARLIER),
    "plan_valid_hours": Meaning("hours in which a plan may be applied", Direction.NONE),
    "statistics.k": Meaning("rows of statistics that must be alike before one is written", Direction.NONE),
    "backups.days": Meaning("days until the oldest backup of the CRM is gone", Direction.NONE),
    "own_data.plan_lines_days": Meaning("days for which the lines of plans are kept", Direction.LATER),
    "own_data.run_log_months": Meaning("months for which the journals of runs are kept", Direction.LATER),
    "own_data.certificate_years": Meaning(
        "years for which certificates, their keys and versions of the schedule are kept", Direction.LATER
    ),
    "own_data.hold_years": Meaning("years for which released holds are kept", Direction.LATER),
    "own_data.technical_log_months": Meaning("months for which log lines are kept", Direction.LATER),
    "watch.queue.owner": Meaning("whose work it is to decide on units that nothing decides on", Direction.NONE),
    "watch.queue.days": Meaning("days in which that is due", Direction.NONE),
    "quarantine.days": Meaning("days that a unit waits after it was marked", Direction.LATER),
}


def differences(old: Policy, new: Policy, crm_categories: Collection[str] | None = None) -> tuple[Change, ...]:
    """Return every change, rows first, in the order of the new file; two schedules that say the same have
    none. Pure, and as thorough as the file: a key that this function has no sentence for is reported by its
    name with both values. `crm_categories` are those that a mapping tells, where one is named."""
    return (*_rows(old, new, crm_categories), *_derivations(old, new), *_people(old, new), *_rest(old, new))


def _rows(old: Policy, new: Policy, crm_categories: Collection[str] | None) -> Iterator[Change]:
    for key in [*new.categories, *(key for key in old.categories if key not in new.categories)]:
        before, after = old.categories.get(key), new.categories.get(key)
        if before == after:
            continue
        affected = _affected(key, new if after is not None else old, crm_categories)
        where = f"categories.{key}"
        if before is None and after is not None:
            what = f"a new row, {_said(after)}" if after.enabled else "a new row, off: it decides nothing"
            yield Change(where, None, _plain(after), f"{key}: {what}; {affected}", _brings(after))
        elif after is None and before is not None:
            what = (
                f"the row is gone ({_said(before)}); its units are kept as UNCONFIGURED" if before.enabled else "a row that was off is gone"
            )
            yield Change(where, _plain(before), None, f"{key}: {what}; {affected}", _reversed(_brings(before)))
        elif before is not None and after is not None:
            yield from _row(key, where, before, after, affected)


def _row(key: str, where: str, before: Category, after: Category, affected: str) -> Iterator[Change]:
    told: set[str] = set()
    if before.enabled != after.enabled:
        told.add("enabled")
        verb = f"off → in force, {_said(after)}" if after.enabled else "in force → off: its units are kept as UNCONFIGURED"
        direction = _brings(after) if after.enabled else _reversed(_brings(before))
        yield Change(f"{where}.enabled", before.enabled, after.enabled, f"{key}: {verb}; {affected}", direction)
    counts = after.enabled and before.enabled  # a row that is off decides nothing, whatever it says
    period = ("type", "months", "years", "age", "anchor", "event", "review_months")
    olds, news = _plain(before), _plain(after)
    if (period_text(before), before.anchors) != (period_text(after), after.anchors):
        told.update(period)
        direction = _compared(before, after) if counts else Direction.NONE
        sentence = (
            f"{key}: {_kept(before)} → {_kept(after, short=type(before) is type(after) and before.anchors == after.anchors)}; {affected}"
        )
        for name in period:
            if olds.get(name) != news.get(name):
                yield Change(f"{where}.{name}", olds.get(name), news.get(name), sentence, direction)
                break
    if before.disposition is not after.disposition:
        told.add("disposition")
        # What is deleted is gone; what is anonymised leaves a row of statistics. Both happen on the same day.
        was, then = disposition_word(before.disposition), disposition_word(after.disposition)
        direction = Direction.NONE if Disposition.KEEP not in (before.disposition, after.disposition) or not counts else Direction.UNCLEAR
        yield Change(f"{where}.disposition", was, then, f"{key}: {was} → {then} after the end; {affected}", direction)
    if before.open_blocks != after.open_blocks:
        told.add("open_blocks")
        said = "an open dossier is kept past its end" if after.open_blocks else "an open dossier goes at its end like a closed one"
        direction = (Direction.LATER if after.open_blocks else Direction.EARLIER) if counts else Direction.NONE
        yield Change(f"{where}.open_blocks", before.open_blocks, after.open_blocks, f"{key}: {said}; {affected}", direction)
    if set(before.bypass) != set(after.bypass):
        told.add("bypass")
        said, direction = _bypassed(before.bypass, after.bypass)
        bypass = Change(f"{where}.bypass", olds["bypass"], news["bypass"], f"{key}: {said}; {affected}", direction)
        yield replace(bypass, direction=direction if counts else Direction.NONE)
    for name in dict.fromkeys([*olds, *news]):
        if name not in told and olds.get(name) != news.get(name):
            direction = Direction.UNCLEAR if counts and name in {"kinds", "unit", *period} else Direction.NONE
            sentence = f"{key}: {_words(name)}: {_value(olds.get(name))} → {_value(news.get(name))}"
            yield Change(f"{where}.{name}", olds.get(name), news.get(name), sentence, direction)


def _derivations(old: Policy, new: Policy) -> Iterator[Change]:
    for crm in dict.fromkeys([*new.derive, *old.derive]):
        before, after = old.derive.get(crm), new.derive.get(crm)
        if before == after:
            continue
        olds = [line.model_dump(mode="json", exclude_none=True) for line in before] if before is not None else None
        news = [line.model_dump(mode="json", exclude_none=True) for line in after] if after is not None else None
        was = ", ".join(dict.fromkeys(line.key for line in before)) if before is not None else crm if crm in old.categories else "no row"
        then = ", ".join(dict.fromkeys(line.key for line in after)) if after is not None else crm if crm in new.categories else "no row"
        said = f"{was} → {then}" if was != then else f"{was}, by other outcomes or flags"
        yield Change(f"derive.{crm}", olds, news, f"CRM category {crm} goes by: {said}", Direction.UNCLEAR)


def _people(old: Policy, new: Policy) -> Iterator[Change]:
    for name in ("approvers", "proposed_by", "version", "valid_from", "name"):
        before, after = _plain(old).get(name), _plain(new).get(name)
        if before != after:
            sentence = f"{_words(name)}: {_value(before)} → {_value(after)}"
            yield Change(name, before, after, sentence, Direction.NONE)


def _rest(old: Policy, new: Policy) -> Iterator[Change]:
    done = {"categories", "derive", "approvers", "proposed_by", "version", "valid_from", "name"}
    olds, news = _plain(old), _plain(new)
    for name in news | olds:
        if name not in done:
            yield from _leaves(name, olds.get(name), news.get(name))


def _leaves(where: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*after, *before]):
            yield from _leaves(f"{where}.{name}", before.get(name), after.get(name))
        return
    if where == "contacts.bypass":
        said, direction = _bypassed([Bypass(word) for word in before], [Bypass(word) for word in after])
        yield Change(where, before, after, f"contacts that go or are trimmed: {said}", direction)
        return
    meaning = MEANINGS.get(where)
    said = f"{meaning.text}: {_value(before)} → {_value(after)}" if meaning else f"{where}: {_value(before)} → {_value(after)}"
    direction = Direction.NONE
    if meaning is not None and isinstance(before, int) and isinstance(after, int):
        direction = meaning.higher if after > before else _reversed(meaning.higher)
    elif where in UNCLEAR or where.startswith(tuple(f"{name}." for name in UNCLEAR)):
        direction = Direction.UNCLEAR
    elif where == "quarantine":
        direction = Direction.EARLIER if after is None else Direction.LATER
    yield Change(where, before, after, said, direction)


ANCHOR_WORDS: Final[Mapping[str, str]] = {
    "last_activity": "the last activity",
    "opened_on": "the opening",
    "closed_on": "the closing",
    "proceedings_ended_on": "the end of the proceedings",
    "transmitted_on": "the transmission",
    "ended_on": "the end",
    "booked_on": "the booking",
    "held_on": "the course",
    "own_date": "the date that the mapping names",
}
UNCLEAR: Final = frozenset({"timezone", "defaults.sentinels", "limits.categories", "quarantine.categories", "approvals", "canaries"})


BYPASS_WORDS: Final[Mapping[Bypass, str]] = {
    Bypass.PLUGINS: "plug-ins and workflows of the CRM, holds that are kept as such included",
    Bypass.FLOWS: "cloud flows",
}


def _bypassed(before: Collection[Bypass], after: Collection[Bypass]) -> tuple[str, Direction]:
    """Return what a disposal bypasses from now on, and no more. Without a plug-in that may refuse it, it
    happens sooner."""
    more, less = (
        [each for each in Bypass if each in after and each not in before],
        [each for each in Bypass if each in set(before) - set(after)],
    )
    told = [f"a disposal now passes by {' and '.join(BYPASS_WORDS[each] for each in more)}"] if more else []
    told += [f"a disposal no more passes by {' and '.join(BYPASS_WORDS[each] for each in less)}"] if less else []
    direction = Direction.EARLIER if Bypass.PLUGINS in more else Direction.LATER if Bypass.PLUGINS in less else Direction.NONE
    return "; ".join(told), direction


def _compared(before: Category, after: Category) -> Direction:
    """Return whether the new period ends sooner than the old one for every unit; only where both count the
    same way from the same dates."""
    if isinstance(after, NoTerm) or isinstance(before, NoTerm):
        if type(after) is type(before):
            return Direction.NONE
        return Direction.LATER if isinstance(after, NoTerm) else Direction.EARLIER
    old, new = _length(before), _length(after)
    if old is None or new is None or old[0] != new[0]:
        return Direction.UNCLEAR
    if old[1] == new[1]:
        return Direction.NONE
    return Direction.EARLIER if new[1] < old[1] else Direction.LATER


def _length(category: Category) -> tuple[object, int] | None:
    """Return how a row counts and how long, comparable where the first part is equal."""
    match category:
        case MonthsAfter():
            return ("after", category.anchors), category.months
        case YearsAfter():
            return ("after", category.anchors), category.years * 12
        case UntilEvent():
            return ("after", category.anchors), category.months
        case UntilAge():
            return ("age",), category.age
        case EndOfCalendarYearAfter():
            return ("year end", category.anchors), category.years
        case NoTerm():
            return None


def _brings(row: Category) -> Direction:
    """Return what a row that comes into force means for units that were kept as UNCONFIGURED before."""
    if not row.enabled or isinstance(row, NoTerm):
        return Direction.NONE
    return Direction.EARLIER


def _reversed(direction: Direction) -> Direction:
    return {Direction.EARLIER: Direction.LATER, Direction.LATER: Direction.EARLIER}.get(direction, direction)


def categories_of(key: str, policy: Policy, crm_categories: Collection[str] | None = None) -> list[str]:
    """Return the categories of the CRM that go by a row of the schedule. A row answers for the category of
    its own name too, unless `derive` leads that elsewhere: where nobody says which categories there are, if
    no line leads to the row (RET-12)."""
    found = [name for name, lines in policy.derive.items() if any(line.key == key for line in lines)]
    answers_for_itself = key in (policy.crm_categories if crm_categories is None else crm_categories)
    return [*found, key] if answers_for_itself and key not in policy.derive else found


def _affected(key: str, policy: Policy, crm_categories: Collection[str] | None) -> str:
    """Return which units a row is for, in the words of the CRM."""
    row = policy.categories[key]
    if row.unit == "dossier":
        crm = categories_of(key, policy, crm_categories)
        return f"affects units with {', '.join(crm)}" if crm else "affects no category of the CRM"
    if row.unit == "own_table":
        return "affects the rows of each table to which the mapping gives this term"
    kinds = f" of the kind {', '.join(row.kinds)}" if row.kinds else ""
    return f"affects every {row.unit}{kinds}"


def _said(row: Category) -> str:
    by = f", passing by {' and '.join(row.bypass)}" if row.bypass else ""
    return _kept(row) if isinstance(row, NoTerm) else f"{_kept(row)}, then {disposition_word(row.disposition)}{by}"


def _kept(row: Category, *, short: bool = False) -> str:
    since = f" from {', else from '.join(ANCHOR_WORDS[anchor] for anchor in row.anchors)}" if row.anchors and not short else ""
    if isinstance(row, NoTerm):
        return "kept without a term" + (f", reviewed every {row.review_months} months" if row.review_months else "")
    return f"{'' if short else 'kept '}{period_text(row)}{since}"


def _plain(model: Any) -> dict[str, Any]:
    """Return a part of the schedule as the file has it."""
    dumped: dict[str, Any] = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    return dumped


def _words(name: str) -> str:
    return name.replace("_", " ")


def _value(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(_value(part) for part in value) or "nothing"
        case dict():
            return ", ".join(f"{key} {_value(part)}" for key, part in value.items()) or "nothing"
        case _:
            return str(value)
