"""The organisation in whose name the product speaks, as values: frozen models that refuse unknown keys.

`OrganisationFile` is what a file says, and what the published JSON schema describes; `Organisation` adds what
the loader knows of the text it was read from.

Source: GDPR art. 6, 9, 12, 13, 15, 28, 77; section 7.1, EXP-10, EXP-11, ACC-11.
"""

import hashlib
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from rules.files.model import Email, Model, Text
from rules.model.languages import LANGUAGES, Language
from rules.model.purposes import PURPOSES, PurposeKey
from rules.organisation.words import OwnTable, Words
from rules.policy.categories import Mission
from rules.policy.policy import Policy

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=60)]

# What a retention schedule may say of the organisation as well: read where no organisation file is named.
SAID_BY_POLICY = ("controller", "dpo", "helpline", "purposes", "processors")


class Addressee(Model):
    """Whom a data subject may write to."""

    name: Text
    """What the organisation or office is called."""
    address: str = ""
    """Its postal address."""
    address_labels: Words | None = None
    """The same as it is written in each language of an answer; without it, `address`."""
    email: Email = ""
    """Its e-mail address; without it, none is told."""

    def address_in(self, language: str) -> str:
        """Return the postal address as it is written in a language."""
        return self.address if self.address_labels is None else self.address_labels.in_language(language) or self.address


class Authority(Model):
    """The supervisory authority to which a person may complain (GDPR art. 12(4), 15(1)(f), 77)."""

    name: Words
    """Its name, as a sentence has it: with the article that belongs to it."""
    complain_to: Words
    """The same with its preposition, so that it completes the sentence "you may complain …"."""
    lodge_with: Words | None = None
    """The same so that it completes the sentence "you may lodge a complaint …"; without it, as in
    `complain_to`."""
    address: Words
    """Its postal address."""
    email: Email = ""
    """Its e-mail address; without it, none is told."""


class Helpline(Model):
    """Where children can call about an answer."""

    phone: Text
    """The number, as it is dialled."""
    ask_for: Words | None = None
    """Whom they ask for, so that it completes the sentence "ask for …"; without it, somebody who looks after
    the protection of data."""


class Purpose(Model):
    """One purpose for which data are kept, as people who ask are told it."""

    name: Words | None = None
    """What it is called; without it, the product's plain words, which say nothing of this organisation."""
    basis: Words | None = None
    """The ground of Article 6 GDPR; without it, that of the row of the schedule is told, and `doctor` names
    it."""
    special: Words | None = None
    """The ground of Article 9(2) GDPR on which special categories of data are processed for it; without it,
    none is told."""


class Processor(Model):
    """Somebody who processes personal data for the controller under a contract (GDPR art. 28)."""

    name: str = ""
    """The name of the company, as people who ask are told it; empty while the controller has not filled it
    in, and `doctor` names it."""
    task: Words
    """What it does for the controller."""
    purposes: tuple[PurposeKey, ...] = ()
    """The purposes for which it gets data; without them, all."""
    country: str = ""
    """The ISO code of its country, where that is outside the European Economic Area."""
    safeguard: Words | None = None
    """The ground on which data go there (GDPR art. 46)."""


class OrganisationFile(Model):
    """Everything that is said in the name of one organisation, as its file says it."""

    schema_: Annotated[Literal["organisation/1"], Field(alias="schema")]
    """The form of this file."""
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = LANGUAGES
    """The languages in which people are answered, the usual one first: a request in another is answered in
    that (EXP-11). Every text of this file has each of them."""
    controller: Addressee
    """The organisation that answers for the data."""
    dpo: Addressee
    """The data protection officer; without an address or an e-mail address, that of the controller is
    told."""
    authority: Authority
    """The supervisory authority."""
    helpline: Helpline | None = None
    """The number on the page that every answer to a minor has (EXP-10); without it, the page names none."""
    purposes: dict[PurposeKey, Purpose] = Field(default={})
    """What data are kept for and on which legal basis, as answers tell it (GDPR art. 6 and 9); a purpose that
    is not here is told in plain words, with the basis of the row of the schedule."""
    processors: tuple[Processor, ...] = ()
    """Who processes personal data for the controller (GDPR art. 28); without any, answers tell the category
    alone."""
    words: dict[OwnTable, dict[Word, Words]] = Field(default={})
    """Sentences and names that the organisation words itself, by the table and the key that they have in the
    product's own texts; what is not here is said in the product's words."""


