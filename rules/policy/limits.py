"""What a schedule says of caution: how much may go at once, who approves, what is watched, what waits."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from rules.files.model import Key, Model
from rules.model.roles import DECIDES_BY_DEFAULT, Deciding
from rules.policy.values import Guid


class Limit(Model):
    """The circuit breaker's limits of one counter (RET-24)."""

    max: Annotated[int, Field(ge=0)] = 200
    """More planned disposals than this wait for the approval of two persons."""
    factor: Annotated[int, Field(ge=1)] = 3
    """So do more than this many times the median of the last 30 runs."""
    median_from: Annotated[int, Field(ge=0)] = 10
    """The median counts from this value on."""


class CategoryLimit(Model):
    """The circuit breaker's limits of one category; what is left out does not hold. A unit with several
    categories counts in each."""

    max: Annotated[int, Field(ge=0)] | None = None
    """More planned disposals of the category than this wait for the approval of two persons."""
    percent: Annotated[int, Field(ge=0, le=100)] | None = None
    """So do more than this percentage of the units of the category that were read."""
    factor: Annotated[int, Field(ge=1)] | None = None
    """So do more than this many times the median of the category over the last 30 runs."""
    median_from: Annotated[int, Field(ge=0)] = 10
    """The median counts from this value on."""


class Limits(Model):
    """The circuit breaker: recordings have a counter of their own (RET-24)."""

    units: Limit = Limit()
    """Dossiers, lone fiches, e-mails without one, and what has a term of its own beside recordings: gifts,
    courses, agreements, rows of dependent tables. Contacts are not counted."""
    recordings: Limit = Limit()
    """Recordings, and attachments that count as such."""
    categories: dict[Key, CategoryLimit] = Field(default={})
    """Limits of single categories, by the key of their row, beside those of the whole."""


class Approvals(Model):
    """When two persons look at a plan although the circuit breaker did not trip, and how long their approval
    holds (9.4)."""

    first_run: bool = True
    """Whether a plan needs approval that disposes of a category of which no completed run has disposed
    before."""
    valid_hours: Annotated[int, Field(ge=1, le=8784)] = 72
    """An approval counts for this long; after that the person may give it again."""


class QueueWatch(Model):
    """Who decides on units that nothing in force decides on (no category, one that nobody knows, or a row
    that is off), and how soon."""

    owner: Deciding = DECIDES_BY_DEFAULT
    """The role whose work it is."""
    days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days, from the one on which a plan first found a unit so, after which it is overdue and an alarm."""


class Watch(Model):
    """From when on something that looks wrong is an alarm."""

    view_shrinks_percent: Annotated[int, Field(ge=0, le=100)] = 10
    """Rows of one table may disappear from sight up to this share of those that the plan before saw."""
    view_shrinks_rows: Annotated[int, Field(ge=0)] = 5
    """And up to this many; the alarm comes where both are exceeded."""
    backlog_days: Annotated[int, Field(ge=1, le=89)] = 7
    """Days past its end after which a unit that should be gone, and was planned to go as long ago, is a
    backlog. Lines of plans, which name units, are kept a day longer, and never more than 90 days."""
    technical_runs: Annotated[int, Field(ge=1)] = 3
    """After this many runs in a row in which the CRM refused a unit for a technical reason, a person has to
    look (HLD-13)."""
    no_run_hours: Annotated[int, Field(ge=1)] = 26
    """Hours without a completed run after which nights are missing."""
    usual_runs: Annotated[int, Field(ge=1)] = 7
    """Completed runs after which the median says what is usual."""
    usual_disposals: Annotated[int, Field(ge=1)] = 5
    """From this median on, a night on which nothing is due is an alarm."""
    queue: QueueWatch = QueueWatch()
    """Units that wait for a person's decision, and are kept until then (RET-14)."""


class Canary(Model):
    """A unit of which the outcome is known beforehand. It must be one that stands alone, made up for this and
    never a real case."""

    table: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=128)]
    """The logical name of its table in the CRM."""
    id: Guid
    """The id of its row, in lower case without braces."""
    due: bool
    """`true`: every plan must dispose of it, and no run ever does; `false`: every plan must keep it."""


def _all_or_several(value: object) -> str:
    return "several" if isinstance(value, list | tuple) else "all"


AllOrSome = Annotated[
    Annotated[Literal["all"], Tag("all")] | Annotated[tuple[Key, ...], Field(min_length=1), Tag("several")], Discriminator(_all_or_several)
]


class Quarantine(Model):
    """Due units are marked first, their owners notified, and disposed of some days later."""

    days: Annotated[int, Field(ge=1, le=365)] = 14
    """Days after the marking on which a unit still stays."""
    categories: AllOrSome = "all"
    """The rows of the schedule whose units wait, or `all`."""
    notice: Literal["note", "none"] = "none"
    """How the owner is told: by a note on the dossier, fiche or recording in the CRM, or not at all."""
