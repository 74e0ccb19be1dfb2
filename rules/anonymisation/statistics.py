"""What a unit that is disposed of adds to the statistics: a row of its own, or one more in a total. Whether
its row may stand is asked in k_anonymity.py. Source: section 5.2 of the rules; ERA-04; R-083."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import TypeAlias

from rules.anonymisation.bands import UNKNOWN, age_band, duration_band, fiches_band, sex
from rules.anonymisation.provinces import province
from rules.model.decisions import Decision, Disposition, End
from rules.model.home import BELGIUM
from rules.model.records import Contact, Fiche, Unit, UnitKind
from rules.people.birthdates import latest_compatible, sentinels_of
from rules.policy.categories import OUTCOMES, Mission
from rules.policy.policy import Policy

NAME = "Statistic"  # the same for every row: a running number would tell the order of disposal (ERA-16)
TOTAL_KEYS: Mapping[Mission, str] = MappingProxyType({mission: f"total_{mission}" for mission in Mission})

# Category, year, province, age band, sex, outcome: what a row of statistics could be recognised by (ERA-08).
Combination: TypeAlias = tuple[str | None, int | None, str | None, str | None, str | None, str | None]
# What says nothing, where the table has no column for it; no step makes it coarser.
SILENT: Mapping[str, str] = MappingProxyType({"province": BELGIUM, "age_band": UNKNOWN, "sex": UNKNOWN, "outcome": UNKNOWN})


@dataclass(frozen=True, slots=True)
class StatisticFacts:
    """What one disposed unit adds to the statistics. Without `individual` it only adds 1 to the total of its
    mission and year."""

    year: int | None
    category: str
    mission: Mission
    individual: bool = False
    province: str = BELGIUM
    age_band: str = UNKNOWN
    sex: str = UNKNOWN
    outcome: str = UNKNOWN
    channel: str | None = None
    reporter_kind: str | None = None
    duration_band: str | None = None
    fiches_band: str | None = None


def facts_of(unit: Unit, decision: Decision, policy: Policy, *, child: Contact | None, as_of: date) -> StatisticFacts | None:
    """Return what a unit about to be disposed of adds to the statistics; None for a recording or a contact.

    `child` is the youngest child of the unit (see `youngest`). Only an anonymised dossier that was never the
    object of a public alert may become a row of its own. A mixed unit is counted under the category that
    decided its end. The year is that of the opening date, or of the first fiche where there is none. Source:
    sections 5.2 and 5.3, ERA-04; R-083."""
    if unit.kind not in (UnitKind.DOSSIER, UnitKind.FICHE, UnitKind.EMAIL):
        return None
    sentinels = policy.fillers
    first = first_fiche(unit.fiches, sentinels)
    opened_on = _opened_on(unit, first, sentinels)
    category = deciding_category(decision, policy)
    year = opened_on.year if opened_on is not None else None
    dossier = unit.dossier
    facts = StatisticFacts(year=year, category=category, mission=policy.mission_of(category))
    if dossier is None or decision.disposition is not Disposition.ANONYMISE or dossier.public_alert:
        return facts
    home = policy.home.country
    born_on, _ = latest_compatible(child, sentinels_of(policy), as_of)
    return replace(
        facts,
        individual=True,
        province=province(child.postcode, child.country, home) if child is not None else home,
        age_band=age_band(born_on, opened_on),
        sex=sex(child.gender) if child is not None else UNKNOWN,
        outcome=dossier.outcome if dossier.outcome in OUTCOMES and dossier.outcome is not None else UNKNOWN,
        channel=first.channel if first is not None else None,
        reporter_kind=first.reporter_kind if first is not None else None,
        duration_band=duration_band(opened_on, _known(dossier.closed_on, sentinels)),
        fiches_band=fiches_band(len(unit.fiches)),
    )


def youngest(children: Iterable[Contact | None], policy: Policy, *, as_of: date) -> Contact | None:
    """Return the child whose latest compatible birth date is the latest, as for the retention end (RET-09,
    A-05). A child of whom no birth date is known comes after those who have one. None where no child has a
    contact."""
    sentinels = sentinels_of(policy)
    known = sorted((child for child in children if child is not None), key=lambda child: child.id)
    return max(known, key=lambda child: latest_compatible(child, sentinels, as_of)[0] or date.min, default=None)


def first_fiche(fiches: Iterable[Fiche], sentinels: frozenset[date]) -> Fiche | None:
    """Return the fiche of the earliest communication, else of the earliest creation (RET-07)."""
    return min(fiches, key=lambda fiche: (_fiche_on(fiche, sentinels) or date.max, fiche.id), default=None)


def deciding_category(decision: Decision, policy: Policy) -> str:
    """Return the retention key that produced a unit's end. On equal ends it is the one that is deleted, then
    the first of the schedule (RET-23). What decides over the unit itself: rules/law/deciding_category.py."""
    order = {key: number for number, key in enumerate(policy.categories)}

    def rank(end: End) -> tuple[date, bool, int]:
        return (end.on or date.min, end.disposition is Disposition.DELETE, -order.get(end.category, len(order)))

    if decision.ends:
        return max(decision.ends, key=rank).category
    return decision.categories[0] if decision.categories else ""


def _fiche_on(fiche: Fiche, sentinels: frozenset[date]) -> date | None:
    return _known(fiche.communicated_on, sentinels) or _known(fiche.created_on, sentinels)


def _opened_on(unit: Unit, first: Fiche | None, sentinels: frozenset[date]) -> date | None:
    opened_on = _known(unit.dossier.opened_on, sentinels) if unit.dossier is not None else None
    if opened_on is None and first is not None:
        opened_on = _fiche_on(first, sentinels)
    if opened_on is None and unit.email is not None:  # treated as a lone fiche dated on its receipt (RET-05)
        opened_on = _known(unit.email.sent_on, sentinels) or _known(unit.email.created_on, sentinels)
    return opened_on


def _known(on: date | None, sentinels: frozenset[date]) -> date | None:
    return None if on in sentinels else on
