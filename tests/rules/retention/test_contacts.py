"""What becomes of contacts (RET-04, RET-20)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rules.model.decisions import Disposition, Flag, Reason
from rules.model.records import Contact
from rules.retention.contacts import ContactFacts, ContactVerdicts, contact_decision, contact_outcomes

NAMES = ("lotte", "bram", "ines", "joris", "kaat", "mil")


def settled(
    contacts: dict[str, dict[str, Any]],
    *,
    kept: Iterable[str] = (),
    going: Iterable[str] = (),
    about: Iterable[tuple[str, str]] = (),
    relations: Iterable[str] = (),
) -> ContactVerdicts:
    return contact_outcomes(
        ContactFacts(
            contacts={name: Contact(id=name, **facts) for name, facts in contacts.items()},
            kept=set(kept),
            going=set(going),
            about=list(about),
            relations=set(relations),
        )
    )


def child_of(parent: str) -> dict[str, Any]:
    return {"parent": parent, "parent_kind": "contact"}


def test_a_contact_goes_with_the_last_unit_that_refers_to_it() -> None:
    assert settled({"lotte": {}}, going=["lotte"]) == ContactVerdicts({"lotte"}, set(), set())


def test_r042_a_contact_of_a_unit_that_stays_stays_too() -> None:
    assert settled({"lotte": {}}, going=["lotte"], kept=["lotte"]) == ContactVerdicts(set(), set(), set())


def test_r043_an_active_donor_is_trimmed() -> None:
    assert settled({"lotte": {}}, going=["lotte"], relations=["lotte"]).trim == {"lotte"}
    assert settled({"lotte": {"newsletter": True}}, going=["lotte"]).trim == {"lotte"}
    assert settled({"lotte": {"parent": "an organisation", "parent_kind": "account"}}, going=["lotte"]).trim == {"lotte"}
    assert settled({"lotte": {}}, going=["lotte"], relations=["lotte"], kept=["lotte"]).trim == set()


def test_a_contact_without_a_unit_is_no_orphan_where_a_relation_lasts() -> None:
    assert settled({"lotte": {}}, relations=["lotte"]) == ContactVerdicts(set(), set(), set())


def test_the_parent_of_a_contact_that_stays_stays() -> None:
    contacts = {"lotte": {}, "bram": child_of("lotte")}
    assert settled(contacts, going=["lotte"], kept=["bram"]) == ContactVerdicts(set(), set(), set())
    assert settled(contacts, going=["lotte"], relations=["bram"]) == ContactVerdicts(set(), set(), set())


def test_the_parent_of_a_contact_that_goes_goes() -> None:
    contacts = {"lotte": {}, "bram": child_of("lotte")}
    assert settled(contacts, going=["bram"]).remove == {"lotte", "bram"}
    assert settled(contacts, going=["bram"], relations=["lotte"]) == ContactVerdicts({"bram"}, set(), set())


def test_participants_of_activities_about_a_contact_follow_it() -> None:
    contacts: dict[str, dict[str, Any]] = {"lotte": {}, "bram": {}}
    about = [("bram", "lotte"), ("bram", "bram")]
    assert settled(contacts, going=["bram"], about=about).remove == {"lotte", "bram"}
    assert settled(contacts, going=["lotte"], kept=["bram"], about=about).remove == set()


def test_two_contacts_that_point_at_each_other_do_not_keep_each_other() -> None:
    contacts = {"lotte": child_of("bram"), "bram": child_of("lotte")}
    assert settled(contacts, going=["lotte"]).remove == {"lotte", "bram"}
    assert settled(contacts).orphans == {"lotte", "bram"}


def test_a_contact_that_was_never_linked_to_anything_is_an_orphan_and_stays() -> None:
    contacts = {"lotte": {}, "bram": child_of("lotte"), "ines": {}, "joris": {"newsletter": True}}
    verdicts = settled(contacts, going=["ines"], about=[("lotte", "lotte")])
    assert verdicts == ContactVerdicts({"ines"}, set(), {"lotte", "bram"})


def test_an_anonymised_contact_counts_as_not_there() -> None:
    contacts = {"lotte": {"anonymised_on": date(2026, 1, 1), **child_of("bram")}, "bram": {}}
    assert settled(contacts, going=["lotte"], kept=["lotte"]) == ContactVerdicts(set(), set(), {"bram"})


def test_the_lines_of_contacts_in_a_plan() -> None:
    verdicts = settled({"lotte": {}, "bram": {}, "ines": {}}, going=["lotte"], kept=["ines"])
    removed, orphan = contact_decision("lotte", verdicts), contact_decision("bram", verdicts)
    assert removed is not None
    assert (removed.disposition, removed.reasons, removed.rule) == (Disposition.DELETE, (Reason.EXPIRED,), "RET-20")
    assert removed.retention_end is None
    assert orphan is not None
    assert (orphan.disposition, orphan.reason, orphan.flags) == (Disposition.KEEP, Reason.ORPHAN_CONTACT, (Flag.ORPHAN_CONTACT,))
    assert contact_decision("ines", verdicts) is None


@st.composite
def cases(draw: st.DrawFn) -> tuple[ContactFacts, set[tuple[str, str]], set[str], set[str]]:
    """Facts, and by another way: who leads to whom, who has a relation, who is there."""
    some = st.sets(st.sampled_from(NAMES), max_size=3)
    contacts: dict[str, Contact] = {}
    for name in NAMES:
        parent = draw(st.sampled_from([None, None, *NAMES]))
        kind = draw(st.sampled_from(["contact", "contact", "account"])) if parent else None
        gone = draw(st.integers(0, 9)) == 0
        contacts[name] = Contact(id=name, parent=parent, parent_kind=kind, anonymised_on=date(2026, 1, 1) if gone else None)
    about = draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=3))
    facts = ContactFacts(contacts=contacts, kept=draw(some), going=draw(some), about=about, relations=draw(some))
    there = {name for name, contact in contacts.items() if contact.anonymised_on is None}
    links = {(name, contact.parent) for name, contact in contacts.items() if contact.parent and contact.parent_kind == "contact"} | set(
        about
    )
    links = {(one, other) for one, other in links if one != other and one in there and other in there}
    related = facts.relations | {name for name, contact in contacts.items() if contact.parent_kind == "account"}
    return facts, links, related, there


def grows(start: set[str], links: set[tuple[str, str]]) -> set[str]:
    found = set(start)
    for _ in NAMES:
        found |= {other for one, other in links if one in found}
    return found


@given(cases())
def test_removed_is_the_largest_set_that_nothing_that_stays_refers_to(
    case: tuple[ContactFacts, set[tuple[str, str]], set[str], set[str]],
) -> None:
    """All subsets are tried: one may go if it keeps nobody, and if a unit that goes leads to each of it over
    others of it."""
    facts, links, related, there = case

    def may_go(group: set[str]) -> bool:
        within = {(one, other) for one, other in links if one in group and other in group}
        is_touched = grows(facts.going & group, within) == group
        is_referred = any(other in group and one not in group for one, other in links)
        return is_touched and not is_referred and not group & (facts.kept | related)

    groups = [set(group) for size in range(len(there) + 1) for group in combinations(sorted(there), size)]
    allowed = [group for group in groups if may_go(group)]
    verdicts = contact_outcomes(facts)
    assert verdicts.remove in allowed
    assert verdicts.remove == set().union(*allowed)


@given(cases())
def test_trimmed_and_orphaned_are_what_their_definitions_say(
    case: tuple[ContactFacts, set[tuple[str, str]], set[str], set[str]],
) -> None:
    facts, links, related, there = case
    verdicts = contact_outcomes(facts)
    staying = there - verdicts.remove
    referred = facts.kept | {other for one, other in links if one in staying}
    assert verdicts.trim == (facts.going & related & there) - referred
    assert verdicts.orphans == there - grows((facts.kept | facts.going | related) & there, links)
    assert verdicts.mentioned == ({other for one, other in links if one in staying} & related & there) - facts.kept
    assert not verdicts.mentioned & (verdicts.remove | verdicts.trim)
    assert not verdicts.orphans & (verdicts.remove | verdicts.trim)
    assert not verdicts.remove & verdicts.trim
