"""What a person does is held against the CRM that it is about: a plan, a hold or a request of one CRM is not
moved by a command that was told of another.

Four eyes would be two otherwise: whoever is believed on this machine's emulator would approve the plans of a
real CRM (section 9.4).
"""

from __future__ import annotations

from collections.abc import Mapping

from jobs.checks.denials import denied
from jobs.ports.store import Store
from rules.errors import Refused
from rules.model.crm_addresses import same_crm

OTHER_CRM = "other_crm"


def is_of_other_crm(store: Store, crm: str) -> bool:
    """Whether what belongs to the CRM `crm` is not of the one that the store is open for; where either is not
    known, nothing is."""
    return bool(crm and store.crms.current) and not same_crm(crm, store.crms.current)


def refuse_other_crm(store: Store, crm: str, action: str, told: Mapping[str, object], where: str) -> None:
    """Refuse an act on what belongs to another CRM than the one the store is open for, and record that
    (ACC-10).

    `crm` is empty for what was stored before CRMs were told apart; `told` is what the ledger keeps of the
    attempt.

    Raises:
        Refused: with code `other_crm`.
    """
    if is_of_other_crm(store, crm):
        hint = "set CRM_COMPLIANCE_CRM_URL to the one that it was made for"
        raise denied(store, action, told, Refused("this belongs to another CRM", hint=hint, where=where, code=OTHER_CRM))
