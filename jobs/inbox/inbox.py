"""Everything that waits for a person, in one list: the front page shows it, and people are told of it. Who
sees what follows from the table of roles (section 9.4): each item names the roles whose work it is."""

from collections.abc import Collection, Iterable
from datetime import datetime

from jobs.inbox.item import InboxItem, by_urgency
from jobs.inbox.of_no_use import Rules
from jobs.inbox.plans import of_health, of_keys, of_plans, of_restores
from jobs.inbox.requests import of_requests
from jobs.inbox.units import of_units
from jobs.ports.store.store import Store
from rules.policy.policy import Policy


def waiting(
    store: Store, policy: Policy, now: datetime, *, crm: str = "", rules: Rules | None = None, not_well: Collection[str] = ()
) -> list[InboxItem]:
    """Return what waits at `now` (aware), the most urgent first; nothing is written.

    `crm` is the CRM's address as the settings have it; without one, undecided units are left out. `rules` are
    those in force, None where they cannot be read. `not_well` are the codes of the health of the service.
    Raises StoreAltered: a head that may not be believed; UsageError: the database does not answer."""
    calendar = policy.calendar
    return by_urgency(
        [
            *of_health(tuple(not_well)),
            *of_keys(store, now),
            *of_restores(store, now),
            *of_plans(store, policy, now, rules),
            *of_requests(store, now, calendar),
            *of_units(store, policy, calendar.day(now), crm),
        ]
    )


def waiting_for(items: Iterable[InboxItem], who: str, roles: Collection[str]) -> list[InboxItem]:
    """Return what of it is the work of one person in these roles: not what they proposed, or have decided
    on already."""
    return [item for item in items if item.is_for(who, roles)]
