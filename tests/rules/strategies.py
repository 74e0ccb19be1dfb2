"""Units of every kind, as hypothesis draws them: also with nothing known, sentinels, and dates still to
come."""

from datetime import date
from functools import cache
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st

from rules.holds.holds import Hold, Holds
from rules.model.decisions import Reason
from rules.model.records import Contact, Fiche, Unit, UnitKind
from rules.policy.policy import Policy
from tests.rules.builders import (
    CRM_KEYS,
    OUTCOMES,
    POLICY,
    UNTIL_25,
    a_dossier,
    a_fiche,
    a_policy,
    a_recording,
    an_attachment,
    an_email,
    shipped_policy,
)

Drawn = TypeVar("Drawn")


def examples(of_a_hundred: int) -> settings:
    """Return settings with so many examples where the profile has a hundred: more in `make search`."""
    return settings(max_examples=settings().max_examples * of_a_hundred // 100)


def group(size: int, each: st.SearchStrategy[Drawn]) -> st.SearchStrategy[list[Drawn]]:
    """So many cases an example: the law takes as long over ten units as over one."""
    return st.lists(each, min_size=size, max_size=size)


def weighted(*each: st.SearchStrategy[Drawn]) -> st.SearchStrategy[Drawn]:
    """One of these, the oftener the more often it stands here: `one_of` counts the same one once."""
    return st.sampled_from(each).flatmap(lambda one: one)


def days(first: date, last: date) -> st.SearchStrategy[date]:
    """As `st.dates`, in one draw instead of three."""
    return st.integers(first.toordinal(), last.toordinal()).map(date.fromordinal)


AS_OF = date(2026, 11, 25)
PAST = days(date(1990, 1, 1), AS_OF)
SENTINELS = st.sampled_from([date(1753, 1, 1), date(1900, 1, 1), date(9999, 12, 31)])
ANY_DAY = weighted(PAST, PAST, PAST, PAST, st.none(), SENTINELS, days(AS_OF, date(2300, 1, 1)))
KEYS = st.sampled_from([*CRM_KEYS, "preventive", "csam_report", "100000099"])
NUMBERS = st.sampled_from(
    [None, None, "08.02.29-998.89", "12.48.15-997.43", "10.05.00-997.53", "00.00.01-997.69", "8022999889", "nonsense"]
)

ODD_POLICY = a_policy(
    {
        "preventive": {"type": "months_after", "months": 6, "anchor": ["transmitted_on", "opened_on"], "disposition": "delete"},
        "csam_report": {"type": "end_of_calendar_year_after", "years": 3, "anchor": "last_activity", "disposition": "anonymise"},
        "missing_unexplained": {"type": "until_event", "event": "closed_on", "months": 3, "disposition": "anonymise"},
        "exploitation_organised": {**UNTIL_25, "enabled": False},
    },
    late_rule_months=0,
    delete_after_takeover=True,
)
POLICIES = st.sampled_from(
    [POLICY, shipped_policy(), ODD_POLICY, a_policy({"recording": {"type": "no_term", "disposition": "retain", "unit": "recording"}})]
)


# Made once: to make a strategy takes longer than to draw from it.
@cache
def children() -> st.SearchStrategy[Contact | None]:
    known = st.builds(
        Contact,
        id=st.sampled_from(["one", "two", "three"]),
        birth_on=ANY_DAY,
        birth_year=st.one_of(st.none(), st.integers(1990, 2027), st.sampled_from([0, 1900, 9999])),
        birth_month=st.one_of(st.none(), st.integers(0, 13)),
        stated_age=st.one_of(st.none(), st.integers(-1, 30)),
        stated_on=ANY_DAY,
        national_number=NUMBERS,
    )
    return weighted(known, known, st.none())


@cache
def families(size: int, least: int = 0) -> st.SearchStrategy[list[Contact | None]]:
    """Children of whom each known one is there once: two rows with one id do not exist."""
    return st.lists(children(), min_size=least, max_size=size, unique_by=lambda child: child.id if child is not None else object())


@cache
def fiches(keys: st.SearchStrategy[str] = KEYS) -> st.SearchStrategy[Fiche]:
    return st.builds(
        lambda categories, **facts: a_fiche(*categories, **facts),
        categories=st.one_of(st.lists(keys, min_size=1, max_size=2), st.lists(keys, min_size=1, max_size=1), st.just([])),
        communicated_on=ANY_DAY,
        created_on=ANY_DAY,
        transmitted_on=ANY_DAY,
    )


@cache
def dossiers(keys: st.SearchStrategy[str] = KEYS, with_children: bool = False) -> st.SearchStrategy[Unit]:
    return st.builds(
        lambda fiches, **facts: a_dossier(*fiches, **facts),
        st.lists(fiches(keys), max_size=3),
        children=families(3, int(with_children)),
        categories=st.lists(keys, max_size=2).map(tuple),
        outcome=st.sampled_from([*OUTCOMES, "100000099"]),
        is_active=st.sampled_from([False, False, False, True, None]),
        legal_hold=st.sampled_from([False, False, False, True, None]),
        public_alert=st.sampled_from([False, True, None]),
        **dict.fromkeys(("opened_on", "closed_on", "reopened_on", "proceedings_ended_on", "reviewed_on"), ANY_DAY),
    )


@cache
def lone_fiches() -> st.SearchStrategy[Unit]:
    return st.builds(lambda fiche, children: Unit(UnitKind.FICHE, "lone", "1", fiches=[fiche], children=children), fiches(), families(2))


EVIDENCE = st.sampled_from([None, False, True])
OWNERS = st.one_of(st.none(), dossiers(), lone_fiches())


@st.composite
def recordings(draw: st.DrawFn) -> Unit:
    owner = draw(OWNERS)
    fiche = draw(fiches()) if owner is not None else None
    evidence = draw(EVIDENCE)
    if draw(st.booleans()):
        return an_attachment(fiche=fiche, belongs_to=owner, evidence=evidence)
    days = {"started_on": draw(ANY_DAY), "ended_on": draw(ANY_DAY)}
    return a_recording(fiche=fiche, belongs_to=owner, evidence=evidence, taken_over=draw(EVIDENCE), **days)


@cache
def units() -> st.SearchStrategy[Unit]:
    return weighted(dossiers(), dossiers(), lone_fiches(), recordings(), st.builds(an_email, sent_on=ANY_DAY))


@cache
def holds() -> st.SearchStrategy[Holds]:
    placed = st.builds(
        Hold,
        hold_id=st.just("H-1"),
        reason=st.sampled_from([Reason.HOLD_JUDICIAL, Reason.HOLD_REQUEST, Reason.HOLD_OBJECTION]),
        kind=st.sampled_from(["dossier", "recording", "note", "contact"]),
        id=st.sampled_from(["dossier", "recording", "note", "one"]),
    )
    return weighted(st.just(Holds.none()), st.just(Holds.none()), st.lists(placed, max_size=2).map(Holds.of))


def policies() -> st.SearchStrategy[Policy]:
    return POLICIES
