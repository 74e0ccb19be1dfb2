"""The people of the demonstration, one for each role; all of them are fictitious."""

from typing import Final, NamedTuple

from rules.model.roles import Role


class DemoPerson(NamedTuple):
    """An account of the demo, its role, and a name to greet with."""

    who: str
    role: Role
    name: str


DEMO_PEOPLE: Final = (
    DemoPerson("demo-anna", Role.CRM_ADMIN, "Anna"),
    DemoPerson("demo-ben", Role.DPO, "Ben"),
    DemoPerson("demo-erik", Role.APPROVER, "Erik"),
    DemoPerson("demo-ines", Role.AUDITOR, "Ines"),
)
