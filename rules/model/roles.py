"""Who may do what (section 9.4): the roles of the people who use this product, and which of them each act
asks for."""

from __future__ import annotations

from typing import Final

DPO: Final = "dpo"
CRM_ADMIN: Final = "crm_admin"
APPROVER: Final = "approver"

APPROVING_ROLES: Final = (CRM_ADMIN, DPO)  # a plan that a guard has stopped: two people, one of each (RET-24)
PLACING_ROLES: Final = (DPO,)
RELEASING_ROLES: Final = (DPO, APPROVER)  # of a hold; not who placed it (HLD-02)
