"""The retention schedule as values: frozen models that refuse unknown keys (source: section 2 of the rules,
policy §6.2 and §9). `PolicyFile` is what a file says, and what the published JSON schema describes; `Policy`
adds the digest of the text it was read from. Its rows are in `categories.py`, its limits and what it watches
in `limits.py`."""

from collections.abc import Collection
from datetime import date, timedelta
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from rules.dates.calendar import Calendar
from rules.files.model import Email, Key, Model, Text
from rules.model.bypass import Bypass, Bypasses
from rules.model.home import Home
from rules.model.languages import Language
from rules.model.purposes import PurposeKey
from rules.policy.categories import Category, Derivation, Labels, Mission
from rules.policy.limits import Approvals, Canary, Limits, Quarantine, Watch
from rules.policy.purposes_and_processors import Processor, PurposeBasis
from rules.policy.values import Country, Holidays, NumberScheme, Zone

ZERO_DAY = date(1899, 12, 30)  # 0 as a date in spreadsheets and in OLE Automation, where 1 January 1900 is 2


class Defaults(Model):
    """Periods and days that hold for every row."""

    late_rule_months: Annotated[int, Field(ge=0, le=2400)] = 6
    """Months after late activity for age-based rows; 0 switches the rule off (RET-10)."""
    review_months: Annotated[int, Field(ge=1, le=2400)] = 60
    """Months between two reviews of a dossier without a term (RET-15)."""
    recording_warning_days: Annotated[int, Field(ge=0, le=3650)] = 30
    """Days before its end from which a recording that was not taken over is flagged (RET-21)."""
    request_grace_days: Annotated[int, Field(ge=0, le=90)] = 30
    """Days after its closing for which a subject request still keeps all about the person (HLD-08)."""
    due_soon_days: Annotated[int, Field(ge=0, le=3650)] = 30
    """Days before its end from which a report counts a unit as due soon."""
    delete_after_takeover: bool = False
    """Whether a recording may go before its end once it was taken over (RET-21)."""
    country: Country = "BE"
    """The ISO code of the country in which the organisation works: a telephone number that says no country is
    one of it, and so is a recipient or a home address (IDN-10). With another country than BE, `holidays`,
    `national_number` and `timezone` have to be named as well, since nobody can tell which are meant."""
    national_number: NumberScheme = "be"
    """Which numbers are national numbers: `be`, whose numbers also show a birth date; the name of a module of
    python-stdnum, such as `nl.bsn`, whose numbers are compared only; `none`, where they mean nothing
    (IDN-01)."""
    sentinels: tuple[date, ...] = (date(1753, 1, 1), date(1900, 1, 1), date(9999, 12, 31))
    """Dates that stand for no date at all (RET-09). So does 1899-12-30 always, what spreadsheets and older
    programs make of an empty cell, and the day before each: an instant that was typed as such a date lies
    there by the clocks of its time, which a CRM does not know."""
    holidays: Holidays = "BE"
    """The country, or part of one (`DE-NW`), on whose public holidays no answer to a subject request is due
    (DDL-05)."""
    extra_holidays: tuple[date, ...] = ()
    """Days beside the public holidays on which no answer to a subject request is due; each makes some answer
    later (DDL-05)."""
    package_days: Annotated[int, Field(ge=14, le=90)] = 30
    """Days after its delivery for which an answer to a subject request, and every working copy of it, is kept
    (EXP-17)."""
    sealed_days: Annotated[int, Field(ge=0, le=365)] = 30
    """Days after its closing for which the names behind a subject request are kept, longer where a complaint
    follows (ACC-08)."""
    register_years: Annotated[int, Field(ge=1, le=10)] = 5
    """Years after its closing for which a subject request stands in the register; then only yearly totals are
    left (ACC-07)."""
    language: Language | None = None
    """The language of letters to whose language nobody knows, such as recipients of data (EXP-11); without
    it, the usual one of the organisation."""
    maturity_age: Annotated[int, Field(ge=0, le=18)] = 12
    """Age on the day of receipt from which a child is presumed able to exercise the rights alone (RGT-05)."""


class Statistics(Model):
    """The small-cell test (ERA-08); a category's own `k` wins."""

    k: Annotated[int, Field(ge=2)] = 5
    """How many rows must be alike before one may be written."""
    batch: Literal["run", "monthly"] = "run"
    """`monthly`: what is counted waits, without identifiers, and is written by the first run of the next
    month (ERA-16)."""


class Anonymise(Model):
    """What `anonymise` does to a dossier or lone fiche whose time has come (ERA-03)."""

    how: Literal["extract_and_delete", "in_place"] = "extract_and_delete"
    """`in_place`: the rows stay, masked as the mapping says, and all that depends on them goes (5.3,
    ERA-06)."""
    pseudonyms: Literal["run", "kept"] = "run"
    """The key behind `hmac`: random and destroyed with the run, or kept, so that every unit is reported
    PSEUDONYMISED (ERA-02)."""

    @property
    def is_in_place(self) -> bool:
        return self.how == "in_place"

    @property
    def keeps_key(self) -> bool:
        return self.pseudonyms == "kept"


