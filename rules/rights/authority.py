"""Whether somebody may act for a child: authority shown, agreement of the child, and the day on which both
end. Source: RGT-04 to RGT-08, IDV-04, R-095 to R-098, R-159; old Civil Code art. 371 to 374, 388."""

from collections.abc import Collection, Sequence
from datetime import date
from enum import StrEnum
from typing import Final

from rules.dates.ages import has_reached
from rules.model.file_roles import PARENTS
from rules.model.requests import Mandate
from rules.rights.facts import Asked, RoleInFile, UnitKey

ADULT_AGE: Final = 18


class Authority(StrEnum):
    """How it stands with acting for a child."""

    HELD = "held"
    NOT_SHOWN = "not_shown"
    CONTESTED = "contested"
    NEVER = "never"  # the child was an adult when the request came
    LAPSED = "lapsed"  # the child has become an adult since
    CHILD_DECIDES = "child_decides"  # old enough to decide, or of an age that nobody knows


def authority(asked: Asked, roles: Sequence[RoleInFile], units: Collection[UnitKey], *, maturity_age: int) -> Authority:
    """Return whether the requester may act for the child. `units` are the files of the child that count.

    Authority is shown by the DPO's check, or by evidence in a file of the child whose last day has not
    passed; a guardian's appointment is as good as a parent's authority (R-159). Where the DPO stated that it
    was not shown, or contested, no evidence helps. A last day that has passed prevails over a mandate that
    was shown: what the file knows of a judgment prevails (IDV-04). Nobody acts for somebody who is an adult
    for certain, also where only the year of birth is known (RGT-07)."""
    born_on, born_by = asked.child_born_on, asked.child_born_by or asked.child_born_on
    if asked.mandate is Mandate.CONTESTED:
        return Authority.CONTESTED
    if born_by is not None and has_reached(ADULT_AGE, born_by, asked.received_on):
        return Authority.NEVER
    held = [role for role in roles if role.contact in asked.requester and role.unit in units and role.role in PARENTS]
    is_evidenced = any(role.has_authority and not _is_over(role, asked.day) for role in held)
    is_over = not is_evidenced and any(_is_over(role, asked.day) for role in held)
    is_shown = is_evidenced or (asked.mandate is Mandate.SHOWN and not is_over)
    is_untested = asked.mandate is None and bool(held) and not is_over
    if asked.mandate is Mandate.NOT_SHOWN or not (is_shown or is_untested):
        return Authority.NOT_SHOWN
    if born_by is not None and has_reached(ADULT_AGE, born_by, asked.day):
        return Authority.LAPSED
    if "RGT-05" not in asked.overrides:
        if born_on is None and is_shown:
            return Authority.CHILD_DECIDES
        if born_on is not None and has_reached(maturity_age, born_on, asked.received_on) and not asked.child_agrees:
            return Authority.CHILD_DECIDES
    return Authority.HELD if is_shown else Authority.NOT_SHOWN


def _is_over(role: RoleInFile, day: date) -> bool:
    return role.authority_until is not None and role.authority_until < day
