"""Units of every kind, schedules with every sort of row, and every sort of hold, as hypothesis draws them."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any, Final

import msgspec
from hypothesis import strategies as st

from rules.holds.conditions import FIELDS, NONE, Condition
from rules.holds.holds import Hold, Holds
from rules.model.decisions import Reason
from rules.model.kinds import Kind
from rules.model.records import Contact, Dependent, Donation, Dossier, Engagement, Enrolment, Fiche, Unit, UnitKind, dependent_record
from rules.policy.policy import Policy
from tests.rules.builders import (
    CATEGORIES,
    CRM_KEYS,
    NO_TERM,
    OUTCOMES,
    SIX_MONTHS,
    UNTIL_18,
    UNTIL_25,
    a_policy,
    a_recording,
    an_attachment,
    an_email,
    shipped_policy,
)
from tests.rules.retention.rows_of_relations import EVERYTHING_ON, ROWS
from tests.rules.strategies import AS_OF, KEYS, NUMBERS, ODD_POLICY, POLICIES, weighted

FEW_DAYS: Final = st.sampled_from([date(2026, 5, 25), date(2026, 5, 26), date(2026, 11, 24), AS_OF, date(2026, 11, 26), date(2024, 2, 29)])
EDGES: Final = st.sampled_from([date(1753, 1, 1), date(1900, 1, 1), date(9999, 12, 31), date.min, date(9999, 6, 30), date(9990, 2, 28)])
DAY: Final = st.one_of(
    st.none(), FEW_DAYS, st.dates(date(2000, 1, 1), AS_OF), st.dates(date(2018, 1, 1), AS_OF), st.dates(AS_OF, date(2300, 1, 1)), EDGES
)
IDS: Final = ("one", "two", "three")
MAYBE: Final = st.sampled_from([None, False, True])


def _own_table(name: str, term: str) -> type[Dependent]:
    record: Any = msgspec.defstruct(name, [("began_on", date | None, None)], bases=(dependent_record(name),), kw_only=True)
    record.__kind__ = Kind(name, own=record, term=term, counted_from="began_on")
    made: type[Dependent] = record
    return made


HELP: Final = _own_table("cf_help", "kinderhulp")
UNRULED: Final = _own_table("cf_other", "nothing_in_force")

OWN_ROW: Final[dict[str, Any]] = {"type": "years_after", "years": 2, "anchor": "own_date", "disposition": "delete", "unit": "own_table"}


def _enabled(policy: Policy) -> Policy:
    rows = {key: row.model_copy(update={"enabled": True}) for key, row in policy.categories.items()}
    return policy.model_copy(update={"categories": rows})


def _of_every_sort() -> Policy:
    return a_policy(
        {
            **ROWS,
            "kinderhulp": OWN_ROW,
            "preventive": {
                "type": "months_after",
                "months": 6,
                "anchor": ["transmitted_on", "opened_on", "last_activity"],
                "disposition": "anonymise",
            },
            "csam_report": {
                "type": "end_of_calendar_year_after",
                "years": 3,
                "anchor": ["closed_on", "last_activity"],
                "disposition": "delete",
            },
            "grooming": {**UNTIL_18, "disposition": "delete"},
            "missing_unexplained": {"type": "until_event", "event": "closed_on", "months": 0, "disposition": "anonymise"},
            "missing_runaway": {**NO_TERM, "review_months": 6},
            "social_card": {**SIX_MONTHS, "open_blocks": True, "rule": "BOARD-7"},
            "second_agreement": {**ROWS["volunteer"], "kinds": ["volunteer", "trainee"], "years": 1, "disposition": "anonymise"},
        },
        {"grooming": [{"key": "grooming"}, {"key": "social_card"}]},
        late_rule_months=18,
        recording_warning_days=0,
    )


def _long() -> Policy:
    """Terms that reach beyond the calendar."""
    return a_policy(
        {
            "social_card": {**SIX_MONTHS, "months": 1200},
            "civil_party": {
                "type": "end_of_calendar_year_after",
                "years": 99,
                "anchor": ["proceedings_ended_on", "closed_on"],
                "disposition": "delete",
            },
            "recording": {**CATEGORIES["recording"], "months": 1200},
            "missing_runaway": {**UNTIL_25, "age": 99},
            "kinderhulp": {**OWN_ROW, "enabled": False},
        },
        sentinels=[],
        late_rule_months=120,
    )


POLICY: Final = st.one_of(
    POLICIES,
    st.sampled_from(
        [
            _enabled(shipped_policy()),
            EVERYTHING_ON,
            _of_every_sort(),
            _long(),
            ODD_POLICY,
            a_policy({"recording": {**CATEGORIES["recording"], "enabled": False}}),
        ]
    ),
)


@cache
def people() -> st.SearchStrategy[Contact | None]:
    known = st.builds(
        Contact,
        id=st.sampled_from(IDS),
        birth_on=DAY,
        birth_year=weighted(st.none(), st.none(), st.integers(1990, 2027), st.sampled_from([0, 1753, 1900, 9998, 9999])),
        birth_month=st.one_of(st.none(), st.integers(0, 13)),
        stated_age=st.one_of(st.none(), st.integers(-1, 121)),
        stated_on=DAY,
        national_number=NUMBERS,
    )
    plain = st.builds(Contact, id=st.sampled_from(IDS), birth_on=st.one_of(FEW_DAYS, st.dates(date(1995, 1, 1), date(2020, 1, 1))))
    return weighted(known, plain, plain, st.none())


@cache
def families() -> st.SearchStrategy[list[Contact | None]]:
    """Children of whom each known one is there once: two rows with one id do not exist."""
    return st.lists(people(), max_size=3, unique_by=lambda child: child.id if child is not None else object())


@cache
def fiches() -> st.SearchStrategy[Fiche]:
    return st.builds(
        Fiche,
        id=st.sampled_from(["fiche-1", "fiche-2", "fiche-3"]),
        etag=st.just("1"),
        categories=st.lists(KEYS, max_size=2).map(tuple),
        communicated_on=DAY,
        created_on=DAY,
        transmitted_on=DAY,
    )


IDENTITIES: Final = st.sampled_from(["dossier-1", "dossier-2", "dossier-3"])


@cache
def dossiers() -> st.SearchStrategy[Unit]:
    dossier = st.builds(
        Dossier,
        id=IDENTITIES,
        categories=st.lists(KEYS, max_size=2).map(tuple),
        outcome=st.sampled_from([*OUTCOMES, "100000099"]),
        opened_on=DAY,
        closed_on=DAY,
        reopened_on=DAY,
        proceedings_ended_on=DAY,
        reviewed_on=DAY,
        is_active=st.sampled_from([False, False, True, None]),
        public_alert=MAYBE,
        legal_hold=st.sampled_from([False, False, False, True, None]),
        anonymised_on=weighted(st.none(), st.none(), st.just(date(2020, 1, 1))),
    )
    return st.builds(_a_unit, dossier, st.lists(fiches(), max_size=3), families())


def _a_unit(dossier: Dossier, fiches: list[Fiche], children: list[Contact | None]) -> Unit:
    return Unit(UnitKind.DOSSIER, dossier.id, "1", dossier=dossier, fiches=fiches, children=children)


@cache
def settled() -> st.SearchStrategy[Unit]:
    """Dossiers of which everything is known, so that their days decide."""
    keys = st.lists(st.sampled_from(CRM_KEYS), min_size=1, max_size=2).map(tuple)
    known = st.one_of(FEW_DAYS.filter(lambda day: day <= AS_OF), st.dates(date(2005, 1, 1), AS_OF))
    told = st.builds(
        Fiche, id=st.sampled_from(["fiche-1", "fiche-2", "fiche-3"]), categories=keys, communicated_on=known, transmitted_on=known
    )
    born = st.builds(Contact, id=st.sampled_from(IDS), birth_on=st.dates(date(1990, 1, 1), date(2012, 1, 1)))
    dossier = st.builds(
        Dossier,
        id=IDENTITIES,
        categories=keys,
        outcome=st.sampled_from(OUTCOMES),
        is_active=st.sampled_from([False, False, False, True]),
        public_alert=st.sampled_from([False, False, True]),
        reopened_on=st.one_of(st.none(), known),
        opened_on=known,
        closed_on=known,
        proceedings_ended_on=known,
    )
    children = st.lists(born, min_size=1, max_size=2, unique_by=lambda child: child.id if child is not None else "")
    return st.builds(_a_unit, dossier, st.lists(told, max_size=2), children)


@cache
def lone_fiches() -> st.SearchStrategy[Unit]:
    return st.builds(lambda fiche, children: Unit(UnitKind.FICHE, fiche.id, "1", fiches=[fiche], children=children), fiches(), families())


LEVELS: Final = st.lists(st.one_of(dossiers(), settled()), max_size=3)
EVIDENCE: Final = st.sampled_from([None, False, True, True])


@st.composite
def conversations(draw: st.DrawFn) -> Unit:
    """Recordings and attachments: of a fiche in one dossier, in several, of a lone one, and of none."""
    levels = draw(LEVELS)
    owner: Unit | None = draw(lone_fiches()) if not levels and draw(st.booleans()) else None
    for level in levels:
        owner = msgspec.structs.replace(level, belongs_to=owner)
    fiche = draw(fiches()) if owner is not None or draw(st.booleans()) else None
    evidence = draw(EVIDENCE)
    if draw(st.booleans()):
        return an_attachment(fiche=fiche, belongs_to=owner, evidence=evidence)
    days = {"started_on": draw(DAY), "ended_on": draw(DAY)}
    return a_recording(fiche=fiche, belongs_to=owner, evidence=evidence, taken_over=draw(MAYBE), **days)


@cache
def relations() -> st.SearchStrategy[Unit]:
    sort = st.sampled_from([None, "volunteer", "trainee", "employee", "100000099"])
    person = st.sampled_from(IDS)
    gift = st.builds(Donation, id=st.just("gift"), contact=person, booked_on=DAY)
    course = st.builds(Enrolment, id=st.just("course"), contact=person, kind=sort, held_on=DAY)
    agreement = st.builds(Engagement, id=st.just("agreement"), contact=person, kind=sort, ended_on=DAY)
    return st.one_of(
        gift.map(lambda row: Unit(UnitKind.DONATION, row.id, "1", relation=row)),
        course.map(lambda row: Unit(UnitKind.ENROLMENT, row.id, "1", relation=row)),
        agreement.map(lambda row: Unit(UnitKind.ENGAGEMENT, row.id, "1", relation=row)),
    )


@cache
def own_rows() -> st.SearchStrategy[Unit]:
    """Rows of dependent tables that have a term of their own, of a file or of nothing."""
    tables: Any = (HELP, UNRULED)
    ruled, unruled = (st.builds(table, id=st.just("own"), began_on=DAY) for table in tables)
    owner = st.one_of(st.none(), dossiers(), lone_fiches())
    return st.builds(
        lambda row, owner, children: Unit(UnitKind.OWN_TABLE, "own", "1", relation=row, belongs_to=owner, children=children),
        weighted(ruled, ruled, unruled),
        owner,
        families(),
    )


@cache
def units() -> st.SearchStrategy[Unit]:
    return weighted(
        dossiers(),
        settled(),
        settled(),
        lone_fiches(),
        conversations(),
        conversations(),
        st.builds(an_email, sent_on=DAY),
        relations(),
        own_rows(),
    )


@cache
def conditions(kind: str, keys: st.SearchStrategy[str] = KEYS) -> st.SearchStrategy[tuple[Condition, ...]]:
    """Conditions of every field that a hold on this kind of record may ask for."""

    def values(field: str) -> st.SearchStrategy[str]:
        if field.endswith(("_from", "_to")):
            return FEW_DAYS.map(date.isoformat)
        if field == "category":
            return st.one_of(keys, st.just(NONE))
        if field == "outcome":
            return st.sampled_from([NONE, "located", "100000099"])
        return st.sampled_from(["yes", "no"])

    one = st.sampled_from(sorted(FIELDS[kind])).flatmap(
        lambda field: st.lists(values(field), min_size=1, max_size=2).map(lambda found: Condition(field, tuple(found)))
    )
    return st.lists(one, min_size=1, max_size=2).map(tuple)


HELD_ROWS: Final = (
    [("dossier", f"dossier-{number}") for number in (1, 2, 3)]
    + [("fiche", f"fiche-{number}") for number in (1, 2, 3)]
    + [("contact", each) for each in IDS]
    + 3 * [("recording", "recording"), ("note", "note")]  # what follows its dossier is held by itself too
    + [
        ("email", "email"),
        ("donation", "gift"),
        ("engagement", "agreement"),
        ("cf_help", "own"),
    ]
)


@cache
def holds() -> st.SearchStrategy[Holds]:
    reason = st.sampled_from([reason for reason in Reason if reason.name.startswith("HOLD_")])
    placed = st.builds(
        lambda row, reason, number, is_overdue: Hold(f"H-{number}", reason, row[0], row[1], is_overdue=is_overdue),
        st.sampled_from(HELD_ROWS),
        reason,
        st.integers(1, 3),
        st.booleans(),
    )
    by_facts = st.sampled_from(sorted(FIELDS)).flatmap(
        lambda kind: st.tuples(
            st.builds(Hold, st.just("H-9"), reason, st.just(kind), st.just(""), is_overdue=st.booleans()), conditions(kind)
        )
    )
    return st.one_of(st.just(Holds.none()), st.builds(Holds.of, st.lists(placed, max_size=4), by_facts=st.lists(by_facts, max_size=2)))
