"""What follows from one step of a decision, as a sentence. A step is known by what goes into it, for a row of
the schedule may name any rule."""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from crm_compliance.console.frame.visit import Visit
from rules.model.decisions import Disposition, Reason, Step

PERIOD: Final = re.compile(r"P(\d+)([MY])")


class CodedText(NamedTuple):
    """Words, with the code that they stand for."""

    text: str
    code: str = ""


So = tuple[str, Sequence[CodedText]]


def conclusion(visit: Visit, step: Step) -> So:
    """Return what follows from a step, with codes that belong to it. Raises ValueError: it is a step that no
    rule makes."""
    asked, result = step.inputs, step.result
    if step.rule == "RET-17":
        return visit.say("Everything is read again, as it is on %(day)s.") % {"day": _day(visit, asked["as_of"])}, ()
    if step.rule == "HLD-04" and isinstance(result, list):
        return (visit.say("It is held:"), _reasons(visit, result)) if result else (visit.say("No hold covers it."), ())
    if step.rule == "4.2" and isinstance(result, list):
        expired = result == [Reason.EXPIRED.value]
        return visit.say("Nothing keeps it:") if expired else visit.say("It is kept:"), _reasons(visit, result)
    for name, said in _SENTENCES.items():
        if name in asked:
            return said(visit, result)
    if step.rule == "RET-20" and (number := re.match(r"\d+", str(result))):  # units that refer to a contact
        count = int(number[0])
        return visit.say_counted("%s unit that stays refers to this contact.", "%s units that stay refer to this contact.", count), ()
    if set(asked) == {"category"}:
        return visit.say("The schedule sets no end for this category."), ()
    raise ValueError(f"a step of {step.rule} that nothing says in words: {', '.join(asked)}")


def reason(visit: Visit, code: str) -> CodedText:
    return CodedText(visit.word("reason", code), code)


def category(visit: Visit, key: str) -> CodedText:
    """Return the name of a category, with its key where it has a name."""
    name = visit.category(key)
    return CodedText(name, key if name != key else "")


def period(visit: Visit, text: str) -> str:
    """Return a period of ISO 8601 in words (P6M, P5Y); another text as it is."""
    found = PERIOD.fullmatch(text)
    if found is None:
        return text
    count = int(found[1])
    if found[2] == "M" and count and count % 12 == 0:
        count, unit = count // 12, "Y"
    else:
        unit = found[2]
    return visit.say_counted("%s year", "%s years", count) if unit == "Y" else visit.say_counted("%s month", "%s months", count)


def _reasons(visit: Visit, codes: Sequence[object]) -> list[CodedText]:
    return [reason(visit, str(each)) for each in codes]


def _day(visit: Visit, value: object) -> str:
    return visit.formats.day(str(value)) if value is not None else ""


def _kinds(visit: Visit, result: object) -> So:
    """Return whether the schedule has a period for all that the unit is."""
    if result:
        return visit.say("The schedule has a period for it."), ()
    return visit.say("The schedule has no period for all of it, so it is kept:"), [reason(visit, Reason.UNCONFIGURED)]


def _derived(visit: Visit, result: Any) -> So:
    flags = [CodedText(visit.word("flag", result["flag"]), result["flag"])] if result["flag"] else []
    if result["key"] is None:
        return visit.say("The schedule has no row for this category."), flags
    return visit.say("In the schedule this counts as: %(category)s.") % {"category": visit.category(result["key"])}, flags


def _moments(visit: Visit, result: Any) -> So:
    if result["last_activity"] is None:
        return visit.say("A fiche has no date at all, so the last activity is not known."), ()
    days = {"last": _day(visit, result["last_activity"]), "first": _day(visit, result["first_fiche_on"])}
    if result["first_fiche_on"] is None:
        said = visit.say("The last activity was on %(last)s.") % days
    else:
        said = visit.say("The first fiche is of %(first)s, the last activity was on %(last)s.") % days
    if result["created_on_used"]:
        said += " " + visit.say("A fiche without a day of communication counts by the day on which it was created.")
    return said, ()


