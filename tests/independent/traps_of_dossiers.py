"""Dossiers with one family of traps each: terms, days of birth, categories, holds, homes and figures."""

from collections.abc import Sequence
from datetime import date

from tests.independent.civil import add_months, add_years, days, last_of_month
from tests.independent.organisation import (
    BASE,
    CHILD,
    EIGHTEEN,
    NOT_CONFIGURED,
    REPORTER,
    SENTINEL_DAYS,
    Columns,
    Organisation,
    joined,
)


def six_months(o: Organisation) -> None:
    category = o.rng.choice(((0,), (1,), (0, 1)))
    last = o.near_six_months()
    fiches: list[tuple[date | str | None, Sequence[int]]] = [(last, (o.rng.choice(category),))]
    if o.chance(0.5):
        fiches.append((last - days(o.rng.randint(1, 200)), category))
    columns: Columns = {}
    if o.chance(0.4):
        columns["cf_closedon"] = o.moment(o.day - days(o.rng.randint(0, 30)))  # moves nothing
    if o.chance(0.2):
        columns["cf_reopenedon"] = o.moment(o.near_six_months())
    own = category if o.chance(0.5) else ()
    o.surround(*o.dossier(own, fiches=fiches, closed=o.chance(0.5), **columns))


def six_months_fallback(o: Organisation) -> None:
    """No communication date, or a sentinel in its place: the row's creation counts."""
    row_id = o.new_id()
    o.add("cf_dossier", {"cf_name": o.text("cf_dossier", row_id, "cf_name", "D"), "cf_categories": joined((0,))}, row_id)
    spoken = o.rng.choice((None, "1753-01-01T00:00:00Z", "1900-01-01T00:00:00Z", "9999-12-31T00:00:00Z"))
    fiche = o.fiche(spoken, (0,), dossier=row_id, overriddencreatedon=o.moment(o.near_six_months()))
    if o.chance(0.3):
        o.fiche(o.near_six_months(), (1,), dossier=row_id)
    o.surround(row_id, [fiche])


