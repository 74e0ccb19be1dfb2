"""What an answer to a subject request says.

It is the model that a person reviews, and from which letter, page and data are made. It is compiled once and
sealed. Every text in it is as the CRM has it; what may be shown of it is beside it. What is excluded because
of a suspicion is in none of these structures (SUS-05): it must not be disclosed, counted or left as a gap."""

from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal, TypeAlias

import msgspec

from rules.model.home import IN_BELGIUM, Home
from rules.model.media_types import plain_type
from rules.model.requests import COPIES
from rules.redaction.not_shown import Redaction
from rules.rights.withholding import CLASSES

# The codes that an answer speaks in; the texts of the package have words for each of them in every language.
DataCategory: TypeAlias = Literal[
    "identification", "contact_details", "national_number", "birth", "sex", "image", "voice", "facts", "sensitive", "role",
    "communication", "technical", "payment", "preferences", "training", "engagement", "request",
]  # fmt: skip
Source: TypeAlias = Literal["self", "third_party", "professional", "contacts", "not_recorded"]
Criterion: TypeAlias = Literal[
    "no_term", "until_age", "six_months_after_contact", "open", "not_set", "unknown", "agreement", "after_agreement", "tax",
    "until_withdrawn", "request", "needed", "nothing_needs_them",
]  # fmt: skip
Basis: TypeAlias = Literal["consent", "contract", "legal_obligation", "of_the_others", "not_decided"]
_IMAGE: Final[tuple[DataCategory, ...]] = ("image",)
RGT_09: Final = "RGT-09"
NOT_THE_PERSON: Final = "NOT_THE_PERSON"  # the reviewer's word that a row mentions somebody else
DPO_REVIEW: Final = "DPO_REVIEW"
RECIPIENT: Final = "recipient"  # the kind of an item that says to whom something of a fiche was passed on
VOICE: Final = "VOICE"  # the sound is withheld, and a session to listen to it is offered
TOLD_CODES: Final = frozenset({"RF-03", VOICE, RGT_09})  # reasons that a person is told; whatever else a reviewer writes is told as RF-03


NOT_A_NAME: Final = "NOT_A_NAME"  # with APPROVED or APPROVED_REDACTED: what is nearly a name in this item is none
SEEN_UNCHECKED: Final = "SEEN_UNCHECKED"  # with APPROVED: a person has looked at a file that no program can read, and lets it go


class ItemStatus(StrEnum):
    """Where an item of free text, an image or a recording stands (EXP-07); what is redacted by rule alone is
    APPROVED from the start."""

    PENDING_REVIEW = "PENDING_REVIEW"
    APPROVED = "APPROVED"
    APPROVED_REDACTED = "APPROVED_REDACTED"
    WITHHELD = "WITHHELD"


class Field(msgspec.Struct, frozen=True):
    """One field of an item. `name` is the record's field; `value` a JSON value with dates in ISO form, None
    if it is not shown. `is_text`: free text, in the language it was written in. It is for the reviewer alone;
    what may be disclosed of it is `Item.shown_text`. `provided`: the person gave it (art. 20)."""

    name: str
    value: str | int | float | bool | None
    redactions: tuple[Redaction, ...] = ()
    is_text: bool = False
    provided: bool = False


class Attachment(msgspec.Struct, frozen=True):
    """A file that may be included: where it is fetched from, and its name in the package (never that in the
    CRM).

    `unread` states why no program can know all that is in it; it is then included only if a person approves
    this very file (SEEN_UNCHECKED). `sha256` is that of the content that was checked; empty for a recording,
    which is not fetched before it is included."""

    kind: str
    id: str
    field: str
    media_type: str
    name: str
    unread: str = ""
    sha256: str = ""


class MentionedIn(msgspec.Struct, frozen=True):
    """Where a mention is, for the reviewer alone. That is the file (kind, id, number; empty if there is
    none), and the contacts, by id and name, that are linked to the row or have a role in that file."""

    kind: str = ""
    id: str = ""
    number: str = ""
    contacts: tuple[tuple[str, str], ...] = ()


