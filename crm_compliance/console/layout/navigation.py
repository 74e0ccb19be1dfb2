"""The pages that a menu leads to, and who may take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rules.model.roles import Act

if TYPE_CHECKING:
    from crm_compliance.identity.signin import Person


class Entry(NamedTuple):
    """One line of the menu: where it leads, its English name, its symbol, and the act that it takes."""

    path: str
    name: str
    icon: str
    act: Act | None = None


ENTRIES: Final = (
    Entry("/", "Inbox", "inbox"),
    Entry("/plans", "Plans", "clipboard-list", Act.SEE_REPORTS),
    Entry("/requests", "Requests", "user-round-search", Act.SEE_REQUESTS),
    Entry("/holds", "Holds", "shield", Act.SEE_HOLDS),
    Entry("/history", "History", "history", Act.SEE_HISTORY),
    Entry("/policy", "Schedule", "scroll-text", Act.SEE_SCHEDULE),
    Entry("/datamap", "Data map", "map", Act.SEE_REPORTS),
)


def entries_for(person: Person) -> tuple[Entry, ...]:
    """Return the entries of a person's menu: what they may not see is not named."""
    return tuple(entry for entry in ENTRIES if entry.act is None or person.may(entry.act))
