"""What was decided on a request for another right than access, and what of it still has to be done. It is a
sealed part of the request: it names rows of files and holds the values that a person asked to be corrected.
What is done is removed from it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

import msgspec

from jobs.model.answer import Compilation, Item, ItemStatus
from jobs.model.request import DECISIONS, RequestApproval, SubjectRequest
from jobs.ports.store.ledger import Entry
from jobs.ports.store.store import Store
from rules.decoders import decoder_of
from rules.errors import Refused
from rules.model.requests import COPIES, Right


class What(StrEnum):
    """What granting one item does; the value is also the title of the item, by which letters name it."""

    ERASE = "erase"  # a file, a recording, a course or an agreement goes with all that depends on it
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
ERASING: Final = DISPOSING | {What.NO_CALLER}  # what was there is gone by it; whatever keeps it for now is waited for
# What an item that is not granted is told with; a code without a text of its own where there is none.
NOT_GRANTED: Final = "NOT_GRANTED"
PUT_ASIDE: Final = "item"  # what the review withheld: it is not granted unless it is named
ATTEMPTS: Final = 5  # to store what was done, while others take steps
DECLINED: Final[Mapping[Right, str]] = MappingProxyType(
    {Right.ERASURE: "RF-02", Right.PORTABILITY: "RF-04", Right.OBJECTION: "RF-05", Right.CONSENT_WITHDRAWAL: "RF-06"}
)


class Task(msgspec.Struct, frozen=True):
    """One thing to do: `item` is the number in the answer, (`kind`, `id`) the row. `values` are fields with
    what they shall say, dates in ISO form; `note` is the id of a note to be made, `text` what the person
    wants added."""

    item: str
    what: What
    kind: str
    id: str
    values: dict[str, str] = {}
    note: str = ""
    text: str = ""


class NoticeState(StrEnum):
    """The state of a notice; it is `due` from the day on which all that it reports had been done."""

    WAITING = "waiting"
    DUE = "due"
    TOLD = "told"
    NOT_TOLD = "not_told"


class NotTold(StrEnum):
    """The two reasons for which a recipient need not be notified (art. 19)."""

    IMPOSSIBLE = "IMPOSSIBLE"
    DISPROPORTIONATE = "DISPROPORTIONATE"


class Notice(msgspec.Struct, frozen=True):
    """A recipient who is notified that data were corrected, erased or restricted (art. 19): as the file names
    it.

    `on` is the day of the last transmission, in ISO form. `deeds` are what it is notified of, `items` the
    items that were granted for it. `is_named`: something of a file about this very child was passed on, so
    that a letter may name them. Of anybody else in a file nobody knows whether the recipient ever had the
    name: then `numbers` of what was passed on replace it."""

    recipient: str
    on: str = ""
    country: str = ""
    deeds: tuple[What, ...] = ()
    items: tuple[str, ...] = ()
    is_named: bool = False
    numbers: tuple[str, ...] = ()
    due_on: date | None = None
    told_on: date | None = None
    not_told: NotTold | None = None

    @property
    def state(self) -> NoticeState:
        if self.told_on is not None:
            return NoticeState.TOLD
        if self.not_told is not None:
            return NoticeState.NOT_TOLD
        return NoticeState.WAITING if self.due_on is None else NoticeState.DUE

    @property
    def can_be_found(self) -> bool:
        """Whether a letter without a name says what was passed on."""
        return bool(self.numbers or self.on)

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self.told_on is None and self.not_told is None


class Known(msgspec.Struct, frozen=True):
    """A person as the CRM knew them when it was decided; after an erasure it does not any more. `born_on` in
    ISO form, or empty."""

    name: str
    born_on: str = ""


class RoleOnce(msgspec.Struct, frozen=True):
    """A role in some file of somebody who asked, as it was last found; what it was is a keyed reference
    (SUS-02). `is_unseen`: the DPO has still to look at it."""

    id: str
    ref: str
    contact: str
    dossier: str | None = None
    fiche: str | None = None
    is_unseen: bool = False


class FileOnce(msgspec.Struct, frozen=True):
    """A dossier or a lone fiche that is to go whole, as it was when that was decided, or last looked at:
    whether it was open, which fiches go with it, and which other children it is about, by their contacts or
    by roles without one."""

    id: str
    is_open: bool
    fiches: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The sealed part `decisions`. `contacts` are those of the person whose data it is, `asking` those of the
    person who asks for them as well; `tasks` what has not been done yet, `done` the items that are. Contacts
    are removed as soon as no task remains.

    `notices` are numbered from 1 in their order; `known` is whose data they are about, `corrected` the fields
    that say something else, with what, empty if it is not reported. `unsubscribed`: a newsletter was ended
    already, so that the CRM no longer shows that there was one. `on_behalf`: it was asked in the name of a
    child, whose data it is; `is_grown`: by an adult for certain, in the own name. `roles` are those of
    everybody who asked, in any file, while something waits, `files` the dossiers that wait. `looked_for_at`:
    since when something of it waits until the DPO has looked, as where a suspicion in its file has ended
    (SUS-08); `looks` are the approvals of that, and those by which a parent acts for a child in spite of one
    (SUS-11). `waits_for` is the code of what kept something of it the last time; a suspicion has none."""

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
    known: tuple[Known, ...] = ()
    corrected: dict[str, str] = {}
    unsubscribed: bool = False
    on_behalf: bool = False
    is_grown: bool = False
    roles: tuple[RoleOnce, ...] = ()
    files: tuple[FileOnce, ...] = ()
    looked_for_at: datetime | None = None
    looks: tuple[RequestApproval, ...] = ()
    waits_for: str = ""

    @property
    def is_unfinished(self) -> bool:
        """Whether something of it still has to be carried out or notified (DDL-12, ERA-14)."""
        return bool(self.tasks) or any(notice.is_open for notice in self.notices)

    @property
    def has_done_something(self) -> bool:
        """Whether anything of it was done: an item, or the end of a newsletter with which more was to go."""
        return bool(self.done) or (self.unsubscribed and not self.of({What.UNSUBSCRIBE}))

    def of(self, kinds: Collection[What]) -> list[Task]:
        """Return the open tasks of some kinds."""
        return [task for task in self.tasks if task.what in kinds]

    def without(self, tasks: Collection[Task], day: date) -> "Decision":
        """Return the same after these tasks are done; those that it does not have do not count. A recipient
        who is to be notified of nothing else is due from that day on."""
        tasks = [task for task in tasks if task in self.tasks]
        left = tuple(task for task in self.tasks if task not in tasks)
        waiting = {task.item for task in left}
        done = {task.item for task in tasks} - waiting
        after = msgspec.structs.replace(
            self,
            tasks=left,
            done=tuple(sorted({*self.done, *done})),
            notices=tuple(
                notice if notice.due_on is not None or waiting.intersection(notice.items) else msgspec.structs.replace(notice, due_on=day)
                for notice in self.notices
            ),
        )
        return after if left else after.with_nobody()

    def lapsed(self, day: date, tasks: Collection[Task] | None = None) -> "Decision":
        """Return the same without what has not been done, or without these tasks of that, and without the
        notices of it. A recipient who was to be notified of more is due from that day on, for what was done,
        or once the rest is."""
        ended = self.tasks if tasks is None else tuple(task for task in tasks if task in self.tasks)
        waiting = tuple(task for task in self.tasks if task not in ended)
        undone, kinds = {task.item for task in ended}, {task.what for task in ended}
        lost = {name for task in ended if task.what is What.CORRECT for name in task.values}
        corrected = {name: value for name, value in self.corrected.items() if name not in lost}
        over = kinds - ERASING - ({What.CORRECT} if corrected else set())  # to a recipient an erasure is one, whichever

        def as_done(notice: Notice) -> Notice:
            deeds = tuple(deed for deed in notice.deeds if deed not in over) or notice.deeds
            items = tuple(item for item in notice.items if item not in undone)
            is_due = all(task.item not in items for task in waiting)
            return msgspec.structs.replace(notice, deeds=deeds, items=items, due_on=day if is_due else None)

        notices = (one if one.due_on is not None or undone.isdisjoint(one.items) else as_done(one) for one in self.notices)
        left = tuple(one for one in notices if one.items)
        after = msgspec.structs.replace(self, tasks=waiting, notices=left, corrected=corrected)
        return after if waiting else after.with_nobody()

    def with_nobody(self) -> "Decision":
        """Return the same once nothing waits: whom and what only the rest was needed for is not kept."""
        return msgspec.structs.replace(self, contacts=(), asking=(), roles=(), files=(), waits_for="")