class Item(msgspec.Struct, frozen=True):
    """One row of the CRM in an answer. `item` is its number in the package, `context` the key of a Context,
    `kind` a kind of record.

    `source` is the row (kind, id) and stays inside: no package holds an id of the CRM (EXP-13).
    `needs_review`: a person decides about it (EXP-07); `proposal` is its text as the machine would redact it.
    `code` says why it is withheld. `text` is what the reviewer wrote instead of the proposal. `redactions`
    are those of the proposal. `digest` is of what a decision was made about: where it is the same after the
    answer is compiled again, the decision stands. `is_doubtful`: it may as well be somebody else's."""

    item: str
    context: str
    kind: str
    source: tuple[str, str]
    title: str
    at: str  # the day or instant that it is ordered by, ISO; empty where there is none
    fields: tuple[Field, ...]
    needs_review: bool = False
    status: ItemStatus = ItemStatus.APPROVED
    proposal: str = ""
    text: str | None = None
    code: str = ""
    withholds: str = ""  # the class of what is withheld: RGT-09 by default, else where the DPO says so
    attachment: Attachment | None = None
    redactions: tuple[Redaction, ...] = ()
    digest: str = ""
    where: MentionedIn | None = None
    is_doubtful: bool = False

    @property
    def leaves_no_trace(self) -> bool:
        """Whether nothing is disclosed of it if it is withheld. It is not about the person, or is a recipient
        that nobody may learn of."""
        return self.code == NOT_THE_PERSON or (self.kind == RECIPIENT and self.code != RGT_09)

    @property
    def is_shown(self) -> bool:
        """Whether anything of it is in the package; withheld, it shows as class and reason alone (EXP-09)."""
        return self.status in (ItemStatus.APPROVED, ItemStatus.APPROVED_REDACTED)

    @property
    def unread(self) -> str:
        """Why no program can know all that is in its file; empty if one can, or there is no file."""
        return self.attachment.unread if self.attachment is not None else ""

    @property
    def shown_attachment(self) -> Attachment | None:
        """The file included, as it is: only if APPROVED; a text in its place is shown instead."""
        return self.attachment if self.status is ItemStatus.APPROVED else None

    @property
    def withheld_class(self) -> str:
        """The class of what is left out where it is withheld."""
        if self.withholds or self.attachment is None:
            return self.withholds or ("text" if self.needs_review else "item")
        family = plain_type(self.attachment.media_type).partition("/")[0]
        return {"audio": "voice", "image": "image"}.get(family, "attachment")

    @property
    def told_code(self) -> str:
        """The reason that is stated if it is withheld. What protects a child from a parent's knowing is not a
        right of somebody else."""
        if self.withheld_class in CLASSES:
            return RGT_09
        return self.code if self.code in TOLD_CODES else "RF-03"

    @property
    def shown_text(self) -> str:
        """The text in the package: what the reviewer wrote, else the proposal; never the text of the CRM.
        Empty for none."""
        if not self.is_shown:
            return ""
        return self.text if self.status is ItemStatus.APPROVED_REDACTED and self.text is not None else self.proposal

    @property
    def shown_fields(self) -> tuple[Field, ...]:
        """The structured fields that go into the package, redacted by rule."""
        return tuple(field for field in self.fields if not field.is_text) if self.is_shown else ()


class Recipient(msgspec.Struct, frozen=True):
    """A recipient of data: by name if it is logged, else by category (art. 15(1)(c)).

    `on` is a day in ISO form, `country` an ISO code if it is outside the EEA, `safeguard` the ground for
    passing data on there. `source` is the row (kind, id) that states it, empty for a recipient that no row
    names; `is_criminal`: a recipient that acts in criminal matters (7.1(c))."""

    name: str
    on: str = ""
    country: str = ""
    safeguard: str = ""
    is_category: bool = False
    source: tuple[str, str] = ("", "")
    is_criminal: bool = False


class Retention(msgspec.Struct, frozen=True):
    """How long a context is kept: a last day, or a criterion.

    A last day that has passed is never stated as the term: `is_over`, and the request itself keeps the data,
    until `grace_days` after it is closed (HLD-08). An end that is counted from a birth date is a criterion
    for everybody but the child (`until_age`, with the `age`): its day would reveal the birthday. `months`
    is the term or the time between two reviews of a criterion that has one. `is_held`: kept longer because
    of a legal obligation or a claim, without detail."""

    category: str
    last_day: date | None
    criterion: Criterion | Literal[""] = ""
    is_held: bool = False
    age: int | None = None
    is_over: bool = False
    grace_days: int = 0
    months: int = 0  # 0 too in answers that were compiled before it was kept


