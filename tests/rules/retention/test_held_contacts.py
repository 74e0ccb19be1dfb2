"""Contacts under a hold: not removed, not trimmed, and not forgotten (HLD-04, RET-20)."""

from hypothesis import given
from hypothesis import strategies as st

from rules.model.records import Contact
from rules.retention.contacts import ContactFacts, ContactVerdicts, Stopped, contact_outcomes

NAMES = ("lotte", "bram", "ines", "joris", "kaat")


def settled(contacts: dict[str, Contact], held: set[str], **facts: set[str]) -> ContactVerdicts:
    told: dict[str, set[str]] = {"kept": set(), "going": set(), "relations": set()} | facts
    return contact_outcomes(ContactFacts(contacts=contacts, about=[], held=frozenset(held), **told))


def people(**parents: str) -> dict[str, Contact]:
    return {name: Contact(id=name, parent=parents.get(name), parent_kind="contact" if name in parents else None) for name in NAMES}


def test_a_held_contact_is_neither_removed_nor_trimmed_and_is_remembered() -> None:
    verdicts = settled(people(), {"lotte", "ines"}, going={"lotte", "bram", "ines"}, relations={"ines"}, kept={"joris", "kaat"})
    assert (verdicts.remove, verdicts.trim, verdicts.held) == (
        {"bram"},
        set(),
        {"lotte": Stopped("delete", "lotte"), "ines": Stopped("trim", "ines")},
    )
    assert verdicts.orphans == set()


def test_whom_a_held_contact_points_to_stays_with_it() -> None:
    """Removing the parent would change the held row."""
    verdicts = settled(people(lotte="bram", bram="ines"), {"lotte"}, going={"lotte"}, kept={"joris", "kaat"})
    assert (verdicts.remove, verdicts.held, verdicts.orphans) == (set(), {"lotte": Stopped("delete", "lotte")}, set())
    released = settled(people(lotte="bram", bram="ines"), set(), going={"lotte"}, kept={"joris", "kaat"})
    assert released.remove == {"lotte", "bram", "ines"}


def test_a_held_contact_that_only_a_removed_one_pointed_to_is_remembered() -> None:
    verdicts = settled(people(lotte="bram"), {"bram"}, going={"lotte"}, kept={"ines", "joris", "kaat"})
    assert (verdicts.remove, verdicts.held) == ({"lotte"}, {"bram": Stopped("delete", "bram")})


def test_a_hold_on_a_contact_that_stays_anyway_says_nothing() -> None:
    assert settled(people(), {"lotte"}, going={"lotte"}, kept=set(NAMES)).held == {}
    assert settled(people(), {"lotte"}, kept=set(NAMES) - {"lotte"}) == ContactVerdicts(set(), set(), {"lotte"})


def test_of_two_who_point_at_each_other_the_hold_on_one_keeps_both_until_it_is_released() -> None:
    ring = people(ines="joris", joris="ines")
    verdicts = settled(ring, {"ines"}, going={"ines"}, kept={"lotte", "bram", "kaat"})
    assert (verdicts.remove, verdicts.held) == (set(), {"ines": Stopped("delete", "ines")})
    assert settled(ring, set(), going=set(verdicts.held), kept={"lotte", "bram", "kaat"}).remove == {"ines", "joris"}


def test_a_trim_that_a_hold_on_another_stops_is_remembered_with_whose_hold_it_is() -> None:
    """The one who points there is held; once that one has gone nothing else would say that a trim was due."""
    verdicts = settled(people(lotte="bram"), {"lotte"}, going={"lotte", "bram"}, relations={"bram"}, kept={"ines", "joris", "kaat"})
    assert (verdicts.trim, verdicts.held) == (set(), {"lotte": Stopped("delete", "lotte"), "bram": Stopped("trim", "lotte")})


GROUPS = st.sets(st.sampled_from(NAMES))


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES)), GROUPS, GROUPS, GROUPS, GROUPS)
def test_a_hold_takes_nobody_away_and_once_released_all_goes_as_if_it_had_never_been(
    parents: dict[str, str], held: set[str], kept: set[str], going: set[str], relations: set[str]
) -> None:
    contacts = people(**parents)
    free = settled(contacts, set(), kept=kept, going=going, relations=relations)
    frozen = settled(contacts, held, kept=kept, going=going, relations=relations)
    assert frozen.remove <= free.remove - held
    assert frozen.trim <= free.trim - held
    assert held & (free.remove | free.trim) <= set(frozen.held) <= free.remove | free.trim
    assert all(stopped.by in held for stopped in frozen.held.values())
    assert frozen.orphans == free.orphans
    # The next plan, after the release: those that went are gone, and what the hold stopped is what the
    # journal remembers.
    left = {name: contact for name, contact in contacts.items() if name not in frozen.remove}
    later = settled(left, set(), kept=kept - frozen.remove, going=set(frozen.held), relations=relations)
    assert later.remove | frozen.remove == free.remove
    assert later.trim | frozen.trim == free.trim
