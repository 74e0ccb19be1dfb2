"""Units with one family of traps each, and an organisation that is drawn from them by a seed."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from random import Random

from tests.independent.civil import add_months, add_years, brussels_day, days, instant_on
from tests.independent.organisation import (
    BASE,
    CHILD,
    NOT_CONFIGURED,
    PARENT,
    PNG,
    REPORTER,
    SIX,
    WITNESS,
    Columns,
    Organisation,
    joined,
)
from tests.independent.traps_of_dossiers import (
    birth_puzzle,
    civil_party,
    cohort,
    data_error,
    grown_up,
    late_activity,
    leap_child,
    legal_hold,
    mixed,
    no_term,
    open_past_end,
    public_alert,
    same_child,
    several_children,
    six_months,
    six_months_fallback,
    twenty_five,
    two_homes,
    unconfigured,
)


def lone_fiche(o: Organisation) -> None:
    kind = o.rng.randrange(9)
    spoken: date | str | None = o.near_six_months()
    columns: Columns = {}
    categories: Sequence[int] = (o.rng.choice(SIX),)
    child: Columns | None = None
    if kind == 1:
        spoken, columns = None, {"overriddencreatedon": o.moment(o.near_six_months())}
    elif kind == 2:
        categories, spoken, child = (30,), o.day - days(3000), {"birthdate": o.near_birthday(25).isoformat()}
    elif kind == 3:
        categories, spoken = (2,), o.day - days(4000)
    elif kind == 4:
        categories, spoken = (o.rng.choice((31, 32, 33)),), add_months(o.day, -60) + days(o.rng.randint(-1, 1))
    elif kind == 5:
        categories, spoken = (o.rng.choice(NOT_CONFIGURED),) if o.chance(0.5) else (), o.day - days(4000)
    elif kind == 6:
        spoken = o.day + days(o.rng.choice((0, 1, 65000)))
    elif kind == 7:
        categories, spoken, child = (20,), o.near_six_months(), {"birthdate": o.near_birthday(20).isoformat()}
    elif kind == 8:
        categories, spoken = (0, 21), o.near_birthday(18)
    fiche = o.fiche(spoken, categories, **columns)
    if child is not None:
        o.party(o.child(**child), CHILD, fiche=fiche)
    if kind == 8 and o.chance(0.5):
        o.recording(o.day - days(500), fiche=fiche, cf_evidence=True)
    o.surround(None, [fiche])


def empty_dossier(o: Organisation) -> None:
    kind = o.rng.randrange(5)
    columns: Columns = {"cf_closedon": o.moment(o.day - days(2200)) if o.chance(0.6) else None}
    category = o.rng.choice((0, 21, 2, 30))
    if kind == 1:
        columns["cf_reopenedon"] = o.moment(o.near_six_months())
    dossier, fiches = o.dossier((category,), closed=o.chance(0.8), **columns)
    if kind in (2, 3):
        o.party(o.child(o.near_birthday(26)), CHILD, dossier=dossier)
    elif kind == 4:
        o.party(None, CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def masked(o: Organisation) -> None:
    """Rows that an earlier run has anonymised: they have no line and are not touched."""
    at: Columns = {"cf_anonymisedon": o.moment(o.day - days(100))}
    o.dossier((30,), fiches=[], **at)
    o.fiche(o.day - days(3000), (30,), **at)
    o.add("contact", {"firstname": "Geanonimiseerd", "lastname": "Geanonimiseerd", **at})


def recordings(o: Organisation) -> None:
    """Recordings of every kind, on dossiers that go, stay and are open."""
    old = o.day - days(1200)
    category = o.rng.choice((21, 33, 30))
    dossier, (fiche,) = o.dossier((category,), fiches=[(old, (category,))], closed=o.chance(0.5), cf_closedon=o.moment(old))
    o.party(o.child(o.near_birthday(o.rng.choice((30, 10)))), CHILD, dossier=dossier)
    end = o.near_six_months()
    o.recording(end, fiche=fiche, started=end)
    o.recording(o.day - days(o.rng.randint(150, 170)), fiche=fiche, cf_takenover=o.rng.choice((True, False, None)))
    o.recording(o.day - days(300), fiche=fiche, cf_evidence=True)
    o.recording(end, fiche=fiche, cf_evidence=False)
    kind = o.rng.randrange(7)
    target = o.rng.choice((fiche, None))
    if kind == 0:  # across midnight in Brussels
        o.recording(instant_on(end, 0, 20), started=instant_on(end - days(1), 23, 50), fiche=target)
    elif kind == 1:
        o.recording(None, started=end, fiche=target)
    elif kind == 2:
        o.recording(None, started=None, fiche=target, overriddencreatedon=o.moment(o.day - days(900)))
    elif kind == 3:
        o.recording(o.rng.choice(("1900-01-01T00:00:00Z", "9999-12-31T00:00:00Z")), started=end, fiche=target)
    elif kind == 4:
        o.recording(o.day + days(o.rng.choice((0, 1, 400))), started=o.day, fiche=target)
    elif kind == 5:
        o.recording(end, fiche=None, cf_evidence=True)
    else:
        missing = (o.storage / "nooit geweest.wav").as_uri() if "objects" not in o.without else None
        o.recording(o.day - days(400), fiche=target, cf_storageuri=missing)


def audio_notes(o: Organisation) -> None:
    spoken = o.near_six_months()
    category = o.rng.choice((30, 21, 33))
    shown: date | None = spoken if o.chance(0.7) else None
    dossier = o.new_id()
    o.add("cf_dossier", {"cf_name": o.text("cf_dossier", dossier, "cf_name", "D"), "cf_categories": joined((category,))}, dossier)
    fiche = o.fiche(shown, (category,), dossier=dossier, overriddencreatedon=o.moment(spoken))
    if o.chance(0.7):
        o.close("cf_dossier", dossier)
    o.party(o.child(o.near_birthday(12)), CHILD, dossier=dossier)
    for media in ("audio/mpeg", "AUDIO/WAV", "text/plain", "application/octet-stream", "video/audio"):
        if o.chance(0.5):
            o.note("cf_fiche", fiche, mimetype=media, filename="gesprek.mp3")
    if o.chance(0.4):
        o.note("cf_dossier", dossier, mimetype="audio/mpeg")  # on a dossier it is not a recording


def bystanders(o: Organisation) -> None:
    """People without any unit, and mail attached to nothing."""
    kind = o.rng.randrange(9)
    contact = o.contact(birthdate="1980-05-05")
    if kind == 0:
        o.note("contact", contact)
        o.activity("phonecall", ("contact", contact), [])
    elif kind == 1:
        o.relations(contact, 1.0)
    elif kind == 2:
        o.activity("email", None, [contact, None])
    elif kind == 3:
        o.activity("phonecall", None, [contact])
    elif kind == 4:
        o.add(
            "cf_engagement",
            {"cf_name": "oud", "cf_kind": BASE, "cf_endedon": o.past(900).isoformat(), "cf_ContactId@odata.bind": f"contacts({contact})"},
        )
    elif kind == 5:  # a chain: the parent of a donor stays
        o.relations(contact, 1.0)
        parent = o.person()
        fiche = o.fiche(o.day - days(400), (0,))
        o.party(parent, PARENT, fiche=fiche)
        o.changes.append(("contact", contact, {"parentcustomerid_contact@odata.bind": f"contacts({parent})"}))
    elif kind == 6:  # a chain that goes whole
        parent = o.contact()
        fiche = o.fiche(o.day - days(400), (0,))
        o.party(parent, PARENT, fiche=fiche)
        o.party(contact, REPORTER, fiche=fiche)
        o.changes.append(("contact", contact, {"parentcustomerid_contact@odata.bind": f"contacts({parent})"}))
    elif kind == 7:  # known to an expired fiche, and party of mail attached to nothing
        fiche = o.fiche(o.day - days(400), (0,))
        o.party(contact, REPORTER, fiche=fiche)
        o.activity("email", None, [contact])


def donor_of_old(o: Organisation) -> None:
    """A reporter of an expired unit who lives on as donor, volunteer, reader or partner."""
    fiche = o.fiche(o.day - days(500), (o.rng.choice(SIX),))
    born = add_years(o.day, -40) - days(o.rng.randint(0, 300))
    contact = o.contact(
        birthdate=born.isoformat(),
        cf_nationalnumber=o.number(born),
        cf_birthyear=born.year,
        cf_birthmonth=born.month,
        cf_statedage=40,
        cf_statedageon=o.past().isoformat(),
        entityimage=PNG,
    )
    o.relations(contact, 1.0)
    o.party(contact, REPORTER, fiche=fiche)
    o.activity("phonecall", ("cf_fiche", fiche), [contact])
    if o.chance(0.4):
        o.note("contact", contact)
    if o.chance(0.3):  # still known to a unit that stays
        o.party(contact, WITNESS, fiche=o.fiche(o.day - days(20), (0,)))


RECIPES: tuple[Callable[[Organisation], None], ...] = (
    six_months,
    grown_up,
    twenty_five,
    late_activity,
    birth_puzzle,
    lone_fiche,
    recordings,
    mixed,
    no_term,
    donor_of_old,
    unconfigured,
    civil_party,
    data_error,
    birth_puzzle,
    several_children,
    open_past_end,
    legal_hold,
    six_months,
    bystanders,
    audio_notes,
    public_alert,
    six_months_fallback,
    lone_fiche,
    late_activity,
    same_child,
    leap_child,
    empty_dossier,
    birth_puzzle,
    two_homes,
    masked,
    cohort,
)


def draw(seed: int, as_of: datetime, count: int, storage: Path, without: frozenset[str] = frozenset()) -> Organisation:
    """An organisation of about `count` dossiers and lone fiches around the day of `as_of`."""
    organisation = Organisation(Random(seed), brussels_day(as_of), storage, without=without)
    storage.mkdir(parents=True, exist_ok=True)
    recipes = [make for make in RECIPES if make.__name__ not in without]
    for number in range(count):
        make = recipes[number % len(recipes)]
        organisation.recipe = f"{make.__name__} #{number}"
        make(organisation)
    return organisation
