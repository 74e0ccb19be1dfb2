"""Which items of an answer somebody looks at, and in which order one follows another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from crm_compliance.console.frame.visit import Visit
from jobs.model.answer import RECIPIENT, Item, ItemStatus
from rules.redaction.labels import label_for

STATES: Final[Mapping[str, Callable[[Item], bool]]] = {
    "open": lambda item: item.status is ItemStatus.PENDING_REVIEW,
    "approved": lambda item: item.is_shown,
    "withheld": lambda item: item.status is ItemStatus.WITHHELD,
    "all": lambda _: True,
}
MARKS: Final = ("mention", "file", "reporter", "recipient", "guess", "replaced", "by_rule", "unread")


def marks_of(item: Item, language: str) -> tuple[str, ...]:
    """Return what a reviewer has to know of an item before reading it; `language` is that of the answer."""
    redactions = [*item.redactions, *(one for field in item.fields for one in field.redactions)]
    reporter = label_for("reporter", language)
    found = {
        "mention": item.title == "mention",
        "file": item.attachment is not None or item.title == "attachment",
        "reporter": any(each.label == reporter for each in redactions) or any(each.value == "reporter" for each in item.fields),
        "recipient": item.kind == RECIPIENT,
        "guess": any(each.what == "name_guess" for each in redactions),
        "replaced": bool(redactions),
        "by_rule": bool(item.withholds),
        "unread": bool(item.unread),
    }
    return tuple(mark for mark in MARKS if found[mark])


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items are looked at: by what became of them, by mark, kind, and the dossier or file they are
    in."""

    state: str = "open"
    mark: str = ""
    kind: str = ""
    context: str = ""

    @classmethod
    def of(cls, visit: Visit) -> "Filter":
        """Read the filter of an address; a value that is not a filter is ignored."""
        given = {name: visit.query(name)[:60] for name in ("show", "mark", "kind", "in")}
        state = given["show"] if given["show"] in STATES else "open"
        return cls(state, given["mark"] if given["mark"] in MARKS else "", given["kind"], given["in"])

    @property
    def query(self) -> str:
        """What an address carries to come back to the same items; empty for the usual ones."""
        given = {"show": self.state if self.state != "open" else "", "mark": self.mark, "kind": self.kind, "in": self.context}
        found = urlencode({name: value for name, value in given.items() if value})
        return f"?{found}" if found else ""

    @property
    def is_usual(self) -> bool:
        return self == Filter()

    def takes(self, item: Item, language: str) -> bool:
        """Return whether an item is among them."""
        if not STATES[self.state](item):
            return False
        if (self.kind and item.kind != self.kind) or (self.context and item.context != self.context):
            return False
        return not self.mark or self.mark in marks_of(item, language)

    def among(self, items: Sequence[Item], language: str) -> list[Item]:
        return [item for item in items if self.takes(item, language)]

    def neighbours(self, items: Sequence[Item], language: str, here: Item) -> tuple[Item | None, Item | None]:
        """Return which of them comes before an item, and which after it, whether it is one of them or
        not."""
        place = next(number for number, item in enumerate(items) if item.item == here.item)
        before = next((item for item in reversed(items[:place]) if self.takes(item, language)), None)
        after = next((item for item in items[place + 1 :] if self.takes(item, language)), None)
        return before, after

    def following(self, items: Sequence[Item], language: str, here: Item) -> Item | None:
        """Return where a decision leads: the next of them, and after the last of those that are open the
        first again."""
        _, after = self.neighbours(items, language, here)
        if after is not None or self.state != "open":
            return after
        return next((item for item in items if item.item != here.item and self.takes(item, language)), None)
