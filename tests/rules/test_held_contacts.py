"""Contacts under a hold: not removed, not trimmed, and not forgotten (HLD-04, RET-20)."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from rules.contacts import ContactFacts, ContactVerdicts, settle_contacts
from rules.records import Contact

NAMES = ("lotte", "bram", "ines", "joris", "kaat")


def settled(contacts: dict[str, Contact], held: set[str], **facts: set[str]) -> ContactVerdicts:
    told: dict[str, set[str]] = {"kept": set(), "going": set(), "relations": set(), "former": set()} | facts
    return settle_contacts(ContactFacts(contacts=contacts, about=[], held=frozenset(held), **told))


def people(**parents: str) -> dict[str, Contact]:
    return {name: Contact(id=name, parent=parents.get(name), parent_kind="contact" if name in parents else None) for name in NAMES}


def test_a_held_contact_is_neither_removed_nor_trimmed_and_is_remembered() -> None:
    verdicts = settled(people(), {"lotte", "ines"}, going={"lotte", "bram", "ines"}, relations={"ines"}, kept={"joris", "kaat"})
    assert (verdicts.remove, verdicts.trim, verdicts.held) == ({"bram"}, set(), {"lotte": "delete", "ines": "trim"})
    assert verdicts.orphans == set()


def test_whom_a_held_contact_points_to_stays_with_it() -> None:
    """Removing the parent would change the held row."""
    verdicts = settled(people(lotte="bram", bram="ines"), {"lotte"}, going={"lotte"}, kept={"joris", "kaat"})
    assert (verdicts.remove, verdicts.held, verdicts.orphans) == (set(), {"lotte": "delete"}, set())
    released = settled(people(lotte="bram", bram="ines"), set(), going={"lotte"}, kept={"joris", "kaat"})
    assert released.remove == {"lotte", "bram", "ines"}


def test_a_held_contact_that_only_a_removed_one_pointed_to_is_remembered() -> None:
    verdicts = settled(people(lotte="bram"), {"bram"}, going={"lotte"}, kept={"ines", "joris", "kaat"})
    assert (verdicts.remove, verdicts.held) == ({"lotte"}, {"bram": "delete"})


def test_a_hold_on_a_contact_that_stays_anyway_says_nothing() -> None:
    assert settled(people(), {"lotte"}, going={"lotte"}, kept=set(NAMES)).held == {}
    assert settled(people(), {"lotte"}, kept=set(NAMES) - {"lotte"}) == ContactVerdicts(set(), set(), {"lotte"})


GROUPS = st.sets(st.sampled_from(NAMES))


def in_a_ring(parents: dict[str, str]) -> bool:
    """Whether people lead back to themselves over somebody else."""
    for name in parents:
        seen, at = [name], parents[name]
        while at in parents and at not in seen:
            seen.append(at)
            at = parents[at]
        if len(seen) > 1 and at == name:
            return True
    return False


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES)), GROUPS, GROUPS, GROUPS, GROUPS)
def test_a_hold_takes_nobody_away_and_once_released_all_goes_as_if_it_had_never_been(
    parents: dict[str, str], held: set[str], kept: set[str], going: set[str], relations: set[str]
) -> None:
    assume(not in_a_ring(parents))  # of two who point at each other, one held, the other is not found again: both stay (RET-20)
    contacts = people(**parents)
    free = settled(contacts, set(), kept=kept, going=going, relations=relations)
    frozen = settled(contacts, held, kept=kept, going=going, relations=relations)
    assert frozen.remove <= free.remove - held
    assert frozen.trim <= free.trim - held
    assert set(frozen.held) <= held & (free.remove | free.trim)
    assert frozen.orphans == free.orphans
    # The next plan, after the release: those that went are gone, and what the hold stopped is what the journal remembers.
    left = {name: contact for name, contact in contacts.items() if name not in frozen.remove}
    later = settled(left, set(), kept=kept - frozen.remove, going=set(frozen.held), relations=relations)
    assert later.remove | frozen.remove == free.remove
