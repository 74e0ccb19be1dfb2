"""Checks what a person does against the CRM that it is about. A command for one CRM does not change a plan, a
hold or a request of another. Otherwise four eyes would be two: a person who is believed on this machine's
emulator could approve the plans of a real CRM (section 9.4). Which CRMs a store may be opened for at all, the
store decides itself: crm_compliance/store/rows/crms.py."""

from collections.abc import Mapping

from jobs.checks.denials import denied
from jobs.ports.store.store import Store
from rules.errors import Refused
from rules.hints import hint_to
from rules.model.crm_addresses import same_crm

OTHER_CRM = "other_crm"


def is_of_other_crm(store: Store, crm: str) -> bool:
    """Return whether the CRM `crm` is another one than the store is open for; False if either is unknown."""
    return bool(crm and store.crms.current) and not same_crm(crm, store.crms.current)


def refuse_other_crm(store: Store, crm: str, action: str, told: Mapping[str, object], where: str) -> None:
    """Refuse an act on what belongs to another CRM than the one the store is open for, and record that
    (ACC-10). `crm` is empty for what was stored before CRMs were told apart; `told` is what the ledger keeps
    of the attempt. Raises Refused: with code `other_crm`."""
    if is_of_other_crm(store, crm):
        other = Refused("this belongs to another CRM", hint=hint_to("name_its_crm"), where=where, code=OTHER_CRM)
        raise denied(store, action, told, other)