class Organisation(OrganisationFile):
    """The organisation in whose name the product speaks. `digest` is the SHA-256 of what it was read from, in
    lower-case hex; `is_shipped`: nobody has named a file, so that the schedule may still say who it is.
    `timezone` and `country` are those of the schedule under which it speaks: by that clock the hours of
    answers are, as numbers are written there."""

    digest: str = Field(default="", exclude=True)
    is_shipped: bool = Field(default=False, exclude=True)
    timezone: str = Field(default="Europe/Brussels", exclude=True)
    country: str = Field(default="BE", exclude=True)

    @classmethod
    def of(cls, file: OrganisationFile, digest: str, *, is_shipped: bool) -> "Organisation":
        """Return what a file says that was validated."""
        given = file.model_fields_set | {"digest", "is_shipped"}
        return cls.model_construct(given, **dict(file), digest=digest, is_shipped=is_shipped)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Organisation) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[str, ...]:
        return self.digest, self.timezone, self.country

    def under(self, policy: Policy) -> "Organisation":
        """Return what holds under a schedule.

        A schedule may say itself who the controller is, its officer, helpline, purposes and processors. That
        counts where no organisation file is named, so that a schedule of one's own never speaks in the name
        of the shipped organisation.
        """
        where = {"timezone": policy.timezone, "country": policy.home.country}
        said = policy.model_fields_set.intersection(SAID_BY_POLICY) if self.is_shipped else set()
        if not said:
            same = (self.timezone, self.country) == (policy.timezone, policy.home.country)
            return self if same else self.model_copy(update=where)
        whole = self.model_dump(mode="json", by_alias=True)
        if policy.controller is not None and policy.controller.name != self.controller.name:
            whole |= {"words": {}, "helpline": None, "processors": [], "purposes": {}}  # not one of the other's words
        told = {name: value for name, value in policy.model_dump(mode="json").items() if name in said}
        for key, purpose in told.get("purposes", {}).items():  # a schedule has no names for them
            purpose["name"] = whole["purposes"].get(key, {}).get("name")
        digest = hashlib.sha256(f"{self.digest} {policy.digest}".encode()).hexdigest()
        return Organisation.model_validate({**whole, **told, "digest": digest, "is_shipped": True, **where})

    def unfilled(self, policy: Policy) -> tuple[str, ...]:
        """Return what answers cannot state because the controller has not filled it in: purposes without a
        basis, processors without a name, rows of the schedule that do not say what data are kept for, of
        which a purpose would be guessed, and where to write."""
        used = {purpose for row in policy.categories.values() for purpose in row.purposes}
        lacking = [key for key in PURPOSES if key in used | self.purposes.keys() and not _has_basis(self.purposes.get(key))]
        nameless = [f"processors[{at}].name" for at, each in enumerate(self.processors) if not each.name.strip()]
        silent = [
            f"categories.{key}.purposes"
            for key, row in policy.categories.items()
            if row.enabled and not row.purposes and row.mission is Mission.OTHER and row.unit in ("dossier", "own_table")
        ]
        reached = any(each.address or each.address_labels or each.email for each in (self.dpo, self.controller))
        return (*(f"purposes.{key}.basis" for key in lacking), *nameless, *silent, *(() if reached else ("dpo.email",)))


def _has_basis(purpose: Purpose | None) -> bool:
    return purpose is not None and purpose.basis is not None
