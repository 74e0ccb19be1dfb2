"""Conditions on the facts of units, for a hold on anything that fits them instead of on one row. They are
checked for every unit each time it is judged, so such a hold covers by itself what fits later on. Doubt
keeps: a day that is not known fits every range, and so does one that only stands for an unknown day (RET-14).
Source: HLD-01, HLD-07; an addition of this product."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from enum import Enum
from types import MappingProxyType
from typing import Final

import msgspec

from rules.errors import UsageError
from rules.hints import hint_to
from rules.holds.coverage import levels_of
from rules.model.records import OF_ITS_DOSSIER, Dossier, Fiche, Recording, Unit, UnitKind

NONE: Final = "none"  # the value of a field that is empty
YES_NO: Final = ("yes", "no")


class Condition(msgspec.Struct, frozen=True):
    """One field of a unit and the values that fit, any of them; days are in ISO form."""

    field: str
    values: tuple[str, ...]


class Comparison(Enum):
    """How the values of a condition are compared with what the CRM says. The same over columns is in
    rules/law/held_by_conditions.py."""

    SINCE = "on the day or later"
    UNTIL = "on the day or earlier"
    ONE_OF = "one of the keys"
    ANY_OF = "some of the keys"
    YES_NO = "yes or no; no where nothing is known"
    YES_UNLESS_NO = "yes or no; yes where nothing is known"


class Field(msgspec.Struct, frozen=True):
    """What a hold may ask for: the fact of a record, and how it is compared."""

    fact: str
    comparison: Comparison


# By kind of record: the fields that a hold may ask for. Those of a fiche are all met by the same one.
FIELDS: Final[Mapping[str, Mapping[str, Field]]] = MappingProxyType(
    {
        "dossier": {
            "category": Field("categories", Comparison.ANY_OF),  # its own and those of its fiches
            "outcome": Field("outcome", Comparison.ONE_OF),
            "opened_from": Field("opened_on", Comparison.SINCE),
            "opened_to": Field("opened_on", Comparison.UNTIL),
            "closed_from": Field("closed_on", Comparison.SINCE),
            "closed_to": Field("closed_on", Comparison.UNTIL),
            "public_alert": Field("public_alert", Comparison.YES_NO),
            "active": Field("is_active", Comparison.YES_UNLESS_NO),
        },
        "fiche": {
            "category": Field("categories", Comparison.ANY_OF),
            "communicated_from": Field("communicated_on", Comparison.SINCE),
            "communicated_to": Field("communicated_on", Comparison.UNTIL),
        },
        "recording": {
            "ended_from": Field("ended_on", Comparison.SINCE),
            "ended_to": Field("ended_on", Comparison.UNTIL),
            "taken_over": Field("taken_over", Comparison.YES_NO),
            "evidence": Field("evidence", Comparison.YES_NO),
        },
    }
)
_OF_FICHES: Final = frozenset({"category"})  # of a dossier: also told by its fiches


def read_conditions(kind: str, given: Sequence[str], *, categories: Collection[str], outcomes: Collection[str]) -> tuple[Condition, ...]:
    """Read conditions written FIELD=VALUE; a field named again takes any of its values, fields must fit all.
    `categories` and `outcomes` are the keys that the schedule knows; an option that nobody mapped is named by
    its number. Raises UsageError: no condition, a kind without conditions, an unknown field or value."""
    fields = FIELDS.get(kind)
    if fields is None:
        raise UsageError("holds by conditions are for dossiers, fiches and recordings", hint=hint_to("name_row"), field="where")
    if not given:
        raise UsageError(
            "a hold without any condition would cover everything", hint=f"FIELD=VALUE, one of: {', '.join(fields)}", field="where"
        )
    found: dict[str, list[str]] = {}
    for text in given:
        field, is_pair, value = (part.strip() for part in text.partition("="))
        if not is_pair or field not in fields:
            raise UsageError(f"there is no such condition: {field[:40]}", hint=f"FIELD=VALUE, one of: {', '.join(fields)}", field="where")
        found.setdefault(field, []).append(_checked(field, value, categories, outcomes))
    return tuple(Condition(field, tuple(values)) for field, values in found.items())


def _checked(field: str, value: str, categories: Collection[str], outcomes: Collection[str]) -> str:
    if field.endswith(("_from", "_to")):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise UsageError(f"{field} is not a date: {value[:40]}", hint="write it as 2026-11-25", field="where") from None
    if field in ("category", "outcome"):
        known = categories if field == "category" else outcomes
        if value in known or value == NONE or value.isdecimal():
            return value
        raise UsageError(f"there is no such {field}: {value[:40]}", hint=f"one of: {', '.join(sorted(known))}, or {NONE}", field="where")
    if value not in YES_NO:
        raise UsageError(f"{field} is yes or no, not {value[:40]}", field="where")
    return value


def fits(unit: Unit, kind: str, conditions: Sequence[Condition], *, in_part: bool = False, sentinels: Collection[date] = ()) -> bool:
    """Return whether a unit, or what it belongs to, has all the facts that a hold on this kind of record
    requires. A dossier that fits covers its recordings, a fiche that fits its unit. With `in_part` a part of
    the unit is gone already: what that part would have shown counts as fitting. A day among the `sentinels`
    is not known."""
    return any(_fits(level, kind, conditions, in_part, sentinels) for level in levels_of(unit))


def _fits(unit: Unit, kind: str, conditions: Sequence[Condition], in_part: bool, sentinels: Collection[date]) -> bool:
    if kind == UnitKind.DOSSIER:
        if unit.dossier is None:
            return False
        every = msgspec.structs.replace(unit.dossier, categories=tuple(_categories_of(unit)), closed_on=_closed_on(unit.dossier))
        return all(_meets(every, kind, one, sentinels) for one in conditions if not (in_part and one.field in _OF_FICHES))
    if kind == UnitKind.RECORDING:
        return unit.recording is not None and all(_meets(unit.recording, kind, one, sentinels) for one in conditions)
    if in_part and unit.kind in (UnitKind.DOSSIER, UnitKind.FICHE):
        return True
    fiches = (_with_categories(fiche, unit, conditions) for fiche in unit.fiches)
    return any(all(_meets(fiche, kind, one, sentinels) for one in conditions) for fiche in fiches)


def _closed_on(dossier: Dossier) -> date | None:
    """Return when a dossier was closed; a date left on one that is open, or open again, counts nowhere
    (RET-10)."""
    return dossier.closed_on if dossier.is_active is False else None


def _categories_of(unit: Unit) -> set[str]:
    found = {category for fiche in unit.fiches for category in fiche.categories} - {OF_ITS_DOSSIER}
    return found.union(unit.dossier.categories) if unit.dossier is not None else found


def _with_categories(fiche: Fiche, unit: Unit, conditions: Sequence[Condition]) -> Fiche:
    """Return a fiche with the categories by which it goes: those of its dossier where it has none of its own
    (`OF_ITS_DOSSIER`), and where that has none either whatever is asked for, since doubt keeps (HLD-07)."""
    if fiche.categories != (OF_ITS_DOSSIER,):
        return fiche
    known = {category for level in levels_of(unit) if level.dossier is not None for category in level.dossier.categories}
    asked = (value for one in conditions if one.field == "category" for value in one.values)
    return msgspec.structs.replace(fiche, categories=tuple(known or asked))


def _meets(record: Dossier | Fiche | Recording, kind: str, condition: Condition, sentinels: Collection[date]) -> bool:
    field, values = FIELDS[kind][condition.field], condition.values
    told = getattr(record, field.fact)
    match field.comparison:
        case Comparison.SINCE:
            return told is None or told in sentinels or any(told >= date.fromisoformat(value) for value in values)
        case Comparison.UNTIL:
            return told is None or told in sentinels or any(told <= date.fromisoformat(value) for value in values)
        case Comparison.ONE_OF:
            return (told or NONE) in values
        case Comparison.ANY_OF:
            return any(value in told or (value == NONE and not told) for value in values)
        case Comparison.YES_NO:
            return YES_NO[not told] in values
        case Comparison.YES_UNLESS_NO:
            return YES_NO[told is False] in values