def decision_of(store: Store, request: str) -> Decision | None:
    """Return what was decided; None if nothing was, or it has expired."""
    part = store.requests.part(request, DECISIONS)
    return decoder_of(Decision).decode(part) if part is not None else None


Told: TypeAlias = tuple[SubjectRequest, Sequence[Entry]]
Telling: TypeAlias = Callable[[SubjectRequest, Decision], Told]


def alone(row: SubjectRequest, _decision: Decision) -> Told:
    """Tell nothing beside the decision."""
    return row, ()


def change_decision(
    store: Store, request_id: str, change: Callable[[Decision], Decision], attempts: int = ATTEMPTS, *, told: Telling = alone
) -> Decision | None:
    """Change what is stored of a decision, and return it as it is then; None if there is none any more. What
    `told` makes of the row of the register, and tells the ledger, is stored with it or not at all.

    What it records has happened: where somebody takes a step at this instant, `change` is asked again of what
    that has left, and nothing of either is lost. Raises Refused: with code `changed`, if others keep
    changing the row."""
    request, found = store.requests.get(request_id), decision_of(store, request_id)
    if found is None or (after := change(found)) == found:
        return found
    row, entries = told(request, after)
    moved = msgspec.structs.replace(row, transitions=request.transitions + 1)
    try:
        store.requests.save(moved, entries, since=request, parts={DECISIONS: encoded(after)})
    except Refused as error:
        if error.code != "changed" or attempts == 1:
            raise
        return change_decision(store, request_id, change, attempts - 1, told=told)
    return after


