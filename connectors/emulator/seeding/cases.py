"""The kinds of dossiers and lone fiches that the organisation has, the rare ones included."""

from dataclasses import dataclass
from typing import Literal

from connectors.emulator.seeding.draw import Draw
from connectors.emulator.seeding.people import Birth

CATEGORY_CODES = {
    "social_card": 100000000,
    "e_safety": 100000001,
    "civil_party": 100000002,
    "child_prostitution": 100000010,
    "child_trafficking": 100000011,
    "sex_tourism": 100000012,
    "social_networks": 100000020,
    "grooming": 100000021,
    "sexting": 100000022,
    "sextortion": 100000023,
    "runaway": 100000030,
    "international_abduction": 100000031,
    "third_party_abduction": 100000032,
    "unexplained_disappearance": 100000033,
    "unaccompanied_minor": 100000040,
    "national_parental_abduction": 100000041,
    "lost_or_injured": 100000042,
    "undefined_disappearance": 100000043,
    "preventive": 100000044,
    "csam_report": 100000050,
    "sexual_abuse_other": 100000051,
}
OUTCOME_CODES = {
    "not_located": 100000000,
    "located": 100000001,
    "returned": 100000002,
    "not_returned": 100000003,
    "found_deceased": 100000004,
}
SIX_MONTHS = frozenset({"social_card", "e_safety"})
ORGANISED = ("child_prostitution", "child_trafficking", "sex_tourism")
ICT = ("social_networks", "grooming", "sexting", "sextortion")
UNTIL_18 = frozenset({*ORGANISED, *ICT})
LOCATED = frozenset({"located", "returned", "found_deceased"})

