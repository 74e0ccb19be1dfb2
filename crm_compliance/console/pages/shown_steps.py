"""The steps of a decision as a person reads them: what went in by name and value, and what follows."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.language.codes import WORDS
from crm_compliance.console.pages.conclusions import CodedText, category, conclusion, period, reason
from rules.model.decisions import Disposition, Step

UNIT: Final = re.compile(r"([a-z][a-z0-9_]{0,63}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
EDGE: Final = 4  # items that are shown of each end of a long list
CATEGORIES: Final = frozenset({"category", "key", "rows", "unconfigured"})
REASONS: Final = frozenset({"reason", "reasons", "without_end", "holds"})
FLAGS: Final = frozenset({"flag", "flags"})
ANCHORS: Final = frozenset({"anchor", "anchors", "late_activity"})
MONTHS: Final = frozenset({"late_rule_months", "review_months"})
KINDS: Final = {"kind": "step_row", "outcome": "case", "source": "holder"}
DISPOSITIONS: Final = frozenset({"owner", "category_disposition"})
NOTHING: Final[tuple[object, ...]] = (None, "", [], {}, ())


class Input(NamedTuple):
    """What went into a step: a name and its values, or a unit with what becomes of it, to which `href`
    leads."""

    name: str
    values: Sequence[CodedText]
    href: str = ""


class Shown(NamedTuple):
    """One step: `so` is what follows, `because` are codes that belong to it."""

    rule: str
    inputs: Sequence[Input]
    so: str
    because: Sequence[CodedText]


def shown(visit: Visit, steps: Iterable[Step], hidden: frozenset[str]) -> Iterator[Shown]:
    """Yield the steps as a page shows them, without inputs that are hidden or empty."""
    for step in steps:
        inputs = [_input(visit, name, value, hidden) for name, value in step.inputs.items() if name not in hidden and value not in NOTHING]
        yield Shown(step.rule, inputs, *conclusion(visit, step))


def _input(visit: Visit, name: str, value: object, hidden: frozenset[str]) -> Input:
    if unit := UNIT.fullmatch(name):
        told = f"{visit.word('table', unit[1])} {unit[2]}"
        return Input(told, [reason(visit, str(value))], f"/open?typename={unit[1]}&id={unit[2]}")
    if name == "contact":  # a hold on it, of which the step looks at nothing else
        return Input(capital(label(visit, name)), [CodedText(visit.say("its own row"))])
    return Input(capital(label(visit, name)), list(_values(visit, name, value, hidden)))


def label(visit: Visit, name: str) -> str:
    """Return a name of data as words; a date that a period counts from has the words of that date."""
    return visit.word("input", name) if name in WORDS["input"] else _anchor(visit, name)


def _values(visit: Visit, name: str, value: object, hidden: frozenset[str]) -> Iterator[CodedText]:
    if isinstance(value, Mapping):
        if name == "ends":
            yield from (CodedText(colon(visit, category(visit, key).text, _text(visit, "", on)), key) for key, on in value.items())
        else:
            parts = ((key, part) for key, part in value.items() if key not in hidden and part not in NOTHING)
            said = [
                colon(visit, label(visit, key), ", ".join(each.text.rstrip(".") for each in _values(visit, key, part, hidden)))
                for key, part in parts
            ]
            yield CodedText(", ".join(said) or visit.say("none"))
    elif isinstance(value, list | tuple):
        found = [each for part in value for each in _values(visit, name, part, hidden)]
        if len(found) > 2 * EDGE + 1:
            between = CodedText(f"… ({visit.formats.number(len(found) - 2 * EDGE)}) …")
            found = [*found[:EDGE], between, *found[-EDGE:]]
        yield from found
    elif name in REASONS and isinstance(value, str):
        yield reason(visit, value)
    elif name in CATEGORIES and isinstance(value, str):
        yield category(visit, value)
    elif name == "belongs_to":
        kind, _, row = str(value).partition(" ")
        yield CodedText(f"{visit.word('step_row', kind)} {row}")
    elif name in FLAGS and isinstance(value, str):
        yield CodedText(visit.word("flag", value), value)
    else:
        yield CodedText(_text(visit, name, value))


def _text(visit: Visit, name: str, value: object) -> str:
    if value is None:
        return visit.say("none")
    if isinstance(value, bool):
        return visit.say("yes") if value else visit.say("no")
    if isinstance(value, int):
        return period(visit, f"P{value}M") if name in MONTHS else visit.formats.number(value)
    text = str(value)
    if name == "period":
        return period(visit, text)
    if name in ANCHORS:
        return _anchor(visit, text)
    if name in DISPOSITIONS:
        return visit.word("outcome", "retain" if text == Disposition.KEEP else text)
    if name in KINDS:
        return visit.word(KINDS[name], text)
    return visit.formats.day(text) if DAY.fullmatch(text) else text


def _anchor(visit: Visit, anchor: str) -> str:
    return visit.word("counted" if anchor in WORDS["counted"] else "anchor", anchor)


def colon(visit: Visit, name: str, value: str) -> str:
    """Say what something is, as the language writes it."""
    return visit.say("%(name)s: %(value)s") % {"name": name, "value": value}


def capital(text: str) -> str:
    """Begin a text with a capital letter."""
    return text[:1].upper() + text[1:]
