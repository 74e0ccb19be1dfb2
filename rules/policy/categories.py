"""The rows of the retention schedule: what a category is called, when it ends, what becomes of its units, and
how the CRM's own categories lead to it (source: section 2 of the rules, policy §6.2 and §9)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, PlainSerializer, Tag, WithJsonSchema

from rules.files.model import Key, Model, Text
from rules.model.bypass import Bypasses
from rules.model.decisions import Disposition
from rules.model.purposes import PurposeKey

# A schedule says `retain` where the product says KEEP (section 2.2): the published word for a category
# without a term.
SPELLED: Mapping[str, Disposition] = MappingProxyType(
    {"retain": Disposition.KEEP, "delete": Disposition.DELETE, "anonymise": Disposition.ANONYMISE}
)


def _disposition(value: object) -> Disposition:
    if isinstance(value, Disposition):
        return value
    if isinstance(value, str) and value in SPELLED:
        return SPELLED[value]
    raise ValueError(f"a disposition is one of {', '.join(SPELLED)}")


def _spelling(value: Disposition) -> str:
    return next(word for word, disposition in SPELLED.items() if disposition is value)


FileDisposition = Annotated[
    Disposition,
    BeforeValidator(_disposition),
    PlainSerializer(_spelling, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "enum": list(SPELLED)}),
]


class Anchor(StrEnum):
    """Dates that a period may be counted from (RET-06, RET-07)."""

    LAST_ACTIVITY = "last_activity"
    OPENED_ON = "opened_on"
    CLOSED_ON = "closed_on"
    PROCEEDINGS_ENDED_ON = "proceedings_ended_on"
    TRANSMITTED_ON = "transmitted_on"
    ENDED_ON = "ended_on"
    BOOKED_ON = "booked_on"
    HELD_ON = "held_on"
    OWN_DATE = "own_date"


# The anchors that each unit has (2.2, 2.3).
ANCHORS_OF_UNIT: Mapping[str, tuple[Anchor, ...]] = MappingProxyType(
    {
        "dossier": (Anchor.LAST_ACTIVITY, Anchor.OPENED_ON, Anchor.CLOSED_ON, Anchor.PROCEEDINGS_ENDED_ON, Anchor.TRANSMITTED_ON),
        "recording": (Anchor.ENDED_ON,),
        "donation": (Anchor.BOOKED_ON,),
        "enrolment": (Anchor.HELD_ON,),
        "engagement": (Anchor.ENDED_ON,),
        "contact": (Anchor.BOOKED_ON, Anchor.ENDED_ON),
        "own_table": (Anchor.OWN_DATE,),
    }
)


def _one_or_several(value: object) -> str:
    return "several" if isinstance(value, list | tuple) else "one"


# One anchor, or several of which the first that has a date counts.
Anchors = Annotated[
    Annotated[Anchor, Tag("one")] | Annotated[tuple[Anchor, ...], Field(min_length=1), Tag("several")], Discriminator(_one_or_several)
]


class Outcome(StrEnum):
    """How a disappearance ended; the empty outcome is None (RET-12)."""

    LOCATED = "located"
    RETURNED = "returned"
    FOUND_DECEASED = "found_deceased"
    NOT_LOCATED = "not_located"
    NOT_RETURNED = "not_returned"


OUTCOMES = tuple(Outcome)


class Labels(Model):
    """What a category is called, in the languages in which people are written to."""

    nl: Text
    """In Dutch."""
    fr: Text
    """In French."""
    en: Text
    """In English."""
    de: Text
    """In German."""


class Mission(StrEnum):
    """The part of the organisation's work under which a disposed unit is counted (5.2)."""

    DISAPPEARANCE = "disappearance"
    EXPLOITATION = "exploitation"
    OTHER = "other"