class Ground(msgspec.Struct, frozen=True):
    """The legal basis of some purposes of a context: a code, or words by language; `special` is that
    of Article 9."""

    purposes: tuple[str, ...]
    code: Basis | Literal[""] = ""
    labels: dict[str, str] = {}
    special: dict[str, str] = {}


class ProcessedBy(msgspec.Struct, frozen=True):
    """Who processes for the organisation, by name where the schedule has one, and what it does, by language
    (art. 15(1)(c), 28)."""

    name: str
    tasks: dict[str, str]
    country: str = ""
    safeguards: dict[str, str] = {}


class Context(msgspec.Struct, frozen=True):
    """One thing for which data are kept: a dossier, a lone fiche, gifts, a newsletter. `key` numbers it
    inside the package (`context-1`).

    `kind` is dossier, fiche, recording, donation, enrolment, engagement, newsletter, contact, request, or the
    name of a dependent table with a term of its own;
    `role` that of the person in it. `purposes`, `data_categories` and `sources` are codes of the texts;
    `basis` is the legal basis as the policy has it, or a Basis where no row of it says one:
    `of_the_others` is that of the other contexts, which need these data. `rights` are rights
    (`rules.model.requests.Right`) that apply here. `source` is the unit of the CRM and stays inside.
    `is_limited`: RGT-09 holds for it. `is_doubtful`: all that it is of may as well be somebody else's."""

    key: str
    kind: str
    role: str
    category_labels: dict[str, str]
    purposes: tuple[str, ...]
    basis: str
    data_categories: tuple[DataCategory, ...]
    recipients: tuple[Recipient, ...]
    retention: Retention
    sources: tuple[Source, ...]
    rights: tuple[str, ...]
    special: bool = False
    portable: bool = False
    source: tuple[str, str] = ("", "")
    basis_labels: dict[str, str] = {}  # the basis by language, where the policy has it so
    roles: tuple[str, ...] = ()  # all roles, where there are several
    grounds: tuple[Ground, ...] = ()  # the basis purpose by purpose, where the policy has it so; told instead of `basis`
    processors: tuple[ProcessedBy, ...] = ()
    is_limited: bool = False
    is_doubtful: bool = False


class Withheld(msgspec.Struct, frozen=True):
    """What was left out, by class and reason (EXP-09), never because of a suspicion."""

    what: str
    code: str = "RF-03"


class Addressee(msgspec.Struct, frozen=True):
    """Whom the answer is written to, as they called themselves; `first_name` is how a child is spoken to."""

    name: str
    is_minor: bool = False
    first_name: str = ""


