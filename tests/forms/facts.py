"""The people and facts that every form has to hold: an organisation full of traps, one communication of each
category, and three people who ask. Everybody is invented."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tests.forms.house import NOW
from tests.independent.civil import add_years, days
from tests.independent.organisation import BASE, CHILD, EIGHTEEN, NOT_CONFIGURED, REPORTER, SIX, SUSPECT, Organisation
from tests.independent.traps import draw
from tests.independent.wire import WebApi

SEED, RECIPES = 12, 31  # of this seed has every reason
CATEGORIES = (*SIX, 2, *EIGHTEEN, 30, 31, 32, 33, *NOT_CONFIGURED)
OUTCOMES = (None, 0, 1, 2, 3, 4)


@dataclass(frozen=True)
class Asker:
    """Somebody who asks, as they would fill in a form; `contact` is empty where nobody is confirmed."""

    contact: str
    told: dict[str, Any]
    answer: str


@dataclass(frozen=True)
class Hold:
    """What is held although its time has come: a row, or everything about a person."""

    kind: str
    table: str
    id: str


@dataclass(frozen=True)
class Facts:
    """What was put into the reference organisation."""

    organisation: Organisation
    askers: dict[str, Asker]
    holds: tuple[Hold, ...]


def plant(api: WebApi, storage: Path) -> Facts:
    """Load the reference organisation."""
    organisation = draw(SEED, datetime.fromisoformat(NOW.replace("Z", "+00:00")), RECIPES, storage)
    _each_category(organisation)
    askers = _askers(organisation)
    holds = _holds(organisation)
    organisation.load(api)
    return Facts(organisation, askers, holds)


def _holds(o: Organisation) -> tuple[Hold, ...]:
    o.recipe = "held"
    spoken = o.day - days(1000)
    dossier, _ = o.dossier((0,), fiches=[(spoken, (0,))])
    lone = o.fiche(spoken, (0,))
    child = o.child(add_years(o.day, -30))
    o.party(child, CHILD, dossier=o.dossier((0,), fiches=[(spoken, (0,))])[0])
    return (Hold("legal", "cf_dossier", dossier), Hold("complaint", "cf_fiche", lone), Hold("judicial", "contact", child))


def _each_category(o: Organisation) -> None:
    """A lone fiche or a dossier for each category, and each outcome for those whose term depends on it."""
    o.recipe = "each category"
    spoken = o.day - days(4200)
    for number, category in enumerate(CATEGORIES):
        if number % 2:
            o.fiche(spoken, (category,))
            continue
        dossier, _ = o.dossier((category,), fiches=[(spoken, (category,))], cf_closedon=o.moment(spoken))
        o.party(o.child(add_years(o.day, -30)), CHILD, dossier=dossier)
    for outcome in OUTCOMES:
        for category in (31, 32, 33):
            o.dossier((category,), fiches=[(spoken, (category,))], cf_outcome=None if outcome is None else BASE + outcome)


def _askers(o: Organisation) -> dict[str, Asker]:
    """A dossier that is kept, with a child who is grown up, a reporter and a suspect, each with words of
    their own in every text; and what they had to do with it by telephone, by mail and on paper."""
    o.recipe = "askers"
    people = {
        "child": _person(o, add_years(o.day, -20)),
        "reporter": _person(o, add_years(o.day, -50)),
        "suspect": _person(o, add_years(o.day, -45)),
    }
    names = {who: f"{columns['firstname']} {columns['lastname']}" for who, (_, columns) in people.items()}
    child, reporter, suspect = (people[who][0] for who in people)
    told = f"{names['child']} vertelt over {names['suspect']}; {names['reporter']} belde ons (fictief)"
    spoken = o.day - days(400)
    dossier, (first, second) = o.dossier(
        (30,),
        fiches=[(spoken, (30,)), (spoken + days(10), (22,))],
        cf_summary=told,
        cf_outcome=BASE + 2,
        cf_outcomeon=(spoken + days(12)).isoformat(),
        cf_closedon=o.moment(spoken + days(40)),
    )
    o.party(child, CHILD, dossier=dossier)
    o.party(reporter, REPORTER, fiche=first)
    o.party(suspect, SUSPECT, dossier=dossier)
    o.recording(spoken, started=spoken, fiche=first, cf_evidence=True, cf_transcript=told)
    o.recording(o.day - days(30), started=o.day - days(30), fiche=second, cf_callernumber=people["reporter"][1]["mobilephone"])
    o.note("cf_dossier", dossier)
    o.note("cf_fiche", first, mimetype="text/plain", filename="brief.txt")
    o.note("contact", reporter)
    o.activity("phonecall", ("cf_fiche", first), [reporter, None], spoken)
    o.activity("email", ("cf_dossier", dossier), [child, reporter], spoken + days(3))
    o.activity("phonecall", ("contact", child), [child], spoken + days(4))
    lone = o.fiche(o.day - days(60), (0,), cf_summary=told)
    o.party(reporter, REPORTER, fiche=lone)
    answers = {"child": "package", "reporter": "package", "suspect": "neutral"}
    return {who: Asker(row, _form(columns), answers[who]) for who, (row, columns) in people.items()}


def _person(o: Organisation, born: date) -> tuple[str, dict[str, Any]]:
    row = o.contact(birthdate=born.isoformat(), emailaddress1=f"{o.token()}@example.org", cf_nationalnumber=o.number(born))
    return row, next(columns for table, columns in o.creates if table == "contact" and columns["contactid"] == row)


def _form(columns: dict[str, Any]) -> dict[str, Any]:
    return {
        "firstname": columns["firstname"],
        "lastname": columns["lastname"],
        "birthdate": columns["birthdate"],
        "nationalnumbers": [],
        "phones": [columns["mobilephone"]],
        "emails": [columns["emailaddress1"]],
    }
