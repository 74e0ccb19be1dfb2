"""The matrix of rights: what each person may request of us, right by right.

`docs/rights.md` shows it in words; the tests compare that page with this table. For one person it is
determined in `entitlement.py`. Of the table only `refusal_in_files` decides: what is refused to a person with
a part in a file. What can be granted otherwise is in `jobs/requests/decisions/propose.py`.
Source: section 6.2, RGT-10 to RGT-12; policy §5."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from rules.model.requests import Right


class Availability(StrEnum):
    """What a cell of the matrix says, by the letter that section 6.2 uses."""

    YES = "Y"
    CONDITIONAL = "C"
    DPO = "D"
    NOT_AVAILABLE = "N"
    NEUTRAL = "0"


class Row(StrEnum):
    """The people of the matrix. Who somebody is follows from the files, regardless of what he or she claims
    to be (RGT-01)."""

    __hash__ = str.__hash__

    CHILD = "child"
    CHILD_UNDER_MATURITY = "child_under_maturity"
    FORMER_CHILD = "former_child"
    PARENT_FOR_CHILD = "parent_for_child"
    PARENT_SELF = "parent_self"
    WITNESS = "witness"
    DONOR = "donor"
    TRAINING = "training"
    VOLUNTEER = "volunteer"
    PARTNER = "partner"
    NEWSLETTER = "newsletter"
    SUSPECT = "suspect"


# Those who are known because of what the organisation is there for, and those who are known because of a
# relation with it.
MISSION: Final = frozenset({Row.CHILD, Row.CHILD_UNDER_MATURITY, Row.FORMER_CHILD, Row.PARENT_FOR_CHILD, Row.PARENT_SELF, Row.WITNESS})
RELATIONS: Final = frozenset({Row.DONOR, Row.TRAINING, Row.VOLUNTEER, Row.PARTNER, Row.NEWSLETTER})


class Cell(msgspec.Struct, frozen=True):
    """One cell: the decision, its conditions as keys of `CONDITIONS`, and the code of the text that a refusal
    is written with."""

    decision: Availability
    conditions: tuple[str, ...] = ()
    refusal: str = ""


# What a cell may depend on, as the page of the DPO says it.
CONDITIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "safe_channel": "a channel that the child called safe (IDV-05)",
        "child_is_mature": "with a representative, or alone where the DPO finds the child mature (RGT-05)",
        "mandate": "authority over the child shown and not contested, the child's agreement from 12 on, and nothing of running away or "
        "abduction that is not released item by item (RGT-04 to RGT-09)",
        "not_suspect_of_child": "not suspected in any file of the child (SUS-11)",
        "own_data": "own data only",
        "facts_only": "facts are corrected; what is contested stays, with a dated note",
        "statement_stays": "a statement stays as it was given; the person may add to it",
        "balanced": "weighed against the public task, legal claims and statistics; the wish of a victim weighs heavily (art. 17(3))",
        "evidence_of_child": "never against the child's interest in evidence",
        "identity_apart": "the identity may go while the information stays",
        "payment_kept": "payments stay for their fiscal term, the profile goes",
        "unless_required": "unless a contract or the law requires keeping",
        "four_cases": "in one of the four cases of art. 18(1)",
        "provided_on_consent_or_contract": "what the person gave, on consent or contract (RGT-10); special categories never (RGT-14)",
        "direct_marketing": "against direct marketing, always and at once (RGT-11)",
        "mission_objection": "treated as a request to erase where the data are there for vital interests (RGT-11)",
        "recording": "against a recording, which rests on a legitimate interest",
        "basis": "depends on the legal basis",
        "consent_based": "what rests on consent: newsletter, use of an image, testimonial; for the future (RGT-12)",
        "meant_as_erasure": "treated as a request to erase if that is what is meant",
        "relations_apart": "a newsletter or a gift of the same person is dealt with as anybody's (SUS-05, R-115)",
    }
)


def _cell(decision: Availability, *conditions: str, refusal: str = "") -> Cell:
    return Cell(decision, conditions, refusal)


def _rows(cell: Cell, *rows: Row) -> dict[Row, Cell]:
    return dict.fromkeys(rows, cell)


_CHILDREN: Final = (Row.CHILD, Row.FORMER_CHILD)
_YES: Final = Availability.YES
_IF: Final = Availability.CONDITIONAL
_DPO: Final = Availability.DPO
_NO: Final = Availability.NOT_AVAILABLE

MATRIX: Final[Mapping[Right, Mapping[Row, Cell]]] = MappingProxyType(
    {
        Right.ACCESS: _rows(_cell(_YES, "safe_channel"), Row.CHILD)
        | _rows(_cell(_IF, "child_is_mature", "safe_channel"), Row.CHILD_UNDER_MATURITY)
        | _rows(_cell(_YES), Row.FORMER_CHILD, *RELATIONS)
        | _rows(_cell(_IF, "mandate", "not_suspect_of_child"), Row.PARENT_FOR_CHILD)
        | _rows(_cell(_YES, "own_data"), Row.PARENT_SELF, Row.WITNESS)
        | _rows(_cell(Availability.NEUTRAL, "relations_apart"), Row.SUSPECT),
        Right.RECTIFICATION: _rows(_cell(_YES, "facts_only"), *_CHILDREN)
        | _rows(_cell(_IF, "child_is_mature", "facts_only"), Row.CHILD_UNDER_MATURITY)
        | _rows(_cell(_IF, "mandate", "not_suspect_of_child", "facts_only"), Row.PARENT_FOR_CHILD)
        | _rows(_cell(_YES, "statement_stays", "own_data"), Row.PARENT_SELF, Row.WITNESS)
        | _rows(_cell(_YES), *RELATIONS)
        | _rows(_cell(Availability.NEUTRAL, "relations_apart"), Row.SUSPECT),
        Right.ERASURE: _rows(_cell(_DPO, "balanced", refusal="RF-02"), *_CHILDREN)
        | _rows(_cell(_DPO, "child_is_mature", "balanced", refusal="RF-02"), Row.CHILD_UNDER_MATURITY)
        | _rows(_cell(_DPO, "mandate", "not_suspect_of_child", "evidence_of_child", refusal="RF-02"), Row.PARENT_FOR_CHILD)
        | _rows(_cell(_DPO, "identity_apart", refusal="RF-02"), Row.PARENT_SELF, Row.WITNESS)
        | _rows(_cell(_IF, "payment_kept", refusal="RF-02"), Row.DONOR)
        | _rows(_cell(_YES, "unless_required", refusal="RF-02"), Row.NEWSLETTER, Row.TRAINING, Row.VOLUNTEER, Row.PARTNER)
        | _rows(_cell(Availability.NEUTRAL, "relations_apart"), Row.SUSPECT),
        Right.RESTRICTION: _rows(_cell(_IF, "four_cases"), *_CHILDREN, Row.PARENT_SELF, Row.WITNESS, *RELATIONS)
        | _rows(_cell(_IF, "child_is_mature", "four_cases"), Row.CHILD_UNDER_MATURITY)
        | _rows(_cell(_IF, "mandate", "not_suspect_of_child", "four_cases"), Row.PARENT_FOR_CHILD)
        | _rows(_cell(Availability.NEUTRAL, "relations_apart"), Row.SUSPECT),
        Right.PORTABILITY: _rows(_cell(_NO, refusal="RF-04"), *MISSION)
        | _rows(_cell(_YES, "provided_on_consent_or_contract"), *RELATIONS)
        | _rows(_cell(Availability.NEUTRAL, "relations_apart"), Row.SUSPECT),
        Right.OBJECTION: _rows(_cell(_DPO, "mission_objection", "recording", refusal="RF-05"), *_CHILDREN, Row.PARENT_SELF, Row.WITNESS)
        | _rows(_cell(_DPO, "child_is_mature", "mission_objection", "recording", refusal="RF-05"), Row.CHILD_UNDER_MATURITY)
        | _rows(_cell(_DPO, "mandate", "not_suspect_of_child", "mission_objection", refusal="RF-05"), Row.PARENT_FOR_CHILD)
        | _rows(_cell(_YES, "direct_marketing"), Row.DONOR, Row.TRAINING, Row.NEWSLETTER)
        | _rows(_cell(_DPO, "basis", "direct_marketing", refusal="RF-05"), Row.VOLUNTEER, Row.PARTNER)
        | _rows(_cell(Availability.NEUTRAL, "relations_apart"), Row.SUSPECT),
        Right.CONSENT_WITHDRAWAL: _rows(_cell(_NO, "consent_based", "meant_as_erasure", refusal="RF-06"), *MISSION)
        | _rows(_cell(_YES, "consent_based"), *RELATIONS)
        | _rows(_cell(Availability.NEUTRAL, "relations_apart"), Row.SUSPECT),
    }
)

# What a withdrawal can be about that rests on consent also in a file of the mission (6.2).
CONSENT_BASED: Final = frozenset({"image", "testimonial"})


def refusal_in_files(right: Right, about: str) -> str:
    """Return the code with which a right is refused in every file of the mission, or nothing where it exists
    there. Source: RF-04, RF-06; RGT-10, RGT-12."""
    cell = MATRIX[right][Row.WITNESS]  # the rows of the mission agree about it
    if cell.decision is not Availability.NOT_AVAILABLE or ("consent_based" in cell.conditions and about in CONSENT_BASED):
        return ""
    return cell.refusal