class Compilation(msgspec.Struct, frozen=True, kw_only=True):
    """The sealed part `compilation`: everything that may be in the answer, and what prevents its release.

    `answer` is package, neutral or dpo_review; `scope` own, on_behalf or on_behalf_limited. `blocks` are
    codes that stop a release until they are overridden or resolved (`NO_CONTACT`, `TRANSFER_BASIS_MISSING`,
    `SUS-06`, …). `not_searched` are places by code. `leak_terms` are leak-check terms, strings that must not
    be in the package: other people's names, numbers, addresses. `is_complete`: every row that was a candidate
    is in exactly one of included, withheld or excluded (EXP-14). `home` is as what its texts were redacted,
    so that what a reviewer writes is read alike.

    A package is made of `shown` and `told_withheld`, whose numbers and classes have no gaps, and never of
    `items` (EXP-09, R-107)."""

    request: str
    reference: str
    right: str
    answer: str
    scope: str
    language: str
    generated_at: datetime
    received_on: date
    addressee: Addressee
    about: str = ""  # whom the answer is about, as the requester calls them
    contexts: tuple[Context, ...] = ()
    items: tuple[Item, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    blocks: tuple[str, ...] = ()
    not_searched: tuple[str, ...] = ()
    leak_terms: tuple[str, ...] = msgspec.field(name="needles", default=())  # so named in stored answers
    refusal: str = ""  # the RF code where the right does not exist here, or the DPO refused
    remarks: tuple[str, ...] = ()  # RF codes that the letter adds to what it tells
    granted: tuple[str, ...] = ()  # items that the DPO granted, for rights other than access
    held: tuple[str, ...] = ()  # those of them that an obligation or a claim keeps for now
    delayed: tuple[str, ...] = ()  # those that are only written, and cannot be yet: told without a reason, which may be in other files
    kept: tuple[str, ...] = ()  # keys of contexts that stay whatever is erased: told with their ground and term (art. 12(4))
    words: dict[str, str] = {}  # where the product has none: the CRM's for `table`, `table.column`, the schedule's for `categories.key`
    home: Home = IN_BELGIUM
    is_complete: bool = True

    @property
    def is_on_behalf(self) -> bool:
        """Whether it is about a child, and for somebody who acts for it."""
        return self.scope.startswith("on_behalf")

    @property
    def shown(self) -> tuple[Item, ...]:
        """The items in the package, renumbered from 1 without a gap."""
        shown = [item for item in self.items if item.is_shown and item.kind != RECIPIENT]  # recipients are told with their context
        return tuple(msgspec.structs.replace(item, item=str(number)) for number, item in enumerate(shown, 1))

    def told_contexts(self, *, working_copy: bool = False) -> tuple[Context, ...]:
        """Return the contexts with the recipients who may be disclosed, each once.

        A working copy also has those who wait for a person. One that is doubtful is disclosed once a person
        has released something of it: it would tell that there is a file. A recipient is disclosed if its item
        is, and something else of its fiche: what is withheld does not show by its recipient that it exists.
        Where recipients are not items, in answers to other rights, nobody who acts in criminal matters is
        disclosed, and in a file under RGT-09 nobody: a shelter would be found by it. Only the items show that
        there are pictures."""
        pictured: set[str] = set()
        by_kind: dict[bool, dict[tuple[str, str], Item]] = {True: {}, False: {}}
        for item in self.items:
            if item.is_shown or (working_copy and item.status is ItemStatus.PENDING_REVIEW):
                by_kind[item.kind == RECIPIENT].setdefault(item.source, item)
                if item.attachment is not None and plain_type(item.attachment.media_type).startswith("image/"):
                    pictured.add(item.context)
        named, files = by_kind[True], by_kind[False]
        released = {item.context for item in files.values()}

        def told(each: Recipient) -> Recipient | None:
            if each.source == ("", ""):
                return each
            if self.right not in COPIES:
                is_kept_back = each.is_criminal or self.scope == "on_behalf_limited"
                return None if is_kept_back else msgspec.structs.replace(each, source=("", ""))
            item = named.get(each.source)
            if item is None or each.source not in files:
                return None
            is_rewritten = item.status is ItemStatus.APPROVED_REDACTED and bool(item.text)
            name, is_category = (item.text or "", False) if is_rewritten else (each.name, each.is_category)
            return msgspec.structs.replace(each, name=name, is_category=is_category, source=("", ""))

        return tuple(
            msgspec.structs.replace(
                context,
                recipients=tuple(dict.fromkeys(one for each in context.recipients if (one := told(each)))),
                data_categories=(*context.data_categories, *_IMAGE) if context.key in pictured else context.data_categories,
            )
            for context in self.contexts
            if not context.is_doubtful or context.key in released
        )

    @property
    def told_withheld(self) -> tuple[Withheld, ...]:
        """What was left out, each class and reason once: of items that a person or a rule withholds, and what
        was left out before.

        A file goes with the text of its row: of what mentions somebody else it leaves no trace either, and a
        transcript that is withheld cannot be listened to instead."""
        withheld = [item for item in self.items if item.status is ItemStatus.WITHHELD]
        texts = {item.source: item for item in withheld if item.attachment is None and item.kind != RECIPIENT}
        told: list[Withheld] = []
        for item in withheld:
            text = texts.get(item.source, item) if item.attachment is not None else item
            if not (item.leaves_no_trace or text.leaves_no_trace):
                told.append(Withheld(item.withheld_class, text.told_code if item.told_code == VOICE else item.told_code))
        return tuple(dict.fromkeys((*self.withheld, *told)))

    @property
    def offers_listening(self) -> bool:
        """Whether the person may come and listen to a recording: to none that is withheld for another reason
        (EXP-08)."""
        return any(withheld.code == VOICE for withheld in self.told_withheld)

    @property
    def pending(self) -> int:
        """How many items wait for a person."""
        return sum(item.status is ItemStatus.PENDING_REVIEW for item in self.items)
