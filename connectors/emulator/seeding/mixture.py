"""How many dossiers and lone fiches of which kind the fictitious organisation has, and in which order. The
kinds are described in cases.py; what is in one is made up elsewhere: its rows in dossiers.py, its people in
people.py, its calls, e-mails and recordings in traffic.py, people apart from any dossier in relations.py."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from connectors.emulator.seeding.cases import SCRIPTED_DOSSIERS, SCRIPTED_LONE_FICHES, Case, Twist, ordinary_dossier, ordinary_lone_fiche
from connectors.emulator.seeding.dossiers import dossier_rows, lone_fiche_rows
from connectors.emulator.seeding.draw import Draw, add_months
from connectors.emulator.seeding.people import Organisation, professional
from connectors.emulator.seeding.relations import relation_rows
from connectors.emulator.seeding.traffic import Setting, scripted_recordings

_DOSSIERS_A_ROUND = 200  # every round of so many has each scripted case once, so that a larger organisation keeps its proportions
_LONE_FICHES_A_ROUND = 60
_KNOWN_PEOPLE: frozenset[Twist] = frozenset({"same_child", "same_number", "shared_reporter"})
_SETTLED_AFTER = 30  # by then there are people who can turn up again
_LOOSE_RECORDING_EVERY = 11
_LONE_FICHE_AFTER = (2, 5, 8)  # of every ten dossiers


def generate(*, dossiers: int, seed: int, as_of: date) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of an organisation with so many dossiers, as (table, row).

    Lone fiches, donors, volunteers and partners are added. A lookup always points at a row that came before.
    Every person is invented and says so; telephone numbers, e-mail addresses, IBANs and register numbers
    belong to nobody. About one unit in four has passed its retention end in the two months before `as_of`;
    some end that very day."""
    org = Organisation(seed, as_of)
    for _ in range(4):
        yield from professional(org, added_on=org.draw.day(add_months(as_of, -90), add_months(as_of, -60)))
    cases = _rounds(org.draw, SCRIPTED_DOSSIERS, _DOSSIERS_A_ROUND, ordinary_dossier)
    lone_cases = _rounds(org.draw, SCRIPTED_LONE_FICHES, _LONE_FICHES_A_ROUND, ordinary_lone_fiche)
    for number in range(dossiers):
        yield from dossier_rows(org, next(cases))
        if number % 10 in _LONE_FICHE_AFTER:
            yield from lone_fiche_rows(org, next(lone_cases))
        if number % _LOOSE_RECORDING_EVERY == 0:
            setting = Setting(org.draw.pick(("nl", "fr")), ["Jo Beller (fictief)", "Kim Voorbeeld (fictief)"], "Voorbeeldstad")
            yield scripted_recordings(org, setting, number // _LOOSE_RECORDING_EVERY)
        yield from relation_rows(org)


def _rounds(draw: Draw, scripted: tuple[Case, ...], size: int, ordinary: Callable[[Draw], Case]) -> Iterator[Case]:
    """Yield the scripted cases, shuffled among ordinary ones, once every `size` cases."""
    while True:
        order = draw.shuffled([*scripted, *([None] * (size - len(scripted)))])
        early, rest = order[:_SETTLED_AFTER], order[_SETTLED_AFTER:]
        early.sort(key=lambda case: case is not None and not case.twists.isdisjoint(_KNOWN_PEOPLE))
        yield from (case or ordinary(draw) for case in [*early, *rest])
