"""Files, roles and questions for the tests of rights. The people are fictitious (fictief)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from rules.model.requests import RequesterKind, Right
from rules.rights.entitlement import Entitlement, entitlement
from rules.rights.facts import Asked, FileFacts, RoleInFile, UnitKey
from tests.rules.builders import shipped_policy

A: UnitKey = ("dossier", "a")
B: UnitKey = ("dossier", "b")
C: UnitKey = ("dossier", "c")
LONE: UnitKey = ("fiche", "lone")

LOTTE = "lotte"  # asks
FINN = "finn"  # the child
ELSE = "someone-else"

RECEIVED = date(2026, 5, 8)
DAY = date(2026, 5, 20)
BORN_NINE = date(2017, 3, 1)
BORN_FOURTEEN = date(2012, 3, 1)


def role(contact: str, name: str, unit: UnitKey = A, **facts: Any) -> RoleInFile:
    return RoleInFile(unit, contact, name, **facts)


def asked(right: Right = Right.ACCESS, **facts: Any) -> Asked:
    """Lotte asks for herself."""
    usual: dict[str, Any] = {
        "kind": RequesterKind.UNKNOWN,
        "on_behalf": False,
        "requester": frozenset({LOTTE}),
        "received_on": RECEIVED,
        "day": DAY,
    }
    return Asked(right=right, **(usual | facts))


def asked_for_finn(right: Right = Right.ACCESS, **facts: Any) -> Asked:
    """Lotte asks on behalf of Finn, who is nine."""
    usual: dict[str, Any] = {
        "kind": RequesterKind.PARENT_FOR_CHILD,
        "on_behalf": True,
        "child": frozenset({FINN}),
        "child_born_on": BORN_NINE,
    }
    return asked(right, **(usual | facts))


def told(question: Asked, *roles: RoleInFile, categories: Mapping[UnitKey, tuple[str, ...]] | None = None) -> Entitlement:
    """Answer; every file is about grooming unless `categories` says otherwise."""
    units = {each.unit for each in roles}
    files = {
        unit: FileFacts(
            (categories or {}).get(unit, ("grooming",)),
            frozenset(each.contact for each in roles if each.unit == unit and each.role == "child"),
        )
        for unit in units
    }
    return entitlement(question, roles, files, harmless=shipped_policy().harmless)
