"""What was tried and not allowed, written down with role and action and without its payload (ACC-10)."""

from collections.abc import Mapping
from typing import Final

from jobs.ports.store.store import Store
from rules.errors import Refused
from rules.model.roles import Act, may, refusal

DENIED: Final = "denied"  # the kind of its ledger entries


def denied(store: Store, action: str, told: Mapping[str, object], error: Refused) -> Refused:
    """Record a denied attempt, and return the error to raise; `told` is what the ledger keeps of it, the role
    and the person's keyed reference among it."""
    store.ledger.append([(DENIED, {"action": action, **told, "code": error.code})])
    return error


def refuse_role(store: Store, who: str, role: str, act: Act, told: Mapping[str, object], *, never: str = "", where: str = "") -> None:
    """Refuse somebody who may not do something in this role, and record that. `never` tells the person of it
    more closely than the words of the act. Raises Refused: with code `role`."""
    if not may(who, role, act):
        raise denied(store, act.value, told, refusal(who, role, act, never=never, where=where))
