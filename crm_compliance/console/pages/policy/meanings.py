"""What a change between two versions of the schedule means, in the language of the page. `rules.policy.diff`
says the same in English, for the command."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.language.codes import WORDS
from crm_compliance.console.pages.policy.schedule import anchor, period
from crm_compliance.console.pages.shown_steps import capital, colon
from rules.policy.categories import Category, NoTerm
from rules.policy.diff import Change, categories_of
from rules.policy.policy import Policy
from rules.policy.rows import disposition_word

PERIOD: Final = frozenset({"type", "months", "years", "age", "anchor", "event", "review_months"})
TEXTS: Final = ("source", "basis", "suggestion")  # which pages say in their language where they are those of the shipped schedule
DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class Meaning(NamedTuple):
    """One change: its place in the file, what stood there and stands there now (empty for nothing), what that
    means."""

    where: str
    old: str
    new: str
    text: str


def meaning(visit: Visit, change: Change, old: Policy, new: Policy) -> Meaning:
    """Return what a change means."""
    first, _, rest = change.where.partition(".")
    if first == "categories":
        key, _, name = rest.partition(".")
        return _of_row(visit, change, key, name, old, new)
    before, after = _value(visit, change.old, change.where), _value(visit, change.new, change.where)
    if first == "derive":
        before, after = (_rows(visit, rest, policy) for policy in (old, new))
        said = visit.say("The CRM’s category %(category)s counts as: %(change)s.")
        return Meaning(change.where, before, after, said % {"category": _name(visit, rest, new), "change": f"{before} → {after}"})
    if change.where == "contacts.bypass":
        before, after = _bypassed(visit, change.old), _bypassed(visit, change.new)
    return Meaning(change.where, before, after, colon(visit, _path(visit, change.where), _arrow(visit, before, after)))


def _of_row(visit: Visit, change: Change, key: str, name: str, old: Policy, new: Policy) -> Meaning:
    before, after = old.categories.get(key), new.categories.get(key)
    row = after or before
    assert row is not None  # one of them has it, or nothing changed
    was, now = _value(visit, change.old, name), _value(visit, change.new, name)
    told = ""
    if not name:
        was, now = (_said(visit, each) if each is not None else "" for each in (before, after))
        if after is not None:
            told = visit.say("a new row") if after.enabled else visit.say("a new row that is off and decides nothing")
        else:
            told = visit.say("the row is gone; its units are kept") if row.enabled else visit.say("a row that was off is gone")
    elif name == "enabled":
        told = visit.say("the row comes into force") if row.enabled else visit.say("the row is off from now on; its units are kept")
        now = _said(visit, row) if row.enabled else now
    elif name in PERIOD and before is not None and after is not None:
        was, now = _kept(visit, before), _kept(visit, after)
        if before.anchors == after.anchors and not isinstance(after, NoTerm):  # how long is all that differs
            told = _arrow(visit, period(visit, before), period(visit, after))
    elif name == "disposition":
        was, now = (visit.word("outcome", str(each)) for each in (change.old, change.new))
        told = colon(visit, visit.say("what happens after the end"), f"{was} → {now}")
    elif name == "open_blocks":
        keeps, goes = visit.say("an open dossier is kept past its end"), visit.say("an open dossier goes at its end like a closed one")
        told = keeps if row.open_blocks else goes
    elif name == "bypass":
        was, now = _bypassed(visit, change.old), _bypassed(visit, change.new)
        told = colon(visit, visit.say("what a disposal passes by"), _arrow(visit, was, now))
    elif name in WORDS["row_key"]:
        told = colon(visit, visit.word("row_key", name), _arrow(visit, was, now))
    text = colon(visit, getattr(row.labels, visit.language), told or _arrow(visit, was, now))
    return Meaning(change.where, was, now, f"{text}. {_affected(visit, key, row, new if after is not None else old)}")


def _affected(visit: Visit, key: str, row: Category, policy: Policy) -> str:
    if row.unit != "dossier":
        said = colon(visit, visit.say("It concerns"), visit.word("step_row", row.unit))
        return f"{said} ({', '.join(row.kinds)})." if row.kinds else f"{said}."
    if found := categories_of(key, policy):
        return colon(visit, visit.say("It concerns units with"), ", ".join(_name(visit, each, policy) for each in found)) + "."
    return visit.say("It concerns no category of the CRM.")


def _said(visit: Visit, row: Category) -> str:
    if isinstance(row, NoTerm):
        return _kept(visit, row)
    parts = [_kept(visit, row), colon(visit, visit.say("then"), visit.word("outcome", disposition_word(row.disposition)))]
    if row.bypass:
        parts.append(colon(visit, visit.say("what a disposal passes by"), _bypassed(visit, row.bypass)))
    return visit.say("; ").join(parts)


def _kept(visit: Visit, row: Category) -> str:
    said = period(visit, row)
    if isinstance(row, NoTerm) and row.review_months:
        reviewed = visit.say_counted("reviewed every %s month", "reviewed every %s months", row.review_months)
        return f"{said}, {reviewed}"
    anchors = f", {visit.say('else')} ".join(anchor(visit, each.value, row.unit) for each in row.anchors)
    return f"{said}, {colon(visit, visit.say('counted from'), anchors)}" if anchors else said


def _rows(visit: Visit, crm: str, policy: Policy) -> str:
    """Return the rows that a category of the CRM goes by."""
    lines = policy.derive.get(crm)
    keys = dict.fromkeys(line.key for line in lines) if lines is not None else [crm] if crm in policy.categories else []
    return ", ".join(_name(visit, key, policy) for key in keys) or visit.say("no row")


def _name(visit: Visit, key: str, policy: Policy) -> str:
    row = policy.categories.get(key)
    return getattr(row.labels, visit.language) if row is not None else visit.category(key)


def _bypassed(visit: Visit, found: object) -> str:
    words = [visit.word("bypass", str(each)) for each in found] if isinstance(found, Iterable) else []
    return ", ".join(words) or visit.say("nothing")


def _path(visit: Visit, where: str) -> str:
    """Return the place of a key outside the rows in words, from the whole to the part."""
    if where in WORDS["schedule_key"]:
        return capital(visit.word("schedule_key", where))
    first, *parts = where.split(".")
    named = (_part(visit, ".".join((first, *parts[: at + 1]))) for at in range(len(parts)))
    return capital(", ".join((visit.word("schedule_key", first), *named)))


def _part(visit: Visit, where: str) -> str:
    """Return the words of a key that stands below another: those of its place, else of its name; the name of
    a category."""
    if where in WORDS["schedule_key"]:
        return visit.word("schedule_key", where)
    name = where.rpartition(".")[2]
    return visit.word("schedule_part", name) if name in WORDS["schedule_part"] else visit.category(name)


def _value(visit: Visit, value: object, where: str) -> str:
    """Return a value of a key as people write it; `where` is the place of the key."""
    match value:
        case None:
            return ""
        case bool():
            return visit.say("yes") if value else visit.say("no")
        case int():
            return visit.formats.number(value)
        case list() | tuple():
            return ", ".join(_value(visit, part, where) for part in value) or visit.say("nothing")
        case Mapping():
            places = ((f"{where}.{key}", part) for key, part in value.items())
            said = (colon(visit, _part(visit, place), _inner(visit, part, place)) for place, part in places)
            return ", ".join(said) or visit.say("nothing")
        case _:
            text = str(value)
            if where.rpartition(".")[2] in TEXTS:
                return visit.say(text)
            return visit.formats.day(text) if DAY.fullmatch(text) else text


def _inner(visit: Visit, value: object, where: str) -> str:
    return visit.word("inner", value) if isinstance(value, str) else _value(visit, value, where)


def _arrow(visit: Visit, old: str, new: str) -> str:
    return f"{old or visit.say('nothing')} → {new or visit.say('nothing')}"