class People(Model):
    """How contacts are removed and trimmed, which have no row of their own in `categories` (RET-20)."""

    bypass: Bypasses = ()
    """What of the CRM's custom logic the removal or trimming of a contact passes by, as on a row."""


class Backups(Model):
    """Whether backups of the CRM are declared beyond use (ERA-02, ERA-13), and after how many days they have
    rotated out."""

    beyond_use: bool
    """Nobody uses a backup but to restore it, and a restore replays the disposals."""
    days: Annotated[int, Field(ge=0, le=3650)]
    """Days until the oldest backup is gone."""


class OwnData(Model):
    """How long this product keeps what it writes down itself (ACC-07). The ledger is kept for good, the
    register of requests as `defaults` says."""

    plan_lines_days: Annotated[int, Field(ge=1, le=90)] = 30
    """Days for which the lines of a plan, which name units, are kept, and never fewer than a backlog needs
    (`watch.backlog_days`); of a plan that was carried out the totals stay."""
    run_log_months: Annotated[int, Field(ge=1, le=60)] = 24
    """Months after its end for which the journal of a run is kept; counts and certificates stay."""
    certificate_years: Annotated[int, Field(ge=1, le=100)] = 10
    """Years after the end of its run for which a certificate is kept, and after it was replaced a register
    key that protects certificates; for so long after it was last planned by, a version of the schedule, and
    after the end of its run, who made, approved or rejected a plan. Number and root of the certificates stay
    in the ledger."""
    hold_years: Annotated[int, Field(ge=1, le=30)] = 5
    """Years for which a hold is kept after it was released or has ended."""
    technical_log_months: Annotated[int, Field(ge=1, le=60)] = 13
    """Months for which whoever runs the service keeps its log lines; this product writes them to standard
    error and keeps none."""


class Addressee(Model):
    """Whom a data subject may write to."""

    name: Text
    """What the organisation or office is called."""
    address: str = ""
    """Its postal address."""
    address_labels: Labels | None = None
    """The same as it is written in each language of an answer; without it, `address`."""
    email: Email = ""
    """Its e-mail address."""


class Helpline(Model):
    """Where children can call about an answer."""

    phone: Text
    """The number, as it is dialled."""
    ask_for: Labels | None = None
    """Whom they ask for, so that it completes the sentence "ask for …"; without it, somebody who looks after
    the protection of data."""


class PolicyFile(Model):
    """The retention schedule of one organisation, one version, as its file says it."""

    schema_: Annotated[Literal["retention-schedule/1"], Field(alias="schema")]
    """The form of this file."""
    name: Text
    """What the schedule is called."""
    version: Text
    """Changes with every change of the schedule; plans and certificates name it."""
    valid_from: date
    """The first day on which the schedule is in force."""
    proposed_by: str = ""
    """Who proposed this version; never one of the approvers (R-022)."""
    approvers: tuple[Text, ...]
    """Who approved this version: two different persons at least (RET-06)."""
    controller: Addressee | None = None
    """The organisation that answers for the data. This and the next four belong into the organisation file:
    what a schedule says of them counts only where no organisation file is named."""
    dpo: Addressee | None = None
    """The data protection officer."""
    helpline: Helpline | None = None
    """The number on the page that every answer to a minor has (EXP-10)."""
    purposes: dict[PurposeKey, PurposeBasis] = Field(default={})
    """The legal basis of each purpose, as answers to the people concerned tell it (GDPR art. 6 and 9)."""
    processors: tuple[Processor, ...] = ()
    """Who processes personal data for the controller (GDPR art. 28), as answers tell it."""
    timezone: Zone = "Europe/Brussels"
    """The IANA time zone in which every date is a civil date: a period ends with the last hour of its last
    day there, jobs are due by its clock, and reports and answers tell its hours (DAT-01, DAT-13). A store
    keeps the one it began with."""
    defaults: Defaults = Defaults()
    """Periods and days that hold for every row."""
    limits: Limits = Limits()
    """The circuit breaker (RET-24)."""
    approvals: Approvals = Approvals()
    """When two persons look at a plan (9.4)."""
    watch: Watch = Watch()
    """From when on something that looks wrong is an alarm."""
    canaries: tuple[Canary, ...] = ()
    """Units whose outcome is known beforehand: where one comes out otherwise, the plan needs approval."""
    quarantine: Quarantine | None = None
    """Without it a unit goes in the first run after its end."""
    plan_valid_hours: Annotated[int, Field(ge=1, le=8784)] = 72
    """How long a plan may be applied (ACC-04)."""
    statistics: Statistics = Statistics()
    """The small-cell test (ERA-08)."""
    anonymise: Anonymise = Anonymise()
    """What `anonymise` does (ERA-03)."""
    contacts: People = People()
    """How contacts are removed and trimmed (RET-20)."""
    backups: Backups
    """What holds for backups of the CRM (ERA-13)."""
    own_data: OwnData = OwnData()
    """How long this product keeps what it writes down itself (ACC-07)."""
    derive: dict[Key, tuple[Derivation, ...]]
    """For each category of the CRM, the row that decides, outcome by outcome (RET-12)."""
    categories: dict[Key, Category]
    """The rows of the schedule."""

    @property
    def led_to(self) -> frozenset[str]:
        """The rows to which a line of `derive` leads."""
        return frozenset(line.key for lines in self.derive.values() for line in lines)