def is_settled(answer: Compilation) -> bool:
    """Return whether an answer for another right than access says what was decided, not proposed."""
    return bool(answer.granted or answer.refusal)


def as_reviewed(answer: Compilation) -> tuple[Item, ...]:
    """Return the items of an answer as a review of them, from which the next answer begins.

    What was granted, and what not, stands as marks of the review: `decide --grant` alone then grants the
    same. Of data to be handed over a refusal has replaced what the review said."""
    if not is_settled(answer):
        return answer.items
    if answer.right in COPIES:
        return ()
    return tuple(msgspec.structs.replace(item, withholds="" if item.item in answer.granted else PUT_ASIDE) for item in answer.items)


class Undone(msgspec.Struct, frozen=True):
    """What people had said on an answer and have to say again: for the DPO alone.

    `granted` are items that had been granted, by their names in the answer that there is now; `gone` is how
    many more it does not have. `refusal` is the code of a refusal, `reviewed` how many decisions of the
    review."""

    granted: tuple[str, ...] = ()
    gone: int = 0
    refusal: str = ""
    reviewed: int = 0


def undone(decision: Decision | None, after: Decision | None, old: Compilation | None, new: Compilation | None) -> Undone:
    """Return what was said on the old answer and does not stand any more: `decision` had been decided on it,
    `after` is what is decided now. The new answer is None where it has to be compiled."""
    if after is not None and (after.granted or after.refusal):
        return Undone()  # a step that leads on leaves a decision as it is, and a new one takes the place of the old
    items, now = old.items if old is not None else (), new.items if new is not None else ()
    names = {item.digest: item.item for item in now if item.digest}
    granted = decision.granted if decision is not None else ()
    again = tuple(names[item.digest] for item in items if item.item in granted and item.digest in names)
    reviewed = [item for item in items if item.needs_review and item.status is not ItemStatus.PENDING_REVIEW]
    by_hand = reviewed if decision is None or not (granted or decision.refusal) else ()
    lost = sum(item.digest not in names for item in by_hand)
    return Undone(again, len(granted) - len(again), decision.refusal if decision is not None else "", lost)


def has_unsubscribed(store: Store, request: str) -> bool:
    """Return whether this very request has ended a newsletter. The person who asks is known for it until the
    answer is released."""
    found = decision_of(store, request)
    return found is not None and found.unsubscribed


def waits_for(store: Store, request: SubjectRequest) -> str:
    """Return the code of what keeps something that was granted of a released request, for who handles it;
    empty where nothing does, and of a neutral answer, which tells of nobody (SUS-07)."""
    found = decision_of(store, request.id) if request.answer != "neutral" else None
    return found.waits_for if found is not None else ""


def reopened(store: Store, request: str) -> bytes | None:
    """Return the sealed part of a decision that is undone because the answer is made again. It holds only
    what happened at once (DDL-13), and who has been notified of it."""
    found = decision_of(store, request)
    told = tuple(notice for notice in found.notices if not notice.is_open) if found is not None else ()
    if found is None or not (found.unsubscribed or told):
        return None
    return encoded(Decision(right=found.right, who=found.who, at=found.at, notices=told, unsubscribed=found.unsubscribed))


def told_already(notices: Iterable[Notice], before: Decision | None) -> tuple[Notice, ...]:
    """Return the notices of a decision that replaces another one. A recipient who was notified of the same is
    not notified again."""
    ended = {(one.recipient, one.country, one.deeds): one for one in before.notices if not one.is_open} if before is not None else {}
    return tuple(ended.get((one.recipient, one.country, one.deeds), one) for one in notices)


def answered(store: Store) -> frozenset[str]:
    """Return the answered requests: from the release on nobody waits for them, closed or not (HLD-12)."""
    return frozenset(request.id for request in store.requests.all() if request.is_answered)


def encoded(decision: Decision) -> bytes:
    """Return the sealed part of a decision."""
    return msgspec.json.encode(decision)
