"""Which relations of contacts last, and which end, once it is known what is deleted (RET-20, section 2.3)."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from jobs.reading.units import HasRelations
from rules.model.records import UnitKind
from rules.retention.relations import RelationTerms


@dataclass(frozen=True, slots=True)
class Relations:
    """Contacts by what ties them to the organisation: a `lasting` relation, also an ended agreement that is
    kept, or one that has `lapsed`: its gift, course or agreement is deleted, or a row of the schedule says
    that being a donor is over."""

    lasting: set[str]
    lapsed: set[str] = field(default_factory=set)


def relations_after(found: HasRelations, going: Collection[str], *, day: date, terms: RelationTerms) -> Relations:
    """Sort the people of what was read; `going` are the ids of units that are disposed of. Being a donor
    lasts as the schedule's row for donors says, whatever happens to the single gifts; without such a row it
    lasts as long as a gift exists."""
    relations = Relations(set(found.relations))
    for kind, units in found.relation_units.items():
        for unit in units.values():
            contact = getattr(unit.relation, "contact", None)  # a row of a dependent table has none
            if contact is None:
                continue
            if unit.id in going:
                relations.lapsed.add(contact)
            elif kind is not UnitKind.DONATION or not terms.donor:
                relations.lasting.add(contact)
    for contact, gifts in found.gifts.items():
        until = terms.donor_until(gifts)
        (relations.lapsed if until is not None and day > until else relations.lasting).add(contact)
    return relations
