"""Which relations of contacts last, and which end, once it is known what is deleted (RET-20, section 2.3)."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from jobs.reading.units import HasRelations
from rules.model.records import Engagement, UnitKind
from rules.retention.relations import RelationTerms


@dataclass(frozen=True, slots=True)
class Relations:
    """Contacts by what still ties them to the organisation. That is an `active` relation, a `former` one (an
    ended agreement that is kept), or one that has `lapsed`: its gift, course or agreement is deleted, or a
    row of the schedule says that being a donor is over."""

    active: set[str] = field(default_factory=set)
    former: set[str] = field(default_factory=set)
    lapsed: set[str] = field(default_factory=set)


def relations_after(found: HasRelations, going: Collection[str], *, day: date, terms: RelationTerms) -> Relations:
    """Sort the people of what was read; `going` are the ids of units that are disposed of. Being a donor
    lasts as the schedule's row for donors says, whatever happens to the single gifts; without such a row it
    lasts as long as a gift exists."""
    relations = Relations(set(found.relations), set(found.former))
    for kind, units in found.relation_units.items():
        for unit in units.values():
            contact = getattr(unit.relation, "contact", None)  # a row of a dependent table has none
            if contact is None:
                continue
            if unit.id in going:
                relations.lapsed.add(contact)
            elif has_ended(unit.relation, day):
                relations.former.add(contact)
            elif kind is not UnitKind.DONATION or not terms.donor:
                relations.active.add(contact)
    for contact, gifts in found.gifts.items():
        until = terms.donor_until(gifts)
        (relations.lapsed if until is not None and day > until else relations.active).add(contact)
    return relations


def has_ended(relation: object, day: date) -> bool:
    """Return whether this is an agreement that ended before a day."""
    return isinstance(relation, Engagement) and relation.ended_on is not None and relation.ended_on < day
