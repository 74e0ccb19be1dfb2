"""What is kept from a parent who asks in the child's name after a running away or an abduction, unless the
DPO releases it one by one.

A class is a code: `shelter` (past and present), `contact_details` (of the child), `confidants` (and
institutions), `child_statements` and `planned_moves`. Every free text of such a file is withheld, regardless
of its words. Source: RGT-09, R-096."""

import re
from typing import Final

from rules.model.file_roles import SPEAKERS
from rules.rights.fields import FIELDS, Nature, ShownTo, rule_for

SHELTER: Final = "shelter"
CONTACT_DETAILS: Final = "contact_details"
CONFIDANTS: Final = "confidants"
CHILD_STATEMENTS: Final = "child_statements"
PLANNED_MOVES: Final = "planned_moves"

CLASSES: Final = (SHELTER, CONTACT_DETAILS, CONFIDANTS, CHILD_STATEMENTS, PLANNED_MOVES)

_REACHES_THE_CHILD = frozenset({Nature.PHONE, Nature.EMAIL, Nature.ADDRESS, Nature.IP_ADDRESS})
# Where a child is born is no secret for its parent, and leads nobody to it.
_HARMLESS = frozenset({("contact", "birth_place")})

# How somebody was in contact, and in which language: a chat in Dutch may tell that it was the child.
_TELLS_WHO_SPOKE = frozenset({("fiche", "channel"), ("fiche", "reporter_kind"), ("fiche", "language"), ("recording", "channel")})

# Roles that say that the child itself spoke.

# To whom a file goes because the law says so: no place where a child could be found.
_AUTHORITY = re.compile(
    r"politi|police|polizei|parket|parquet|staatsanwalt|prosecut|procureur|rechtbank|tribunal|gericht|court|onderzoeksrechter|jugendrichter|"
    r"juge\b|jeugdrechter|interpol|europol|justiti|justice|justiz|central authority|centrale autoriteit|autorité centrale|zentrale behörde",
    re.IGNORECASE,
)


def withheld_on_behalf(kind: str, field: str) -> str | None:
    """Return the class by which a field of a limited file is withheld, or None where it may be shown. Free
    texts, files and recordings are withheld as statements of the child until the DPO has read them,
    regardless of what else they contain."""
    if field not in FIELDS.get(kind, ()):  # of a table or column that the organisation alone knows, anything may lead to the child
        return CHILD_STATEMENTS
    rule = rule_for(kind, field)
    if rule.shown is ShownTo.NEVER or (kind, field) in _HARMLESS:
        return None
    if rule.nature in _REACHES_THE_CHILD:
        return CONTACT_DETAILS
    if rule.needs_review or (kind, field) in _TELLS_WHO_SPOKE:
        return CHILD_STATEMENTS
    return None


def withheld_role(role: str | None) -> str | None:
    """Return the class by which a role of the child in a limited file is withheld. That it reported or bore
    witness is for it to disclose."""
    return CHILD_STATEMENTS if role in SPEAKERS else None


def withheld_recipient(name: str) -> str | None:
    """Return the class by which a recipient in a limited file is withheld; police, prosecutors and courts are
    named (R-120)."""
    return None if _AUTHORITY.search(name) else CONFIDANTS