def grown_up(o: Organisation) -> None:
    category = (o.rng.choice(EIGHTEEN),)
    born = o.near_birthday(18) if o.chance(0.7) else o.past(9000, 4000)
    spoken = o.day - days(o.rng.randint(200, 3000))
    columns: Columns = {"cf_closedon": o.moment(spoken + days(o.rng.randint(0, 190)))} if o.chance(0.8) else {}
    dossier, fiches = o.dossier(category if o.chance(0.7) else (), fiches=[(spoken, category)], **columns)
    o.party(o.child(born, cf_nationalnumber=o.number(born) if o.chance(0.4) else None), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def twenty_five(o: Organisation) -> None:
    category, outcome = o.rng.choice(((30, None), (30, 4), (30, 0), (31, 1), (31, 2), (31, 4), (32, 2)))
    born = o.near_birthday(25) if o.chance(0.7) else o.past(14000, 4000)
    spoken = o.day - days(o.rng.randint(200, 4000))
    columns: Columns = {"cf_outcome": BASE + outcome if outcome is not None else None, "cf_closedon": o.moment(spoken)}
    dossier, fiches = o.dossier((category,), fiches=[(spoken, (category,))], **columns)
    if o.chance(0.6):
        o.party(o.child(born), CHILD, dossier=dossier)
    else:
        o.party(o.child(born), CHILD, fiche=fiches[0])
    o.surround(dossier, fiches)


def leap_child(o: Organisation) -> None:
    year = o.day.year - o.rng.choice((18, 25))
    year -= year % 4
    age = o.day.year - year
    category = 30 if age >= 21 else 21
    dossier, fiches = o.dossier((category,), fiches=[(o.day - days(400), (category,))], cf_closedon=o.moment(o.day - days(399)))
    o.party(o.child(date(year, 2, 29)), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def late_activity(o: Organisation) -> None:
    """An activity around the age end: on the day itself it changes nothing, one day later it adds six
    months."""
    age, category = o.rng.choice(((18, 21), (18, 11), (25, 30)))
    late = o.near_six_months() if o.chance(0.6) else o.past(700, 10)
    born = add_years(late, -age) + days(o.rng.choice((-1, 0, 0, 1))) if o.chance(0.6) else add_years(late, -age - 3)
    which = o.rng.randrange(4)
    spoken = late if which == 0 else late - days(40)
    columns: Columns = {"cf_closedon": o.moment(late if which in (1, 3) else late - days(20))}
    if which == 2:
        columns["cf_reopenedon"] = o.moment(late)
    # a closing date counts only when the dossier is closed
    dossier, fiches = o.dossier((category,), fiches=[(spoken, (category,))], closed=which != 3, **columns)
    o.party(o.child(born), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def no_term(o: Organisation) -> None:
    category, outcome = o.rng.choice(
        ((33, None), (33, 1), (33, 2), (33, 4), (31, 0), (31, None), (31, 3), (32, 0), (32, 1), (32, 3), (32, 4), (32, None))
    )
    due = add_months(o.day, -60) + days(o.rng.randint(-1, 1))
    columns: Columns = {"cf_outcome": BASE + outcome if outcome is not None else None}
    if o.chance(0.4):
        columns |= {"cf_openedon": o.moment(o.past(6000, 2500)), "cf_reviewedon": due.isoformat()}
    else:
        columns["cf_openedon"] = o.moment(due)
    categories: tuple[int, ...] = (category,) if o.chance(0.6) else (category, o.rng.choice((0, 2, 21, 30, 31, 32, 40)))
    dossier, fiches = o.dossier(categories, fiches=[(o.past(), (category,))], closed=o.chance(0.7), cf_legalhold=o.chance(0.1), **columns)
    if o.chance(0.6):
        o.party(o.child(o.near_birthday(30)), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def mixed(o: Organisation) -> None:
    """The longest term wins; on equal ends deletion does."""
    ended = add_years(o.day, -5) - days(o.rng.randint(1, 40))
    kind = o.rng.randrange(5)
    columns: Columns = {"cf_closedon": o.moment(o.day - days(1500)), "cf_proceedingsendedon": ended.isoformat()}
    if kind == 0:  # equal ends
        born, categories = add_years(add_years(ended, 5), -18), [2, 21]
    elif kind == 1:
        born, categories = add_years(add_years(ended, 5) + days(o.rng.randint(1, 3)), -18), [2, 20]
    elif kind == 2:
        born, categories = o.near_birthday(25), [30, 22]
    elif kind == 3:
        born, categories = o.near_birthday(18), [0, 10]
    else:
        born, categories = o.near_birthday(25), [2, 30, 23, 1]
    spread: list[tuple[date | str | None, Sequence[int]]] = [(o.day - days(1600 + 10 * i), (c,)) for i, c in enumerate(categories)]
    dossier, fiches = o.dossier(categories[: o.rng.randint(0, 2)], fiches=spread, **columns)
    o.party(o.child(born), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def unconfigured(o: Organisation) -> None:
    kind = o.rng.randrange(5)
    old = o.day - days(2500)
    own: Sequence[int] = (o.rng.choice(NOT_CONFIGURED),)
    fiches: list[tuple[date | str | None, Sequence[int]]]
    if kind == 0:
        fiches = [(old, own)]
    elif kind == 1:  # one fiche without a category
        own, fiches = (30,), [(old, (30,)), (old + days(5), ())]
    elif kind == 2:  # none at all
        own, fiches = (), [(old, ())]
    elif kind == 3:
        own, fiches = (), []
    else:
        own, fiches = (0,), [(old, ()), (old, (0, o.rng.choice(NOT_CONFIGURED)))]
    dossier, made = o.dossier(own, fiches=fiches, closed=o.chance(0.7), cf_closedon=o.moment(old + days(30)))
    if o.chance(0.7):
        o.party(o.child(o.near_birthday(40)), CHILD, dossier=dossier)
    o.surround(dossier, made)


def civil_party(o: Organisation) -> None:
    edge = add_years(o.day, -5) + days(o.rng.randint(-2, 2))
    kind = o.rng.randrange(6)
    columns: Columns = {}
    closed = True
    if kind == 0:
        columns = {"cf_proceedingsendedon": edge.isoformat(), "cf_closedon": o.moment(o.day - days(30))}
    elif kind == 1:
        columns = {"cf_closedon": o.moment(edge)}
    elif kind == 2:
        closed = False
        columns = {"cf_closedon": o.moment(edge - days(300))}
    elif kind == 3:
        closed = False
        columns = {"cf_proceedingsendedon": (edge - days(300)).isoformat()}
    elif kind == 4:
        columns = {"cf_proceedingsendedon": o.rng.choice(SENTINEL_DAYS), "cf_closedon": o.moment(edge)}
    elif o.chance(0.5):
        columns = {"cf_closedon": o.rng.choice(("1900-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "9999-12-31T23:59:59Z"))}
    o.surround(*o.dossier((2,), fiches=[(o.past(2500, 30), (2,))], closed=closed, **columns))


def data_error(o: Organisation) -> None:
    ahead = o.day + days(o.rng.choice((0, 1, 2, 40, 66000)))
    kind = o.rng.randrange(6)
    category = o.rng.choice((0, 21, 30))
    spoken: date = o.day - days(2000)
    columns: Columns = {}
    closed = True
    if kind == 0:
        spoken = ahead
    elif kind == 1:
        columns["cf_closedon"] = o.moment(ahead)
    elif kind == 2:
        columns["cf_closedon"], closed = o.moment(ahead), False
    elif kind == 3:
        columns["cf_reopenedon"] = o.moment(ahead)
    elif kind == 4:
        columns["cf_proceedingsendedon"] = ahead.isoformat()
    else:
        columns["cf_closedon"] = o.rng.choice(("1753-01-01T00:00:00Z", "9999-12-31T00:00:00Z"))
    dossier, fiches = o.dossier((category,), fiches=[(spoken, (category,)), (o.day - days(2100), (category,))], closed=closed, **columns)
    o.party(o.child(o.near_birthday(40)), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def open_past_end(o: Organisation) -> None:
    category = o.rng.choice((21, 30, 10, 30))
    columns: Columns = {
        "cf_closedon": o.moment(o.day - days(900)) if o.chance(0.5) else None,
        "cf_outcome": o.rng.choice((None, BASE, BASE + 2)),
    }
    dossier, fiches = o.dossier((category,), fiches=[(o.day - days(1000), (category,))], closed=False, **columns)
    o.party(o.child(o.near_birthday(o.rng.choice((18, 25, 33)))), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def birth_puzzle(o: Organisation) -> None:
    """Everything that can be recorded of a birth, alone and in conflict."""
    kind = o.rng.randrange(22)
    age, category = o.rng.choice(((18, 22), (25, 30), (18, 12)))
    born = o.near_birthday(age)
    month_end = last_of_month(*divmod_month(o.day, -12 * age - o.rng.randint(0, 2)))
    spoken: date = o.day - days(o.rng.randint(300, 2000))
    c: Columns = {}
    if kind == 0:
        c = {
            "cf_nationalnumber": o.number(
                born,
                shape=o.rng.choice(
                    ("YYMMDDSSSCC", "YY.MM.DD-SSS.CC", "YY MM DD SSS CC", "YY/MM/DD-SSS-CC", "YY\u00a0MM\u00a0DD\u00a0SSS\u00a0CC")
                ),
            )
        }
    elif kind == 1:
        c = {"birthdate": (born - days(90)).isoformat(), "cf_nationalnumber": o.number(born)}
    elif kind == 2:
        c = {"birthdate": born.isoformat(), "cf_nationalnumber": o.number(born - days(90))}
    elif kind == 3:
        c = {"cf_nationalnumber": o.number(born, month_offset=o.rng.choice((20, 40)))}
    elif kind == 4:
        c = {"cf_nationalnumber": o.number(month_end, partial="month", month_offset=o.rng.choice((0, 20, 40)))}
    elif kind == 5:
        year_only = date(o.day.year - age - o.rng.randint(0, 1), 6, 1)
        c = {"cf_nationalnumber": o.number(year_only, partial="year", month_offset=o.rng.choice((0, 20, 40)))}
    elif kind == 6:  # wrong check number: ignored
        good = o.number(born)
        c = {"cf_nationalnumber": good[:-2] + f"{(int(good[-2:]) % 97) + 1:02d}" if good else None, "cf_birthyear": born.year}
    elif kind == 7:
        c = {"cf_birthyear": month_end.year, "cf_birthmonth": month_end.month}
    elif kind == 8:
        c = {"cf_birthyear": o.day.year - age - o.rng.randint(0, 2)}
    elif kind == 9:
        c = {"cf_birthmonth": 5, "cf_statedage": 12}  # neither says anything
    elif kind == 10:
        stated = add_years(o.day, -5) + days(o.rng.randint(-3, 3))
        c = {"cf_statedage": age - 5, "cf_statedageon": stated.isoformat()}
    elif kind == 11:
        c = {"birthdate": o.rng.choice(SENTINEL_DAYS)}
        spoken = o.near_birthday(age) if o.chance(0.5) else spoken
    elif kind == 12:
        c = {"birthdate": o.rng.choice(SENTINEL_DAYS), "cf_nationalnumber": o.number(born)}
    elif kind == 13:
        c = {"birthdate": (o.day + days(o.rng.choice((1, 300)))).isoformat(), "cf_birthyear": born.year if o.chance(0.5) else None}
    elif kind == 14:
        c = {"birthdate": (spoken + days(o.rng.randint(1, 30))).isoformat()}
    elif kind == 15:
        spoken = o.near_birthday(age)  # nothing known: the first fiche counts
    elif kind == 16:
        c = {
            "cf_birthyear": born.year,
            "cf_nationalnumber": o.number(month_end, partial="month"),
            "cf_statedage": 3,
            "cf_statedageon": spoken.isoformat(),
        }
    elif kind == 17:  # a leading zero lost by a spreadsheet
        early = born.replace(year=2000 + born.year % 10, day=min(born.day, 28))
        number = o.number(early, shape="YYMMDDSSSCC")
        c = {"cf_nationalnumber": number[1:] if number and number.startswith("0") else number}
    elif kind == 18:  # a day that does not exist: the month only
        c = {"cf_nationalnumber": o.number(born, wrong_day=o.rng.choice((31 if born.month in (2, 4, 6, 9, 11) else 32, 45)))}
    elif kind == 19:  # a full-width number, as pasted from elsewhere
        plain = o.number(born, shape="YYMMDDSSSCC")
        c = {"cf_nationalnumber": "".join(chr(ord(d) + 0xFEE0) for d in plain) if plain else None}
    elif kind == 20:  # stated on a leap day
        c = {"cf_statedage": 6, "cf_statedageon": f"{o.day.year - 12 - o.day.year % 4}-02-29"}
    else:
        said = ("12.13.15-997.89", "00.00.01-997.69", "85.07.30-997.63", "12.08.15-997.55", "12.08.15-AB7.54", "1208159975")
        c = {"cf_nationalnumber": o.rng.choice(said), "cf_birthyear": born.year}
        if c["cf_nationalnumber"] in o.numbers:
            c.pop("cf_nationalnumber")
        else:
            o.numbers.add(c["cf_nationalnumber"])
    dossier, fiches = o.dossier((category,), fiches=[(spoken, (category,))], cf_closedon=o.moment(spoken + days(10)))
    o.party(o.child(**c), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def divmod_month(day: date, months: int) -> tuple[int, int]:
    moved = add_months(day, months)
    return moved.year, moved.month


def two_homes(o: Organisation) -> None:
    """A role that names a dossier that goes and a fiche that stays: the link to the dossier goes, the role on
    the fiche stays (R-042)."""
    gone, _ = o.dossier((0,), fiches=[(o.day - days(400), (0,))])
    fiche = o.fiche(o.day - days(20), (0,))
    o.party(o.contact(), REPORTER, dossier=gone, fiche=fiche)


def several_children(o: Organisation) -> None:
    kind = o.rng.randrange(5)
    old = o.day - days(9300 if kind == 4 else 1200)
    dossier, fiches = o.dossier((30,), fiches=[(old, (30,)), (old + days(3), (22,))], cf_closedon=o.moment(old + days(20)))
    if kind == 0:
        o.party(o.child(o.near_birthday(25)), CHILD, dossier=dossier)
        o.party(o.child(o.near_birthday(30)), CHILD, fiche=fiches[1])
    elif kind == 1:
        o.party(o.child(o.near_birthday(30)), CHILD, dossier=dossier)
        youngest = o.party(o.child(o.near_birthday(20)), CHILD, fiche=fiches[0])
        o.close("cf_party", youngest)  # an inactive row counts
    elif kind == 2:
        o.party(o.child(o.near_birthday(30)), CHILD, dossier=dossier)
        o.party(None, CHILD, dossier=dossier)  # a child of whom nothing is known
    elif kind == 3:
        o.party(o.child(o.near_birthday(30), cf_birthyear=o.day.year - 3), CHILD, dossier=dossier)
        o.party(o.child(cf_birthyear=o.day.year - 26), CHILD, dossier=dossier)
    elif o.chance(0.5):
        o.party(None, CHILD, fiche=fiches[0])
    o.surround(dossier, fiches)


def same_child(o: Organisation) -> None:
    """Two dossiers of one child: by the same contact, or by one number written in two ways."""
    born = o.near_birthday(26)
    number = o.number(born)
    if o.chance(0.5) or number is None:
        first = second = o.child(born)
    else:
        first = o.child(born, cf_nationalnumber=number)
        second = o.child(born, cf_nationalnumber="".join(c for c in number if c.isdigit()))
    for child, closed in ((first, True), (second, o.chance(0.5))):
        spoken = o.day - days(o.rng.randint(300, 3000))
        dossier, fiches = o.dossier((30,), fiches=[(spoken, (30,))], closed=closed, cf_closedon=o.moment(spoken))
        o.party(child, CHILD, dossier=dossier)
        o.surround(dossier, fiches)


def legal_hold(o: Organisation) -> None:
    category = o.rng.choice((0, 21, 30, 2))
    columns: Columns = {"cf_legalhold": True, "cf_closedon": o.moment(o.day - days(2500))}
    if o.chance(0.5):
        row_id = o.new_id()
        columns["cf_legalholdreason"] = o.text("cf_dossier", row_id, "cf_legalholdreason", "statistiek")
    dossier, fiches = o.dossier((category,), fiches=[(o.day - days(2600), (category,))], closed=o.chance(0.7), **columns)
    o.party(o.child(o.near_birthday(35)), CHILD, dossier=dossier)
    o.recording(o.day - days(400), fiche=fiches[0])
    o.note("cf_fiche", fiches[0], mimetype="audio/mpeg")
    o.surround(dossier, fiches)


def public_alert(o: Organisation) -> None:
    category = o.rng.choice((30, 21))
    old = o.day - days(3000)
    dossier, fiches = o.dossier((category,), fiches=[(old, (category,))], cf_publicalert=True, cf_closedon=o.moment(old + days(9)))
    o.party(o.child(o.near_birthday(30)), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def cohort(o: Organisation) -> None:
    """Many dossiers that share what statistics show, so that some rows may be written and some not."""
    category, wanted = o.rng.choice(((30, 6), (30, 5), (21, 9), (21, 10), (30, 12)))
    opened = date(o.day.year - o.rng.randint(9, 11), 5, 5)
    places = o.rng.choice((("2000", "3500"), ("2000", "2000", "2000", "3500"), ("4000",), ("1000", "9000"), ("2000", "5000")))
    sexes = o.rng.choice(((1,), (1, 2)))
    if o.chance(0.4):  # exactly as many as a row needs
        places, sexes, wanted = ("9000",), (2,), 10 if category == 21 else 5
    for number in range(wanted):
        spoken = opened + days(3)
        dossier, fiches = o.dossier(
            (category,),
            fiches=[(spoken, (category,))],
            cf_openedon=o.moment(opened),
            cf_closedon=o.moment(spoken + days(number)),
            cf_outcome=BASE + 2,
        )
        place = {
            "address1_postalcode": places[number % len(places)],
            "address1_country": "België",
            "gendercode": sexes[number % len(sexes)],
        }
        o.party(o.child(add_years(opened, -16) - days(number), **place), CHILD, dossier=dossier)
        if o.chance(0.3):
            o.surround(dossier, fiches)