Categories = tuple[str, ...]
State = Literal["closed", "open", "open_with_closing_date", "reopened", "closing_in_future"]
Twist = (
    Literal["legal_hold", "public_alert", "reviewed", "review_due", "same_child", "same_number", "no_child", "child_without_contact"]
    | Literal["inactive_party", "fiche_without_date", "fiche_without_category", "recorded", "recent_recording", "evidence", "old_recording"]
    | Literal["many_fiches", "donor_parent", "volunteer_reporter", "newsletter_parent", "no_contact_parent", "late", "no_proceedings_end"]
    | Literal["civil_ends_last", "age_ends_last", "equal_ends", "shared_reporter", "professional", "guardian", "suspect", "suspect_child"]
    | Literal["witness", "abroad", "born_after_first_fiche", "future_fiche", "sentinel_date", "with_child", "proceedings_in_future"]
)


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of dossier or lone fiche: what it is about, and how far its retention end is from the day."""

    categories: Categories
    end_in: int | None = None  # days; negative is past, 0 is the last day kept, None is drawn
    outcome: str | None = None
    birth: Birth | None = None  # None is drawn
    state: State = "closed"
    children: int = 1
    on_fiches: tuple[Categories, ...] = ()  # categories of each fiche, where they differ from the dossier's
    twists: frozenset[Twist] = frozenset()

    @property
    def all_categories(self) -> frozenset[str]:
        return frozenset(self.categories).union(*self.on_fiches)

    @property
    def age_limit(self) -> int | None:
        """18, 25 or None: the highest age that one of the categories counts to."""
        ages = [age for category in self.all_categories if (age := _age_limit(category, self.outcome))]
        return max(ages, default=None)


def _age_limit(category: str, outcome: str | None) -> int | None:
    if category in UNTIL_18:
        return 18
    if category == "runaway" or (category == "international_abduction" and outcome in LOCATED):
        return 25
    return 25 if category == "third_party_abduction" and outcome == "returned" else None


def _case(
    categories: str,
    end_in: int | None = None,
    *twists: Twist,
    outcome: str | None = None,
    birth: Birth | None = None,
    state: State = "closed",
    children: int = 1,
    on_fiches: tuple[Categories, ...] = (),
) -> Case:
    return Case(tuple(categories.split()), end_in, outcome, birth, state, children, on_fiches, frozenset(twists))


SCRIPTED_DOSSIERS: tuple[Case, ...] = (
    # Each side of the boundary, for every kind of period.
    _case("social_card", -1),
    _case("social_card", 0),
    _case("e_safety", 1, state="open"),
    _case("e_safety", -1, state="open"),
    _case("grooming", -1, birth="register"),
    _case("sexting", 0),
    _case("runaway", -1, outcome="returned"),
    _case("runaway", 0, outcome="located", birth="register_only"),
    _case("runaway", 1, outcome="returned"),
    _case("civil_party", -1),
    _case("civil_party", 0),
    _case("international_abduction", -1, outcome="located"),
    _case("third_party_abduction", -2, outcome="returned"),
    _case("child_trafficking", 2, birth="bis"),
    # Every outcome of a disappearance, the empty one included.
    _case("runaway", 900, outcome="found_deceased"),
    _case("runaway", 1500),
    _case("runaway", None, outcome="not_located", state="open"),
    _case("international_abduction", 700, outcome="returned"),
    _case("international_abduction", 1900, outcome="found_deceased"),
    _case("international_abduction", None, "review_due", outcome="not_located"),
    _case("international_abduction", None, outcome="not_returned"),
    _case("international_abduction"),
    _case("third_party_abduction", None, "reviewed", outcome="not_returned"),
    _case("third_party_abduction", None, outcome="located"),
    _case("third_party_abduction", None, outcome="not_located", state="open"),
    _case("third_party_abduction", None, outcome="found_deceased"),
    _case("third_party_abduction"),
    _case("unexplained_disappearance", None, "review_due", "public_alert", outcome="not_located", state="open"),
    _case("unexplained_disappearance", None, "reviewed", outcome="found_deceased"),
    # In use, but the schedule has no term for them.
    _case("unaccompanied_minor", None, "guardian", outcome="located", birth="age"),
    _case("national_parental_abduction", outcome="returned"),
    _case("lost_or_injured", outcome="located"),
    _case("undefined_disappearance", state="open"),
    _case("preventive"),
    _case("csam_report", None, "no_child", "abroad"),
    _case("sexual_abuse_other"),
    # Several categories at once; categories on fiches only, or missing.
    _case("sexting runaway", 400),
    _case("grooming sextortion social_networks", -5),
    _case("runaway unexplained_disappearance", None, outcome="not_located"),
    _case("international_abduction third_party_abduction", None, outcome="located"),
    _case("civil_party grooming", -3, "civil_ends_last"),
    _case("civil_party sextortion", -4, "age_ends_last"),
    _case("civil_party child_prostitution", 0, "equal_ends"),
    _case("runaway", 1200, on_fiches=(("runaway",), ("social_card",))),
    _case("social_card", 35, on_fiches=(("social_card",), ("e_safety",))),
    _case("", -6, on_fiches=(("sexting",), ("grooming",))),
    _case("", None, "fiche_without_category"),
    _case("runaway", -12, "fiche_without_category", outcome="returned"),
    _case("e_safety social_networks", 300),
    # What is known of a birth.
    _case("runaway", 380, birth="year"),
    _case("grooming", -8, birth="month"),
    _case("sextortion", 800, birth="age"),
    _case("sexting", birth="age_undated"),
    _case("grooming", birth="month_only"),
    _case("sex_tourism", birth="none"),
    _case("sexting", birth="sentinel"),
    _case("social_networks", birth="future"),
    _case("sextortion", 250, birth="conflict"),
    _case("sextortion", -9, birth="conflict"),
    _case("grooming", -20, birth="leapling"),
    _case("runaway", 700, birth="leapling"),
    _case("runaway", 2000, birth="register_year"),
    _case("runaway", 2100, birth="register_month"),
    _case("child_trafficking", birth="register_unknown"),
    _case("child_prostitution", 1000, birth="bis_sex_unknown"),
    _case("sexting", 500, birth="wrong_check"),
    _case("grooming", 650, birth="wrong_month"),
    _case("sextortion", 720, birth="other_century"),
    _case("international_abduction", 6000, "born_after_first_fiche", outcome="located"),
    # Several children, the same child twice, nobody at all.
    _case("international_abduction", 2500, outcome="located", children=2),
    _case("runaway", -7, outcome="returned", children=2),
    _case("grooming", 1400, children=3),
    _case("runaway", 1700, "same_child", outcome="returned"),
    _case("sexting", 600, "same_number", birth="register"),
    _case("social_networks", None, "child_without_contact"),
    _case("sexting", None, "no_child"),
    _case("grooming", 450, "inactive_party"),
    # Open, re-opened, closed in name only; ends counted from late activity.
    _case("grooming", -40, state="open"),
    _case("runaway", -25, outcome="not_located", state="open"),
    _case("sexting", -15, state="open_with_closing_date"),
    _case("social_card", 60, state="reopened"),
    _case("runaway", 800, state="reopened"),
    _case("e_safety", 20, state="closing_in_future"),
    _case("sextortion", 900, state="closing_in_future"),
    _case("grooming", -1, "late"),
    _case("runaway", 0, "late", outcome="returned"),
    _case("international_abduction", 50, "late", outcome="located"),
    _case("civil_party", -10, "no_proceedings_end"),
    _case("civil_party", None, "no_proceedings_end", state="open"),
    _case("civil_party", 600, state="open"),
    _case("civil_party", None, "proceedings_in_future"),
    # Dates that are missing or wrong.
    _case("social_card", 75, "fiche_without_date"),
    _case("runaway", 1000, "future_fiche"),
    _case("social_card", 30, "sentinel_date"),
    # Held, although the end has passed; known in other ways too.
    _case("grooming", -200, "legal_hold", "recorded"),
    _case("social_card", -90, "legal_hold"),
    _case("runaway", 500, "legal_hold", "public_alert", outcome="not_located", state="open"),
    _case("runaway", -11, "donor_parent", outcome="returned"),
    _case("sexting", -14, "volunteer_reporter"),
    _case("social_card", -13, "newsletter_parent"),
    _case("grooming", -16, "shared_reporter", "professional"),
    _case("runaway", 1100, "no_contact_parent", "witness", outcome="returned"),
    _case("child_trafficking", 300, "suspect", "witness", "abroad", "many_fiches"),
    _case("sexting", 1300, "suspect_child"),
    # Recordings that follow the dossier, or outlive it.
    _case("sextortion", -1, "recent_recording"),
    _case("runaway", 1600, "evidence", "many_fiches", outcome="returned"),
    _case("grooming", None, "old_recording", state="open"),
)

SCRIPTED_LONE_FICHES: tuple[Case, ...] = (
    _case("social_card", -1),
    _case("social_card", 0),
    _case("e_safety", 1),
    _case("e_safety", -2),
    _case("social_card e_safety", -5),
    _case("social_card", 12, "fiche_without_date"),
    _case("social_card", None, "future_fiche"),
    _case("e_safety", None, "sentinel_date"),
    _case(""),
    _case("csam_report", None, "abroad"),
    _case("unexplained_disappearance"),
    _case("runaway", 900, "with_child"),
    _case("grooming", -3, "with_child"),
    _case("sexting", None, "with_child", birth="none"),
    _case("social_card", -4, "evidence"),
    _case("e_safety", -30, "recorded"),
    _case("civil_party"),
)


def ordinary_dossier(draw: Draw) -> Case:
    """Return a typical dossier; about four in ten of the closed ones have passed their end."""
    kind = draw.weighted(
        ("social_card", "e_safety", "civil_party", "organised", "ict", "runaway", "abduction", "none"), (12, 8, 7, 8, 26, 27, 7, 5)
    )
    state: State = draw.weighted(("closed", "open", "reopened"), (74, 23, 3))
    twists: set[Twist] = {twist for twist, share in _ORDINARY_TWISTS if draw.chance(share)}
    outcome = None
    if kind == "organised":
        categories: Categories = (draw.pick(ORGANISED),)
    elif kind == "ict":
        first = draw.pick(ICT)
        categories = (first, draw.pick(ICT)) if draw.chance(0.2) else (first,)
        categories = tuple(dict.fromkeys(categories))
    elif kind == "abduction":
        categories = ("international_abduction",)
        outcome = draw.weighted(("located", "returned", "not_located"), (5, 4, 1))
    elif kind == "none":
        categories = (draw.pick(("unexplained_disappearance", "preventive", "csam_report", "undefined_disappearance")),)
    else:
        categories = (kind,)
        state = draw.pick(("closed", "open")) if kind in SIX_MONTHS else state
        outcome = draw.weighted(("returned", "located", "not_located"), (7, 2, 1)) if kind == "runaway" else None
    return Case(categories, None, outcome, state=state, children=2 if draw.chance(0.07) else 1, twists=frozenset(twists))


def ordinary_lone_fiche(draw: Draw) -> Case:
    """Return a typical lone fiche: mostly a question that belongs elsewhere, or about safe internet."""
    return Case(
        (draw.weighted(("social_card", "e_safety", "csam_report", "runaway", "sexting"), (52, 36, 8, 2, 2)),),
        twists=frozenset({"shared_reporter"} if draw.chance(0.15) else ()),
    )


_ORDINARY_TWISTS: tuple[tuple[Twist, float], ...] = (
    ("suspect", 0.1),
    ("witness", 0.07),
    ("professional", 0.18),
    ("shared_reporter", 0.12),
    ("guardian", 0.03),
    ("public_alert", 0.02),
    ("abroad", 0.03),
)