def _future(visit: Visit, result: object) -> So:
    if result:
        return visit.say("A date lies in the future, so no end can be trusted:"), [reason(visit, Reason.DATA_ERROR)]
    return visit.say("No date lies in the future."), ()


def _birth(visit: Visit, result: Any) -> So:
    flags = [CodedText(visit.word("flag", each), each) for each in result["flags"]]
    if result["latest_birth_on"] is None:
        return visit.say("Nothing tells when this child can have been born."), flags
    return visit.say("It is known when this child can have been born at the latest."), flags


def _birthday(visit: Visit, result: object) -> So:
    if result is None:
        return visit.say("It cannot be told when the age is reached."), ()
    return visit.say("The age is reached on %(day)s.") % {"day": _day(visit, result)}, ()


def _end(visit: Visit, result: object) -> So:
    """Return the end that one category gives; one of a recording that has not begun to count has no end."""
    if result is None:
        return visit.say("The date that the period counts from is missing, so there is no end yet:"), [reason(visit, Reason.NOT_STARTED)]
    return visit.say("For this category the end is %(day)s.") % {"day": _day(visit, result)}, ()


def _review(visit: Visit, result: object) -> So:
    return visit.say("It has no term, and a review is due.") if result else visit.say("It has no term; no review is due."), ()


def _open(visit: Visit, result: object) -> So:
    if result:
        return visit.say("The dossier is open, which keeps it:"), [reason(visit, Reason.OPEN_DOSSIER)]
    return visit.say("It is not kept for being open."), ()


def _lone_email(visit: Visit, result: object) -> So:
    return visit.say("It belongs to nothing, so it counts as a lone fiche without a category."), ()


def _evidence(visit: Visit, result: object) -> So:
    if result:
        return visit.say("It is evidence of a dossier, and ends with that."), ()
    return visit.say("It follows no dossier: it has a term of its own."), ()


def _longest(visit: Visit, result: Any) -> So:
    if result["end"] is None:
        return visit.say("There is no retention end."), ()
    values = {"day": _day(visit, result["end"]), "category": visit.category(result["category"])}
    return visit.say("The retention end is %(day)s, by the category %(category)s.") % values, ()


def _disposition(visit: Visit, result: object) -> So:
    match str(result):
        case Disposition.DELETE:
            return visit.say("It is deleted."), ()
        case Disposition.ANONYMISE:
            return visit.say("It is anonymised."), ()
        case "trimmed":
            return visit.say("It stays for the relation, and is cut down to what that needs."), ()
        case _:
            return visit.say("It is kept."), ()


def _last_dossier(visit: Visit, result: object) -> So:
    return visit.say("The fiche goes with the last of its dossiers: %(dossier)s.") % {"dossier": str(result).rpartition(" ")[2]}, ()


def _follows(visit: Visit, result: object) -> So:
    return visit.say("It goes with that. What follows is said of that:"), ()


def _led_to(visit: Visit, result: object) -> So:
    if str(result).startswith("0 "):
        return visit.say("No other contact keeps it."), ()
    return visit.say("Those of them that stay keep the contact."), ()


# By an input that only these steps have; the first that is there tells.
_SENTENCES: Final = {
    "ends": _longest,
    "late_rule_months": _end,
    "anchor_on": _end,
    "period": _birthday,
    "recorded": _birth,
    "fiches_without_category": _kinds,
    "rows": _kinds,
    "unconfigured": _kinds,
    "outcome": _derived,
    "fiches": _moments,
    "review_due_on": _review,
    "is_active": _open,
    "attached_to": _lone_email,
    "evidence": _evidence,
    "reasons": _disposition,
    "dossiers": _last_dossier,
    "owner": _disposition,
    "belongs_to": _follows,
    "contacts_that_point_here": _led_to,
    "in_no_unit": _disposition,
    "mentioned_by_others": _disposition,
    "relation": _disposition,
    "as_of": _future,
}
