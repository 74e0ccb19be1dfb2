"""What was decided on a request for another right than access, and what of it still has to be done.

It is a sealed part of the request: it names rows of files and holds the values that a person asked to be corrected. What is done leaves it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from jobs.disclosure import Compilation
from jobs.ports import Store
from jobs.subject_requests import DECISIONS
from rules.subject_requests import Right


class What(StrEnum):
    """What granting one item does; the value is also the title of the item, by which letters name it."""

    ERASE = "erase"  # a file, a recording, a course or an agreement goes with all that hangs on it
    DISOWN = "disown"  # the person's roles in a file stay, and do not say any more whose they are
    PROFILE = "profile"  # the contact goes as far as nothing else needs it (RET-20)
    CORRECT = "correct"  # a field says what the person says
    ANNOTATE = "annotate"  # a dated note is added; the original stays
    RESTRICT = "restrict"  # a hold: stored, and nothing else (art. 18)
    UNSUBSCRIBE = "unsubscribe"  # no newsletter and no bulk e-mail any more; the flag that says so stays
    NO_IMAGE = "no_image"  # the picture goes
    NO_CALLER = "no_caller"  # a fiche does not say any more from where was reported
    RECORDED = "recorded"  # nothing stands in the CRM for it: people see to it


AT_ONCE: Final = frozenset({What.RESTRICT, What.UNSUBSCRIBE, What.NO_IMAGE})  # done at the decision (DDL-13), not at the release
DISPOSING: Final = frozenset({What.ERASE, What.DISOWN, What.PROFILE})  # done by a plan, under every guard
# What an item that is not granted is told with; a code without a text of its own where there is none.
NOT_GRANTED: Final = "NOT_GRANTED"
PUT_ASIDE: Final = "item"  # what the review withheld: it is not granted unless it is named
DECLINED: Final[Mapping[Right, str]] = MappingProxyType(
    {Right.ERASURE: "RF-02", Right.PORTABILITY: "RF-04", Right.OBJECTION: "RF-05", Right.CONSENT_WITHDRAWAL: "RF-06"}
)


class Task(msgspec.Struct, frozen=True):
    """One thing to do: `item` is the number in the answer, (`kind`, `id`) the row. `values` are fields with what they shall say, dates in
    ISO form; `note` is the id of a note to be made, `text` what the person wants added."""

    item: str
    what: What
    kind: str
    id: str
    values: dict[str, str] = {}
    note: str = ""
    text: str = ""


class Notice(msgspec.Struct, frozen=True):
    """A recipient who is told that data were corrected, erased or restricted (art. 19): as the file names it."""

    recipient: str
    on: str = ""
    country: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The sealed part `decisions`. `contacts` are those of the person whose data it is, `asking` those of whoever asks as well; `tasks`
    what has not been done yet, `done` the items that are; `notices` who has to be told. `unsubscribed`: a newsletter was ended already, so
    that the CRM does not tell any more that there was one."""

    right: Right
    who: str
    at: datetime
    contacts: tuple[str, ...] = ()
    asking: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    refusal: str = ""
    tasks: tuple[Task, ...] = ()
    done: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    unsubscribed: bool = False

    def of(self, kinds: Collection[What]) -> list[Task]:
        """The open tasks of some kinds."""
        return [task for task in self.tasks if task.what in kinds]

    def without(self, tasks: Collection[Task]) -> Decision:
        """The same once these tasks are done."""
        left = tuple(task for task in self.tasks if task not in tasks)
        waiting = {task.item for task in left}
        done = {task.item for task in tasks} - waiting
        return msgspec.structs.replace(self, tasks=left, done=tuple(sorted({*self.done, *done})))


def decision_of(store: Store, request: str) -> Decision | None:
    """What was decided; None where nothing was, or it has had its time."""
    part = store.request_part(request, DECISIONS)
    return msgspec.json.decode(part, type=Decision) if part is not None else None


def is_settled(answer: Compilation) -> bool:
    """Whether an answer for another right than access says what was decided, and not only what is proposed."""
    return bool(answer.granted or answer.refusal)


def has_unsubscribed(store: Store, request: str) -> bool:
    """Whether this very request has ended a newsletter: whoever asks is known for it until the answer is out."""
    found = decision_of(store, request)
    return found is not None and found.unsubscribed


def reopened(store: Store, request: str) -> bytes | None:
    """The sealed part of a decision that is undone because the answer is made anew: nothing but what happened at once (DDL-13)."""
    found = decision_of(store, request)
    if found is None or not found.unsubscribed:
        return None
    return encoded(Decision(right=found.right, who=found.who, at=found.at, unsubscribed=True))


def answered(store: Store) -> frozenset[str]:
    """The requests that are answered: from the release on nobody waits for them, closed or not (HLD-12)."""
    return frozenset(request.id for request in store.requests() if request.is_answered)


def encoded(decision: Decision) -> bytes:
    """The sealed part of a decision."""
    return msgspec.json.encode(decision)
