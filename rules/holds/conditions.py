"""Conditions on the facts of units, for a hold on anything that fits them instead of on one row. They are
checked for every unit each time it is judged, so such a hold covers by itself what fits later on. Doubt
keeps: a day that is not known fits every range. Source: HLD-01, HLD-07; an addition of this product."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final

import msgspec

from rules.errors import UsageError
from rules.hints import hint_to
from rules.model.records import Dossier, Fiche, Recording, Unit, UnitKind

NONE: Final = "none"  # the value of a field that is empty
YES_NO: Final = ("yes", "no")


class Condition(msgspec.Struct, frozen=True):
    """One field of a unit and the values that fit, any of them; days are in ISO form."""

    field: str
    values: tuple[str, ...]


Test = Callable[[Unit, Condition], bool]


def _day_of(text: str) -> date:
    return date.fromisoformat(text)


def _since(day: date | None, condition: Condition) -> bool:
    return day is None or any(day >= _day_of(value) for value in condition.values)


def _until(day: date | None, condition: Condition) -> bool:
    return day is None or any(day <= _day_of(value) for value in condition.values)


def _says(told: bool, condition: Condition) -> bool:
    return ("yes" if told else "no") in condition.values


def _has_category(categories: Collection[str], condition: Condition) -> bool:
    return any(value in categories or (value == NONE and not categories) for value in condition.values)


def _dossier(unit: Unit) -> Dossier:
    return unit.dossier if unit.dossier is not None else Dossier()


def _recording(unit: Unit) -> Recording:
    return unit.recording if unit.recording is not None else Recording()


def _categories_of(unit: Unit) -> set[str]:
    found = {category for fiche in unit.fiches for category in fiche.categories}
    return found.union(unit.dossier.categories) if unit.dossier is not None else found


_DOSSIER: Final[Mapping[str, Test]] = {
    "category": lambda unit, condition: _has_category(_categories_of(unit), condition),
    "outcome": lambda unit, condition: (_dossier(unit).outcome or NONE) in condition.values,
    "opened_from": lambda unit, condition: _since(_dossier(unit).opened_on, condition),
    "opened_to": lambda unit, condition: _until(_dossier(unit).opened_on, condition),
    "closed_from": lambda unit, condition: _since(_dossier(unit).closed_on, condition),
    "closed_to": lambda unit, condition: _until(_dossier(unit).closed_on, condition),
    "public_alert": lambda unit, condition: _says(bool(_dossier(unit).public_alert), condition),
    "active": lambda unit, condition: _says(_dossier(unit).is_active is not False, condition),
}


def _of_one_fiche(test: Callable[[Fiche, Condition], bool]) -> Test:
    return lambda unit, condition: any(test(fiche, condition) for fiche in unit.fiches)


# A unit is asked with one fiche at a time, so that all conditions are met by the same one.
_FICHE: Final[Mapping[str, Test]] = {
    "category": _of_one_fiche(lambda fiche, condition: _has_category(fiche.categories, condition)),
    "communicated_from": _of_one_fiche(lambda fiche, condition: _since(fiche.communicated_on, condition)),
    "communicated_to": _of_one_fiche(lambda fiche, condition: _until(fiche.communicated_on, condition)),
}
_RECORDING: Final[Mapping[str, Test]] = {
    "ended_from": lambda unit, condition: _since(_recording(unit).ended_on, condition),
    "ended_to": lambda unit, condition: _until(_recording(unit).ended_on, condition),
    "taken_over": lambda unit, condition: _says(bool(_recording(unit).taken_over), condition),
    "evidence": lambda unit, condition: _says(bool(_recording(unit).evidence), condition),
}
# By kind of record: the fields that a hold may ask for.
FIELDS: Final[Mapping[str, Mapping[str, Test]]] = MappingProxyType({"dossier": _DOSSIER, "fiche": _FICHE, "recording": _RECORDING})
_OF_FICHES: Final = frozenset({"category"})  # of a dossier: also told by its fiches


def read_conditions(kind: str, given: Sequence[str], *, categories: Collection[str], outcomes: Collection[str]) -> tuple[Condition, ...]:
    """Read conditions written FIELD=VALUE; a field named again takes any of its values, fields must fit all.
    `categories` and `outcomes` are the keys that the schedule knows; an option that nobody mapped is named by
    its number. Raises UsageError: no condition, a kind without conditions, an unknown field or value."""
    fields = FIELDS.get(kind)
    if fields is None:
        raise UsageError("holds by conditions are for dossiers, fiches and recordings", hint=hint_to("name_row"))
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


def fits(unit: Unit, kind: str, conditions: Sequence[Condition], *, in_part: bool = False) -> bool:
    """Return whether a unit, or what it belongs to, has all the facts that a hold on this kind of record
    requires. A dossier that fits covers its recordings, a fiche that fits its unit. With `in_part` a part of
    the unit is gone already: what that part would have shown counts as fitting."""
    return any(_fits(level, kind, conditions, in_part) for level in _levels(unit))


def _fits(unit: Unit, kind: str, conditions: Sequence[Condition], in_part: bool) -> bool:
    if kind == UnitKind.DOSSIER:
        asked = [one for one in conditions if not (in_part and one.field in _OF_FICHES)]
        return unit.dossier is not None and all(_DOSSIER[one.field](unit, one) for one in asked)
    if kind == UnitKind.RECORDING:
        return unit.recording is not None and all(_RECORDING[one.field](unit, one) for one in conditions)
    if in_part and unit.kind in (UnitKind.DOSSIER, UnitKind.FICHE):
        return True
    return any(all(_FICHE[one.field](_alone(fiche), one) for one in conditions) for fiche in unit.fiches)


def _alone(fiche: Fiche) -> Unit:
    return Unit(UnitKind.FICHE, fiche.id, fiche.etag, None, [fiche])


def _levels(unit: Unit) -> Iterator[Unit]:
    level: Unit | None = unit
    while level is not None:
        yield level
        level = level.belongs_to
