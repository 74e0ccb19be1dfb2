"""The schedule in force: how long each category is kept, from when, what happens then, and who says so."""

from typing import Final, NamedTuple

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.language.codes import WORDS
from crm_compliance.console.pages.policy.versions import Known, version_of, versions_of
from crm_compliance.wiring.schedule import SHIPPED
from rules.model.roles import Act, Role
from rules.policy.categories import Category, EndOfCalendarYearAfter, MonthsAfter, NoTerm, UntilAge, UntilEvent, YearsAfter
from rules.policy.rows import OF_RELATIONS, disposition_word


class Row(NamedTuple):
    """One row of the schedule in the language of the page."""

    key: str
    name: str
    period: str
    anchor: str
    then: str
    row: Category
    source: str
    basis: str
    suggestion: str


def show(visit: Visit) -> Response:
    """Show a version of the schedule, the one in force where none is named."""
    known = versions_of(visit)
    digest = visit.query("version")
    chosen = version_of(known, digest) if digest else next(each for each in known if each.is_in_force)
    policy = chosen.policy
    rows = [_row(visit, key, category) for key, category in policy.categories.items()]
    return visit.page(
        "policy/schedule.html.j2",
        chosen=chosen,
        file=_file(visit, chosen),
        policy=policy,
        known=known,
        in_force=[row for row in rows if row.row.enabled],
        off=[row for row in rows if not row.row.enabled],
        may_simulate=visit.may(Act.SEE_REPORTS),
    )


def _file(visit: Visit, version: Known) -> str:
    """Return which file a version is read from, for who can change it; others are told that it came with the
    product, where it did, and nothing of the disks of this machine."""
    if version.source.endswith(SHIPPED):
        return visit.say("shipped with the product")
    return version.source if visit.person.role == Role.CRM_ADMIN else ""


def _row(visit: Visit, key: str, category: Category) -> Row:
    anchors = ("birth_date",) if isinstance(category, UntilAge) else tuple(each.value for each in category.anchors)
    words = [anchor(visit, each, category.unit) for each in anchors]
    labels = category.basis_labels
    return Row(
        key=key,
        name=getattr(category.labels, visit.language),
        period=period(visit, category),
        anchor=(f", {visit.say('else')} ").join(words),
        then=disposition_word(category.disposition),
        row=category,
        source=visit.say(category.source),
        basis=getattr(labels, visit.language) if labels is not None else visit.say(category.basis),
        suggestion=visit.say(category.suggestion) if category.suggestion and not category.enabled else "",
    )


def anchor(visit: Visit, name: str, unit: str) -> str:
    """Return what a period of a unit is counted from, in words."""
    if unit in OF_RELATIONS and name == "ended_on":
        return visit.say("end of the agreement")
    if unit in OF_RELATIONS and name == "booked_on":
        return visit.say("last gift")
    return visit.word("counted" if name in WORDS["counted"] else "anchor", name)


def period(visit: Visit, category: Category) -> str:
    """Return how long a row keeps, in words."""
    match category:
        case MonthsAfter():
            return visit.say_counted("%s month", "%s months", category.months)
        case YearsAfter():
            return visit.say_counted("%s year", "%s years", category.years)
        case UntilAge():
            return visit.say("until the age of %s") % visit.formats.number(category.age)
        case EndOfCalendarYearAfter():
            return visit.say_counted("until 31 December, %s year on", "until 31 December, %s years on", category.years)
        case UntilEvent():
            if category.months:
                return visit.say_counted("until the event and %s month", "until the event and %s months", category.months)
            return visit.say("until the event")
        case NoTerm():
            return visit.say("no term")


ENDPOINTS: Final = (get("/policy", show, Act.SEE_SCHEDULE),)