class CategoryBase(Model):
    """What every row of the schedule says; `enabled: false` keeps a row in sight without letting it decide
    (2.3)."""

    labels: Labels
    """What people call the category."""
    basis: Text
    """The legal basis, or why the data are needed (RET-06)."""
    basis_labels: Labels | None = None
    """The same in the languages of answers to the people concerned; without it `basis` is told as it stands
    (EXP-11)."""
    purposes: tuple[PurposeKey, ...] = ()
    """What the data are kept for, as people who ask are told it; without it, what the mission or the unit
    says; where the mission is `other` that is a guess, and `policy check` names the row."""
    source: Text
    """Where the period is published."""
    rule: Text = "RET-06"
    """The rule that a plan names for a unit that ends by this row; of the type `until_age` it is RET-08 where
    none is named, of `no_term` RET-15."""
    mission: Mission = Mission.OTHER
    """The total under which a disposed unit is counted where no row of statistics may be written (ERA-09)."""
    disposition: FileDisposition
    """What happens after the retention end: `delete`, `anonymise`, or `retain` for a row without a term."""
    enabled: bool = True
    """`false`: the row is shown and decides nothing, its units are kept as UNCONFIGURED (RET-14)."""
    unit: Literal["dossier", "recording", "donation", "enrolment", "engagement", "contact", "own_table"] = "dossier"
    """What ends as one (2.1); a lone fiche goes by the rows for dossiers, a row for `contact` says how long a
    relation lasts (2.3), a row for `own_table` decides over the dependent tables of the mapping that name
    it."""
    kinds: tuple[Key, ...] | None = None
    """On a row for enrolments or engagements: the kinds that it is for, as the mapping calls them; without
    it, all."""
    approvers: tuple[Text, ...] | None = None
    """Who approved this row, where others did than those of the version: two different persons (RET-06)."""
    open_blocks: bool = True
    """Whether an open dossier is kept past its end (RET-13); `false` for the six-month categories."""
    leads_to_child: bool = True
    """Whether what is told of such a file may lead to where the child is, as after running away or an
    abduction: it is then withheld from who asks on the child's behalf, until it is released item by item
    (RGT-09). `false` where it cannot. A category that leads to several rows counts as one that may, unless
    all of them say `false`."""
    bypass: Bypasses = ()
    """What of the CRM's custom logic a disposal passes by; of a unit with several rows, what all of them
    name. Holds that are kept as plug-ins are passed by too."""
    k: Annotated[int, Field(ge=2)] | None = None
    """How many rows of statistics must be alike before one may be written (ERA-08); without it, that of
    `statistics`."""
    suggestion: str = ""
    """On a row that is not enabled: what the controller may want to decide."""

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        """The anchors in the order in which they are tried."""
        return ()


class Counted(CategoryBase):
    """A row whose period is counted from an anchor."""

    anchor: Anchors
    """The date that the period is counted from; of several, the first that is known."""

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        return self.anchor if isinstance(self.anchor, tuple) else (self.anchor,)


class MonthsAfter(Counted):
    """A number of months after an anchor."""

    type: Literal["months_after"]
    months: Annotated[int, Field(ge=1, le=2400)]
    """How many."""


class YearsAfter(Counted):
    """A number of years after an anchor."""

    type: Literal["years_after"]
    years: Annotated[int, Field(ge=1, le=200)]
    """How many."""


class UntilAge(CategoryBase):
    """Until the youngest child reaches an age; the birthday is the last day kept (RET-08)."""

    type: Literal["until_age"]
    rule: Text = "RET-08"
    """The rule that a plan names for a unit that ends by this row."""
    age: Annotated[int, Field(ge=1, le=120)]
    """In completed years."""


class EndOfCalendarYearAfter(Counted):
    """Until 31 December, a number of years after the year of an anchor."""

    type: Literal["end_of_calendar_year_after"]
    years: Annotated[int, Field(ge=0, le=200)]
    """How many; 0 is the year of the anchor itself."""


class UntilEvent(CategoryBase):
    """Until an event, with some months on top where wanted."""

    type: Literal["until_event"]
    event: Anchor
    """The anchor that stands for the event."""
    months: Annotated[int, Field(ge=0, le=2400)] = 0
    """Months on top."""

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        return (self.event,)


class NoTerm(CategoryBase):
    """No term: kept, and proposed for review (RET-15)."""

    type: Literal["no_term"]
    rule: Text = "RET-15"
    """The rule that a plan names for a unit that ends by this row."""
    review_months: Annotated[int, Field(ge=1, le=2400)] | None = None
    """Months between two reviews; without it, that of `defaults`."""


Category = Annotated[MonthsAfter | YearsAfter | UntilAge | EndOfCalendarYearAfter | UntilEvent | NoTerm, Field(discriminator="type")]


class Derivation(Model):
    """One line of RET-12: a CRM category and its outcomes give a retention key."""

    key: Key
    """The row of `categories` that decides."""
    outcomes: tuple[Outcome, ...] | None = None
    """The outcomes that the line is for; without it any outcome, with `[]` the empty one."""
    flag: Literal["OUTCOME_AMBIGUOUS", "OUTCOME_MISSING", "RECLASSIFY"] | None = None
    """What a person should look at."""

    def matches(self, outcome: str | None) -> bool:
        """Return whether the line is for this outcome; None is the empty one (RET-12)."""
        if self.outcomes is None:
            return True
        return outcome in self.outcomes if outcome is not None else not self.outcomes