class Policy(PolicyFile):
    """The retention schedule of one organisation, one version. `digest` is the SHA-256 of the text it was
    read from, in lower-case hex."""

    digest: str = Field(default="", exclude=True)

    @classmethod
    def of(cls, file: PolicyFile, digest: str) -> "Policy":
        """Return what a file says that was validated."""
        return cls.model_construct(file.model_fields_set | {"digest"}, **dict(file), digest=digest)

    @property
    def calendar(self) -> Calendar:
        """In which zone a day is one, and on which days no answer to a subject request is due (DAT-01,
        DDL-05)."""
        return Calendar(self.defaults.holidays, frozenset(self.defaults.extra_holidays), ZoneInfo(self.timezone), self.fillers)

    @property
    def fillers(self) -> frozenset[date]:
        """The days that stand for none (RET-09, RET-14)."""
        return _fillers(self.defaults.sentinels)

    @property
    def home(self) -> Home:
        """What a number or a postcode is read as that does not say of which country it is."""
        return Home(self.defaults.country, self.defaults.national_number)

    @property
    def crm_categories(self) -> tuple[str, ...]:
        """The categories of the CRM of which the schedule speaks: those of `derive`, and the name of each row
        for dossiers to which no line leads, which answers for the category of that name (RET-12)."""
        led_to = self.led_to
        own = (key for key, row in self.categories.items() if row.unit == "dossier" and key not in led_to)
        return (*self.derive, *(key for key in own if key not in self.derive))

    @property
    def harmless(self) -> frozenset[str]:
        """The CRM's categories of which nothing that is told may lead to where the child is (RGT-09)."""
        rows = {crm: [line.key for line in lines] for crm, lines in self.derive.items()}
        rows = {key: [key] for key, row in self.categories.items() if row.unit == "dossier"} | rows
        found = {crm: [self.categories.get(key) for key in keys] for crm, keys in rows.items() if keys}
        return frozenset(crm for crm, each in found.items() if all(row is not None and not row.leads_to_child for row in each))

    def k_of(self, key: str) -> int:
        """Return how many rows of statistics must be alike before one of a category is written (ERA-08)."""
        category = self.categories.get(key)
        return category.k if category is not None and category.k is not None else self.statistics.k

    def bypass_of(self, keys: Collection[str]) -> frozenset[Bypass]:
        """Return what a unit of these categories bypasses: what every one of them allows. A row that does not
        exist, or is off, allows nothing."""
        rows = [self.categories.get(key) for key in keys]
        allowed = [frozenset[Bypass](row.bypass if row is not None and row.enabled else ()) for row in rows]
        return frozenset[Bypass].intersection(*allowed) if allowed else frozenset()

    @property
    def bypasses(self) -> dict[Bypass, tuple[str, ...]]:
        """What is passed by at all, and where the schedule says so: keys of rows, and `contacts`."""
        rows = {key: row.bypass for key, row in self.categories.items() if row.enabled} | {"contacts": self.contacts.bypass}
        return {each: where for each in Bypass if (where := tuple(key for key, named in rows.items() if each in named))}

    @property
    def kinds(self) -> dict[str, tuple[str, ...]]:
        """The kinds that the schedule has rows for, in force or not, by the unit that is divided into
        them."""
        units = {row.unit for row in self.categories.values() if row.kinds}
        return {unit: tuple(kind for row in self.categories.values() if row.unit == unit for kind in row.kinds or ()) for unit in units}

    def mission_of(self, key: str) -> Mission:
        """Return the mission under which a unit of this category is counted."""
        category = self.categories.get(key)
        return category.mission if category is not None else Mission.OTHER


@lru_cache(maxsize=8)
def _fillers(sentinels: tuple[date, ...]) -> frozenset[date]:
    """Made once for a schedule: each day of each row and request is read by its calendar."""
    return frozenset(day - timedelta(days=n) for day in (*sentinels, ZERO_DAY) for n in (0, 1) if n < day.toordinal())
